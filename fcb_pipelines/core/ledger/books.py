"""What the ledger allows: currencies and their rates, what it lacks, and locked periods."""

from dataclasses import dataclass
from datetime import date, timedelta

from fcb_pipelines.core.codes import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the ledger allows: currencies and since when they have a rate, what it lacks, locks."""

    currencies: frozenset[str]
    rates_since: tuple[tuple[str, date], ...] = ()
    lacking_taxes: frozenset[str] = frozenset()
    lacking_methods: frozenset[Method] = frozenset()
    invoice_lock: date | None = None
    entry_lock: date | None = None


def first_open_day(wanted: date, lock: date | None) -> date:
    """The day itself, or the first after the lock."""
    return wanted if lock is None or wanted > lock else lock + timedelta(days=1)
