"""Cash of documents of before the cutover: each row flips one fact of an invoice paid since (S11)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.agreement.policy import FIELD_POLICIES, Policy
from fcb_pipelines.core.codes import Kind, Method, Reason, Status, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import Case
from fcb_pipelines.core.dispositions.exceptions import exceptions_of
from fcb_pipelines.core.dispositions.opening import (
    on_account,
    opening_cash,
    opening_documents,
    opening_refs,
    plan_on_account,
)
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState
from fcb_pipelines.core.proof.settlement_deltas import on_account_deltas
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    a_case,
    a_copy,
    a_settlement,
    an_entry,
    an_invoice,
    stands,
)

MAY, JUNE, LONG_AGO = date(2026, 5, 10), date(2026, 6, 2), date(2025, 12, 2)
REF = an_invoice().ref


def with_policies(**policies: str) -> Settings:
    found = SETTINGS.policies.model_copy(update=policies)
    return SETTINGS.model_copy(update={"policies": found})


SETTLE = with_policies(opening_payment="settle")


def paid(*settlements: SettlementFacts, **changes: Any) -> InvoiceFacts:
    """An invoice of December, before the books begin, settled so."""
    return an_invoice(date=date(2025, 12, 1), settlements=settlements, **changes)


def cash(name: str = "1", amount: int = 22600, day: date = MAY, **changes: Any) -> SettlementFacts:
    return a_settlement(REF, amount, name, date=day, **changes)


PAYMENT = cash()
OPENING = paid(PAYMENT)
FAILURE = cash("1:failed", -22600, JUNE, method=Method.PAYMENT_FAILURE, undoes=f"{REF}:inpay_1")
OTHER = f"{REF}:inpay_other"
PART = cash("part", 11300, drawn_on="pi_1", receipt=33900, shares=(OTHER,))


def booked(
    facts: InvoiceFacts,
    settings: Settings = SETTLE,
    ledger_state: dict[str, LedgerState] | None = None,
    parts: tuple[str, ...] = (),
) -> tuple[Settlement, ...]:
    own = {each.ref for each in facts.settlements} | {*parts}
    return on_account([a_case(facts)], own, settings, ledger_state or {})


@pytest.mark.parametrize(
    ("case", "facts", "settings", "found"),
    [
        ("paid since", OPENING, SETTLE, [("payment", 22600)]),
        ("the policy is to list it", OPENING, SETTINGS, []),
        ("paid before the books began", paid(cash(day=LONG_AGO)), SETTLE, []),
        ("paid in part before", paid(cash("0", 600, LONG_AGO), cash("1", 22000)), SETTLE, [("payment", 22000)]),
        ("voided at the source", replace(OPENING, status=Status.VOID), SETTLE, []),
        ("not reported in full", replace(OPENING, problem=Reason.UNREACHABLE), SETTLE, []),
        ("test mode moves no money", replace(OPENING, livemode=False), SETTLE, []),
        ("a credit note of before", replace(OPENING, kind=Kind.CREDIT_NOTE), SETTLE, [("payment", 22600)]),
        ("it failed later", paid(PAYMENT, FAILURE), SETTLE, [("payment", 22600), ("payment_failure", -22600)]),
        ("customer balance is no cash", paid(cash(method=Method.CUSTOMER_BALANCE)), SETTLE, []),
        ("refunded without a note", paid(cash("re", -3000, method=Method.REFUND)), SETTLE, [("refund", -3000)]),
        ("a note took the refund over", paid(cash("re", 0, method=Method.REFUND)), SETTLE, []),
        ("paid off the source", paid(cash(method=Method.OFF_PLATFORM)), SETTLE, []),
        ("that is recorded", paid(cash(method=Method.OFF_PLATFORM)), with_policies(opening_payment="settle", off_platform_payment="settle"), [("off_platform", 22600)]),
        ("a lost dispute", paid(cash("dp", -22600, method=Method.CHARGEBACK)), SETTLE, []),
        ("that is a loss", paid(cash("dp", -22600, method=Method.CHARGEBACK)), with_policies(opening_payment="settle", lost_dispute="loss"), [("chargeback", -22600)]),
    ],
)  # fmt: skip
def test_s11_what_is_booked_of_a_document_of_before_the_cutover(
    case: str, facts: InvoiceFacts, settings: Settings, found: list[tuple[str, int]]
) -> None:
    settlements = booked(facts, settings)
    assert [(each.method, each.amount) for each in settlements] == found, case
    assert all(each.on_account and each.kind is facts.kind for each in settlements)
    assert {each.ref for each in settlements} <= {each.ref for each in facts.settlements}


def test_a9_it_is_nexaclouds_users_or_where_that_has_no_row_the_sources_customers() -> None:
    orphan = Case(facts=OPENING, claimant=None)
    partners = [each.partner for each in on_account([a_case(OPENING), orphan], (), SETTLE, {})]
    assert partners == [a_case(OPENING).partner, f"stripe:acct_nexacloud:{OPENING.customer}"]


def test_a13_where_nexacloud_has_no_row_any_more_it_is_whose_the_books_say() -> None:
    nexaclouds = a_case(OPENING).partner
    later = paid(PAYMENT, cash("2", 100, JUNE))
    now = {PAYMENT.ref: stands(settlement=an_entry(booked(OPENING)[0], reconciled=0))}
    found = on_account([Case(facts=later, claimant=None)], (), SETTLE, now)
    assert [each.partner for each in found] == [nexaclouds, nexaclouds]
    # A row that NexaCloud has says more than the books.
    anothers = a_case(OPENING, claimant=replace(a_copy(OPENING), user_id="another"))
    (moved,) = on_account([anothers], (), SETTLE, now)
    assert moved.partner == "nexacloud:another"


@pytest.mark.parametrize(
    ("case", "facts", "undoes"),
    [
        ("the payment is booked so", paid(PAYMENT, FAILURE), f"{REF}:inpay_1"),
        ("it came before the books began", paid(cash(day=LONG_AGO), FAILURE), None),
        ("it lies within a receipt", paid(replace(PART, ref=PAYMENT.ref), FAILURE), None),
    ],
)
def test_s7_a_failure_undoes_only_what_stands_as_an_entry(
    case: str, facts: InvoiceFacts, undoes: str | None
) -> None:
    assert [each.undoes for each in booked(facts) if each.amount < 0] == [undoes], case


ON_ACCOUNT = an_entry(booked(OPENING)[0], reconciled=0)


def other_part(receipt: int | None) -> dict[str, LedgerState]:
    other = replace(ON_ACCOUNT.settlement, ref=OTHER, on_account=False, receipt=receipt)
    return {OTHER: stands(settlement=an_entry(other))}


@pytest.mark.parametrize(
    ("case", "parts", "ledger_state", "is_booked"),
    [
        ("of a document of the books, which writes the receipt", (), {}, False),
        ("that receipt is booked", (), other_part(33900), False),
        ("the other part was booked alone, before this one was known", (), other_part(None), True),
        ("both documents are of before the cutover", (OTHER,), {}, True),
        ("this part is on account already", (), {PART.ref: stands(settlement=ON_ACCOUNT)}, True),
    ],
)  # fmt: skip
def test_s5_a_part_that_a_receipt_has_in_it_is_not_booked_again(
    case: str, parts: tuple[str, ...], ledger_state: dict[str, LedgerState], is_booked: bool
) -> None:
    found = [
        (each.amount, each.receipt) for each in booked(paid(PART), SETTLE, ledger_state, parts)
    ]
    assert found == ([(11300, None)] if is_booked else []), case


IN_MAY = booked(paid(PAYMENT, FAILURE))
GONE = {PAYMENT.ref: stands(ref=PAYMENT.ref, seen=MoveState.POSTED)}
PAID = {PAYMENT.ref: stands(settlement=ON_ACCOUNT, seen=MoveState.POSTED)}


@pytest.mark.parametrize(
    ("case", "period", "ledger_state", "books", "written", "listed"),
    [
        ("in the month of its date", "2026-05", {}, BOOKS, ["payment"], []),
        ("once", "2026-05", PAID, BOOKS, [], []),
        ("a person took it away", "2026-05", GONE, BOOKS, [], ["edited_in_ledger"]),
        ("its period is locked", "2026-05", {}, replace(BOOKS, entry_lock=MAY), [], ["settlement_period_locked"]),
        ("its account is missing", "2026-05", {}, replace(BOOKS, lacking_methods=frozenset({Method.PAYMENT})), [], ["account_missing"]),
        ("its currency is", "2026-05", {}, replace(BOOKS, currencies=frozenset({"USD"})), [], ["currency_unsupported"]),
        ("it has no rate yet", "2026-05", {}, replace(BOOKS, rates_since=(("CAD", JUNE),)), [], ["currency_unsupported"]),
        ("the failure follows", "2026-06", PAID, BOOKS, ["payment_failure"], []),
        ("its payment is still to come", "2026-06", {}, BOOKS, [], ["not_written"]),
        ("its payment can't be written", "2026-06", {}, replace(BOOKS, entry_lock=MAY), [], ["settlement_period_locked"]),
        ("another month has nothing of it", "2026-04", {}, BOOKS, [], []),
    ],
)  # fmt: skip
def test_s11_it_is_written_once_or_listed_and_never_stops_the_others(
    case: str, period: str, ledger_state: Any, books: Any, written: list[str], listed: list[str]
) -> None:
    plan = plan_on_account(IN_MAY, ledger_state, books, period)
    assert [each.method for each in plan.write] == written, case
    assert [code for _, code in plan.exceptions] == listed, case


SETTLED = ON_ACCOUNT.settlement
LINKS = {REF: ("stripe:acct_nexacloud:cus_1",)}


@pytest.mark.parametrize(
    ("case", "now", "found"),
    [
        ("as it was written", stands(settlement=ON_ACCOUNT), {}),
        ("a person matched it", stands(settlement=replace(ON_ACCOUNT, reconciled=22600)), {}),
        ("known by another link", stands(settlement=replace(ON_ACCOUNT, settlement=replace(SETTLED, partner=LINKS[REF][0]))), {}),
        ("of another partner", stands(settlement=replace(ON_ACCOUNT, settlement=replace(SETTLED, partner="x"))), {"settlement.partner": "edited_in_ledger"}),
        ("of another amount", stands(settlement=replace(ON_ACCOUNT, settlement=replace(SETTLED, amount=1))), {"settlement.amount": "edited_in_ledger"}),
        ("on another day", stands(settlement=replace(ON_ACCOUNT, settlement=replace(SETTLED, date=JUNE))), {"settlement.date": "edited_in_ledger"}),
        ("set back to draft", stands(settlement=replace(ON_ACCOUNT, state=MoveState.DRAFT)), {"settlement.state": "edited_in_ledger"}),
        ("the source says another day now", stands(settlement=an_entry(replace(SETTLED, date=JUNE))), {"settlement.date": "source_changed"}),
    ],
)  # fmt: skip
def test_s11_what_stands_is_compared_and_its_matching_is_a_persons(
    case: str, now: LedgerState, found: dict[str, str]
) -> None:
    rows = on_account_deltas([SETTLED], {SETTLED.ref: now}, {}, LINKS)
    assert {row.field: row.code for row in rows} == found, case


@pytest.mark.parametrize(
    ("field", "policy", "change", "found"),
    [
        ("settlement.state", Policy.IGNORED, {"state": MoveState.DRAFT}, set()),
        ("settlement.amount", Policy.IGNORED, {"settlement": replace(SETTLED, amount=1)}, set()),
        ("settlement.partner", Policy.COMPARED, {"settlement": replace(SETTLED, partner=LINKS[REF][0])}, {"settlement.partner"}),
    ],
)  # fmt: skip
def test_s11_the_policy_decides_what_is_compared(
    field: str,
    policy: Policy,
    change: dict[str, Any],
    found: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = {SETTLED.ref: stands(settlement=replace(ON_ACCOUNT, **change))}
    before = {row.field for row in on_account_deltas([SETTLED], now, {}, LINKS)}
    monkeypatch.setitem(FIELD_POLICIES, field, replace(FIELD_POLICIES[field], ledger=policy))
    assert {row.field for row in on_account_deltas([SETTLED], now, {}, LINKS)} == found
    assert before == {field} - found


def test_s11_what_does_not_stand_says_why() -> None:
    for ledger_state, explained, code in (
        ({}, {}, "not_written"),
        (GONE, {}, "edited_in_ledger"),
        ({}, {SETTLED.ref: "settlement_period_locked"}, "settlement_period_locked"),
    ):
        rows = on_account_deltas([SETTLED], ledger_state, explained, {})
        assert {(row.ref, row.entry, row.code) for row in rows} == {(REF, SETTLED.ref, code)}


def row_of(ref: str, *, in_ledger: bool) -> IndexRow:
    return IndexRow(
        ref=ref, source_id="in_1", origin=Origin.INVOICE, answer=Lookup.LISTED, in_scope=True,
        claimed=True, in_ledger=in_ledger,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "facts", "in_ledger", "is_opening"),
    [
        ("dated before", OPENING, False, True),
        ("dated on the first day", replace(OPENING, date=date(2026, 1, 1)), False, False),
        ("without a date", replace(OPENING, date=None), False, False),
        ("it has a move of ours", OPENING, True, False),
    ],
)
def test_a4_what_stands_in_the_opening_balance(
    case: str, facts: InvoiceFacts, in_ledger: bool, is_opening: bool
) -> None:
    found = opening_documents([facts], [row_of(REF, in_ledger=in_ledger)], SETTINGS)
    assert bool(found) is is_opening, case


def test_the_cash_of_a_document_is_looked_for_in_the_months_of_its_dates() -> None:
    facts = paid(cash("0", 600, LONG_AGO), PART, FAILURE)
    (found,) = opening_cash([facts], SETTLE).values()
    assert found.periods == {"2026-05", "2026-06"}
    assert found.refs == {PART.ref, FAILURE.ref}
    assert opening_refs([facts], SETTLE) == (PART.ref, OTHER, FAILURE.ref)
    assert opening_cash([facts], SETTLE) != opening_cash([facts], SETTINGS)
    assert opening_cash([paid(cash(day=LONG_AGO))], SETTLE) == {}


@pytest.mark.parametrize(
    ("settings", "day", "listed"),
    [(SETTLE, MAY, True), (SETTLE, LONG_AGO, False), (SETTINGS, MAY, False)],
    ids=["booked", "before the books began", "listed"],
)
def test_s6_a_refund_on_account_waits_for_its_note(
    settings: Settings, day: date, listed: bool
) -> None:
    refunded = a_case(paid(cash("re", -3000, day, method=Method.REFUND)))
    found = exceptions_of(refunded, settings, Verdict.SKIP, "before_cutover")
    assert ("refund_without_credit_note" in found) is listed
