"""A credit note is judged with its invoice (B12): what became of the one decides about the other."""

from dataclasses import dataclass

from fcb_pipelines.core.codes import Reason, Verdict
from fcb_pipelines.core.documents.build import Held

# The invoice sold nothing here, so its note takes nothing back.
_SOLD_NOTHING = frozenset(
    {Reason.TEST_MODE, Reason.DRAFT_AT_SOURCE, Reason.ZERO_AMOUNT, Reason.FULLY_DISCOUNTED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """The invoice that a credit note is of, as far as the note depends on it.

    `verdict` is None where nothing is known of it at all, `cause` the reason of a skip or hold. `posted`: it stands in the books; `void`: its
    source voided it; `left` is what stands of a void one beside this note, in minor units: its total
    less corrections and other notes.
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
    """What the invoice makes of a note over `total` minor units; None: the note's own merits decide.

    A note of a posted invoice posts, and so does one of before the cutover. Where a void was taken
    back already, the note takes back nothing more.
    """
    named = f"its invoice {invoice.number or 'is not there'}"
    if invoice.posted:
        if not invoice.void or total <= invoice.left:
            return None
        if invoice.left <= 0:
            told = f"{named} was voided, and a correction took it back"
            return Verdict.SKIP, Held(reason=Reason.REVERSED_ALREADY, detail=told)
        told = f"{named} was voided, and only {invoice.left} minor units of it still stand"
        return Verdict.HOLD, Held(reason=Reason.INVOICE_HELD, detail=told)
    if invoice.verdict is None:
        return Verdict.HOLD, Held(reason=Reason.INVOICE_HELD, detail=f"{named} at its source")
    if invoice.verdict is Verdict.HOLD:
        told = f"{named} is held: {invoice.cause}"
        return Verdict.HOLD, Held(reason=Reason.INVOICE_HELD, detail=told)
    if invoice.cause == Reason.VOID_AT_SOURCE:
        return Verdict.SKIP, Held(reason=Reason.VOID_AT_SOURCE, detail=f"{named} was voided")
    if invoice.cause in {*_SOLD_NOTHING, OF_ANOTHER_SERVICE.cause}:
        told = f"{named} is skipped: {invoice.cause}"
        return Verdict.SKIP, Held(reason=Reason.INVOICE_SKIPPED, detail=told)
    return None
