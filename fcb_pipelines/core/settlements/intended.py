"""The settlements that the ledger should hold for a month's documents, as their source confirms them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerState, settled_under
from fcb_pipelines.core.refs import Suffix, suffixed
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
    before their credit note came.
    """
    found: dict[str, Settlement] = {}
    for document in documents:
        for settled in as_booked(facts[document.ref].settlements, ledger_state):
            if posts(settled, settings):
                settlement = _settlement_now(document, settled, ledger_state)
                found.setdefault(settlement.ref, settlement)
    return tuple(found.values())


def _settlement_now(
    document: LedgerDocument, settled: SettlementFacts, ledger_state: Mapping[str, LedgerState]
) -> Settlement:
    """The settlement; it draws on refunds pending where the refund was booked before its note came."""
    whole = _settlement(document, _as_shared(settled, ledger_state))
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


def _as_shared(
    settled: SettlementFacts, ledger_state: Mapping[str, LedgerState]
) -> SettlementFacts:
    """S5: a part of a shared payment, given the parts that are booked already.

    A payment that is booked may come to pay one more document. The new part draws on its receipt where
    that has enough left, and is an entry of its own otherwise; the receipt keeps its amount.
    """
    if settled.receipt is None:
        return settled
    found = {
        ref: entry.settlement
        for ref in (settled.ref, *settled.shares)
        if (entry := settled_under(ref, ledger_state)) is not None
    }
    own = found.get(settled.ref)
    if own is not None:
        return replace(settled, drawn_on=own.drawn_on, receipt=own.receipt)
    receipts = {each.receipt for each in found.values()}
    if receipts <= {settled.receipt}:
        return settled
    taken = sum(each.amount for each in found.values())
    receipt = receipts.pop() if len(receipts) == 1 else None
    if receipt is not None and taken + settled.amount <= receipt:
        return replace(settled, receipt=receipt)
    return replace(settled, drawn_on=None, receipt=None)


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
