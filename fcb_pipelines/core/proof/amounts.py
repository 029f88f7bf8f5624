"""Nothing is lost: what the sources say = what stands posted + what is listed, amount by amount.

Three measures of every document, kept apart: revenue, tax, and the cash that came or went. Each has a
row: what its source says, what stands posted, and what is listed with the reason why it is not. It
knows double entry and the dispositions only; how a document is built or settled it does not ask.

A credit note and the void of its invoice both say that nothing was sold, so the two are one group: the
source's side of a void invoice with its notes is nothing, and so must the ledger's be.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.codes import ExceptionCode, Reason, Status, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, MoveState
from fcb_pipelines.core.proof.amount_rows import AmountRow, Measure
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.refs import Suffix, base_of, suffixed, without

DRAFT = "draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Everything that the amounts are made of.

    `facts` are documents in scope at their sources, `dispositions` what becomes of each, `deltas` what the
    read-back found; `moves` and `settlements` are what the ledger holds of ours.
    """

    facts: Iterable[InvoiceFacts]
    dispositions: Iterable[Disposition]
    deltas: Iterable[LedgerDelta]
    moves: Iterable[LedgerMove]
    settlements: Iterable[LedgerSettlement]
    settings: Settings


def amounts(sides: Sides) -> tuple[AmountRow, ...]:
    """One row for each amount that a source says or the ledger holds, in order of document."""
    book = _Book(sides)
    rows = [*book.billed(), *book.cash()]
    return tuple(sorted(rows, key=lambda row: (row.ref, row.measure, row.entry)))


class _Book:
    """The sides by ref, while the rows are made."""

    def __init__(self, sides: Sides) -> None:
        self._settings = sides.settings
        self._begin = books_begin(sides.settings)
        self._facts = {one.ref: one for one in sides.facts}
        self._decided = {row.ref: row for row in sides.dispositions}
        self._moves = [move for move in sides.moves if move.state is MoveState.POSTED]
        self._drafts = {move.ref for move in sides.moves if move.state is MoveState.DRAFT}
        self._entries = [entry for entry in sides.settlements if entry.state is MoveState.POSTED]
        self._codes: dict[str, list[str]] = defaultdict(list)
        for delta in sides.deltas:
            self._codes[delta.entry].append(delta.code)
        self._notes: dict[str, set[str]] = defaultdict(set)
        for one in self._facts.values():
            if one.credits:
                self._notes[one.credits].add(one.ref)
        for move in self._moves:
            own = base_of(move.ref)
            if move.document.reverses and own == move.ref:
                self._notes[move.document.reverses].add(own)
        self._posted: dict[str, list[LedgerMove]] = defaultdict(list)
        for move in self._moves:
            self._posted[base_of(move.ref)].append(move)

    # --- revenue and tax ---------------------------------------------------------------------------

    def billed(self) -> Iterable[AmountRow]:
        """Revenue and tax of every document, a void invoice and its notes together."""
        grouped: set[str] = set()
        for ref, one in self._facts.items():
            is_ours = one.date is None or one.date >= self._begin or self._stands(one)
            if one.status is Status.VOID and self._notes[ref] and is_ours:
                grouped |= {ref, *self._notes[ref]}
                yield from self._together(ref, sorted(self._notes[ref]))
        for ref in dict.fromkeys((*self._facts, *self._posted)):
            if ref not in grouped:
                yield from self._rows(ref, self._source(ref), [ref])

    def _together(self, invoice: str, notes: Sequence[str]) -> Iterable[AmountRow]:
        yield from self._rows(invoice, (0, 0), [invoice, *notes])

    def _source(self, ref: str) -> tuple[int, int]:
        """Net and tax that a source says were billed since the books begin, signed."""
        one = self._facts.get(ref)
        if one is None or not self._was_billed(one):
            return 0, 0
        return one.kind.sign * one.net, one.kind.sign * one.tax

    def _was_billed(self, one: InvoiceFacts) -> bool:
        if not one.livemode or one.status in (Status.DRAFT, Status.VOID):
            return False
        if one.date is not None and one.date < self._begin:
            return False
        row = self._decided.get(one.ref)
        of_nothing = row is not None and row.reason == Reason.INVOICE_SKIPPED
        # A note takes nothing back of an invoice that was never sold; one that was is no such invoice.
        invoice = self._facts.get(one.credits or "")
        return not of_nothing or (
            invoice is not None and self._was_billed(invoice) and bool(invoice.total)
        )

    def _rows(self, ref: str, source: tuple[int, int], refs: Sequence[str]) -> Iterable[AmountRow]:
        moves = [move for each in refs for move in self._posted[each]]
        net = sum(move.document.kind.sign * move.document.net for move in moves)
        tax = sum(move.document.kind.sign * move.document.tax for move in moves)
        code = self._listed(refs)
        first = self._decided.get(ref)
        currency = first.currency if first else moves[0].document.currency if moves else ""
        for measure, says, stands, part in (
            (Measure.REVENUE, source[0], net, "net"),
            (Measure.TAX, source[1], tax, "tax"),
        ):
            listed, why = self._explained(refs, says, stands, code, part)
            if says or stands or listed:
                yield self._row(ref, ref, currency, measure, None, (says, stands, listed), why)

    def _listed(self, refs: Sequence[str]) -> str | None:
        """The reason or exception that lists these documents, where there is one."""
        for ref in refs:
            row = self._decided.get(ref)
            codes = self._codes.get(ref, [])
            if row is None:
                continue
            if row.verdict is Verdict.HOLD:
                return row.reason
            if row.verdict is Verdict.POST and not self._posted[ref]:
                return next(
                    iter(codes), DRAFT if ref in self._drafts else ExceptionCode.NOT_WRITTEN
                )
            found = [code for code in (*row.exceptions, *codes) if code in _EXPLAINS]
            if found:
                return found[0]
        return None

    def _explained(
        self, refs: Sequence[str], says: int, stands: int, code: str | None, part: str
    ) -> tuple[int, str | None]:
        """What is listed of a difference, and why; by what the dispositions list, not by the source."""
        if says == stands or code is None:
            return 0, None
        row = self._decided[refs[0]]
        plain = len(refs) == 1 and row.verdict is not Verdict.SKIP and not self._posted[refs[0]]
        if plain:
            # A document that does not stand is listed with its own amount.
            return row.kind.sign * int(getattr(row, part)), code
        return says - stands, code

    # --- cash -------------------------------------------------------------------------------------

    def cash(self) -> Iterable[AmountRow]:
        """Every movement of money once, whichever documents it is for."""
        says: dict[str, int] = defaultdict(int)
        of: dict[str, tuple[InvoiceFacts, SettlementFacts]] = {}
        shared: dict[str, list[tuple[InvoiceFacts, SettlementFacts]]] = defaultdict(list)
        names: dict[str, str] = {}
        for one in self._facts.values():
            for settled in one.settlements:
                if not self._moved(one, settled):
                    continue
                key = settled.drawn_on or settled.ref
                names |= dict.fromkeys((settled.ref, *settled.shares), key)
                known = of.get(key)
                if known is None or self._weight(one, settled) > self._weight(*known):
                    of[key] = one, settled
                if settled.receipt is None:
                    says[key] += one.kind.sign * settled.amount
                else:
                    says[key] = one.kind.sign * settled.receipt
                    shared[key].append((one, settled))
        stands, held = self._cash_posted(names)
        for key in dict.fromkeys((*says, *stands)):
            if says[key] == stands[key] and len(shared[key]) > 1:
                # Each document's part by itself; what they leave over is told with the main one.
                parts = [part for part in shared[key] if part[0].ref != of[key][0].ref]
                for part in parts:
                    amount = part[0].kind.sign * part[1].amount
                    says[key], stands[key] = says[key] - amount, stands[key] - amount
                    yield from self._cash_row(part[1].ref, amount, amount, part, None)
            yield from self._cash_row(key, says[key], stands[key], of.get(key), held.get(key))

    def _moved(self, one: InvoiceFacts, settled: SettlementFacts) -> bool:
        """Whether it is cash of the books: all of a document of theirs, and what came since they began."""
        if not settled.method.is_cash or settled.document != one.ref or not one.livemode:
            return False
        ours = one.date is not None and one.date >= self._begin
        return ours or settled.date >= self._begin

    def _is_opening(self, one: InvoiceFacts) -> bool:
        """Whether a document stands in the opening balance, so that what came for it waits there."""
        return one.date is not None and one.date < self._begin

    def _stands(self, one: InvoiceFacts) -> bool:
        return bool(self._posted[one.ref])

    def _weight(self, one: InvoiceFacts, settled: SettlementFacts) -> tuple[bool, bool]:
        """Which of two documents that tell one movement has it: the one with the money, then the posted."""
        return bool(settled.amount or settled.receipt), self._stands(one)

    def _cash_posted(
        self, names: Mapping[str, str]
    ) -> tuple[dict[str, int], dict[str, LedgerSettlement]]:
        stands: dict[str, int] = defaultdict(int)
        held: dict[str, LedgerSettlement] = {}
        receipts: set[str] = set()
        # A part that its source tells no more is still a part of the receipt that stands.
        names = {**self._parts_held(), **names}
        for entry in self._entries:
            settled = entry.settlement
            if not settled.method.is_cash:
                continue
            if settled.receipt is not None and settled.drawn_on is not None:
                key = settled.drawn_on
                amount = 0 if key in receipts else settled.kind.sign * settled.receipt
                receipts.add(key)
            else:
                own = without(entry.ref, Suffix.UNDONE)
                key = names.get(own, own)
                amount = settled.kind.sign * settled.amount
            stands[key] += amount
            held.setdefault(key, entry)
        return stands, held

    def _parts_held(self) -> dict[str, str]:
        """The parts of shared receipts that stand, each with its receipt."""
        return {
            entry.ref: entry.settlement.drawn_on
            for entry in self._entries
            if entry.settlement.receipt is not None and entry.settlement.drawn_on is not None
        }

    def _cash_row(
        self,
        key: str,
        says: int,
        stands: int,
        of: tuple[InvoiceFacts, SettlementFacts] | None,
        held: LedgerSettlement | None,
    ) -> Iterable[AmountRow]:
        ref = of[0].ref if of else held.settlement.document if held else key
        currency = of[0].currency if of else held.settlement.currency if held else ""
        day = of[1].date if of else held.settlement.date if held else None
        why: str | None
        if says == stands:
            listed, why = (
                0,
                ExceptionCode.OPENING_DOCUMENT
                if of and self._is_opening(of[0]) and stands
                else None,
            )
        else:
            listed, why = self._cash_listed(key, ref, says, stands, of)
        if says or stands:
            yield self._row(ref, key, currency, Measure.CASH, day, (says, stands, listed), why)

    def _cash_listed(
        self,
        key: str,
        ref: str,
        says: int,
        stands: int,
        of: tuple[InvoiceFacts, SettlementFacts] | None,
    ) -> tuple[int, str | None]:
        row = self._decided.get(ref)
        if row is None:
            return 0, None
        if row.status is None:
            # Its source does not give the document, nor what settled it.
            return says - stands, row.reason
        parts = [part for part, receipt in self._parts_held().items() if receipt == key]
        told = (of[1].ref, *of[1].shares, suffixed(key, Suffix.CREDITED)) if of else ()
        names = dict.fromkeys((*told, key, *parts))
        codes = [code for name in names for code in self._codes.get(name, ())]
        if of is not None and not self._stands(of[0]):
            if row.verdict is Verdict.POST:
                return says - stands, self._listed([ref])
            # What is booked on account says itself why it is not.
            return says - stands, codes[0] if codes else ExceptionCode.CASH_WITHOUT_DOCUMENT
        if of is None and row.reason == Reason.BEFORE_CUTOVER:
            return says - stands, ExceptionCode.SETTLEMENT_TAKEN_BACK
        if not codes and of is not None:
            codes = [code for code in row.exceptions if code in _LISTS_CASH]
        if not codes and of is None and parts:
            # What is left of a receipt that no document of the books has a part of.
            codes = [ExceptionCode.SETTLEMENT_TAKEN_BACK]
        if not codes and row.verdict is not Verdict.POST:
            # A posted document that is skipped or held now: nothing more is written beside it.
            codes = [ExceptionCode.CASH_WITHOUT_DOCUMENT]
        return (says - stands, codes[0]) if codes else (0, None)

    def _row(
        self,
        ref: str,
        entry: str,
        currency: str,
        measure: Measure,
        day: date | None,
        sums: tuple[int, int, int],
        why: str | None,
    ) -> AmountRow:
        row, moves = self._decided.get(ref), self._posted[ref]
        return AmountRow(
            ref=ref,
            entry=entry,
            number=row.number if row else moves[0].document.number if moves else "",
            partner=(row.partner if row else moves[0].document.partner if moves else "") or "",
            currency=currency,
            measure=measure,
            day=day or (row.date if row else moves[0].document.date if moves else None),
            source=sums[0],
            posted=sums[1],
            listed=sums[2],
            why=why,
        )


# Exceptions that say of a posted document that the books hold another amount of it than its source.
_EXPLAINS = frozenset(
    {
        ExceptionCode.SOURCE_CHANGED,
        ExceptionCode.SETTINGS_CHANGED,
        ExceptionCode.EDITED_IN_LEDGER,
        ExceptionCode.VOIDED_AFTER_POSTING,
        ExceptionCode.TAKEN_BACK_TWICE,
        ExceptionCode.MISSING_AT_SOURCE,
        ExceptionCode.UNREACHABLE,
    }
)
# Exceptions that say of a posted document that money of it is not booked.
_LISTS_CASH = frozenset(
    {
        ExceptionCode.OFF_STRIPE_PAYMENT,
        ExceptionCode.SETTLEMENT_UNSUPPORTED,
        ExceptionCode.DISPUTE_LOST,
        ExceptionCode.DISPUTED,
    }
)
