"""The judgement of a credit note with its invoice (B12): a held invoice holds its note."""

from dataclasses import dataclass

from fcb_pipelines.core.codes import Reason, Verdict
from fcb_pipelines.core.documents.build import Held

# The invoice sold nothing here, so its note reverses nothing.
_SOLD_NOTHING = frozenset(
    {Reason.TEST_MODE, Reason.DRAFT_AT_SOURCE, Reason.ZERO_AMOUNT, Reason.FULLY_DISCOUNTED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """The invoice of a credit note, as far as the note depends on it.

    `verdict` is None where nothing is known of the invoice; `cause` is the reason of its skip or hold.
    `posted` says that its move is posted, `void` that its source voided it. `left` is its posted total
    less corrections and other notes, minor units.
    """

    number: str
    verdict: Verdict | None
    cause: str | None
    posted: bool = False
    void: bool = False
    left: int = 0


UNKNOWN_INVOICE = Credited(number="", verdict=None, cause=None)
OF_ANOTHER_SERVICE = Credited(number="", verdict=Verdict.SKIP, cause="other_service")


def judged_with(invoice: Credited, total: int) -> tuple[Verdict, Held] | None:
    """The verdict that the invoice puts on a note over `total` minor units, with its reason.

    None where the note is judged by itself: its invoice is posted or dated before the cutover. Where a
    correction has reversed a void invoice already, the note reverses nothing more.
    """
    named = f"its invoice {invoice.number or 'is not there'}"
    if invoice.posted:
        if not invoice.void or total <= invoice.left:
            return None
        if invoice.left <= 0:
            detail = f"{named} was voided, and a correction reversed it"
            return Verdict.SKIP, Held(reason=Reason.REVERSED_ALREADY, detail=detail)
        detail = f"{named} was voided, and only {invoice.left} minor units of it are still posted"
        return Verdict.HOLD, Held(reason=Reason.INVOICE_HELD, detail=detail)
    if invoice.verdict is None:
        return Verdict.HOLD, Held(reason=Reason.INVOICE_HELD, detail=f"{named} at its source")
    if invoice.verdict is Verdict.HOLD:
        detail = f"{named} is held: {invoice.cause}"
        return Verdict.HOLD, Held(reason=Reason.INVOICE_HELD, detail=detail)
    if invoice.cause == Reason.VOID_AT_SOURCE:
        return Verdict.SKIP, Held(reason=Reason.VOID_AT_SOURCE, detail=f"{named} was voided")
    if invoice.cause in {*_SOLD_NOTHING, OF_ANOTHER_SERVICE.cause}:
        detail = f"{named} is skipped: {invoice.cause}"
        return Verdict.SKIP, Held(reason=Reason.INVOICE_SKIPPED, detail=detail)
    return None
