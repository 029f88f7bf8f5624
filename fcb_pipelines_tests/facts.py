"""Facts of one invoice on every side, for tests: all agree, and a test changes the one it is about.

    InvoiceFacts at Stripe  =  NexaCloudInvoice  =  the LedgerMove in the ledger

The base invoice is one hosting line of 200.00 with 13 % HST in Ontario, paid on its own day.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.agreement.compare import copy_against_source
from fcb_pipelines.core.codes import Kind, Method, Status, System
from fcb_pipelines.core.dispositions.case import Case, intended
from fcb_pipelines.core.facts.lago.rules import LAGO
from fcb_pipelines.core.facts.model import (
    BillTo,
    InvoiceFacts,
    LineFacts,
    SettlementFacts,
    TaxFacts,
)
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice
from fcb_pipelines.core.facts.source import claimed_ref
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    LedgerMove,
    LedgerSettlement,
    LedgerState,
    MoveState,
    PaymentState,
    Seen,
)
from fcb_pipelines.core.money import half_up
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import RECONCILED
from fcb_pipelines_tests.documents import SETTINGS

ACCOUNT = SETTINGS.stripe.account
ORGANIZATION = SETTINGS.lago.organization
SOURCES = ((STRIPE, ACCOUNT), (LAGO, ORGANIZATION))
RULES = {rules.name: rules for rules, _ in SOURCES}
DAY = date(2026, 4, 3)
LAST_PERIOD = "2026-05"
BOOKS = Books(currencies=frozenset({"CAD", "USD"}))
USER = "11111111-0000-4000-8000-000000000001"
CUSTOMER = "cus_1"
HST = TaxFacts(type="hst", percentage=Decimal(13), amount=0, country="CA", state="ON")


def a_tax(base: int = 20000, amount: int | None = None, **changes: Any) -> TaxFacts:
    """HST of Ontario on `base` minor units, half-up unless `amount` says what was billed."""
    tax = replace(HST, **changes)
    billed = half_up(base * tax.percentage / 100) if amount is None else amount
    return replace(tax, base=base, amount=billed)


def a_line(net: int = 20000, *, taxed: bool = True, **changes: Any) -> LineFacts:
    """One line of `net` minor units, with its own HST."""
    line = LineFacts(
        key=f"il_{net}",
        description="Odoo ERP Hosting - Standard",
        quantity=Decimal(1),
        net=net,
        gross=net,
        taxes=(a_tax(net),) if taxed else (),
    )
    return replace(line, **changes)


def an_invoice(name: str = "in_1", *lines: LineFacts, **changes: Any) -> InvoiceFacts:
    """A paid Stripe invoice of these lines; totals follow from them unless `changes` say otherwise."""
    lines = lines or (a_line(),)
    net = sum(line.net for line in lines)
    bearing = sum(line.net for line in lines if line.taxes)
    amount = sum(tax.amount for line in lines for tax in line.taxes)
    ref = f"stripe:{ACCOUNT}:{name}"
    total = net + amount
    currency = changes.get("currency", "CAD")
    facts = InvoiceFacts(
        side=System.STRIPE,
        ref=ref,
        kind=Kind.INVOICE,
        number=f"NC-{name}",
        status=Status.PAID,
        status_at_source="paid",
        currency=currency,
        date=DAY,
        net=net,
        tax=amount,
        total=total,
        paid=total,
        customer=CUSTOMER,
        lines=lines,
        taxes=(a_tax(bearing, amount),) if amount else (),
        settlements=(a_settlement(ref, total, currency=currency),) if total > 0 else (),
        bill_to=BillTo(name="Maple Bakery Inc.", email="Books@Maple.example"),
    )
    return replace(facts, **changes)


def a_settlement(document: str, amount: int, name: str = "1", **changes: Any) -> SettlementFacts:
    """A payment that Stripe confirms, on the invoice's day."""
    settlement = SettlementFacts(
        ref=f"{document}:inpay_{name}",
        document=document,
        method=Method.PAYMENT,
        date=DAY,
        amount=amount,
        currency="CAD",
        payment_id=f"pi_{name}",
    )
    return replace(settlement, **changes)


def without_lines(facts: InvoiceFacts) -> InvoiceFacts:
    """The invoice with its totals and no lines."""
    return replace(facts, lines=())


def a_copy(
    source: InvoiceFacts | None = None,
    *,
    invoice_id: str = "inv-1",
    source_id: str | None = "in_1",
    created_at: datetime = datetime(2026, 5, 16, 12, tzinfo=UTC),
    **changes: Any,
) -> NexaCloudInvoice:
    """NexaCloud's row of `source`, true in every field; `changes` replace fields of its facts."""
    source = source or an_invoice()
    facts = replace(
        source,
        side=System.NEXACLOUD,
        ref=f"nexacloud:{invoice_id}",
        date=None,
        customer=USER,
        taxes=(),
        settlements=(),
        lines=tuple(replace(line, key=f"item-{line.key}", taxes=()) for line in source.lines),
    )
    return NexaCloudInvoice(
        invoice_id=invoice_id,
        user_id=USER,
        subscription_id=None,
        source_id=source_id,
        claims=claimed_ref(source_id, SOURCES),
        created_at=created_at,
        facts=replace(facts, **changes),
    )


def a_case(facts: InvoiceFacts | None = None, **changes: Any) -> Case:
    """A case that posts: NexaCloud has the invoice, agrees with its source, and nothing stands yet."""
    facts = facts or an_invoice()
    claimant = changes.pop("claimant", a_copy(facts))
    agreement = copy_against_source(facts, claimant.facts, customer=CUSTOMER) if claimant else ()
    case = Case(facts=facts, claimant=claimant, agreement=agreement)
    return replace(case, **changes)


def document_of(case: Case) -> LedgerDocument:
    """The ledger document of a case that has one."""
    document = intended(case, SETTINGS)
    assert isinstance(document, LedgerDocument), document
    return document


def settlements_of(case: Case) -> tuple[Settlement, ...]:
    """The intended settlements of a case that has a document."""
    return intended_settlements([document_of(case)], {case.facts.ref: case.facts}, SETTINGS, {})


def a_move(
    document: LedgerDocument | None = None, state: MoveState = MoveState.POSTED, **changes: Any
) -> LedgerMove:
    """The move that stands exactly as the document was written, paid."""
    document = document or document_of(a_case())
    move = LedgerMove(
        ref=document.ref,
        move_id="7",
        state=state,
        payment_state=PaymentState.PAID,
        document=document,
        partner_links=(document.partner,),
        accounting_date=document.date,
        residual=0,
        stored_hash=document.content_hash,
    )
    return replace(move, **changes)


def an_entry(settlement: Settlement, **changes: Any) -> LedgerSettlement:
    """The entry that stands exactly as the settlement was written, reconciled."""
    entry = LedgerSettlement(
        ref=settlement.ref,
        move_id="8",
        state=MoveState.POSTED,
        settlement=settlement,
        reconciled=settlement.amount,
        stored_hash=settlement.content_hash,
    )
    return replace(entry, **changes)


def stands(
    move: LedgerMove | None = None,
    *,
    settlement: LedgerSettlement | None = None,
    seen: str | None = None,
    ref: str | None = None,
) -> LedgerState:
    """What stands under one external id, and the state the log last saw there."""
    entry = move or settlement
    ref = ref or (entry.ref if entry else an_invoice().ref)
    logged = None if seen is None else Seen(ref=ref, state=seen, content_hash=None)
    return LedgerState(ref=ref, move=move, settlement=settlement, seen=logged)


def all_standing(case: Case) -> Mapping[str, LedgerState]:
    """The ledger where everything of the case stands, posted and reconciled, and was seen."""
    move = a_move(document_of(case))
    entries = [an_entry(settlement) for settlement in settlements_of(case)]
    moves = {move.ref: stands(move, seen=MoveState.POSTED)}
    return moves | {entry.ref: stands(settlement=entry, seen=RECONCILED) for entry in entries}
