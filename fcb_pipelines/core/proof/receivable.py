"""Receivable: the amounts that customers owe by source and by ledger, document by document."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.codes import ExceptionCode, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.corrections import by_base, open_with, residual_with
from fcb_pipelines.core.ledger.corrections import unmatched as unmatched_of
from fcb_pipelines.core.ledger.moves import (
    ForeignCredit,
    LedgerMove,
    LedgerSettlement,
    MoveState,
)
from fcb_pipelines.core.naming import money, named
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.gate import Finding, failing
from fcb_pipelines.core.refs import Suffix, base_of, is_correction, suffixed
from fcb_pipelines.core.settlements.plan import KEPT_OUT
from fcb_pipelines.core.settlements.policy import not_posted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivableRow:
    """The receivable of one document, by its source and by the ledger.

    Minor units of `currency`, credit notes negative. `not_posted` is the part that the ledger lacks
    because the document, or a settlement of it, is not posted; `why` is its reason or exception.
    """

    ref: str
    partner: str
    currency: str
    source: int
    ledger: int
    not_posted: int
    why: str | None
    number: str = ""

    @property
    def difference(self) -> int:
        """The unexplained rest: source less ledger less not posted."""
        return self.source - self.ledger - self.not_posted


def receivable(
    dispositions: Iterable[Disposition],
    moves: Iterable[LedgerMove],
    unsettled: Mapping[str, tuple[int, ExceptionCode]],
    settlements: Iterable[LedgerSettlement] = (),
) -> tuple[ReceivableRow, ...]:
    """One row for each document with a receivable at its source or in the ledger, and for each currency of it.

    `unsettled` maps refs to the sum of confirmed settlements that are listed instead of posted, minor
    units, and the exception that lists them.
    """
    moves = tuple(moves)
    posted = {
        move.ref: move
        for move in moves
        if move.state is MoveState.POSTED and not is_correction(move.ref)
    }
    open_now = _open(posted, by_base(moves), unmatched_of(settlements))
    rows = []
    seen = set()
    for row in dispositions:
        seen.add(row.ref)
        owes = row.verdict is Verdict.POST or (row.verdict is Verdict.HOLD and row.date)
        # An overpayment is a credit beside the document, never a negative receivable of it.
        source = row.kind.sign * max(0, row.owed) if owes else 0
        move = posted.get(row.ref)
        ledger = move.document.kind.sign * open_now[row.ref] if move else 0
        not_posted, why = 0, None
        if move is None:
            not_posted = source
            why = row.reason or "draft"
        elif row.ref in unsettled:
            amount, why = unsettled[row.ref]
            # A listed settlement is open in the ledger and settled at the source, unless a person has
            # settled it in the ledger by hand.
            listed = source - row.kind.sign * max(0, row.owed + amount)
            not_posted = listed if source != ledger else 0
        booked_in = move.document.currency if move else row.currency
        sides = [(row.currency, source, ledger, not_posted)]
        if booked_in != row.currency:
            # Its source has another currency now: neither amount is the other.
            sides = [(row.currency, source, 0, 0), (booked_in, 0, ledger, 0)]
        rows += [
            ReceivableRow(
                ref=row.ref,
                partner=row.partner or "",
                currency=currency,
                source=owed,
                ledger=held,
                not_posted=left,
                why=why,
                number=row.number,
            )
            for currency, owed, held, left in sides
            if owed or held or left
        ]
    rows += [
        _without_disposition(move)
        for ref, move in posted.items()
        if ref not in seen and move.residual
    ]
    return tuple(rows)


def unsettled(
    facts: Iterable[InvoiceFacts], deltas: Iterable[LedgerDelta], settings: Settings
) -> dict[str, tuple[int, ExceptionCode]]:
    """The confirmed settlements that are listed instead of posted: ref -> (minor units, exception).

    The policies make no entry of them, or they wait for a lock or for another document, as the codes of
    `deltas` show.
    """
    waiting: dict[str, dict[str, ExceptionCode]] = defaultdict(dict)
    for delta in deltas:
        if delta.code in KEPT_OUT and delta.entry != delta.ref:
            waiting[delta.ref][delta.entry] = delta.code
    found = {}
    for one in facts:
        entries = waiting.get(one.ref, {})
        kept_out = sum(
            s.amount
            for s in one.settlements
            if s.method.touches_receivable
            and s.currency == one.currency
            and {s.ref, suffixed(s.ref, Suffix.CREDITED)} & entries.keys()
        )
        listed = not_posted(one, settings)
        if listed is not None or entries:
            amount, code = listed or (0, min(entries.values()))
            found[one.ref] = amount + kept_out, code
    return found


def orphans(moves: Iterable[LedgerMove], wanted: Collection[str]) -> tuple[str, ...]:
    """A fault for each draft or posted move of ours whose document is not among the `wanted` refs."""
    return tuple(
        f"{named(move.ref, move.document.number)}: {move.state} move of ours that no member "
        f"explains, {money(move.document.total, move.document.currency)} of "
        f"{move.document.partner}"
        for move in moves
        if base_of(move.ref) not in wanted and move.state in (MoveState.DRAFT, MoveState.POSTED)
    )


def foreign_credit(credits_: Iterable[ForeignCredit]) -> tuple[str, ...]:
    """A sentence for each open credit of a partner of ours that no document explains."""
    return tuple(
        f"{each.name} ({each.partner}): {money(each.amount, each.currency)} open to their credit in "
        f"{each.move} of {each.date}, which is not ours"
        for each in credits_
    )


def receivable_gate(rows: Sequence[ReceivableRow], orphaned: Sequence[str]) -> Finding:
    """Fail where a billing account's receivable does not tie out in a currency, or a move is an orphan."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        sums[row.partner, row.currency] += row.difference
    # Differences that cancel out within one account are a matter of matching, and no fault.
    wrong = sorted(
        (row for row in rows if row.difference and sums[row.partner, row.currency]),
        key=lambda row: row.partner,
    )
    faults = [
        f"{named(row.ref, row.number)} of {row.partner}: source {money(row.source, row.currency)}, "
        f"ledger {money(row.ledger, row.currency)}, "
        f"not posted {money(row.not_posted, row.currency)}{f' ({row.why})' if row.why else ''}: "
        f"{money(row.difference, row.currency)} unexplained"
        for row in wrong
    ]
    return failing([*faults, *orphaned])


def _open(
    posted: Mapping[str, LedgerMove],
    corrections: Mapping[str, Sequence[LedgerMove]],
    beside: Mapping[str, int],
) -> dict[str, int]:
    """The open amount of each document with its corrections, minor units, in the document's direction.

    `beside` maps refs to unmatched amounts of their settlements. A reversed credit note is owed as far as
    no unmatched payment of its invoice covers it.
    """
    found, spare = {}, {}
    for ref, move in posted.items():
        own, held = corrections.get(ref, ()), beside.get(ref, 0)
        found[ref] = open_with(move, own, held)
        spare[ref] = max(0, held - residual_with(move, own))
    for ref, open_ in found.items():
        invoice = posted[ref].document.reverses
        if open_ < 0 and invoice in spare:
            used = min(-open_, spare[invoice])
            found[ref], spare[invoice] = open_ + used, spare[invoice] - used
    return found


def _without_disposition(move: LedgerMove) -> ReceivableRow:
    return ReceivableRow(
        ref=move.ref,
        partner=move.document.partner,
        currency=move.document.currency,
        source=0,
        ledger=move.document.kind.sign * move.residual,
        not_posted=0,
        why=None,
        number=move.document.number,
    )
