"""Dispositions: what becomes of every member of the population - post, skip or hold, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.agreement import Agreement, AgreementRow, disagreements
from fcb_pipelines.core.build import Held, intended_document
from fcb_pipelines.core.company import Settings
from fcb_pipelines.core.corrections import VOIDED, answered
from fcb_pipelines.core.documents import LedgerDocument
from fcb_pipelines.core.facts import InvoiceFacts, Kind, Status
from fcb_pipelines.core.index import Answer, IndexRow
from fcb_pipelines.core.nexacloud_facts import Copy
from fcb_pipelines.core.periods import first_day, period_of
from fcb_pipelines.core.reasons import Verdict
from fcb_pipelines.core.standing import MoveState, Standing, StandingMove, stands_as
from fcb_pipelines.core.three_way import Moved, moved
from fcb_pipelines.core.writing import not_posted, owed


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the ledger allows: currencies and since when they have a rate, taxes it lacks, locks."""

    currencies: frozenset[str]
    rates_since: tuple[tuple[str, date], ...] = ()
    lacking_taxes: frozenset[str] = frozenset()
    invoice_lock: date | None = None
    entry_lock: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """One member of the population and what becomes of it.

    Amounts are the document's at its source, in minor units, positive for credit notes too. `owed`
    is what the source says is still owed. `period` is None for members without a month in range.
    """

    ref: str
    period: str | None
    verdict: Verdict
    reason: str | None
    detail: str
    exceptions: tuple[str, ...]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that one document's disposition depends on; `corrections` are posted ones of it."""

    facts: InvoiceFacts
    owner: Copy | None
    agreement: tuple[AgreementRow, ...] = ()
    standing: Standing | None = None
    corrections: tuple[StandingMove, ...] = ()

    @property
    def partner(self) -> str:
        """The billing account: NexaCloud's user, else the source's own customer.

        A document that names nobody is an account of its own.
        """
        if self.owner is not None:
            return f"nexacloud:{self.owner.user_id}"
        if self.facts.payer is None:
            return self.facts.ref
        return f"{self.facts.ref.rsplit(':', 1)[0]}:{self.facts.payer}"


def intended(case: Case, settings: Settings) -> LedgerDocument | Held:
    """The ledger document of a case, or why there can be none."""
    return intended_document(
        case.facts,
        settings,
        partner=case.partner,
        nexacloud_invoice_id=case.owner.invoice_id if case.owner else None,
    )


def decide(case: Case, settings: Settings, books: Books, last_period: str) -> Disposition:
    """The disposition of one document at its source. Never raises; every doubt is a hold."""
    facts = case.facts
    verdict, reason, detail = _verdict(case, settings, books, last_period)
    exceptions = _exceptions(case, settings, verdict)
    return Disposition(
        ref=facts.ref,
        period=_period_in_range(facts.date, settings, last_period),
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
        nexacloud_invoice_id=case.owner.invoice_id if case.owner else None,
    )


def in_order(row: Disposition) -> tuple[str, str, str]:
    """How dispositions are listed: by date, then number, then ref."""
    return (row.date.isoformat() if row.date else "", row.number, row.ref)


def decide_copy(
    copy: Copy, index: Mapping[str, IndexRow], owner: Copy | None
) -> Disposition | None:
    """The disposition of a NexaCloud row without a document of its own; None when it has one.

    `owner` is the row that owns the claimed document, `index` the index rows by ref.
    """
    row = index.get(copy.claims) if copy.claims else None
    period = None
    if copy.claims is None:
        named = copy.source_id or "nothing"
        reason, detail = "no_source_id", f"stripe_invoice_id names {named}"
    elif owner is not None and owner.invoice_id != copy.invoice_id:
        reason, detail = "duplicate_claim", f"{copy.claims} belongs to {owner.invoice_id}"
        period = row.period if row else None
    elif row is None or row.answer is Answer.UNREACHABLE:
        reason, detail = "unreachable", row.detail if row else f"{copy.claims} was not asked for"
    elif row.answer is Answer.DOES_NOT_EXIST:
        reason, detail = "missing_at_source", row.detail
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
        partner=f"nexacloud:{copy.user_id}",
        nexacloud_invoice_id=copy.invoice_id,
    )


def _verdict(
    case: Case, settings: Settings, books: Books, last_period: str
) -> tuple[Verdict, str | None, str]:
    skipped = _skip(case.facts, settings)
    if skipped:
        return Verdict.SKIP, skipped, ""
    held = _hold(case, settings, books, last_period)
    if held:
        return Verdict.HOLD, held.reason, held.detail
    return Verdict.POST, None, ""


def _skip(facts: InvoiceFacts, settings: Settings) -> str | None:
    """Why a document is none of the books' business: proven facts only, no doubts."""
    start = settings.cutover or first_day(settings.first_period)
    if not facts.livemode:
        return "test_mode"
    if facts.status is Status.DRAFT:
        return "draft_at_source"
    if facts.status is Status.VOID:
        return "void_at_source"
    if facts.date and facts.date < max(start, first_day(settings.first_period)):
        return "before_cutover"
    if facts.problem or facts.total or facts.status is Status.UNKNOWN:
        return None
    if _collects_without_a_sale(facts):
        return None
    if facts.discount <= 0:
        return "zero_amount"
    return "fully_discounted" if settings.policies.fully_discounted == "skip" else None


def _collects_without_a_sale(facts: InvoiceFacts) -> bool:
    """Whether money moved over nothing sold, as for an older debt: cash is never skipped (B4)."""
    moved = any(settlement.amount for settlement in facts.settlements)
    return moved and not facts.total and not facts.problem


def _hold(case: Case, settings: Settings, books: Books, last_period: str) -> Held | None:
    """The first doubt about a document, in the order in which a person would clear them."""
    facts = case.facts
    if facts.status is Status.UNKNOWN:
        return Held(reason="unknown_status", detail=f"the source says {facts.status_at_source!r}")
    if case.owner is None:
        whose = f"customer {facts.payer}" if facts.payer else "no customer is on the document"
        return Held(reason="missing_in_nexacloud", detail=whose)
    if _collects_without_a_sale(facts):
        return Held(reason="treatment_unknown", detail="nothing was sold, and money was collected")
    document = intended(case, settings)
    if isinstance(document, Held):
        return document
    if period_of(document.date) > last_period:
        return Held(reason="after_open_period", detail=f"dated {document.date}")
    if document.currency not in books.currencies:
        return Held(reason="currency_unsupported", detail=document.currency)
    first_rate = dict(books.rates_since).get(document.currency)
    if first_rate is not None and document.date < first_rate:
        told = f"the ledger has no rate of {document.currency} before {first_rate}"
        return Held(reason="currency_unsupported", detail=told)
    lacking = document.tax_keys & books.lacking_taxes
    if lacking:
        told = f"the ledger lacks {', '.join(sorted(lacking))}: `fcb doctor` says what mends it"
        return Held(reason="tax_unknown", detail=told)
    return _held_by_ledger(document, case.standing, books)


def _held_by_ledger(
    document: LedgerDocument, standing: Standing | None, books: Books
) -> Held | None:
    standing = standing or Standing(ref=document.ref)
    posted = standing.move is not None and standing.move.state is MoveState.POSTED
    if posted or (standing.absent and standing.was_seen == MoveState.POSTED):
        return None
    if standing.taken_back:
        found = "removed or cancelled" if standing.absent else "set back to draft after posting"
        return Held(reason="edited_in_ledger", detail=f"the move was {found}")
    if (
        not standing.absent
        and standing.move
        and not stands_as(standing.move, standing.move.stored_hash)
    ):
        return Held(reason="edited_in_ledger", detail="the draft is not as it was written")
    if books.invoice_lock and document.date <= books.invoice_lock:
        return Held(reason="period_locked", detail=f"locked up to {books.invoice_lock}")
    return None


def _exceptions(case: Case, settings: Settings, verdict: Verdict) -> tuple[str, ...]:
    found = [*_copy_exceptions(case.agreement)]
    standing = case.standing or Standing(ref=case.facts.ref)
    posted = standing.move is not None and standing.move.state is MoveState.POSTED
    if verdict is Verdict.POST:
        found += _posted_exceptions(case, standing, settings)
        if not case.facts.lines and not case.facts.shipping:
            found.append("unitemised")
        listed = not_posted(case.facts, settings)
        found += [listed[1]] if listed else []
        if case.facts.owed < 0:
            found.append("overpaid")
        found += [code for code in case.facts.remarks if code not in _decided(settings)]
    elif posted and case.facts.status is Status.VOID:
        found += [] if answered(VOIDED, case.corrections) else ["voided_after_posting"]
    elif posted:
        found.append("source_changed")
    elif not standing.absent and verdict is Verdict.SKIP:
        found.append("stale_draft")
    return tuple(dict.fromkeys(found))


def _decided(settings: Settings) -> frozenset[str]:
    """The source's remarks that the company's policies have answered."""
    policies = settings.policies
    answers = {
        "uncollectible": policies.uncollectible == "write_off",
        "dispute_lost": policies.lost_dispute == "loss",
    }
    return frozenset(code for code, decided in answers.items() if decided)


def _copy_exceptions(agreement: tuple[AgreementRow, ...]) -> list[str]:
    wrong = disagreements(agreement)
    no_items = [row for row in wrong if row.field == "lines" and row.kind is Agreement.MISSING]
    found = ["nexacloud_items_missing"] if no_items else []
    return found + (["nexacloud_differs"] if len(wrong) > len(no_items) else [])


def _posted_exceptions(case: Case, standing: Standing, settings: Settings) -> list[str]:
    if standing.absent:
        return ["edited_in_ledger"] if standing.taken_back else []
    move = standing.move
    if move is None or move.state is not MoveState.POSTED:
        return []
    document = intended(case, settings)
    sides = moved(document if isinstance(document, LedgerDocument) else None, move)
    if answered(case.facts.source_hash, case.corrections):
        sides -= {Moved.SOURCE, Moved.SETTINGS}
    codes = {
        Moved.SOURCE: "source_changed",
        Moved.SETTINGS: "settings_changed",
        Moved.LEDGER: "edited_in_ledger",
    }
    return [code for side, code in codes.items() if side in sides]


def _period_in_range(day: date | None, settings: Settings, last_period: str) -> str | None:
    period = period_of(day) if day else None
    return period if period and settings.first_period <= period <= last_period else None
