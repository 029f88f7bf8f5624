"""The options for a document or settlement that a lock keeps out, or a source voided late (D1, D4)."""

from datetime import date

from fcb_pipelines.core.codes import ExceptionCode, Reason
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.ledger.books import Books, first_open_day
from fcb_pipelines.core.naming import money

# What may be done about these depends on the day.
OF_THE_DAY = frozenset({ExceptionCode.VOIDED_AFTER_POSTING})


def alternatives(code: str, row: Disposition, books: Books, today: date) -> tuple[str, ...]:
    """The options for one document with this reason or exception, best first; none for other codes.

    Each is a sentence for the close report. A person chooses one, with the accountant where the period
    was reported.
    """
    if row.date is None:
        return ()
    if code == Reason.PERIOD_LOCKED and books.invoice_lock is not None:
        opens = first_open_day(row.date, books.invoice_lock)
        return (
            f"Lift the lock of {books.invoice_lock} for the one who posts, "
            f"`fcb sync --period {row.period}`, lock again: it keeps its date {row.date}, and a tax "
            "return already filed for that period is amended.",
            "Void it at the source and issue it anew: the new document is dated in an open period.",
            f"Post {money(row.total, row.currency)} by hand on {opens}, the first open day, if the accountant agrees that "
            "revenue and tax are reported there; it stays listed here.",
        )
    if code == ExceptionCode.SETTLEMENT_PERIOD_LOCKED and books.entry_lock is not None:
        opens = first_open_day(row.date, books.entry_lock)
        return (
            f"Lift the lock of {books.entry_lock} for the one who posts, "
            f"`fcb sync --period {row.period}`, lock again: the cash keeps its date.",
            f"Record it by hand on {opens}, the first open day, against {row.number or row.ref}.",
        )
    if code in OF_THE_DAY:
        opens = first_open_day(today, books.invoice_lock)
        return (
            f"`fcb ledger correct {row.ref} --yes` reverses it on the void date, or on the first open "
            f"day where that is locked (today: {opens}).",
            f"Lift the lock first where it must be reversed in its own period {row.period}.",
        )
    return ()
