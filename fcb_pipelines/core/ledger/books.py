"""The limits of the ledger: currencies with their rates, missing taxes and methods, lock dates."""

from dataclasses import dataclass
from datetime import date, timedelta

from fcb_pipelines.core.codes import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The limits of the ledger that decide whether a document or a settlement can be posted.

    `rates_since` is the first day with a rate for each currency that needs one. `lacking_taxes` are
    configured tax keys, `lacking_methods` settlement methods that can't be posted. `invoice_lock` is
    the latest date on which no sales document may be written, `entry_lock` the same for other entries.
    """

    currencies: frozenset[str]
    rates_since: tuple[tuple[str, date], ...] = ()
    lacking_taxes: frozenset[str] = frozenset()
    lacking_methods: frozenset[Method] = frozenset()
    invoice_lock: date | None = None
    entry_lock: date | None = None


def first_open_day(wanted: date, lock: date | None) -> date:
    """The wanted day, or the first day after the lock where it is locked."""
    return wanted if lock is None or wanted > lock else lock + timedelta(days=1)
