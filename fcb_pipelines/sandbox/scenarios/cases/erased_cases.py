"""Rule A13: what stands in the books is told for ever, whoever erases or loses it.

NexaCloud erases an account in August: its user and its invoices' rows are gone there.
"""

from fcb_pipelines.sandbox.scenarios.cases import customers as people
from fcb_pipelines.sandbox.scenarios.cases.at_lago import lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Paying, StripeSale, sale
from fcb_pipelines.sandbox.scenarios.cases.items import (
    HST_ON,
    booked,
    hosting,
    line_taxes,
    managed,
    unix,
)
from fcb_pipelines.sandbox.scenarios.cases.notes import note, refund
from fcb_pipelines.sandbox.scenarios.cases.outcomes import FORGOTTEN, Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Book, Copied

_ERASED = Copied(erased=True)
_LOST = "missing_at_source"


def write(book: Book) -> None:
    """Every case of this rule."""
    _erased(book)
    _lost(book)


def _erased(book: Book) -> None:
    kept = Outcome(reason=FORGOTTEN) if book.later else None
    paid = sale(
        book, "A13-1", "Posted and paid; NexaCloud has erased its customer since", people.ERASED,
        "2025-06-10", [hosting(10000)], payments=[Paying(at="2025-06-10 12:05", amount=11300)],
        copied=_ERASED, outcome=kept,
    )  # fmt: skip
    if book.later:
        back = refund(book, paid, "2025-08-13", 11300)
        note(
            book, "A13-1-CN1", "Refunded after the erasure: told, and posted", paid, "2025-08-13",
            [hosting(10000)], before=0, refunds=[back], outcome=kept,
        )  # fmt: skip
    items = [managed(2000)]
    sale(
        book, "A13-2", "Posted, erased, and voided after that", people.ERASED, "2025-07-16", items,
        status="void" if book.later else None, copied=_ERASED,
        voided_at=unix("2025-08-14") if book.later else None,
        outcome=Outcome(
            reason="void_at_source", exceptions=("voided_after_posting",),
            stands=booked(items, line_taxes(items, [HST_ON])),
        )
        if book.later
        else None,
    )  # fmt: skip
    lago_sale(
        book, "A13-3", "Lago: posted, erased, and still owed", people.ERASED, "2025-07-17",
        [hosting(4000)], copied=_ERASED, outcome=kept,
    )  # fmt: skip
    if book.later:
        sale(
            book, "A13-5", "Billed to the erased customer afterwards: nobody owns it",
            people.ERASED, "2025-08-19", [hosting(3000)], copied=None,
            outcome=Outcome(reason="missing_in_nexacloud"),
        )  # fmt: skip


def _lost(book: Book) -> None:
    items = [hosting(2900)]
    lost = Outcome(
        reason=_LOST, exceptions=(_LOST,), stands=booked(items, line_taxes(items, [HST_ON])),
        lost=True,
    )  # fmt: skip
    sold = sale(
        book, "A13-4", "Posted and paid; Stripe has it no longer in August", people.ON,
        "2025-07-18", items, payments=[Paying(at="2025-07-18 12:05", amount=3277)],
        outcome=lost if book.later else None,
    )  # fmt: skip
    if book.later:
        _forget(book, sold)


def _forget(book: Book, sold: StripeSale) -> None:
    """Stripe no longer knows an invoice, nor its payments."""
    book.sources["stripe/invoices"].remove(sold.invoice)
    for each in sold.payments:
        book.sources["stripe/invoice_payments"].remove(each)
    book.lose(sold.ref, _LOST)
