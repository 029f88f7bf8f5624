"""Values for the empty fields of a ledger partner, each from the first account that has one.

    no city; accounts in Toronto and in Ottawa                   -> Toronto
    country US, no province; an account in Ontario, Canada       -> no province

A field with a value is never overwritten.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from fcb_pipelines.core.ledger.entries import Partner

COUNTRY, PROVINCE = "country", "state"
FIELDS = (
    "name", "email", "street", "city", "zip", PROVINCE, COUNTRY, "vat", "stripe_customer_id",
)  # fmt: skip

Value = TypeVar("Value")


def fields_of(account: Partner) -> dict[str, str]:
    """The fields of an account that have a value, by name."""
    values = {name: getattr(account, name) for name in FIELDS}
    return {name: value for name, value in values.items() if value}


def filling(
    held: Mapping[str, Value | None],
    accounts: Iterable[Mapping[str, Value]],
    *,
    one_country: Callable[[Value, Value], bool] = operator.eq,
) -> dict[str, Value]:
    """The values to fill in, by the name of each empty field of a partner.

    `held` are the partner's fields in the ledger, `accounts` the fields of each account in order; both
    by the names in FIELDS and with the ledger's own values (a text, or the id of a country). An account
    in another country than the partner gives no province; `one_country` compares the two.
    """
    values: dict[str, Value] = {}
    for account in accounts:
        country, own = held.get(COUNTRY) or values.get(COUNTRY), account.get(COUNTRY)
        abroad = country is not None and own is not None and not one_country(country, own)
        for name, value in account.items():
            if not held.get(name) and not (abroad and name == PROVINCE):
                values.setdefault(name, value)
    return values
