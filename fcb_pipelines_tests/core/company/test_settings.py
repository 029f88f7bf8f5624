"""The configuration's values check each other when they are read."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from fcb_pipelines.core.company.settings import CashSettings, Settings, Tax, TaxState
from fcb_pipelines_tests.documents import SETTINGS


def settings(**changes: Any) -> Settings:
    return Settings.model_validate(SETTINGS.model_dump() | changes)


def test_a_province_is_named_alone_or_with_its_own_dates() -> None:
    end = date(2025, 3, 31)
    tax = Tax.model_validate(
        {
            "key": "hst_15",
            "type": "hst",
            "percentage": 15,
            "odoo_name": "15% HST",
            "states": ["NB", {"state": "NS", "valid_to": end}],
        }
    )
    assert tax.states == (TaxState(state="NB"), TaxState(state="NS", valid_to=end))


@pytest.mark.parametrize("named", ["gst_0", None])
def test_the_export_tax_is_one_of_zero_percent_or_none(named: str | None) -> None:
    policies = SETTINGS.policies.model_dump() | {"export_tax": named}
    assert settings(policies=policies).policies.export_tax == named


@pytest.mark.parametrize("named", ["gst_5", "no_such_tax"])
def test_an_export_tax_that_is_not_there_or_not_zero_is_refused(named: str) -> None:
    policies = SETTINGS.policies.model_dump() | {"export_tax": named}
    with pytest.raises(ValidationError, match=f"export_tax: {named} is not among the taxes of 0 %"):
        settings(policies=policies)


@pytest.mark.parametrize("off", [False, "off", None])
def test_cash_that_is_off_is_no_section_as_it_is_without_the_word(off: object) -> None:
    assert settings(cash=off) == SETTINGS
    assert SETTINGS.cash is None


@pytest.mark.parametrize("on", [True, "on", {}])
def test_cash_that_is_on_has_the_defaults(on: object) -> None:
    assert settings(cash=on).cash == CashSettings()


USD = {
    "currency": "USD",
    "journal": {"code": "NCUSD", "name": "NexaCloud Stripe USD"},
    "account": {"code": "111330", "name": "NexaCloud Stripe Balance USD"},
}


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"balances": [USD, USD | {"account": {"code": "1", "name": "Other"}}]}, "balances name twice: USD"),
        ({"balances": [USD | {"currency": "CAD"}]}, "cash.balances: CAD has the Stripe journal"),
        ({"balances": [USD | {"account": {"code": "111320", "name": "Same"}}]}, "accounts name twice: 111320"),
        ({"opening": [{"currency": "CAD", "amount": "1"}] * 2}, "opening name twice: CAD"),
        ({"opening": [{"currency": "CAD"}]}, "opening.0.amount"),
        ("yes", "valid dictionary"),
    ],
)  # fmt: skip
def test_a_cash_section_that_says_a_thing_twice_or_not_at_all_is_refused(
    section: object, fault: str
) -> None:
    with pytest.raises(ValidationError, match=fault):
        settings(cash=section)
