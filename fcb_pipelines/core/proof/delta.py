"""One difference between what should stand in the books and what was read back."""

from dataclasses import dataclass

from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.ledger.drift import ChangedSide

READ_BACK, DATES, RESIDUAL = "read_back", "dates", "residual"

_DATES = frozenset({"date", "settlement.date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDelta:
    """One difference. `entry` is the external id that differs: the document's or a settlement's.

    `expected` is the intent and `actual` the read-back, as text; `difference` is actual less
    expected in minor units for amounts. `aspect` says which gate it trips, `code` which exception
    it is; a settlement of a draft is no difference, since it waits for the posting. `moved` names the
    sides that moved since the document was written, by its three digests: `source_now` (what would be
    written now), `written` and `ledger_now`.
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


def delta_of(document: str, entry: str, row: AgreementRow, code: ExceptionCode) -> LedgerDelta:
    """A field that differs, of the document itself or of a settlement beside it."""
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
    )
