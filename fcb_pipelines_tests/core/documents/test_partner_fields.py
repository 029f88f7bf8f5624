"""A partner gets what it lacks, by the first account that has it, and keeps what it has."""

import pytest

from fcb_pipelines.core.documents.partner_fields import FIELDS, fields_of, filling
from fcb_pipelines.core.facts.tax_names import country_code
from fcb_pipelines_tests.documents import a_partner

TORONTO = {"city": "Toronto", "state": "ON", "country": "Canada"}
BOSTON = {"city": "Boston", "state": "MA", "country": "US"}

# What the ledger holds, the accounts' fields, and what is filled in.
TABLE: dict[str, tuple[dict[str, str | None], list[dict[str, str]], dict[str, str]]] = {
    "a partner to be made": ({}, [TORONTO], TORONTO),
    "what is held is kept": (
        {"city": "Montréal", "state": "", "country": None},
        [TORONTO],
        {"state": "ON", "country": "Canada"},
    ),
    "nothing is lacking": ({"city": "X", "state": "Y", "country": "Canada"}, [TORONTO], {}),
    "the first that has it gives it": (
        {},
        [{"name": "Maple"}, {"name": "Oak", "vat": "1"}],
        {"name": "Maple", "vat": "1"},
    ),
    "a province of another country than the held one": (
        {"country": "US"},
        [TORONTO],
        {"city": "Toronto"},
    ),
    "a province of the held country, written otherwise": (
        {"country": "CA"},
        [TORONTO],
        {"city": "Toronto", "state": "ON"},
    ),
    "a province of another country than the first account's": (
        {},
        [{"country": "US"}, TORONTO],
        {"country": "US", "city": "Toronto"},
    ),
    "each account's province with its own country": ({}, [BOSTON, TORONTO], BOSTON),
    "a province without a country": ({"country": "US"}, [{"state": "MA"}], {"state": "MA"}),
}


@pytest.mark.parametrize(("held", "accounts", "filled"), TABLE.values(), ids=TABLE.keys())
def test_only_what_is_empty_is_filled(
    held: dict[str, str | None], accounts: list[dict[str, str]], filled: dict[str, str]
) -> None:
    def one_country(one: str, other: str) -> bool:
        return country_code(one) == country_code(other)

    assert filling(held, accounts, one_country=one_country) == filled


def test_a_ledger_may_hold_its_own_ids_for_countries_and_provinces() -> None:
    assert filling({"country": 38}, [{"country": 38, "state": 7}]) == {"state": 7}
    assert filling({"country": 233}, [{"country": 38, "state": 7}]) == {}


def test_the_fields_of_an_account_are_those_that_have_a_value() -> None:
    fields = fields_of(a_partner(vat=None, stripe_customer_id="cus_1"))
    assert fields.keys() == {*FIELDS} - {"vat"}
    assert (fields["state"], fields["stripe_customer_id"]) == ("ON", "cus_1")
