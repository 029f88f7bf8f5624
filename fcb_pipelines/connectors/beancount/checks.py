"""Checks of dates, currencies and partners before anything is written to the books."""

from datetime import date

from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.failures import NotAllowed, NotPrepared


def assert_open(tried: str, day: date, kind: str, records: Records) -> None:
    """Raises NotAllowed for a day in a period that is locked for `invoices` or `payments`."""
    lock = records.locked_to(kind)
    if lock is not None and day <= lock:
        raise NotAllowed(tried, f"its date {day} lies in the period locked to {lock}")


def assert_currency(tried: str, currency: str, records: Records) -> None:
    """Raises NotPrepared for a currency that the books do not hold."""
    if currency not in records.currencies:
        remedy = f"a line `1970-01-01 commodity {currency}` in the books"
        raise NotPrepared(tried, f"these books do not hold {currency}", remedy=remedy)


def payee(tried: str, partner: str, records: Records) -> str:
    """The name of a partner. Raises NotPrepared when the books do not have it."""
    found = records.partner(partner)
    if found is None:
        raise NotPrepared(tried, f"partner {partner} is not in the books", remedy="fcb sync")
    return found.field("name") or ""
