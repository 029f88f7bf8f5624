"""The close report's page shows what the report says, and says plainly where it does not tie out."""

from typing import Any

import jinja2
import pytest

from fcb_pipelines.core.metering.dual_run import Cause, MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.status import metering_section
from fcb_pipelines.defs.close.dual_run import chart, charts
from fcb_pipelines.defs.close.page import render
from fcb_pipelines_tests.metering import a_delta, a_one_off


def a_document(**changes: Any) -> dict[str, Any]:
    return {
        "ref": "stripe:acct_nexacloud:in_1",
        "number": "A-0001",
        "period": "2026-04",
        "date": "2026-04-03",
        "kind": "invoice",
        "disposition": "post",
        "reason": None,
        "exceptions": [],
        "acknowledged": [],
        "partner": "nexacloud:7",
        "currency": "CAD",
        "net": 21450,
        "tax": 2789,
        "total": 24239,
        "paid": 24239,
        "state": "posted",
        "payment_state": "paid",
        "lines": [],
    } | changes


def a_report(**changes: Any) -> dict[str, Any]:
    return {
        "period": "2026-04",
        "currency": "CAD",
        "company": "NexaCloud",
        "generated_from": {"snapshot": "s-1", "version": "0.1.0", "digest": "d1ge57"},
        "population": 1,
        "post": 1,
        "skip": 0,
        "hold": 0,
        "billed": [
            {
                "measure": "total",
                "currency": "CAD",
                "billed": 24239,
                "posted": 24239,
                "draft": 0,
                "held": 0,
                "listed": 0,
                "unknown": 0,
                "difference": 0,
            }
        ],
        "tie_outs": [
            {
                "name": "Billed at the source = posted",
                "currency": "CAD",
                "left_label": "source",
                "left": 24239,
                "right_label": "ledger",
                "right": 24239,
                "difference": 0,
                "ok": True,
            }
        ],
        "gates": [
            {"name": "documents_balance", "outcome": "pass", "description": "d", "detail": ""}
        ],
        "gates_over_all": [],
        "exceptions": [],
        "documents": [a_document()],
        "revenue_by_family": {"hosting": 21450},
        "tax_by_key": {"hst_13": 2789},
        "tax_witness": {
            "verdicts": {"match": 1, "differs": 0, "unknown_address": 0, "exempt": 0},
            "rows": [],
        },
        "receivable": [],
        "roll_forward": [],
        "ageing": [],
        "open_documents": [],
        "revenue_compared": [
            {"family": "hosting", "amount": 21450, "month_before": 20000, "year_before": None}
        ],
        "settlements": [{"currency": "CAD", "method": "payment", "count": 1, "total": 24239}],
        "other_currencies": {},
        "taxes": [
            {
                "key": "hst_13",
                "name": "HST 13%",
                "percentage": "13",
                "jurisdiction": "CA ON",
                "account": "231000",
                "currency": "CAD",
                "base": 21450,
                "amount": 2789,
            }
        ],
        "customers": {"nexacloud:7": "Maple <Ledger>"},
        "links": {},
        "changes": {"since": None, "documents": [], "amounts": [], "gates": []},
        "metering": None,
        "events": None,
        "cash": None,
    } | changes


EXCEPTION = {
    "ref": "stripe:acct_nexacloud:in_1",
    "number": "A-0001",
    "code": "edited_in_ledger",
    "description": "The posted move was changed by a person.",
    "remedy": "Compare the move with the document.",
    "alternatives": ["Lift the lock.", "Issue it <anew>."],
    "detail": "",
    "amount": 24239,
    "currency": "CAD",
    "is_held": False,
    "date": "2026-04-03",
    "partner": "nexacloud:7",
    "owner": "controller",
    "acknowledged": None,
}
KNOWN = EXCEPTION | {
    "acknowledged": {
        "by": "jane",
        "at": "2026-05-02T09:15:00+00:00",
        "note": "Agreed with <billing>.",
        "until": "2026-06-30",
    }
}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "Ready to sign"),
        ({"hold": 1}, "1 point to decide"),
        ({"exceptions": [EXCEPTION, EXCEPTION]}, "2 points to decide"),
        ({"exceptions": [EXCEPTION, KNOWN]}, "1 point to decide"),
        ({"exceptions": [KNOWN]}, "Ready to sign"),
        (
            {"gates": [{"name": "g", "outcome": "warn", "description": "", "detail": "2"}]},
            "1 point to decide",
        ),
        (
            {"gates": [{"name": "g", "outcome": "fail", "description": "", "detail": ""}]},
            "Must not be signed",
        ),
    ],
)
def test_the_verdict_is_the_worst_thing_in_the_report(
    changes: dict[str, Any], verdict: str
) -> None:
    assert verdict in render(a_report(**changes))


def test_a_tie_out_that_differs_opens_the_close_and_shows_its_difference() -> None:
    report = a_report()
    report["tie_outs"][0] |= {"right": 24238, "difference": -1, "ok": False}
    page = render(report)
    assert "Must not be signed" in page
    assert "−0.01" in page


def test_an_amount_that_stands_nowhere_must_not_be_signed() -> None:
    report = a_report()
    report["billed"][0] |= {"posted": 24139, "held": 99, "difference": 1}
    page = render(report)
    assert "Must not be signed" in page
    assert "0.99" in page


def test_the_page_can_be_signed_and_says_what_it_was_made_from() -> None:
    page = render(a_report())
    for told in ("Approved by", "s-1", "0.1.0", "d1ge57", "fcb report --verify"):
        assert told in page


def test_documents_are_shown_with_their_customer_and_their_totals_by_currency() -> None:
    note = a_document(kind="credit_note", net=450, tax=89, total=539, paid=0)
    dollars = a_document(currency="USD", net=100, tax=0, total=100, paid=0)
    page = render(a_report(documents=[a_document(), note, dollars]))
    assert "Maple &lt;Ledger&gt;<br>" in page
    assert "210.00" in page
    assert "Together, USD" in page


def test_amounts_are_written_in_the_decimals_of_their_currency() -> None:
    page = render(a_report(documents=[a_document(currency="JPY", net=1234567)]))
    assert "1,234,567" in page
    assert "12,345.67" not in page


def test_credit_notes_count_negative() -> None:
    page = render(a_report(documents=[a_document(kind="credit_note")]))
    assert "−242.39" in page


def test_text_from_outside_can_not_become_markup() -> None:
    page = render(a_report(documents=[a_document(number="<script>alert(1)</script>")]))
    assert "<script>" not in page


def test_an_acknowledged_exception_says_by_whom_when_and_why() -> None:
    page = render(a_report(exceptions=[EXCEPTION, KNOWN]))
    assert (
        "Acknowledged by jane on 2026-05-02, until 2026-06-30: Agreed with &lt;billing&gt;." in page
    )
    assert "1 of 2 acknowledged" in page
    assert page.count("Waits for: controller") == 1
    assert "acknowledged:" not in render(a_report(exceptions=[EXCEPTION]))


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = render(a_report(exceptions=[EXCEPTION]))
    assert "http://" not in page
    assert "https://" not in page
    assert " src=" not in page


def test_an_empty_month_is_a_page_too() -> None:
    nothing = {"tie_outs": [], "gates": [], "documents": [], "revenue_by_family": {}}
    page = render(a_report(**nothing, tax_by_key={}, population=0, post=0))
    assert "No document belongs to this month" in page


def test_what_is_owed_is_told_by_customer_and_what_settled_by_method() -> None:
    owed = {"partner": "nexacloud:7", "name": "Maple <Ledger>", "currency": "CAD", "minor": 4321}
    stranger = {"partner": "stripe:a:cus_1", "name": None, "currency": "CAD", "minor": 10}
    refunded = {"currency": "CAD", "method": "refund", "count": 1, "total": -5650}
    page = render(a_report(receivable=[owed, stranger], settlements=[refunded]))
    assert "Maple &lt;Ledger&gt;<br>" in page
    assert "stripe:a:cus_1" in page
    assert "−56.50" in page
    assert "0 payments" in page


ROLLED: dict[str, Any] = {
    "currency": "CAD",
    "opening": 100000,
    "movements": [
        {"part": "invoices", "label": "Invoices", "count": 1, "amount": 24239},
        {"part": "payment", "label": "Payments", "count": 1, "amount": -100000},
    ],
    "closing": 24239,
    "by_hand": 0,
    "unexplained": 0,
    "open": 24239,
    "differing": [],
}
OPEN = {
    "ref": "stripe:acct_nexacloud:in_1",
    "number": "A-0001",
    "partner": "nexacloud:7",
    "name": "Maple <Ledger>",
    "currency": "CAD",
    "since": "2026-04-03",
    "basis": "due",
    "days": 27,
    "open": 24239,
}
AGED = {
    "partner": "nexacloud:7",
    "name": "Maple <Ledger>",
    "currency": "CAD",
    "current": 0,
    "days_1_30": 24239,
    "days_31_60": 0,
    "days_61_90": 0,
    "over_90": 0,
    "credit": -1,
    "total": 24238,
}


def test_the_receivable_is_rolled_forward_and_aged_with_its_totals() -> None:
    page = render(a_report(roll_forward=[ROLLED], ageing=[AGED, AGED], open_documents=[OPEN]))
    for told in ("1,000.00", "−1,000.00", "Opening", "Closing", "1–30 days", "484.76", "−0.02"):
        assert told in page
    assert "Unexplained" not in page
    assert "not ours" not in page


def test_a_long_list_of_open_documents_is_cut_and_says_so() -> None:
    page = render(a_report(open_documents=[OPEN | {"number": "A-77"}] * 503))
    assert page.count("A-77") == 500
    assert "The 500 oldest; 3 more" in page


def test_what_our_entries_do_not_explain_is_a_line_with_its_documents() -> None:
    differing = {"partner": "nexacloud:7", "number": "A-9", "ref": "stripe:a:in_9"}
    row = ROLLED | {
        "by_hand": -200,
        "unexplained": 77,
        "open": 24116,
        "differing": [
            differing | {"amount": -200, "explained": True},
            differing | {"amount": 77, "explained": False},
        ],
    }
    page = render(a_report(roll_forward=[row]))
    for told in ("Settled by entries that are not ours", "Unexplained", "−2.00", "0.77", "A-9"):
        assert told in page


def test_revenue_has_a_dash_where_the_other_month_was_not_built() -> None:
    page = render(a_report())
    assert '<td class="n">200.00</td><td class="n">–</td>' in page


def test_a_document_is_linked_to_its_source_and_to_its_move() -> None:
    ref = "stripe:acct_nexacloud:in_1"
    at = {
        "ledger_number": "INV/2026/00005",
        "ledger_url": "https://odoo.example/odoo/account.move/7",
        "source_url": 'https://dashboard.example/in_1?a=1&b="2"',
    }
    moved = '<a href="https://odoo.example/odoo/account.move/7">INV/2026/00005</a>'
    page = render(a_report(links={ref: at}, exceptions=[EXCEPTION]))
    assert page.count(moved) == 1
    linked = 'href="https://dashboard.example/in_1?a=1&amp;b=&#34;2&#34;">A-0001</a>'
    assert page.count(linked) == 2
    # Open at the end of the month, of this one or of another.
    page = render(a_report(links={ref: at}, documents=[], open_documents=[OPEN]))
    assert (page.count(moved), page.count(linked)) == (1, 1)
    plain = render(a_report(links={ref: at | {"ledger_url": None, "source_url": None}}))
    assert "INV/2026/00005" in plain
    assert 'href="http' not in plain


def test_what_changed_is_told_and_a_long_list_is_cut() -> None:
    document = {"ref": "stripe:a:in_9", "number": "A-9", "what": "changed", "details": ["state x"]}
    changes = {
        "since": {"snapshot": "s-0", "version": "0.1.0", "digest": "d0", "intact": False},
        "documents": [document] * 203,
        "amounts": [{"name": "Billed, net", "currency": "CAD", "before": None, "now": 123}],
        "gates": [{"name": "g", "before": "", "now": "fail"}],
    }
    page = render(a_report(changes=changes))
    for told in ("s-0", "d0", "It was changed after it was made", "3 more", "Billed, net", "1.23"):
        assert told in page
    assert page.count("A-9") == 200
    assert "first report of this month" in render(a_report())


def test_a_report_that_lacks_a_part_is_refused() -> None:
    report = a_report()
    del report["tax_witness"]
    with pytest.raises(jinja2.UndefinedError):
        render(report)


def test_tax_that_was_not_expected_is_shown_with_both_amounts() -> None:
    row = {
        "ref": "stripe:acct_nexacloud:in_2",
        "number": "A-0002",
        "verdict": "unknown_address",
        "detail": "nobody says where the customer is",
        "expected": None,
        "billed": 2600,
        "difference": 0,
        "currency": "CAD",
    }
    verdicts = {"match": 1, "differs": 0, "unknown_address": 1, "exempt": 0}
    page = render(a_report(tax_witness={"verdicts": verdicts, "rows": [row]}))
    assert "1 of 2 match" in page
    for shown in ("A-0002", "nobody says where the customer is", "26.00", "unknown address"):
        assert shown in page


MATCHING = a_delta(customer_name="Ana <b>")
PRORATED = a_delta(
    subscription_id="s2",
    verdict=MeteringVerdict.DELTA,
    cause=Cause.PRORATION,
    actual=911,
    detail="200.00 x 122001 s of 2678400 s = 9.11",
)
FAILED = a_delta(
    subscription_id="s3", verdict=MeteringVerdict.FAILED, cause=Cause.MISSING_PRICE, expected=None
)


def a_dual_run(*rows: MeteringDelta) -> dict[str, Any]:
    return a_report(metering=metering_section(rows, currency="CAD"))


def test_the_dual_run_is_shown_with_its_arithmetic_and_drawn() -> None:
    page = render(a_dual_run(MATCHING, PRORATED, FAILED, a_one_off(detail="N-9")))
    for told in (
        "3 subscriptions with an invoice or usage",
        "200.00 x 122001 s of 2678400 s = 9.11",
        "Ana &lt;b&gt;",
        "missing_price",
        "N-9",
        "190.89",
    ):
        assert told in page
    assert page.count('class="was good"') == 2
    assert page.count('class="was explained"') == 2
    # Nothing is expected of the failed row, so it has one bar; its cause has both.
    assert (page.count('class="was bad"'), page.count('class="would bad"')) == (2, 1)


CASH = {
    "roll_forward": [
        {
            "currency": "CAD",
            "opening": 1000,
            "charges": 22600,
            "refunds": -1130,
            "disputes": 0,
            "fees": -746,
            "payouts": -10927,
            "other": 0,
            "closing": 10797,
            "of_other_services": 4321,
        }
    ],
    "payouts": [
        {
            "ref": "stripe:acct_1:po_1",
            "id": "po_1",
            "date": "2026-04-08",
            "arrives": "2026-04-10",
            "currency": "CAD",
            "amount": 10927,
            "status": "in_transit",
            "is_automatic": True,
            "holds": [{"category": "charge", "count": 3, "net": 10927}],
        },
        {
            "ref": "stripe:acct_1:po_2",
            "id": "po_2",
            "date": "2026-04-09",
            "arrives": "2026-04-09",
            "currency": "USD",
            "amount": 500,
            "status": "failed",
            "is_automatic": False,
            "holds": None,
        },
    ],
    "fees": [
        {
            "currency": "CAD",
            "category": "charge",
            "count": 2,
            "amount": 660,
            "tax": 86,
            "basis_points": 292,
        },
        {
            "currency": "CAD",
            "category": "refund",
            "count": 1,
            "amount": -5,
            "tax": 0,
            "basis_points": -3,
        },
    ],
    "under_way": [
        {
            "key": "stripe:acct_1:inpay_7",
            "document": "stripe:acct_1:in_7",
            "currency": "CAD",
            "open": 11300,
            "since": "2026-04-29",
            "age": 1,
            "state": "under_way",
        }
    ],
}


def test_the_cash_of_the_month_is_shown_and_nothing_of_it_where_it_is_off() -> None:
    page = render(a_report(cash=CASH))
    for told in (
        "107.97", "−109.27", "43.21 CAD", "3 charge 109.27", "in transit", "5.00 USD",
        "not told by its source", "2.92 %", "−0.03 %", "in_7", "113.00",
    ):  # fmt: skip
        assert told in page
    nothing = {"roll_forward": [], "payouts": [], "fees": [], "under_way": []}
    assert "Nothing moved the balance yet" in render(a_report(cash=nothing))
    assert "Payouts" not in render(a_report())


def test_a_month_without_a_dual_run_has_no_section_of_it() -> None:
    for report in (a_report(), a_report(metering=None)):
        assert "Dual run" not in render(report)
    assert "Dual run" in render(a_dual_run())


def test_customers_are_shown_over_all_services_where_there_are_several() -> None:
    maps = a_delta(service="maps", subscription_id="m1", actual=1234, expected=1234)
    assert "Invoiced by customer and service" in render(a_dual_run(MATCHING, maps))
    assert "Invoiced by customer and service" not in render(a_dual_run(MATCHING))


def test_bars_run_from_zero_and_the_longest_fills_the_drawing() -> None:
    rows = [
        {"label": "a", "below": "", "cause": None, "expected": 20000, "actual": 20000},
        {"label": "b", "below": "", "cause": "list_price_differs", "expected": 0, "actual": -5000},
    ]
    first, second = chart(rows)
    assert [bar["width"] for bar in first["bars"]] == [400, 400]
    assert second["bars"] == [{"x": 100, "width": 1}, {"x": 0, "width": 100}]
    assert (first["colour"], second["colour"]) == ("good", "bad")


def test_only_so_many_are_drawn_and_the_page_says_so() -> None:
    rows = [a_delta(subscription_id=f"s{n:02d}", actual=20000 - n) for n in range(45)]
    drawn = charts(metering_section(rows, currency="CAD"))
    assert (len(drawn["by_subscription_chart"]), drawn["not_drawn"]) == (40, 5)
    assert "5 more are in the table" in render(a_dual_run(*rows))
