"""What becomes of a document: one case posts, and each row of the tables flips one fact of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.agreement.compare import copy_against_source
from fcb_pipelines.core.codes import Kind, Method, Reason, Status, System, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions import case as case_module
from fcb_pipelines.core.dispositions.case import Case, intended
from fcb_pipelines.core.dispositions.cases import cases, copy_dispositions, lost_dispositions
from fcb_pipelines.core.dispositions.decide import Disposition, decide, decide_copy
from fcb_pipelines.core.documents.build import Held, intended_document
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, first_claimants
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import RELEASED, LedgerState, MoveState
from fcb_pipelines.core.proof.completeness import population
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    CUSTOMER,
    DAY,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_line,
    a_move,
    a_settlement,
    a_tax,
    an_invoice,
    document_of,
    stands,
    without_lines,
)

POST, SKIP, HOLD = Verdict.POST, Verdict.SKIP, Verdict.HOLD
DOCUMENT = document_of(a_case())
FREE = a_line(0, gross=20000, discount=20000, taxed=False)
PAID = a_settlement("stripe:acct_nexacloud:in_1", 22600)
LOST = a_settlement("stripe:acct_nexacloud:in_1", -22600, "dp", method=Method.CHARGEBACK)
LOCKED = replace(BOOKS, invoice_lock=DAY)


def policy(**changes: str) -> Settings:
    return SETTINGS.model_copy(
        update={"policies": SETTINGS.policies.model_copy(update=dict(changes))}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One fact changed: of the invoice, of the case, of the ledger, or of the settings."""

    name: str
    verdict: Verdict
    reason: str | None = None
    exceptions: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None
    lines: tuple[Any, ...] = ()
    case: Mapping[str, Any] | None = None
    ledger_state: LedgerState | None = None
    books: Books = BOOKS
    settings: Settings = SETTINGS

    def decided(self) -> Disposition:
        facts = an_invoice("in_1", *self.lines, **(self.facts or {}))
        case = a_case(facts, ledger_state=self.ledger_state, **(self.case or {}))
        return decide(case, self.settings, self.books, LAST_PERIOD)


def is_(name: str, verdict: Verdict, reason: str | None = None, *codes: str, **what: Any) -> Flip:
    return Flip(name=name, verdict=verdict, reason=reason, exceptions=codes, **what)


def other(move_changes: Mapping[str, Any], **document_changes: Any) -> LedgerState:
    """A move that a person changed: its document is not the one whose hash it keeps."""
    changed = replace(DOCUMENT, **document_changes)
    move = a_move(changed, stored_hash=DOCUMENT.content_hash, **move_changes)
    return stands(move, seen=move.state)


def stale(state: MoveState) -> LedgerState:
    """A move as it was written, when the source had another number."""
    return stands(a_move(replace(DOCUMENT, number="before"), state), seen=state)


def void(**changes: Any) -> dict[str, Any]:
    return {"status": Status.VOID, **changes}


WITHOUT_INVOICE = {"total": 0, "net": 0, "tax": 0, "lines": (), "problem": Reason.PAYMENT_WITHOUT_INVOICE}  # fmt: skip

AT_THE_SOURCE = (
    is_("the base case", POST),
    is_("A1 issued in the last evening of the month", POST, facts={"date": date(2026, 3, 31)}),
    is_("A2 issued and not yet paid", POST, facts={"status": Status.OPEN, "settlements": ()}),
    is_("A3 open", POST, facts={"status": Status.OPEN}),
    is_("A3 uncollectible", POST, facts={"status": Status.UNCOLLECTIBLE}),
    is_("A3 draft", SKIP, "draft_at_source", facts={"status": Status.DRAFT, "date": None}),
    is_("A3 void", SKIP, "void_at_source", facts=void()),
    is_("A3 void that NexaCloud calls paid", SKIP, "void_at_source", "nexacloud_differs", facts=void(), case={"claimant": a_copy()}),
    is_("A3 a status we do not know", HOLD, "unknown_status", facts={"status": Status.UNKNOWN}),
    is_("A4 test mode", SKIP, "test_mode", facts={"livemode": False}),
    is_("A4 before the first period", SKIP, "before_cutover", facts={"date": date(2025, 12, 31)}),
    is_("A4 on the first day", POST, facts={"date": date(2026, 1, 1)}),
    is_("A4 before the cutover", SKIP, "before_cutover", settings=SETTINGS.model_copy(update={"cutover": date(2026, 4, 4)})),
    is_("B12 void, and of before the first period", SKIP, "before_cutover", facts=void(date=date(2025, 12, 31))),
    is_("A4 on the cutover", POST, settings=SETTINGS.model_copy(update={"cutover": DAY})),
    is_("A4 an early cutover does not open earlier months", SKIP, "before_cutover", facts={"date": date(2025, 12, 31)}, settings=SETTINGS.model_copy(update={"cutover": date(2025, 1, 1)})),
    is_("A6 NexaCloud has no copy", HOLD, "missing_in_nexacloud", case={"claimant": None}),
    is_("A8 Lago is the document", POST, facts={"side": System.LAGO, "ref": "lago:nexacloud:abc"}),
    is_("A10 a number used before", POST, facts={"number": "NC-in_0"}),
    is_("dated after the open period", HOLD, "after_open_period", facts={"date": date(2026, 6, 1)}),
    is_("a final document without a date", HOLD, "unreadable", facts={"date": None}),
    is_("S11 a payment whose invoice is not listed", HOLD, "payment_without_invoice", facts=WITHOUT_INVOICE, case={"claimant": None}),
    is_("S11 and its payment was of before the cutover", SKIP, "before_cutover", facts={**WITHOUT_INVOICE, "date": date(2025, 12, 31)}, case={"claimant": None}),
    is_("a document that can't be read at all", HOLD, "unreadable",
        facts={"status": Status.UNKNOWN, "status_at_source": "", "problem": Reason.UNREADABLE}),
)  # fmt: skip

AMOUNTS = (
    is_("B1 a cent too much", HOLD, "lines_do_not_sum", facts={"total": 22601, "paid": 22601, "settlements": ()}),
    is_("B1 the source's own arithmetic is wrong", HOLD, "lines_do_not_sum", facts={"problem": Reason.of("lines_do_not_sum")}),
    is_("B1 wrong and of total zero", HOLD, "lines_do_not_sum", facts={"problem": Reason.of("lines_do_not_sum"), "total": 0, "settlements": ()}),
    is_("B2 NexaCloud has no items", POST, None, "nexacloud_items_missing", case={"claimant": a_copy(without_lines(an_invoice()))}),
    is_("B2 nobody has lines", POST, None, "unitemised", facts={"lines": ()}),
    is_("B4 nothing sold", SKIP, "zero_amount", lines=(a_line(0, taxed=False),)),
    is_("B4 fully discounted", SKIP, "fully_discounted", lines=(FREE,), facts={"discount": 20000}),
    is_("B4 fully discounted, and shown by policy", POST, lines=(FREE,), facts={"discount": 20000}, settings=policy(fully_discounted="post")),
    is_("B4 nothing sold, and money collected", HOLD, "treatment_unknown", lines=(a_line(0, taxed=False),), facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 4000),)}),
    is_("B13 taxed, and an untaxed credit takes off what it came to", POST, lines=(a_line(10000), a_line(-11300, taxed=False)), facts={"settlements": ()}),
    is_("B13 moved from one family to another", POST, lines=(a_line(10000, taxed=False), a_line(-10000, taxed=False, description="Managed Odoo - Standard")), facts={"settlements": ()}),
    is_("B13 sold and taken back on one account", SKIP, "zero_amount", lines=(a_line(10000, taxed=False), a_line(-10000, taxed=False)), facts={"settlements": ()}),
    is_("B13 two taxes that come to nothing together", POST, lines=(a_line(0, taxed=False),), facts={"taxes": (a_tax(100, 13, source_id="a"), a_tax(-100, -13, source_id="b")), "settlements": ()}),
    is_("B4 covered by customer balance", POST, facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 22600, method=Method.CUSTOMER_BALANCE),)}),
    is_("B5 a negative invoice", POST, facts={"kind": Kind.CREDIT_NOTE}),
    is_("B6 a negative line", POST, lines=(a_line(), a_line(-5000))),
    is_("B10 a currency the ledger has", POST, facts={"currency": "USD"}),
    is_("B10 a currency the ledger lacks", HOLD, "currency_unsupported", facts={"currency": "EUR"}),
    is_("B10 a currency its source contradicts itself about", HOLD, "currency_needs_review", facts={"problem": Reason.of("currency_needs_review")}),
    is_("T1 no family", POST, lines=(a_line(description="Domain name"),)),
    is_("T2 a tax off by the residue", POST, lines=(a_line(taxes=(a_tax(amount=2601),)),)),
    is_("T2 a tax off by more", HOLD, "tax_mismatch", lines=(a_line(taxes=(a_tax(amount=2602),)),)),
    is_("T3 a tax nobody configured", HOLD, "tax_unknown", lines=(a_line(taxes=(a_tax(percentage=Decimal(12)),)),), facts={"taxes": (a_tax(percentage=Decimal(12)),)}),
    is_("T4 no tax at all", POST, lines=(a_line(taxed=False),)),
)  # fmt: skip

SETTLED = (
    is_("S1 NexaCloud calls paid what is open", POST, None, "nexacloud_differs", facts={"status": Status.OPEN, "paid": 0, "settlements": ()}, case={"claimant": a_copy()}),
    is_("S2 partly paid", POST, facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 100),)}),
    is_("S3 overpaid", POST, None, "overpaid", facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 22601),)}),
    is_("S4 paid off Stripe", POST, None, "off_stripe_payment", facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 22600, method=Method.OFF_PLATFORM),)}),
    is_("S4 paid off Stripe, and settled by policy", POST, facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 22600, method=Method.OFF_PLATFORM),)}, settings=policy(off_platform_payment="settle")),
    is_("B11 paid by prepaid credit", POST, facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 22600, method=Method.PREPAID_CREDIT),)}),
    is_("B11 credited by a note that Lago does not name", POST, None, "settlement_unsupported", facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 22600, method=Method.CREDIT_NOTE),)}),
    is_("B11 credited by a note", POST, facts={"settlements": (a_settlement("stripe:acct_nexacloud:in_1", 22600, method=Method.CREDIT_NOTE, drawn_on="lago:o:cn"),)}),
    *(is_(f"the source remarks {code}", POST, None, code, facts={"remarks": (code,)}) for code in ("payment_failed", "refund_without_credit_note", "disputed", "dispute_lost", "uncollectible", "overpaid")),
    is_("S8 given up, and written off by policy", POST, facts={"remarks": ("uncollectible",)}, settings=policy(uncollectible="write_off")),
    is_("S9 a dispute lost, and booked as a loss by policy", POST, facts={"remarks": ("dispute_lost",), "settlements": (PAID, LOST)}, settings=policy(lost_dispute="loss")),
    is_("S9 a dispute lost that took nothing of what is booked", POST, None, "dispute_lost", facts={"remarks": ("dispute_lost",)}, settings=policy(lost_dispute="loss")),
)  # fmt: skip

DRAFT = MoveState.DRAFT
IN_THE_LEDGER = (
    is_("a draft as it was written", POST, ledger_state=stands(a_move(state=DRAFT), seen="draft")),
    is_("posted as it was written", POST, ledger_state=stands(a_move(), seen="posted")),
    is_("posted in a run that died before it was logged", POST, ledger_state=stands(a_move())),
    is_("D1 voided after posting", SKIP, "void_at_source", "voided_after_posting", facts=void(), ledger_state=stands(a_move(), seen="posted")),
    is_("D1 voided while a draft", SKIP, "void_at_source", "stale_draft", facts=void(), ledger_state=stands(a_move(state=DRAFT), seen="draft")),
    is_("D1 voided after a person cancelled the draft", SKIP, "void_at_source", facts=void(), ledger_state=stands(a_move(state=MoveState.CANCELLED), seen="draft")),
    is_("D2 changed at the source after posting", POST, None, "source_changed", ledger_state=stale(MoveState.POSTED)),
    is_("D2 no longer buildable after posting", HOLD, "lines_do_not_sum", "source_changed", facts={"problem": Reason.of("lines_do_not_sum")}, ledger_state=stands(a_move(), seen="posted")),
    is_("D3 a posted move's number was edited", POST, None, "edited_in_ledger", ledger_state=other({}, number="edited")),
    is_("D3 a posted move was re-dated", POST, None, "edited_in_ledger", ledger_state=stands(a_move(accounting_date=date(2026, 5, 1)), seen="posted")),
    is_("D3 a posted move was given to another partner", POST, None, "edited_in_ledger", ledger_state=other({"partner_links": ("nexacloud:else",)}, partner="nexacloud:else")),
    is_("D3 a posted move's partner carries several links of ours", POST, ledger_state=stands(a_move(partner_links=("nexacloud:else", DOCUMENT.partner)), seen="posted")),
    is_("D3 a posted move was deleted", POST, None, "edited_in_ledger", ledger_state=stands(seen="posted")),
    is_("D3 a posted move was cancelled", POST, None, "edited_in_ledger", ledger_state=stands(a_move(state=MoveState.CANCELLED), seen="posted")),
    is_("D3 a draft was edited", HOLD, "edited_in_ledger", ledger_state=other({"state": DRAFT}, number="edited")),
    is_("D3 a draft was deleted", HOLD, "edited_in_ledger", ledger_state=stands(seen="draft")),
    is_("D3 a draft was cancelled", HOLD, "edited_in_ledger", ledger_state=stands(a_move(state=MoveState.CANCELLED), seen="draft")),
    is_("D3 a cancelled draft that the log saw cancelled", HOLD, "edited_in_ledger", ledger_state=stands(a_move(state=MoveState.CANCELLED), seen="cancelled")),
    is_("D3 a draft was cancelled before the log saw it", HOLD, "edited_in_ledger", ledger_state=stands(a_move(state=MoveState.CANCELLED))),
    is_("D3 a deleted draft that a person released", POST, ledger_state=stands(seen=RELEASED)),
    is_("D3 a cancelled draft that a person released", POST, ledger_state=stands(a_move(state=MoveState.CANCELLED), seen=RELEASED)),
    is_("D3 a posted move was set back to draft", HOLD, "edited_in_ledger", ledger_state=stands(a_move(state=DRAFT), seen="posted")),
    is_("D4 in a locked period", HOLD, "period_locked", books=LOCKED),
    is_("D4 a day after the lock", POST, books=replace(BOOKS, invoice_lock=date(2026, 4, 2))),
    is_("D4 a lock on other entries does not hold a sale", POST, books=replace(BOOKS, entry_lock=DAY)),
    is_("D4 posted before the period was locked", POST, books=LOCKED, ledger_state=stands(a_move(), seen="posted")),
    is_("D4 a draft in a period locked since", HOLD, "period_locked", books=LOCKED, ledger_state=stands(a_move(state=DRAFT), seen="draft")),
    is_("D5 a draft from a run that died before it was logged", POST, ledger_state=stands(a_move(state=DRAFT))),
    is_("D6 a draft whose source changed", POST, ledger_state=stale(DRAFT)),
    is_("D6 a draft whose source changed and that was edited", HOLD, "edited_in_ledger", facts={"number": "after"}, ledger_state=other({"state": DRAFT}, number="edited")),
)  # fmt: skip

EVERY = (*AT_THE_SOURCE, *AMOUNTS, *SETTLED, *IN_THE_LEDGER)


@pytest.mark.parametrize("flip", EVERY, ids=lambda flip: flip.name)
def test_one_fact_decides(flip: Flip) -> None:
    decided = flip.decided()
    assert (decided.verdict, decided.reason) == (flip.verdict, flip.reason), decided.detail
    assert decided.exceptions == flip.exceptions


@pytest.mark.parametrize("flip", EVERY, ids=lambda flip: flip.name)
def test_a_reason_leads_to_its_own_verdict_and_a_hold_says_what_was_found(flip: Flip) -> None:
    decided = flip.decided()
    if decided.reason is not None:
        assert decided.reason.verdict is decided.verdict
    assert bool(decided.detail) is (decided.verdict is HOLD)


def test_a_disposition_tells_the_document_as_its_source_does() -> None:
    decided = a_case().facts, decide(a_case(), SETTINGS, BOOKS, LAST_PERIOD)
    facts, row = decided
    assert (row.ref, row.number, row.date, row.currency) == (
        facts.ref,
        facts.number,
        facts.date,
        facts.currency,
    )
    assert (row.net, row.tax, row.total, row.owed) == (20000, 2600, 22600, 0)
    assert (row.period, row.status) == ("2026-04", Status.PAID)
    claimant = a_copy()
    assert (row.partner, row.nexacloud_invoice_id) == (f"nexacloud:{claimant.user_id}", "inv-1")


def test_a_document_is_built_once_for_its_case_and_again_for_other_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built: list[str] = []

    def counted(facts: InvoiceFacts, *rest: Any, **more: Any) -> LedgerDocument | Held:
        built.append(facts.ref)
        return intended_document(facts, *rest, **more)

    monkeypatch.setattr(case_module, "intended_document", counted)
    case = a_case(ledger_state=stands(a_move(DOCUMENT)))
    for settings in (SETTINGS, policy(export_tax="gst_0")):
        built.clear()
        decide(case, settings, BOOKS, LAST_PERIOD)
        assert intended(case, settings) is intended(case, settings)
        assert len(built) == 1
    assert replace(case, credited=1) != case
    intended(replace(case, credited=1), settings)
    assert len(built) == 2
    assert case == a_case(ledger_state=stands(a_move(DOCUMENT)))


def test_a9_a_document_without_a_copy_belongs_to_the_sources_own_customer() -> None:
    row = decide(a_case(claimant=None), SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.partner, row.nexacloud_invoice_id) == (f"stripe:acct_nexacloud:{CUSTOMER}", None)


@pytest.mark.parametrize(
    ("named", "detail"),
    [
        ("NXC-7", "a payment of 226.00 CAD is for NXC-7, which its source does not list"),
        ("", "a payment of 226.00 CAD names no invoice"),
    ],
)
def test_s11_a_payment_without_its_invoice_says_how_much_and_of_which(
    named: str, detail: str
) -> None:
    facts = an_invoice(**WITHOUT_INVOICE, metadata=(("invoices", named),))
    row = decide(a_case(facts, claimant=None), SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.detail, row.total) == (detail, 0)


def test_a6_a_document_that_names_nobody_is_held_and_is_nobody_elses() -> None:
    nobody = a_case(an_invoice(customer=None), claimant=None)
    row = decide(nobody, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.verdict, row.reason) == (HOLD, "missing_in_nexacloud")
    assert row.detail == "no customer is on the document"
    assert row.partner == nobody.facts.ref


def test_a6_the_account_in_a_customers_place_is_the_customer() -> None:
    billed = an_invoice(customer=None, customer_account="acct_9")
    row = decide(a_case(billed, claimant=None), SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.partner, row.detail) == ("stripe:acct_nexacloud:acct_9", "customer acct_9")


@pytest.mark.parametrize(
    ("day", "period"),
    [(date(2025, 12, 31), None), (date(2026, 6, 1), None), (None, None), (DAY, "2026-04")],
)
def test_a_disposition_lies_in_the_month_of_its_date_where_that_is_in_range(
    day: date | None, period: str | None
) -> None:
    row = decide(a_case(an_invoice(date=day)), SETTINGS, BOOKS, LAST_PERIOD)
    assert row.period == period


@pytest.mark.parametrize(
    "change",
    [{"number": "x"}, {"tax": 1}, {"status": Status.VOID}, {"currency": "USD"}, {"paid": 1}],
    ids=str,
)
def test_nexacloud_never_changes_what_is_posted_and_is_listed_when_it_differs(
    change: dict[str, Any],
) -> None:
    facts = an_invoice()
    claimant = a_copy(facts, **change)
    agreement = copy_against_source(facts, claimant.facts, customer=CUSTOMER)
    case = Case(facts=facts, claimant=claimant, agreement=agreement)
    row = decide(case, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.verdict, row.exceptions) == (POST, ("nexacloud_differs",))
    assert document_of(case) == DOCUMENT


# NexaCloud rows that have no document of their own.

FOUND = IndexRow(
    ref="stripe:acct_nexacloud:in_1",
    source_id="in_1",
    origin=Origin.INVOICE,
    answer=Lookup.LISTED,
    in_scope=True,
    claimed=True,
    period="2026-04",
)
LATER = a_copy(invoice_id="inv-2", created_at=datetime(2026, 5, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    ("case", "copy", "row", "reason", "period"),
    [
        ("its document was found", a_copy(), FOUND, None, None),
        ("A5 the source says it does not exist", a_copy(), replace(FOUND, answer=Lookup.DOES_NOT_EXIST, period=None), "missing_at_source", None),
        ("A5 the source did not answer", a_copy(), replace(FOUND, answer=Lookup.UNREACHABLE, period=None), "unreachable", None),
        ("A5 nobody asked the source", a_copy(), None, "unreachable", None),
        ("A7 a second claim lies where its document does", LATER, FOUND, "duplicate_claim", "2026-04"),
        ("A7 a second claim on a draft", LATER, replace(FOUND, period=None), "duplicate_claim", None),
        ("A7 a second claim on nothing", LATER, replace(FOUND, answer=Lookup.DOES_NOT_EXIST, period=None), "duplicate_claim", None),
        ("A11 no source id", a_copy(source_id=None), FOUND, "no_source_id", None),
        ("A11 an unknown prefix", a_copy(source_id="cs_1"), FOUND, "no_source_id", None),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_a_nexacloud_row_has_a_disposition_of_its_own_only_without_a_document(
    case: str, copy: NexaCloudInvoice, row: IndexRow | None, reason: str | None, period: str | None
) -> None:
    claimant = first_claimants([a_copy(), copy]).get(copy.claims or "")
    decided = decide_copy(copy, {row.ref: row} if row else {}, claimant)
    if reason is None:
        assert decided is None, case
        return
    assert decided is not None, case
    assert (decided.verdict, decided.reason, decided.period) == (HOLD, reason, period)
    assert (decided.ref, decided.owed) == (copy.ref, 0)


@st.composite
def everything(draw: st.DrawFn) -> tuple[list[IndexRow], list[NexaCloudInvoice]]:
    """Source documents of all answers, and NexaCloud rows that claim them, others, or nothing."""
    index = [
        replace(
            FOUND,
            ref=f"stripe:acct_nexacloud:in_{i}",
            source_id=f"in_{i}",
            answer=(answer := draw(st.sampled_from(list(Lookup)))),
            in_scope=draw(st.booleans()) or answer not in (Lookup.LISTED, Lookup.ASKED),
            period=draw(st.sampled_from(["2026-03", "2026-04", None])),
        )
        for i in range(draw(st.integers(0, 5)))
    ]
    index = [row if row.found else replace(row, period=None) for row in index]
    named = st.sampled_from([None, "cs_1", "lago:x", *(f"in_{i}" for i in range(7))])
    rows = [
        a_copy(invoice_id=f"inv-{i}", source_id=draw(named)) for i in range(draw(st.integers(0, 8)))
    ]
    claimed = {copy.claims for copy in rows}
    return [replace(row, in_scope=row.in_scope or row.ref in claimed) for row in index], rows


@given(everything())
def test_population_is_post_and_skip_and_hold_whatever_the_sides_hold(
    sides: tuple[list[IndexRow], list[NexaCloudInvoice]],
) -> None:
    index, rows = sides
    claimants = first_claimants(rows)
    decided = []
    for row in index:
        if row.found and row.in_scope:
            day = date(2026, int(row.period[5:]), 1) if row.period else None
            status = Status.PAID if day else Status.DRAFT
            facts = an_invoice(row.source_id, date=day, status=status)
            case = a_case(facts, claimant=claimants.get(row.ref))
            decided.append(decide(case, SETTINGS, BOOKS, LAST_PERIOD))
    for period in ("2026-03", "2026-04", None):
        decided += copy_dispositions(rows, index, period)
    members = population(index, rows, claimants)
    assert sorted((m.ref, m.period or "") for m in members) == sorted(
        (row.ref, row.period or "") for row in decided
    )
    verdicts = [row.verdict for row in decided]
    assert len(members) == sum(verdicts.count(verdict) for verdict in Verdict)


def test_t2_a_document_whose_tax_the_ledger_lacks_is_held_and_names_it() -> None:
    lacking = replace(BOOKS, lacking_taxes=frozenset({"hst_13"}))
    row = decide(a_case(), SETTINGS, lacking, LAST_PERIOD)
    assert (row.verdict, row.reason) == (Verdict.HOLD, "tax_unknown")
    assert "hst_13" in row.detail
    elsewhere = replace(BOOKS, lacking_taxes=frozenset({"pst_7_bc"}))
    assert decide(a_case(), SETTINGS, elsewhere, LAST_PERIOD).verdict is Verdict.POST


ROW = IndexRow(
    ref=DOCUMENT.ref, source_id="in_1", origin=Origin.INVOICE, answer=Lookup.DOES_NOT_EXIST,
    in_scope=True, claimed=False, period="2026-04", detail="404", in_ledger=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "verdict", "reason"),
    [
        (MoveState.POSTED, POST, "forgotten_by_nexacloud"),
        (MoveState.DRAFT, HOLD, "missing_in_nexacloud"),
    ],
)
def test_a13_what_nexacloud_erased_stays_as_the_books_know_it(
    state: MoveState, verdict: Verdict, reason: str
) -> None:
    move = a_move(DOCUMENT, state)
    now = {move.ref: stands(move, seen=state)}
    (case,) = cases([an_invoice()], {}, (), now)
    row = decide(case, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.verdict, row.reason, row.exceptions) == (verdict, reason, ())
    assert (row.partner, row.nexacloud_invoice_id) == (DOCUMENT.partner, "inv-1")
    assert document_of(case).content_hash == DOCUMENT.content_hash


def test_a13_a_later_note_of_a_forgotten_invoice_is_its_customers() -> None:
    move = a_move(DOCUMENT)
    note = an_invoice("cn_1", kind=Kind.CREDIT_NOTE, credits=DOCUMENT.ref, settlements=())
    (case,) = cases([note], {}, (), {move.ref: stands(move, seen="posted")})
    row = decide(case, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.reason, row.partner) == ("forgotten_by_nexacloud", DOCUMENT.partner)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Lookup.DOES_NOT_EXIST, "missing_at_source"), (Lookup.UNREACHABLE, "unreachable")],
)
def test_a13_what_its_source_lost_is_held_under_its_own_ref_and_says_who_forgot_it(
    answer: Lookup, reason: str
) -> None:
    now = {ROW.ref: stands(a_move(DOCUMENT, residual=500), seen="posted")}
    (row,) = lost_dispositions([replace(ROW, answer=answer)], now, "2026-04")
    assert (row.ref, row.period, row.verdict, row.reason) == (ROW.ref, "2026-04", HOLD, reason)
    assert (row.total, row.owed, row.exceptions) == (22600, 500, (reason,))
    assert lost_dispositions([ROW], now, "2026-05") == ()


def test_a13_it_is_one_member_though_nexacloud_still_names_it() -> None:
    copy = a_copy()
    members = population([ROW], [copy], first_claimants([copy]))
    assert [(member.ref, member.period) for member in members] == [(ROW.ref, "2026-04")]
    assert decide_copy(copy, {ROW.ref: ROW}, copy) is None
    # Another row that claims the same document is still a second claim.
    second = a_copy(invoice_id="inv-2", created_at=datetime(2026, 6, 1, tzinfo=UTC))
    other = decide_copy(second, {ROW.ref: ROW}, copy)
    assert other is not None
    assert other.reason == "duplicate_claim"


@pytest.mark.parametrize(
    ("state", "account"), [(MoveState.POSTED, "411900"), (MoveState.DRAFT, "411310")]
)
def test_t5_a_note_goes_to_the_accounts_of_its_posted_invoice(
    state: MoveState, account: str
) -> None:
    elsewhere = replace(DOCUMENT, lines=(replace(DOCUMENT.lines[0], account="411900"),))
    note = an_invoice("cn_1", a_line(5000), kind=Kind.CREDIT_NOTE, credits=DOCUMENT.ref)
    now = {DOCUMENT.ref: stands(a_move(elsewhere, state))}
    (case,) = cases([note], {}, (), now)
    assert {line.account for line in document_of(case).lines} == {account}


@pytest.mark.parametrize(
    ("state", "paid", "verdict", "reason", "listed"),
    [
        (MoveState.POSTED, (), POST, None, "source_changed"),
        (MoveState.POSTED, (PAID,), POST, None, "source_changed"),
        (MoveState.DRAFT, (), SKIP, "zero_amount", None),
        (MoveState.DRAFT, (PAID,), HOLD, "treatment_unknown", None),
    ],
)
def test_d2_what_is_posted_and_comes_to_nothing_now_is_changed_and_neither_skipped_nor_held(
    state: MoveState,
    paid: tuple[SettlementFacts, ...],
    verdict: Verdict,
    reason: str | None,
    listed: str | None,
) -> None:
    nothing = an_invoice("in_1", a_line(0, taxed=False), settlements=paid)
    row = decide(
        a_case(nothing, ledger_state=stands(a_move(DOCUMENT, state))), SETTINGS, BOOKS, LAST_PERIOD
    )
    assert (row.verdict, row.reason) == (verdict, reason)
    assert (listed in row.exceptions) is (listed is not None)
