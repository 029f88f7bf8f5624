"""Every gate, failing once: what it is about is named in the result, the check, the status, the report.

A gate without its fault here fails the first test: add the smallest input that makes it fail.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from fcb_pipelines.cli.screen import gate_lines
from fcb_pipelines.connectors.nexacloud.contracts import breaches
from fcb_pipelines.core.agreement.compare import copy_against_source
from fcb_pipelines.core.cash.balance import balance_rows, payout_rows, to_explain
from fcb_pipelines.core.cash.clearing import clearing
from fcb_pipelines.core.cash.entries import place
from fcb_pipelines.core.cash.gates import (
    balance_ties_out,
    cash_equals_intent,
    every_payout_adds_up,
    every_settlement_reached_the_balance,
    journal_has_the_balance,
    outstanding_is_explained,
    statements_are_valid,
)
from fcb_pipelines.core.cash.journal import CashDelta, JournalRow
from fcb_pipelines.core.cash.plan import CashDrift
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.report import close_report
from fcb_pipelines.core.close.status import status
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.company.charges import UnreadReading
from fcb_pipelines.core.company.services import MeteringSettings
from fcb_pipelines.core.dispositions.decide import decide
from fcb_pipelines.core.documents.rows import to_rows
from fcb_pipelines.core.events.delivery import State
from fcb_pipelines.core.events.proof import (
    DeliveryRow,
    events_delivered,
    subscriptions_are_known,
)
from fcb_pipelines.core.facts.cash import ReportedBalance
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.subscription import SubscriptionFacts
from fcb_pipelines.core.ledger.cash import CashStatement, LedgerStatement
from fcb_pipelines.core.ledger.moves import ForeignCredit, MoveState
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail
from fcb_pipelines.core.metering.dual_run import Cause, MeteringVerdict
from fcb_pipelines.core.metering.gates import (
    flip_readiness,
    no_empty_subscription,
    nothing_leaks,
    one_row_each,
    unexplained,
    usage_is_clean,
)
from fcb_pipelines.core.metering.leaks import Leak, LeakKind
from fcb_pipelines.core.metering.usage import usage
from fcb_pipelines.core.proof.amount_rows import (
    AmountRow,
    Measure,
    cash_without_document,
    credit_has_an_origin,
    nothing_is_lost,
)
from fcb_pipelines.core.proof.completeness import Member, completeness, completeness_gate
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.deltas import ledger_deltas
from fcb_pipelines.core.proof.gate import Finding, GateResult, Outcome, failing, warning
from fcb_pipelines.core.proof.gates import (
    dates_as_intended,
    document_rules_hold,
    documents_balance,
    documents_match_dispositions,
    external_ids_unique,
    listing_complete,
    nexacloud_agrees,
    nothing_is_held,
    population_adds_up,
    read_back_equals_intent,
    residuals_match_source,
    revenue_in_other,
    tax_as_expected,
    unitemised_lines,
)
from fcb_pipelines.core.proof.partners import shared_email
from fcb_pipelines.core.proof.receivable import (
    foreign_credit,
    orphans,
    receivable,
    receivable_gate,
)
from fcb_pipelines.core.proof.tax_witness import Address, witness
from fcb_pipelines.defs.close.page import render
from fcb_pipelines.defs.runtime.gating import check_result
from fcb_pipelines_tests.connectors.nexacloud.test_contracts import a_frame, with_value
from fcb_pipelines_tests.core.cash.test_proof import CLAIMED, KNOWN, PAID
from fcb_pipelines_tests.core.cash.values import a_scope, a_transaction
from fcb_pipelines_tests.core.cash.values import settings as with_cash
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.events import NOON
from fcb_pipelines_tests.facts import (
    BOOKS,
    CUSTOMER,
    DAY,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_line,
    a_move,
    all_standing,
    an_invoice,
    document_of,
    settlements_of,
    stands,
    without_lines,
)
from fcb_pipelines_tests.metering import (
    MAY,
    METRICS,
    ZONE,
    a_delta,
    a_metering_status,
    a_one_off,
    at,
)
from fcb_pipelines_tests.nexacloud_rows import uuid

APRIL = "2026-04"
CASE = a_case()
DOCUMENT = document_of(CASE)
REF, NUMBER = DOCUMENT.ref, DOCUMENT.number
ROW = decide(CASE, SETTINGS, BOOKS, LAST_PERIOD)
HELD = decide(a_case(an_invoice("in_2", total=22601)), SETTINGS, BOOKS, LAST_PERIOD)
ASKED = IndexRow(
    ref=REF,
    source_id="in_1",
    origin=Origin.INVOICE,
    answer=Lookup.ASKED,
    in_scope=True,
    claimed=True,
)
UNEXPLAINED = a_delta(
    subscription_id="s3",
    verdict=MeteringVerdict.DELTA,
    cause=Cause.LIST_PRICE_DIFFERS,
    actual=25000,
)
LEAK = Leak(
    kind=LeakKind.OVERAGE_NOT_INVOICED,
    service="cloud",
    subscription_id="s4",
    deployment_id="d4",
    customer="cloud:u1",
    customer_name="Acme",
    period=MAY,
    currency="CAD",
    amount=1250,
    detail="overage of 12.50 is on no invoice",
)


def breached(table: str, column: str) -> list[str]:
    frame: pd.DataFrame = with_value(a_frame(table), column, Decimal("NaN"), 1)
    return [str(breach) for breach in breaches(table, frame)]


def documents_off() -> Finding:
    (row,) = to_rows([DOCUMENT])
    return documents_balance([replace(row, net=19999)])


def read_back(**changes: Any) -> tuple[LedgerDelta, ...]:
    move = a_move(changes.pop("document", DOCUMENT), stored_hash=DOCUMENT.content_hash, **changes)
    now = {**all_standing(CASE), REF: stands(move, seen="posted")}
    return ledger_deltas([DOCUMENT], settlements_of(CASE), now)


def lines_of_other() -> Finding:
    case = a_case(an_invoice("in_1", a_line(description="Domain")))
    return revenue_in_other(to_rows([document_of(case)]))


def a_copy_that_differs() -> Finding:
    facts = an_invoice()
    return nexacloud_agrees(
        copy_against_source(facts, a_copy(facts, tax=1).facts, customer=CUSTOMER)
    )


def another_tax() -> Finding:
    alberta = Address(country="CA", state="AB", taken_from="document")
    return tax_as_expected([witness(an_invoice(), alberta, None, SETTINGS)])


def odd_usage() -> Finding:
    unread = UnreadReading(
        service="cloud",
        subscription_id="s5",
        metric=None,
        at=at("2026-05-02"),
        why="cpu_hours: 'NaN'",
    )
    rows = usage([], {}, METRICS, period=MAY, timezone=ZONE, late_after_hours=24, unread=[unread])
    return usage_is_clean(rows)


def a_cent_more_in_the_ledger() -> Finding:
    unpaid = replace(ROW, owed=22600)
    of_nobody = a_move(replace(DOCUMENT, ref="stripe:acct:in_77", number="N-77"))
    rows = receivable([unpaid], [a_move(residual=22601)], {})
    return receivable_gate(rows, orphans([of_nobody], {REF}))


# Each gate: the smallest input that makes it fail, and what it must name.
SHARED = LinkedPartner(
    partner_id="7", links=("nexacloud:u1",), name="Alpha", email=None, stripe_customer_id=None,
    shared_emails=(
        SharedEmail(email="books@x.example", bearers=("nexacloud:u1 (Alpha)", "nexacloud:u2 (Beta)")),
    ),
)  # fmt: skip
STRANGE = ForeignCredit(
    move="MISC/2026/05/0001", partner="nexacloud:u1", name="Maple Bakery Inc.", date=date(2026, 5, 4),
    currency="CAD", amount=1250,
)  # fmt: skip
LOST = AmountRow(
    ref=REF, entry="pi_1", number=NUMBER, partner="nexacloud:u", currency="CAD",
    measure=Measure.CASH, day=DAY, source=22600, posted=0, listed=0, why=None,
)  # fmt: skip


UNREAD_SUBSCRIPTION = SubscriptionFacts(
    ref="stripe:a:sub_1", status="active", live=False, problem="it has no id"
)
DEAD_EVENT = DeliveryRow(
    event_id="evt_1",
    type="invoice.payment_failed",
    service="nexacloud",
    subject=REF,
    period=APRIL,
    state=State.DEAD,
    tries=8,
    queued_at=NOON,
    late=True,
    detail="HTTP 500",
)


WITH_CASH = with_cash()
NOT_VALID = LedgerStatement(
    ref="stripe:acct_1:po_1",
    statement_id="3",
    statement=CashStatement(
        ref="stripe:acct_1:po_1",
        name="po_1",
        date=date(2026, 4, 30),
        currency="CAD",
        opening=0,
        closing=100,
        entries=(REF,),
    ),
    is_valid=False,
    stored_hash=None,
)
UNDER_WAY = clearing([PAID], (), {APRIL: date(2026, 4, 30)}, {})


def a_cent_less_reported() -> Finding:
    rows = [a_transaction()]
    reported = ReportedBalance(
        currency="CAD", available=10926, pending=0, newest=rows[0].created, at_newest=("txn_1",)
    )
    placed = place(rows, a_scope(PAID), WITH_CASH)
    return balance_ties_out(balance_rows("stripe", rows, placed, [reported], WITH_CASH), ())


FAULTS: Mapping[str, tuple[Callable[[], Finding], tuple[str, ...]]] = {
    "extracts_meet_contract": (
        lambda: failing(breached("invoices", "tax")), ("nexacloud.invoices.tax", f"id {uuid(2)}", "'NaN'"),
    ),
    "stripe_listing_complete": (
        lambda: listing_complete([ASKED], "page 2 of 3 was lost"),
        (REF, "page 2 of 3"),
    ),
    "lago_listing_complete": (
        lambda: listing_complete([ASKED, ASKED], None), (REF, "twice"),
    ),
    "population_adds_up": (lambda: population_adds_up({REF}, []), (REF,)),
    "external_ids_unique": (lambda: external_ids_unique(to_rows([DOCUMENT, DOCUMENT])), (REF,)),
    "documents_balance": (documents_off, (REF, "225.99 CAD", "226.00 CAD")),
    "documents_match_dispositions": (
        lambda: documents_match_dispositions([DOCUMENT], [replace(ROW, total=22601)]),
        (REF, "226.00 CAD", "226.01 CAD"),
    ),
    "document_rules_hold": (
        lambda: document_rules_hold(
            [DOCUMENT], {}, SETTINGS, replace(BOOKS, invoice_lock=DAY), APRIL
        ),
        (REF, f"locked up to {DAY}"),
    ),
    "read_back_equals_intent": (
        lambda: read_back_equals_intent(read_back(document=replace(DOCUMENT, number="edited"))),
        (REF, NUMBER, "edited", "edited_in_ledger"),
    ),
    "dates_as_intended": (
        lambda: dates_as_intended(read_back(accounting_date=DAY.replace(month=5))),
        (REF, str(DAY), "2026-05-03"),
    ),
    "residuals_match_source": (
        lambda: residuals_match_source(read_back(residual=7)), (REF, "open amount: 0.00 CAD intended, 0.07 CAD in the ledger"),
    ),
    "revenue_in_other": (lines_of_other, (REF, NUMBER, "Domain", "200.00 CAD")),
    "unitemised_lines": (
        lambda: unitemised_lines(to_rows([document_of(a_case(without_lines(an_invoice())))])),
        (REF, NUMBER, "200.00 CAD"),
    ),
    "shared_email": (
        lambda: shared_email([SHARED]), ("books@x.example", "nexacloud:u1 (Alpha)", "nexacloud:u2"),
    ),
    "nothing_is_held": (
        lambda: nothing_is_held([ROW, HELD], DAY),
        (HELD.ref, HELD.number, "lines_do_not_sum", "226.01 CAD"),
    ),
    "nexacloud_agrees_with_source": (a_copy_that_differs, (REF, "tax: 26.00 CAD at the source, 0.01 CAD in NexaCloud")),
    "tax_as_expected": (another_tax, (REF, NUMBER, "gst_5 10.00", "26.00")),
    "completeness": (
        lambda: completeness_gate(completeness([Member(ref=REF, period=APRIL)], {}, [])),
        (REF, APRIL, "not built"),
    ),
    "receivable_ties_out": (
        a_cent_more_in_the_ledger,
        (REF, NUMBER, "source 226.00 CAD", "ledger 226.01 CAD", "not posted 0.00 CAD", "-0.01 CAD",
         "stripe:acct:in_77 (N-77): posted move of ours that no member explains"),
    ),
    "credit_is_explained": (
        lambda: warning(foreign_credit([STRANGE])),
        ("Maple Bakery Inc. (nexacloud:u1)", "12.50 CAD", "MISC/2026/05/0001", "2026-05-04"),
    ),
    "nothing_is_lost": (lambda: nothing_is_lost([LOST]), (NUMBER, "226.00 CAD", "0.00 CAD")),
    "cash_without_document": (
        lambda: cash_without_document([replace(LOST, listed=22600, why=ExceptionCode.CASH_WITHOUT_DOCUMENT)]),
        (NUMBER, "226.00 CAD", "pi_1"),
    ),
    "credit_has_an_origin": (
        lambda: credit_has_an_origin([
            replace(LOST, measure=Measure.CREDIT, source=0, posted=500, listed=-500, why=ExceptionCode.CREDIT_WITHOUT_ORIGIN)
        ]),
        (NUMBER, "-5.00 CAD", "pi_1"),
    ),
    "services_meet_contract": (
        lambda: warning(breached("usage_records", "cpu_hours")),
        ("nexacloud.usage_records.cpu_hours", f"subscription_id {uuid(2)}", "'NaN'"),
    ),
    "usage_is_clean": (odd_usage, ("cloud s5", "2026-05-02", "unreadable", "cpu_hours: 'NaN'")),
    "one_row_each_subscription": (
        lambda: one_row_each([], [("cloud", "s1")]), ("cloud s1", "0 rows"),
    ),
    "no_empty_subscription": (
        lambda: no_empty_subscription([a_one_off(expected=0)]), (MAY, "cloud", "stripe:a:in_9"),
    ),
    "unexplained_deltas_within_ceiling": (
        lambda: unexplained([UNEXPLAINED], MeteringSettings()),
        ("cloud s3", "list_price_differs", "-50.00 CAD"),
    ),
    "flip_readiness": (
        lambda: flip_readiness([UNEXPLAINED], MAY, DAY), (f"{MAY} is not over", "cloud s3", "delta"),
    ),
    "nothing_leaks": (
        lambda: nothing_leaks([LEAK]),
        ("overage_not_invoiced", MAY, "subscription s4", "deployment d4", "Acme", "12.50 CAD"),
    ),
    "subscriptions_are_known": (
        lambda: subscriptions_are_known("Stripe: HTTP 403", [UNREAD_SUBSCRIPTION]),
        ("Stripe: HTTP 403", "stripe:a:sub_1: it has no id"),
    ),
    "events_delivered": (
        lambda: events_delivered([DEAD_EVENT]),
        ("nexacloud", DEAD_EVENT.event_id, "invoice.payment_failed", REF, "8 tries", "HTTP 500"),
    ),
    "stripe_balance_ties_out": (
        a_cent_less_reported, ("stripe CAD", "opening 0.00 CAD", "109.27 CAD", "109.26 CAD", "0.01 CAD"),
    ),
    "every_payout_adds_up": (
        lambda: every_payout_adds_up(payout_rows([replace(CLAIMED, amount=10001)], KNOWN, WITH_CASH)),
        ("po_1", "come to 100.00 CAD", "the payout is 100.01 CAD"),
    ),
    "every_settlement_reached_the_balance": (
        lambda: every_settlement_reached_the_balance(UNDER_WAY, APRIL),
        (PAID.key, PAID.document, "under_way", "27 days", "113.00 CAD"),
    ),
    "outstanding_is_explained": (
        lambda: outstanding_is_explained(UNDER_WAY, {APRIL: []}),
        (APRIL, PAID.key, "0.00 CAD", "113.00 CAD is listed"),
    ),
    "every_transaction_is_explained": (
        lambda: warning(to_explain(place([a_transaction()], a_scope(), WITH_CASH))),
        ("2026-04-03", "txn_1", "109.27 CAD", "without_document", "Bill it or refund it"),
    ),
    "cash_equals_intent": (
        lambda: cash_equals_intent([CashDelta(ref=REF, period=APRIL, side=CashDrift.LEDGER, detail="109.27 CAD is 109.28 CAD")]),
        (REF, "ledger", "109.27 CAD is 109.28 CAD"),
    ),
    "journal_has_the_balance": (
        lambda: journal_has_the_balance([JournalRow(currency="CAD", date=date(2026, 4, 30), expected=10927, held=10928)]),
        ("2026-04-30", "109.28 CAD", "109.27 CAD", "0.01 CAD too much"),
    ),
    "statements_are_valid": (
        lambda: statements_are_valid([NOT_VALID]),
        (NOT_VALID.ref, "po_1", "0.00 CAD", "1.00 CAD"),
    ),
}  # fmt: skip


def test_every_gate_has_its_fault_here() -> None:
    assert list(FAULTS) == list(GATES)


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_that_does_not_pass_names_what_in_its_result(gate: str) -> None:
    result, names = told(gate)
    assert result.gate == gate
    assert result.outcome is not Outcome.PASS
    assert result.count == len(result.sample) > 0
    for name in names:
        assert name in result.detail
        assert any(name in fault for fault in result.sample)


@pytest.mark.parametrize("gate", GATES)
def test_the_check_of_a_gate_shows_what_it_names(gate: str) -> None:
    result, names = told(gate)
    check = check_result(result, dg.AssetKey("any"))
    assert not check.passed
    sample = str(check.metadata["sample"].value)
    assert all(name in sample and name in (check.description or "") for name in names)
    assert check.metadata["count"].value == result.count
    assert check.metadata["recovery"].value == GATES[gate].recovery


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("period", [APRIL, None])
def test_the_status_shows_what_a_gate_names(gate: str, period: str | None) -> None:
    result, names = told(gate)
    month = MonthStatus(dispositions=[], gates=[result] if period else [])
    over_all = [] if period else [result]
    nowhere = MonthStatus(dispositions=[])
    made = status({APRIL: month}, nowhere, over_all, 0, {}, a_metering_status(), {})
    (shown,) = json.loads(json.dumps(made))["gate_details"]
    assert (shown["gate"], shown["period"]) == (gate, period)
    assert (shown["outcome"], shown["count"]) == (result.outcome.value, result.count)
    assert (shown["detail"], shown["sample"]) == (result.detail, list(result.sample))
    assert shown["recovery"] == GATES[gate].recovery
    # The shape that other tools read is as ever.
    places = made["periods"][APRIL]["gates"] if period else made["gates"]
    assert places == {gate: result.outcome.value}
    printed = "\n".join(line.plain for line in gate_lines(made))
    assert all(name in printed for name in (gate, *names, GATES[gate].recovery))


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("over_all", [False, True])
def test_the_close_report_shows_what_a_gate_names(gate: str, over_all: bool) -> None:
    result, names = told(gate)
    report = close_report(
        APRIL,
        MonthStatus(dispositions=[], gates=() if over_all else (result,)),
        company="Maple",
        currency="CAD",
        snapshot="s-1",
        version="0.1.0",
        families={},
        taxes=(),
        customers={},
        today=DAY,
        over_all=(result,) if over_all else (),
    )
    (shown,) = report["gates_over_all" if over_all else "gates"]
    assert all(name in shown["detail"] for name in names)
    page = render({**report, "metering": None})
    text = re.sub(r"\s+", " ", page.replace("&#39;", "'").replace("&gt;", ">"))
    assert all(name in text for name in names)
    assert gate in page


def test_a_gate_with_many_faults_says_how_many_more_there_are() -> None:
    result = GATES["completeness"].result(failing([f"ref-{n}" for n in range(25)]))
    assert result.detail.endswith("ref-9; and 15 more")
    made = status({}, MonthStatus(dispositions=[]), [result], 0, {}, a_metering_status(), {})
    lines = [line.plain for line in gate_lines(made)]
    assert lines[0] == "FAIL completeness (all periods): 25"
    assert [line for line in lines if line.startswith("  - ")] == [f"  - ref-{n}" for n in range(5)]
    assert "  and 20 more" in lines


def test_a_gate_that_passes_is_in_no_detail() -> None:
    within = unexplained([UNEXPLAINED], MeteringSettings(ceiling_count=1, ceiling_amount=5000))
    passed = [
        GATES["nothing_is_held"].result(warning([])),
        GATES["unexplained_deltas_within_ceiling"].result(within),
    ]
    made = status({}, MonthStatus(dispositions=[]), passed, 0, {}, a_metering_status(), {})
    assert made["gate_details"] == []
    assert gate_lines(made) == []


def test_a_posted_move_of_nobody_is_named_with_its_amount_and_whose_it_is() -> None:
    (told_of,) = orphans([a_move(state=MoveState.DRAFT)], ())
    assert told_of == (
        f"{REF} ({NUMBER}): draft move of ours that no member explains, 226.00 CAD of "
        f"{DOCUMENT.partner}"
    )


def told(gate: str) -> tuple[GateResult, tuple[str, ...]]:
    make, names = FAULTS[gate]
    return GATES[gate].result(make()), names
