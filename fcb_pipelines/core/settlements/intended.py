"""The settlements that the ledger should hold for a month's documents, as their source confirms them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    LedgerState,
    MoveState,
    is_as_written,
    settled_under,
)
from fcb_pipelines.core.refs import Suffix, suffixed
from fcb_pipelines.core.settlements.amended import on_its_day
from fcb_pipelines.core.settlements.policy import posts
from fcb_pipelines.core.settlements.wallet import as_booked


def intended_settlements(
    documents: Iterable[LedgerDocument],
    facts: Mapping[str, InvoiceFacts],
    settings: Settings,
    ledger_state: Mapping[str, LedgerState],
) -> tuple[Settlement, ...]:
    """The settlements that the ledger should hold for these documents, one for each ref.

    `facts` has the facts of every document by its ref. `ledger_state` shows which refunds were booked
    before their credit note came, and whose document the ledger has.
    """
    found: dict[str, Settlement] = {}
    parts = _parts(ledger_state)
    for document in documents:
        of = facts[document.ref]
        document = _as_owned(document, ledger_state)
        for settled in as_booked(of.settlements, ledger_state):
            if posts(settled, settings, of.currency):
                settlement = _settlement_now(document, settled, ledger_state, parts)
                settlement = on_its_day(settlement, ledger_state)
                found.setdefault(settlement.ref, settlement)
    return tuple(found.values())


def _as_owned(document: LedgerDocument, ledger_state: Mapping[str, LedgerState]) -> LedgerDocument:
    """The document under the partner that it was posted for: a posted move keeps its own (A9).

    A payment of another partner would leave that one with a credit and this one with a debt.
    """
    now = ledger_state.get(document.ref)
    move = now.move if now else None
    if move is None or move.state is not MoveState.POSTED or document.partner in move.partner_links:
        return document
    owned = move.document.partner in move.partner_links and is_as_written(move)
    return replace(document, partner=move.document.partner) if owned else document


def _settlement_now(
    document: LedgerDocument,
    settled: SettlementFacts,
    ledger_state: Mapping[str, LedgerState],
    parts: Mapping[str, Sequence[Settlement]],
) -> Settlement:
    """The settlement; it draws on refunds pending where the refund was booked before its note came."""
    whole = _settlement(document, _as_shared(settled, ledger_state, parts))
    entry = settled_under(settled.ref, ledger_state)
    is_pending = entry is not None and entry.settlement.method is Method.REFUND
    if is_pending and settled.method is not Method.REFUND:
        # Until the note's own day the refund is pending: its tax needs the document.
        whole = replace(
            whole,
            ref=suffixed(whole.ref, Suffix.CREDITED),
            method=Method.PENDING_REFUND,
            date=max(settled.date, document.date),
        )
    return whole


def _parts(ledger_state: Mapping[str, LedgerState]) -> dict[str, list[Settlement]]:
    """The parts in the ledger of each shared receipt, by the receipt's ref."""
    found: dict[str, list[Settlement]] = defaultdict(list)
    for now in ledger_state.values():
        if now.settlement is not None and not now.absent:
            part = now.settlement.settlement
            if part.receipt is not None and part.drawn_on is not None:
                found[part.drawn_on].append(part)
    return found


def _as_shared(
    settled: SettlementFacts,
    ledger_state: Mapping[str, LedgerState],
    parts: Mapping[str, Sequence[Settlement]],
) -> SettlementFacts:
    """S5: a part of a shared payment, given the parts that are booked already.

    A payment that is booked may come to pay one more document. The new part draws on its receipt where
    that has enough left, and is an entry of its own otherwise; the receipt keeps its amount. A document's
    part keeps the id that it is booked under, also where the payment names one document now and named
    several, or the other way round.
    """
    if settled.receipt is None:
        own = (part for part in parts.get(settled.ref, ()) if part.document == settled.document)
        booked = next(own, None)
        return settled if booked is None else _under(settled, booked)
    whole = settled_under(settled.drawn_on or "", ledger_state)
    if whole is not None:
        return _beside(settled, whole.settlement)
    found = {
        ref: entry.settlement
        for ref in (settled.ref, *settled.shares)
        if (entry := settled_under(ref, ledger_state)) is not None
    }
    if settled.ref in found:
        return _under(settled, found[settled.ref])
    receipts = {each.receipt for each in found.values()}
    if receipts <= {settled.receipt}:
        return settled
    taken = sum(each.amount for each in found.values())
    receipt = receipts.pop() if len(receipts) == 1 else None
    if receipt is not None and taken + settled.amount <= receipt:
        return replace(settled, receipt=receipt)
    return replace(settled, drawn_on=None, receipt=None)


def _under(settled: SettlementFacts, booked: Settlement) -> SettlementFacts:
    """The same under the id, and with the receipt, of what is booked of it."""
    return replace(settled, ref=booked.ref, drawn_on=booked.drawn_on, receipt=booked.receipt)


def _beside(settled: SettlementFacts, whole: Settlement) -> SettlementFacts:
    """A part of a payment that is booked as one document's: that one's, or an entry beside it.

    Where both are more than was received it stays a part of a receipt, which can't be written.
    """
    if whole.document == settled.document:
        return _under(settled, whole)
    if whole.amount + settled.amount <= (settled.receipt or 0):
        return replace(settled, drawn_on=None, receipt=None)
    return settled


def _settlement(document: LedgerDocument, settled: SettlementFacts) -> Settlement:
    """`document` is one of the two sides of an allocation; its kind is that of the settled one."""
    is_settled = settled.document == document.ref
    return Settlement(
        ref=settled.ref,
        document=settled.document,
        kind=document.kind if is_settled else Kind.INVOICE,
        partner=document.partner,
        method=settled.method,
        date=settled.date,
        amount=settled.amount,
        currency=settled.currency,
        memo=settled.payment_id or settled.ref,
        drawn_on=settled.drawn_on,
        receipt=settled.receipt,
        undoes=settled.undoes,
    )
