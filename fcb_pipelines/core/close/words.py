"""Codes as words: what a person reads has no key of the configuration and no name of a field in it."""

import re
from collections.abc import Callable, Iterable, Mapping

from fcb_pipelines.core.close.rollforward import LABELS
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Tax

_METHODS: Mapping[str, str] = {
    **LABELS,
    Method.REFUND: "Refunds without a credit note",
    Method.CHARGEBACK: "Lost disputes",
}


def words(code: str) -> str:
    """A code as words: `zero_amount` is `zero amount`."""
    return code.replace("_", " ")


def method_name(method: str) -> str:
    """The settlement method as people call it; a code of another version as words."""
    return _METHODS.get(method) or words(method)


def naming_taxes(taxes: Iterable[Tax]) -> Callable[[str], str]:
    """A function that gives the names of these taxes for their keys in a text: `hst_13` becomes `13% HST`."""
    names = {tax.key: tax.odoo_name for tax in taxes}
    if not names:
        return str
    keys = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    found = re.compile(rf"(?<!\w)(?:{keys})(?!\w)")
    return lambda text: found.sub(lambda match: names[match[0]], text)
