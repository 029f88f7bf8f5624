"""Whether a posted document takes a settlement, though its source or its settings changed since.

A change of a label, a family, a date or an owner is listed, and keeps no cash out of the books (S2, S11). A
document that a person edited takes none (D3). Neither does one that its source now bills in another currency
or as another kind, nor one that is paid by more than the books have of it: a correction comes first (D2).
"""

from collections.abc import Iterable, Mapping, Sequence

from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    LedgerMove,
    LedgerState,
    is_as_written,
    is_same_document,
    settled_under,
)
from fcb_pipelines.core.settlements.amended import amended, amendments


class Rooms:
    """What each posted document still takes, while the settlements of a month are planned.

    posted over 113.00, now billed and paid over 226.00 by two payments of 113.00:
    it takes the first, and the second once a correction has raised it
    """

    def __init__(
        self,
        documents: Mapping[str, LedgerDocument],
        moves: Mapping[str, LedgerMove],
        corrections: Mapping[str, Sequence[LedgerMove]],
        of_document: Mapping[str, Sequence[Settlement]],
        ledger_state: Mapping[str, LedgerState],
    ) -> None:
        """`documents` are the intended ones, `of_document` has all settlements that the source confirms."""
        self._documents, self._moves = documents, moves
        self._left: dict[str, int] = {}
        more = amendments(ledger_state)
        for ref, document in documents.items():
            if ref not in moves:
                continue
            settlements = of_document.get(ref, ())
            entries = (settled_under(each.ref, ledger_state) for each in settlements)
            booked = [amended(each, more.get(each.ref, ())) for each in entries if each]
            left = _left(document, [moves[ref], *corrections.get(ref, ())], settlements, booked)
            if left is not None:
                self._left[ref] = left

    def refusal(
        self, settlement: Settlement, own: Iterable[str], *, absent: bool
    ) -> ExceptionCode | None:
        """Why one of its `own` documents does not take it; `absent` says that the ledger has none of it yet."""
        for ref in own:
            document, move = self._documents[ref], self._moves[ref]
            if not (is_same_document(move, document.content_hash) or is_as_written(move)):
                return ExceptionCode.EDITED_IN_LEDGER
            posted = move.document
            same = (posted.kind, posted.currency) == (document.kind, document.currency)
            amount = _taken(ref, settlement) if absent else 0
            if not same or amount > self._left.get(ref, amount):
                return ExceptionCode.SOURCE_CHANGED
        return None

    def take(self, settlement: Settlement, own: Iterable[str]) -> None:
        """Reduce what is left of its `own` documents by a settlement that will be written."""
        for ref in own:
            if ref in self._left:
                self._left[ref] -= _taken(ref, settlement)


def _left(
    document: LedgerDocument,
    moves: Sequence[LedgerMove],
    settlements: Sequence[Settlement],
    booked: Sequence[Settlement],
) -> int | None:
    """The amount that a document and its corrections take beyond those `booked`, minor units; None: any.

    Where the books have its whole total, or enough for all `settlements`, an excess is the customer's
    credit (S3).
    """
    sign = document.kind.sign
    total = sum(sign * each.document.kind.sign * each.document.total for each in moves)
    if total == document.total or _sum(document.ref, settlements) <= total:
        return None
    return total - _sum(document.ref, booked)


def _sum(ref: str, settlements: Iterable[Settlement]) -> int:
    return sum(_taken(ref, settlement) for settlement in settlements)


def _taken(ref: str, settlement: Settlement) -> int:
    """The amount that a settlement takes of a document's receivable, minor units."""
    takes = settlement.method.touches_receivable and ref in (
        settlement.document,
        settlement.drawn_on,
    )
    return settlement.amount if takes else 0
