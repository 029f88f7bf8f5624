"""One difference between the intended entry and the one read back from the ledger."""

from dataclasses import dataclass

from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.ledger.drift import ChangedSide

READ_BACK, DATES, RESIDUAL = "read_back", "dates", "residual"

_DATES = frozenset({"date", "settlement.date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDelta:
    """One difference of one field. `entry` is the external id of the document or settlement that differs.

    `expected` is the intent and `actual` the read-back, as text; `difference` is actual less expected,
    minor units of `currency` (empty in the frames of earlier versions), for amounts alone. `aspect` names the gate that reports it, `code` is its exception.
    `moved` are the sides that changed since the document was written. Its three digests show them:
    `source_now` of the document as it would be written now, `written`, and `ledger_now`. A settlement
    of a draft is no difference, since it waits for the posting.
    """

    ref: str
    entry: str
    field: str
    kind: Agreement
    expected: str | None
    actual: str | None
    difference: int | None
    aspect: str
    code: ExceptionCode
    moved: tuple[ChangedSide, ...] = ()
    source_now: str | None = None
    written: str | None = None
    ledger_now: str | None = None
    currency: str = ""


def delta_of(
    document: str, entry: str, row: AgreementRow, code: ExceptionCode, currency: str
) -> LedgerDelta:
    """The delta of one differing field, of the document itself or of a settlement (`entry`) of it."""
    return LedgerDelta(
        ref=document,
        entry=entry,
        field=row.field,
        kind=row.kind,
        expected=row.expected,
        actual=row.actual,
        difference=row.difference,
        aspect=DATES if row.field in _DATES else READ_BACK,
        code=code,
        currency=currency,
    )
