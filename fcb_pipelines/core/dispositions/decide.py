"""Dispositions: every member of the population is posted, skipped or held, with its reason."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.codes import ExceptionCode, Kind, Reason, Status, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import Case, books_begin, intended
from fcb_pipelines.core.dispositions.credit_notes import judged_with
from fcb_pipelines.core.dispositions.exceptions import exceptions_of
from fcb_pipelines.core.documents.build import Held, account_codes
from fcb_pipelines.core.documents.families import family_of
from fcb_pipelines.core.facts.index import IndexRow, Lookup
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState, MoveState, is_same_document
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.core.refs import nexacloud_ref
from fcb_pipelines.core.settlements.policy import owed


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """One member of the population with its verdict, its reason and its exceptions.

    Amounts are the document's at its source, in minor units, positive for credit notes too. `owed`
    is the amount still owed by the source. `period` is None for members without a month in range.
    """

    ref: str
    period: str | None
    verdict: Verdict
    reason: Reason | None
    detail: str
    exceptions: tuple[ExceptionCode, ...]
    kind: Kind
    number: str
    date: date | None
    currency: str
    net: int
    tax: int
    total: int
    owed: int
    status: Status | None
    partner: str | None
    nexacloud_invoice_id: str | None


def decide(case: Case, settings: Settings, books: Books, last_period: str) -> Disposition:
    """The disposition of one document at its source. Never raises; every doubt is a hold."""
    facts = case.facts
    verdict, reason, detail = _verdict(case, settings, books, last_period)
    exceptions = exceptions_of(case, settings, verdict, reason)
    return Disposition(
        ref=facts.ref,
        period=_place(case, settings, last_period),
        verdict=verdict,
        reason=reason,
        detail=detail,
        exceptions=exceptions,
        kind=facts.kind,
        number=facts.number,
        date=facts.date,
        currency=facts.currency,
        net=facts.net,
        tax=facts.tax,
        total=facts.total,
        owed=owed(facts, settings),
        status=facts.status,
        partner=case.partner,
        nexacloud_invoice_id=case.nexacloud_invoice_id,
    )


def decide_lost(row: IndexRow, move: LedgerMove) -> Disposition:
    """The disposition of a document in the books that its source does not return (A13).

    Its amounts are the ledger's.
    """
    gone = row.answer is Lookup.DOES_NOT_EXIST
    document = move.document
    return Disposition(
        ref=row.ref,
        period=row.period,
        verdict=Verdict.HOLD,
        reason=Reason.MISSING_AT_SOURCE if gone else Reason.UNREACHABLE,
        detail=f"it is {move.state.value} in the ledger; its source: {row.detail}",
        exceptions=(ExceptionCode.MISSING_AT_SOURCE if gone else ExceptionCode.UNREACHABLE,),
        kind=document.kind,
        number=document.number,
        date=document.date,
        currency=document.currency,
        net=document.net,
        tax=document.tax,
        total=document.total,
        owed=move.residual,
        status=None,
        partner=document.partner,
        nexacloud_invoice_id=document.nexacloud_invoice_id,
    )


def in_order(row: Disposition) -> tuple[str, str, str]:
    """The sort key of dispositions: date, then number, then ref."""
    return (row.date.isoformat() if row.date else "", row.number, row.ref)


def decide_copy(
    copy: NexaCloudInvoice, index: Mapping[str, IndexRow], claimant: NexaCloudInvoice | None
) -> Disposition | None:
    """The disposition of a NexaCloud row without a document of its own; None where it has one.

    `claimant` is the row that the claimed document belongs to, `index` the index rows by ref.
    """
    row = index.get(copy.claims) if copy.claims else None
    period = None
    is_claimant = claimant is None or claimant.invoice_id == copy.invoice_id
    if row is not None and row.is_lost and is_claimant:
        # A document in the books keeps its own ref, even where its source does not return it.
        return None
    if copy.claims is None:
        named = copy.source_id or "nothing"
        reason, detail = Reason.NO_SOURCE_ID, f"stripe_invoice_id names {named}"
    elif claimant is not None and not is_claimant:
        reason, detail = Reason.DUPLICATE_CLAIM, f"{copy.claims} belongs to {claimant.invoice_id}"
        period = row.period if row else None
    elif row is None or row.answer is Lookup.UNREACHABLE:
        reason, detail = (
            Reason.UNREACHABLE,
            row.detail if row else f"{copy.claims} was not asked for",
        )
    elif row.answer is Lookup.DOES_NOT_EXIST:
        reason, detail = Reason.MISSING_AT_SOURCE, row.detail
    else:
        return None
    facts = copy.facts
    return Disposition(
        ref=copy.ref,
        period=period,
        verdict=Verdict.HOLD,
        reason=reason,
        detail=detail,
        exceptions=(),
        kind=facts.kind,
        number=facts.number,
        date=None,
        currency=facts.currency,
        net=facts.net,
        tax=facts.tax,
        total=facts.total,
        owed=0,
        status=facts.status,
        partner=nexacloud_ref(copy.user_id),
        nexacloud_invoice_id=copy.invoice_id,
    )


def _verdict(
    case: Case, settings: Settings, books: Books, last_period: str
) -> tuple[Verdict, Reason | None, str]:
    skipped = _skip(case, settings)
    if skipped:
        return Verdict.SKIP, skipped, ""
    judged = judged_with(case.invoice, case.facts.total) if case.invoice else None
    if judged and judged[0] is Verdict.SKIP:
        return Verdict.SKIP, judged[1].reason, judged[1].detail
    held = _hold(case, settings, books, last_period)
    # A posted note stays posted where its invoice came into doubt later.
    if held is None and judged and not case.is_posted:
        held = judged[1]
    if held:
        return Verdict.HOLD, held.reason, held.detail
    if case.claimant is None:
        return (
            Verdict.POST,
            Reason.FORGOTTEN_BY_NEXACLOUD,
            f"the ledger has it under {case.partner}",
        )
    return Verdict.POST, None, ""


def _skip(case: Case, settings: Settings) -> Reason | None:
    """The reason to skip a document; only proven facts count, a doubt is a hold."""
    facts = case.facts
    if not facts.livemode:
        return Reason.TEST_MODE
    if facts.status is Status.DRAFT:
        return Reason.DRAFT_AT_SOURCE
    if facts.date and facts.date < books_begin(settings):
        # Void or not, it is part of the opening balance, and its notes reverse it there (B12).
        return Reason.BEFORE_CUTOVER
    if facts.status is Status.VOID and not case.is_reversed_by_notes:
        return Reason.VOID_AT_SOURCE
    if facts.status is Status.UNKNOWN or not _sold_nothing(facts, settings):
        return None
    if case.is_posted:
        # It sold something when it was posted: to nothing it is changed like to any other amount (D2).
        return None
    if _collects_without_a_sale(facts, settings):
        return None
    if facts.discount <= 0:
        return Reason.ZERO_AMOUNT
    return Reason.FULLY_DISCOUNTED if settings.policies.fully_discounted == "skip" else None


def _sold_nothing(facts: InvoiceFacts, settings: Settings) -> bool:
    """Whether the lines net to zero on every account and no tax was billed (B13).

    A total of zero alone proves nothing: a taxed sale and an untaxed credit come to it as well.
    """
    if facts.problem or facts.total or facts.net or facts.shipping:
        return False
    taxes: Counter[str | None] = Counter()
    for tax in facts.taxes or [tax for line in facts.lines for tax in line.taxes]:
        taxes[tax.source_id or f"{tax.type} {tax.percentage} {tax.state}"] += tax.amount
    codes = account_codes(settings)
    accounts: Counter[str] = Counter()
    for line in facts.lines:
        sold = line.reverses or line.description
        accounts[codes[family_of(sold, settings.families)]] += line.net
    return not any(taxes.values()) and not any(accounts.values())


def _collects_without_a_sale(facts: InvoiceFacts, settings: Settings) -> bool:
    """Whether money was collected or refunded though nothing was sold: cash is never skipped (B4)."""
    has_cash = any(settlement.amount for settlement in facts.settlements)
    return has_cash and _sold_nothing(facts, settings)


def _hold(case: Case, settings: Settings, books: Books, last_period: str) -> Held | None:
    """The first reason to hold a document, in the order in which a person would clear them."""
    facts = case.facts
    not_judged = _not_judged(facts)
    if not_judged:
        return not_judged
    if case.claimant is None and (
        case.owner_move is None or case.owner_move.state is not MoveState.POSTED
    ):
        whose = f"customer {facts.payer}" if facts.payer else "no customer is on the document"
        return Held(reason=Reason.MISSING_IN_NEXACLOUD, detail=whose)
    if _collects_without_a_sale(facts, settings) and not case.is_posted:
        return Held(
            reason=Reason.TREATMENT_UNKNOWN, detail="nothing was sold, and money was collected"
        )
    document = intended(case, settings)
    if isinstance(document, Held):
        return document
    if period_of(document.date) > last_period:
        return Held(reason=Reason.AFTER_OPEN_PERIOD, detail=f"dated {document.date}")
    if document.currency not in books.currencies:
        return Held(reason=Reason.CURRENCY_UNSUPPORTED, detail=document.currency)
    first_rate = dict(books.rates_since).get(document.currency)
    if first_rate is not None and document.date < first_rate:
        detail = f"the ledger has no rate of {document.currency} before {first_rate}"
        return Held(reason=Reason.CURRENCY_UNSUPPORTED, detail=detail)
    if books.lacking_taxes and (lacking := document.tax_keys & books.lacking_taxes):
        detail = f"the ledger lacks {', '.join(sorted(lacking))}: `fcb doctor` says what mends it"
        return Held(reason=Reason.TAX_UNKNOWN, detail=detail)
    return _held_by_ledger(document, case.ledger_state, books)


def _not_judged(facts: InvoiceFacts) -> Held | None:
    """A reason to hold what is no document that could be posted, whoever claims it."""
    if facts.is_unread:
        detail = "its body can't be read, so its amounts are not known: see its evidence"
        return Held(reason=Reason.UNREADABLE, detail=detail)
    if facts.problem is Reason.PAYMENT_WITHOUT_INVOICE:
        return Held(reason=facts.problem, detail=_paid_for(facts))
    if facts.status is Status.UNKNOWN:
        return Held(
            reason=Reason.UNKNOWN_STATUS, detail=f"the source says {facts.status_at_source!r}"
        )
    return None


def _paid_for(facts: InvoiceFacts) -> str:
    """The amount of a payment of which an invoice is not listed, and the invoices that it names."""
    amount = sum(each.receipt or each.amount for each in facts.settlements)
    invoices = dict(facts.metadata).get("invoices")
    named = f"is for {invoices}, which its source does not list" if invoices else "names no invoice"
    return f"a payment of {money(amount, facts.currency)} {named}"


def _held_by_ledger(
    document: LedgerDocument, ledger_state: LedgerState | None, books: Books
) -> Held | None:
    ledger_state = ledger_state or LedgerState(ref=document.ref)
    posted = ledger_state.move is not None and ledger_state.move.state is MoveState.POSTED
    if posted or (ledger_state.absent and ledger_state.was_seen == MoveState.POSTED):
        return None
    if ledger_state.withdrawn:
        found = "removed or cancelled" if ledger_state.absent else "set back to draft after posting"
        return Held(reason=Reason.EDITED_IN_LEDGER, detail=f"the move was {found}")
    if (
        not ledger_state.absent
        and ledger_state.move
        and not is_same_document(ledger_state.move, ledger_state.move.stored_hash)
    ):
        return Held(reason=Reason.EDITED_IN_LEDGER, detail="the draft is not as it was written")
    if books.invoice_lock and document.date <= books.invoice_lock:
        return Held(reason=Reason.PERIOD_LOCKED, detail=f"locked up to {books.invoice_lock}")
    return None


def _place(case: Case, settings: Settings, last_period: str) -> str | None:
    """The month of the document's date, or of its move where that is out of range; None for neither."""
    move = case.ledger_state.move if case.ledger_state else None
    for day in (case.facts.date, move.document.date if move else None):
        period = period_of(day) if day else None
        if period and settings.first_period <= period <= last_period:
            return period
    return None
