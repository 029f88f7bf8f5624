"""A compared value as people write it."""

import re

from fcb_pipelines.core.agreement.compare import policy_of
from fcb_pipelines.core.naming import money

# The compared fields that are amounts, as the policy table names them; the number of lines is none.
_AMOUNTS = frozenset({"net", "tax", "total", "paid", "line.net", "settlement.amount"})
_MINOR = re.compile(r"-?\d+")
# `gst_5 1000 on 20000`: the taxes of a document, each with its base.
_TAX = re.compile(r"(-?\d+) on (-?\d+)")


def in_words(field: str, value: str | None, currency: str) -> str:
    """The value of a flattened field: an amount in major units with its currency, `nothing` for none.

    `currency` is empty where it is not known; the amount is then left as it is.
    """
    if value in (None, ""):
        return "nothing"
    text = str(value)
    if currency and policy_of(field) in _AMOUNTS and _MINOR.fullmatch(text):
        return money(int(text), currency)
    if currency and field == "taxes":
        return _TAX.sub(
            lambda tax: " on ".join(money(int(each), currency) for each in tax.groups()), text
        )
    return text
