"""The tie-outs of a month: two amounts each that must be equal, source against ledger."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.close.booked import Document
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.report_shapes import RollForward
from fcb_pipelines.core.close.shapes import TieOutRow
from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.proof.receivable import receivable
from fcb_pipelines.core.refs import is_correction

_OF_SOURCES = (Document.INVOICES, Document.CREDIT_NOTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class TieOut:
    """Two amounts that must be equal, in minor units of `currency`, each with its label."""

    name: str
    currency: str
    left_label: str
    left: int
    right_label: str
    right: int

    @property
    def difference(self) -> int:
        """Right less left."""
        return self.right - self.left


def tie_outs(month: MonthStatus, rolled: Sequence[RollForward] | None = None) -> tuple[TieOut, ...]:
    """Source against ledger, three rows a currency: billed, tax, and owed; then the receivable rolled forward.

    Settlements that are listed instead of posted are not counted as paid on either side. `rolled` is None
    where nothing is known of other months.
    """
    owing = receivable(month.dispositions, month.moves.values(), month.unsettled, month.settlements)
    posted = [move for move in month.moves.values() if move.state is MoveState.POSTED]
    to_post = [row for row in month.dispositions if row.verdict is Verdict.POST]
    wanted = {row.ref for row in to_post}
    currencies = sorted({row.currency for row in to_post} | {m.document.currency for m in posted})
    rows = []
    for currency in currencies:
        own = [row for row in to_post if row.currency == currency]
        moves = [move for move in posted if move.document.currency == currency]
        credited = _credited(month, currency, wanted)
        for name, billed, posted_sum in (
            (
                "Billed at the source = posted",
                sum(row.kind.sign * row.total for row in own) + credited[0],
                sum(move.document.kind.sign * move.document.total for move in moves),
            ),
            (
                "Tax billed = tax posted",
                sum(row.kind.sign * row.tax for row in own) + credited[1],
                sum(move.document.kind.sign * move.document.tax for move in moves),
            ),
            (
                "Owed at the source = receivable",
                sum(
                    row.source - (row.not_posted if row.ref in month.unsettled else 0)
                    for row in owing
                    if row.currency == currency and row.ref in wanted
                ),
                sum(row.ledger for row in owing if row.currency == currency),
            ),
        ):
            rows.append(
                TieOut(
                    name=name,
                    currency=currency,
                    left_label="source",
                    left=billed,
                    right_label="ledger",
                    right=posted_sum,
                )
            )
    if rolled is None:
        return tuple(rows)
    return (*rows, *_dated(posted, rolled), *map(_rolled, rolled))


def _credited(month: MonthStatus, currency: str, wanted: Collection[str]) -> tuple[int, int]:
    """The credited total and tax of posted documents that are not to be posted any more (voided)."""
    found = [
        month.credited.get(row.ref, (0, 0))
        for row in month.dispositions
        if row.currency == currency and row.ref in month.moves and row.ref not in wanted
    ]
    return sum(total for total, _ in found), sum(tax for _, tax in found)


def tie_out_row(tie: TieOut) -> TieOutRow:
    """The tie-out as a JSON value."""
    return {
        "name": tie.name,
        "currency": tie.currency,
        "left_label": tie.left_label,
        "left": tie.left,
        "right_label": tie.right_label,
        "right": tie.right,
        "difference": tie.difference,
        "ok": tie.difference == 0,
    }


def _dated(posted: Iterable[LedgerMove], rolled: Iterable[RollForward]) -> Iterator[TieOut]:
    """The month's posted documents against all that the books have on its days.

    They differ where a document stands in another month of the books than its source says now.
    """
    documents: Counter[str] = Counter()
    for move in posted:
        if not is_correction(move.ref):
            documents[move.document.currency] += move.document.kind.sign * move.document.total
    entries = Counter(
        {
            one["currency"]: sum(
                row["amount"] for row in one["movements"] if row["part"] in _OF_SOURCES
            )
            for one in rolled
        }
    )
    for currency in sorted({*documents, *entries}):
        if documents[currency] or entries[currency]:
            yield TieOut(
                name="Posted documents of the month = documents dated in it",
                currency=currency,
                left_label="of the month",
                left=documents[currency],
                right_label="dated in it",
                right=entries[currency],
            )


def _rolled(one: RollForward) -> TieOut:
    """What our entries and the listed ones by hand come to, against what the ledger has open."""
    return TieOut(
        name="Receivable rolled forward = open in the ledger",
        currency=one["currency"],
        left_label="entries",
        left=one["closing"] + one["by_hand"],
        right_label="open",
        right=one["open"],
    )
