"""What to write to the ledger, given what should stand and what does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.company import Settings
from fcb_pipelines.core.documents import LedgerDocument, Settlement
from fcb_pipelines.core.facts import InvoiceFacts, Method, SettlementFacts
from fcb_pipelines.core.standing import RECONCILED, MoveState, Standing, StandingMove, stands_as


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPlan:
    """Which documents become drafts: `create` anew, `rebuild` in place; the rest is left alone."""

    create: tuple[LedgerDocument, ...]
    rebuild: tuple[LedgerDocument, ...]


def plan_drafts(documents: Iterable[LedgerDocument], standing: Mapping[str, Standing]) -> DraftPlan:
    """Create what was never seen; rebuild drafts nobody touched whose document changed (D6)."""
    create, rebuild = [], []
    for document in documents:
        now = standing.get(document.ref, Standing(ref=document.ref))
        if now.taken_back:
            continue
        if now.absent:
            create.append(document)
        elif now.move and now.move.state is MoveState.DRAFT:
            untouched = stands_as(now.move, now.move.stored_hash)
            if untouched and now.move.stored_hash != document.content_hash:
                rebuild.append(document)
    return DraftPlan(create=tuple(create), rebuild=tuple(rebuild))


def plan_posting(
    documents: Iterable[LedgerDocument],
    moves: Mapping[str, StandingMove],
    approved: Mapping[str, str] | None,
) -> tuple[str, ...]:
    """The drafts to post: those whose read-back is the intended document, and approved as such.

    `approved` maps refs to the content hash that a person reviewed; None approves every draft as it
    stands. An approval of another hash does not count (D6).
    """
    return tuple(
        document.ref
        for document in documents
        if (move := moves.get(document.ref)) is not None
        and move.state is MoveState.DRAFT
        and stands_as(move, document.content_hash)
        and (approved is None or approved.get(document.ref) == document.content_hash)
    )


def intended_settlements(
    documents: Iterable[LedgerDocument], facts: Mapping[str, InvoiceFacts], settings: Settings
) -> tuple[Settlement, ...]:
    """The settlements that should stand beside these documents, as their source confirms them."""
    return tuple(
        _settlement(document, settled)
        for document in documents
        for settled in facts[document.ref].settlements
        if posts(settled, settings)
    )


def posts(settled: SettlementFacts, settings: Settings) -> bool:
    """Whether a settlement makes a ledger entry; the others are listed as exceptions."""
    if settled.amount <= 0:
        return False
    if settled.method is Method.OFF_PLATFORM:
        return settings.policies.off_platform_payment == "settle"
    return settled.method in (Method.PAYMENT, Method.CUSTOMER_BALANCE)


def not_posted(facts: InvoiceFacts, settings: Settings) -> tuple[int, str] | None:
    """Minor units of confirmed settlements that make no entry, and the exception listing them."""
    listed = [s for s in facts.settlements if s.amount and not posts(s, settings)]
    if not listed:
        return None
    off_platform = all(s.method is Method.OFF_PLATFORM for s in listed)
    code = "off_stripe_payment" if off_platform else "settlement_unsupported"
    return sum(s.amount for s in listed), code


def expected_residual(document: LedgerDocument, settlements: Iterable[Settlement]) -> int:
    """What should be open on the document once these settlements stand; never below zero."""
    settled = sum(s.amount for s in settlements if s.document == document.ref)
    return max(0, document.total - settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPlan:
    """Which settlements to write (or finish), and the exceptions of those that can't be."""

    write: tuple[Settlement, ...]
    exceptions: tuple[tuple[str, str], ...]


def plan_settlements(
    settlements: Sequence[Settlement],
    posted: Mapping[str, LedgerDocument],
    moves: Mapping[str, StandingMove],
    standing: Mapping[str, Standing],
    entry_lock: date | None,
) -> SettlementPlan:
    """Settle only documents that are posted as intended; never redo what a person undid (D3)."""
    write, exceptions = [], []
    for settlement in settlements:
        move = moves.get(settlement.document)
        document = posted.get(settlement.document)
        if document is None or move is None or move.state is not MoveState.POSTED:
            continue
        if not stands_as(move, document.content_hash):
            continue
        now = standing.get(settlement.ref, Standing(ref=settlement.ref))
        code = _obstacle(settlement, now, entry_lock)
        if code:
            exceptions.append((settlement.document, code))
        elif not (_done(now) or _is_all_used(now, move)):
            write.append(settlement)
    return SettlementPlan(write=tuple(write), exceptions=tuple(dict.fromkeys(exceptions)))


def _done(now: Standing) -> bool:
    entry = now.settlement
    return entry is not None and entry.reconciled >= entry.settlement.amount


def _is_all_used(now: Standing, move: StandingMove) -> bool:
    """S3: the payment stands, its document owes nothing more; the rest is the customer's credit."""
    entry = now.settlement
    return entry is not None and entry.state is MoveState.POSTED and move.residual == 0


def _obstacle(settlement: Settlement, now: Standing, entry_lock: date | None) -> str | None:
    if now.taken_back:
        return "edited_in_ledger"
    if not now.absent and not _done(now) and now.was_seen == RECONCILED:
        return "edited_in_ledger"
    if now.absent and entry_lock and settlement.date <= entry_lock:
        return "settlement_period_locked"
    return None


def _settlement(document: LedgerDocument, settled: SettlementFacts) -> Settlement:
    return Settlement(
        ref=settled.ref,
        document=document.ref,
        kind=document.kind,
        partner=document.partner,
        method=settled.method,
        date=settled.date,
        amount=settled.amount,
        currency=settled.currency,
        memo=settled.payment_id or settled.ref,
    )
