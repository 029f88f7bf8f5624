"""The close report's page shows what the report says, and says plainly where it does not tie out."""

from typing import Any

import jinja2
import pytest

from fcb_pipelines.defs.close.page import render


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
        "generated_from": {"snapshot": "s-1"},
        "population": 1,
        "post": 1,
        "skip": 0,
        "hold": 0,
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
        "exceptions": [],
        "documents": [a_document()],
        "revenue_by_family": {"hosting": 21450},
        "tax_by_key": {"hst_13": 2789},
        "tax_witness": {
            "verdicts": {"match": 1, "differs": 0, "unknown_address": 0, "exempt": 0},
            "rows": [],
        },
        "receivable": [],
        "payments": {"count": 1, "total": 24239},
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
}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "Everything ties out"),
        ({"hold": 1}, "points to look at"),
        ({"exceptions": [EXCEPTION]}, "points to look at"),
        (
            {"gates": [{"name": "g", "outcome": "warn", "description": "", "detail": "2"}]},
            "points to look at",
        ),
        (
            {"gates": [{"name": "g", "outcome": "fail", "description": "", "detail": ""}]},
            "Does not tie out",
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
    assert "Does not tie out" in page
    assert "−0.01" in page


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


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = render(a_report(exceptions=[EXCEPTION]))
    assert "http://" not in page
    assert "https://" not in page
    assert " src=" not in page


def test_an_empty_month_is_a_page_too() -> None:
    nothing = {"tie_outs": [], "gates": [], "documents": [], "revenue_by_family": {}}
    page = render(a_report(**nothing, tax_by_key={}, population=0, post=0))
    assert "No document belongs to this month" in page


def test_a_report_that_lacks_a_part_is_refused() -> None:
    report = a_report()
    del report["receivable"]
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
