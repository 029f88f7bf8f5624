"""Nothing is lost: source = posted + listed, for every amount of every document.

Each document has up to three measures, kept apart: revenue, tax and cash. Each measure has a row with
the source's amount, the posted one, and the rest that is listed with its reason. Every amount counts in
its own currency: where the source has another one now than the books, each currency has a row. The rows
follow from double entry and the dispositions alone, not from the rules that build and settle documents.

The void of an invoice and its credit notes both reverse the sale, so they form one group. The source's
amount of such a group is zero, and the ledger's must be zero too.
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
from fcb_pipelines.core.proof.listed import EXPLAINS, LISTS_CASH
from fcb_pipelines.core.refs import Suffix, base_of, original_of, suffixed

DRAFT = "draft"
_PARTS = ((Measure.REVENUE, "net"), (Measure.TAX, "tax"))

# A movement of money: the ref of its entry or receipt, and its currency.
_Entry = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountInputs:
    """The inputs of the amounts.

    `facts` are the documents in scope at their sources, with one of `dispositions` each; `deltas` are the
    differences of the read-back; `moves` and `settlements` are ours in the ledger.
    """

    facts: Iterable[InvoiceFacts]
    dispositions: Iterable[Disposition]
    deltas: Iterable[LedgerDelta]
    moves: Iterable[LedgerMove]
    settlements: Iterable[LedgerSettlement]
    settings: Settings


def amounts(inputs: AmountInputs) -> tuple[AmountRow, ...]:
    """One row for each amount that a source or the ledger has, sorted by document, measure and entry."""
    joined = _Joined(inputs)
    rows = [*joined.billed(), *joined.cash()]
    return tuple(sorted(rows, key=lambda row: (row.ref, row.measure, row.entry)))


class _Joined:
    """The inputs joined by ref, while the rows are made."""

    def __init__(self, inputs: AmountInputs) -> None:
        self._settings = inputs.settings
        self._begin = books_begin(inputs.settings)
        self._facts = {one.ref: one for one in inputs.facts}
        self._decided = {row.ref: row for row in inputs.dispositions}
        self._moves = [move for move in inputs.moves if move.state is MoveState.POSTED]
        self._drafts = {move.ref for move in inputs.moves if move.state is MoveState.DRAFT}
        self._entries = [entry for entry in inputs.settlements if entry.state is MoveState.POSTED]
        self._codes: dict[str, list[str]] = defaultdict(list)
        for delta in inputs.deltas:
            self._codes[original_of(delta.entry)].append(delta.code)
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
        """The rows of revenue and tax; a void invoice and its notes share theirs."""
        grouped: set[str] = set()
        for ref, one in self._facts.items():
            is_ours = one.date is None or one.date >= self._begin or bool(self._posted[one.ref])
            if one.status is Status.VOID and self._notes[ref] and is_ours:
                grouped |= {ref, *self._notes[ref]}
                yield from self._together(ref, sorted(self._notes[ref]))
        for ref in dict.fromkeys((*self._facts, *self._posted)):
            if ref not in grouped:
                yield from self._rows(ref, self._source(ref), [ref])

    def _together(self, invoice: str, notes: Sequence[str]) -> Iterable[AmountRow]:
        yield from self._rows(invoice, (0, 0), [invoice, *notes])

    def _source(self, ref: str) -> tuple[int, int]:
        """The net and tax that a source billed since the books begin, signed."""
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
        reverses_nothing = row is not None and row.reason == Reason.INVOICE_SKIPPED
        # A note of an invoice that sold nothing reverses nothing, unless the invoice was billed after all.
        invoice = self._facts.get(one.credits or "")
        return not reverses_nothing or (
            invoice is not None and self._was_billed(invoice) and bool(invoice.total)
        )

    def _rows(self, ref: str, source: tuple[int, int], refs: Sequence[str]) -> Iterable[AmountRow]:
        moves = [move for each in refs for move in self._posted[each]]
        posted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for move in moves:
            sign, sums = move.document.kind.sign, posted[move.document.currency]
            sums[0] += sign * move.document.net
            sums[1] += sign * move.document.tax
        code = self._listed(refs)
        first = self._decided.get(ref)
        own = (first and first.currency) or next(iter(posted), "")
        unread = ref in self._facts and self._facts[ref].is_unread
        for currency in dict.fromkeys((own, *posted)):
            billed = source if currency == own else (0, 0)
            for place, (measure, part) in enumerate(_PARTS):
                at_source, in_books = billed[place], posted[currency][place]
                listed, why = self._explained(refs, at_source, in_books, code, part)
                # An unread document has no amounts; one row says so.
                is_unknown = unread and measure is Measure.REVENUE and currency == own
                why = code if is_unknown else why
                if at_source or in_books or listed or (is_unknown and why):
                    found = (at_source, in_books, listed)
                    yield self._row(ref, ref, currency, measure, None, found, why)

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
            found = [code for code in (*row.exceptions, *codes) if code in EXPLAINS]
            if found:
                return found[0]
        return None

    def _explained(
        self, refs: Sequence[str], billed: int, posted: int, code: str | None, part: str
    ) -> tuple[int, str | None]:
        """The listed part of a difference and its reason, from the disposition and not from the source."""
        if billed == posted or code is None:
            return 0, None
        row = self._decided[refs[0]]
        plain = len(refs) == 1 and row.verdict is not Verdict.SKIP and not self._posted[refs[0]]
        if plain:
            # A document that is not posted is listed with its own amount.
            return row.kind.sign * int(getattr(row, part)), code
        return billed - posted, code

    # --- cash -------------------------------------------------------------------------------------

    def cash(self) -> Iterable[AmountRow]:
        """The rows of cash: every movement of money once, also where it is for several documents."""
        received: dict[_Entry, int] = defaultdict(int)
        of: dict[str, tuple[InvoiceFacts, SettlementFacts]] = {}
        shared: dict[str, list[tuple[InvoiceFacts, SettlementFacts]]] = defaultdict(list)
        names: dict[str, str] = {}
        for one in self._facts.values():
            for settled in one.settlements:
                if not self._is_counted(one, settled):
                    continue
                key = settled.drawn_on or settled.ref
                names |= dict.fromkeys((settled.ref, *settled.shares), key)
                known = of.get(key)
                if known is None or self._weight(one, settled) > self._weight(*known):
                    of[key] = one, settled
                entry = key, settled.currency
                if settled.receipt is None:
                    received[entry] += one.kind.sign * settled.amount
                else:
                    received[entry] = one.kind.sign * settled.receipt
                    shared[key].append((one, settled))
        posted, held = self._cash_posted(names)
        for entry in dict.fromkeys((*received, *posted)):
            key, currency = entry
            if received[entry] == posted[entry] and len(shared[key]) > 1:
                # One row for each other document's part; the main document has the rest.
                for part in shared[key]:
                    if part[0].ref == of[key][0].ref or part[1].currency != currency:
                        continue
                    amount = part[0].kind.sign * part[1].amount
                    received[entry] -= amount
                    posted[entry] -= amount
                    own = part[1].ref, part[1].currency
                    yield from self._cash_row(own, amount, amount, part, None)
            yield from self._cash_row(
                entry, received[entry], posted[entry], of.get(key), held.get(entry)
            )

    def _is_counted(self, one: InvoiceFacts, settled: SettlementFacts) -> bool:
        """Whether a settlement is cash of the books: of a document in them, or since they began."""
        if not settled.method.is_cash or settled.document != one.ref or not one.livemode:
            return False
        ours = one.date is not None and one.date >= self._begin
        return ours or settled.date >= self._begin

    def _is_opening(self, one: InvoiceFacts) -> bool:
        """Whether a document is part of the opening balance, where its cash waits to be matched."""
        return one.date is not None and one.date < self._begin

    def _weight(self, one: InvoiceFacts, settled: SettlementFacts) -> tuple[bool, bool]:
        """The sort key of documents that share a movement: one with its amount first, then a posted one."""
        return bool(settled.amount or settled.receipt), bool(self._posted[one.ref])

    def _cash_posted(
        self, names: Mapping[str, str]
    ) -> tuple[dict[_Entry, int], dict[_Entry, LedgerSettlement]]:
        posted: dict[_Entry, int] = defaultdict(int)
        held: dict[_Entry, LedgerSettlement] = {}
        receipts: set[str] = set()
        # A part that its source no longer reports is still a part of the posted receipt.
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
                own = original_of(base_of(entry.ref))
                key = names.get(own, own)
                amount = settled.kind.sign * settled.amount
            posted[key, settled.currency] += amount
            held.setdefault((key, settled.currency), entry)
        return posted, held

    def _parts_held(self) -> dict[str, str]:
        """The ref of the receipt by the ref of each posted part of a shared receipt."""
        return {
            entry.ref: entry.settlement.drawn_on
            for entry in self._entries
            if entry.settlement.receipt is not None and entry.settlement.drawn_on is not None
        }

    def _cash_row(
        self,
        entry: _Entry,
        received: int,
        posted: int,
        of: tuple[InvoiceFacts, SettlementFacts] | None,
        held: LedgerSettlement | None,
    ) -> Iterable[AmountRow]:
        key, currency = entry
        ref = of[0].ref if of else held.settlement.document if held else key
        day = of[1].date if of else held.settlement.date if held else None
        waits = of is not None and self._is_opening(of[0]) and bool(posted)
        listed = 0
        why: str | None = ExceptionCode.OPENING_DOCUMENT if waits else None
        if received != posted:
            listed, why = self._cash_listed(key, ref, received, posted, of)
        if received or posted:
            sums = (received, posted, listed)
            partner = held.settlement.partner if held else ""
            yield self._row(ref, key, currency, Measure.CASH, day, sums, why, partner)

    def _cash_listed(
        self,
        key: str,
        ref: str,
        received: int,
        posted: int,
        of: tuple[InvoiceFacts, SettlementFacts] | None,
    ) -> tuple[int, str | None]:
        row = self._decided.get(ref)
        if row is None:
            # Booked on account, for a document of the opening balance that nobody names any more.
            forgotten = of is None and not self._posted[ref] and ref not in self._drafts
            return (-posted, ExceptionCode.OPENING_DOCUMENT) if forgotten else (0, None)
        if row.status is None:
            # Its source returns neither the document nor its settlements.
            return received - posted, row.reason
        parts = [part for part, receipt in self._parts_held().items() if receipt == key]
        reported = (of[1].ref, *of[1].shares, suffixed(key, Suffix.CREDITED)) if of else ()
        names = dict.fromkeys((*reported, key, *parts))
        codes = [code for name in names for code in self._codes.get(name, ())]
        if of is not None and not self._posted[of[0].ref]:
            if row.verdict is Verdict.POST:
                return received - posted, self._listed([ref])
            # A settlement on account that is not written has its own exception.
            return received - posted, codes[0] if codes else ExceptionCode.CASH_WITHOUT_DOCUMENT
        if of is None and row.reason == Reason.BEFORE_CUTOVER:
            return received - posted, ExceptionCode.SETTLEMENT_TAKEN_BACK
        if not codes and of is not None:
            codes = [code for code in row.exceptions if code in LISTS_CASH]
        if not codes and of is None and parts:
            # The rest of a receipt, of which no document in the books has a part.
            codes = [ExceptionCode.SETTLEMENT_TAKEN_BACK]
        if not codes and row.verdict is not Verdict.POST:
            # A posted document that is skipped or held now: no settlement of it is written.
            codes = [ExceptionCode.CASH_WITHOUT_DOCUMENT]
        return (received - posted, codes[0]) if codes else (0, None)

    def _row(
        self,
        ref: str,
        entry: str,
        currency: str,
        measure: Measure,
        day: date | None,
        sums: tuple[int, int, int],
        why: str | None,
        partner: str = "",
    ) -> AmountRow:
        row, moves = self._decided.get(ref), self._posted[ref]
        return AmountRow(
            ref=ref,
            entry=entry,
            number=row.number if row else moves[0].document.number if moves else "",
            partner=(row.partner if row else moves[0].document.partner if moves else partner) or "",
            currency=currency,
            measure=measure,
            day=day or (row.date if row else moves[0].document.date if moves else None),
            source=sums[0],
            posted=sums[1],
            listed=sums[2],
            why=why,
        )
