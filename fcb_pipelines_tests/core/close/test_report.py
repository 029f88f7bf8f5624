"""The close of a month: tie-outs, exceptions with what mends them, revenue, tax and receivable."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.close.booked import booked
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.close.history import History
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.report import close_report, digest_of
from fcb_pipelines.core.close.signing import Signing, signing
from fcb_pipelines.core.close.tie_outs import tie_outs
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.dispositions.decide import decide
from fcb_pipelines.core.documents.build import account_codes
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState
from fcb_pipelines.core.proof.tax_witness import Address, witness
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    DAY,
    LAST_PERIOD,
    a_case,
    a_line,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
)

FAMILIES = {code: family for family, code in account_codes(SETTINGS).items()}
PAID = a_case()
NOTE = a_case(an_invoice("in_2", a_line(5000), kind=Kind.CREDIT_NOTE))
DOLLARS = a_case(an_invoice("in_3", currency="USD"))
HELD = a_case(an_invoice("in_4", total=22601))
CASES = (PAID, NOTE, DOLLARS)


def a_month(**changes: Any) -> MonthStatus:
    rows = [decide(case, SETTINGS, BOOKS, LAST_PERIOD) for case in (*CASES, HELD)]
    entries = [an_entry(one) for case in CASES for one in settlements_of(case)]
    month = MonthStatus(
        dispositions=rows,
        documents=[document_of(case) for case in CASES],
        moves={case.facts.ref: a_move(document_of(case)) for case in CASES},
        settlements=[*entries, replace(entries[0], state=MoveState.CANCELLED)],
        gates=(
            GATES["documents_balance"].judge({"document_rows": ()}),
            GATES["nothing_is_held"].judge({"dispositions": rows, "today": DAY}),
        ),
    )
    return replace(month, **changes)


def report(month: MonthStatus | None = None, **further: Any) -> dict[str, Any]:
    return close_report(
        "2026-04",
        month or a_month(),
        company="Maple",
        currency="CAD",
        snapshot="s-1",
        version="0.1.0",
        families=FAMILIES,
        taxes=SETTINGS.taxes,
        customers={PAID.partner: "Maple Ledger Ltd."},
        today=DAY,
        **further,
    )


def test_a_month_that_stands_ties_out_in_each_currency() -> None:
    rows = tie_outs(a_month())
    assert [(row.name, row.currency) for row in rows] == [
        ("Billed at the source = posted", "CAD"),
        ("Tax billed = tax posted", "CAD"),
        ("Owed at the source = receivable", "CAD"),
        ("Billed at the source = posted", "USD"),
        ("Tax billed = tax posted", "USD"),
        ("Owed at the source = receivable", "USD"),
    ]
    assert all(row.difference == 0 for row in rows)
    assert (rows[0].left, rows[0].right) == (22600 - 5650, 22600 - 5650)


def test_what_is_listed_instead_of_settled_is_no_difference() -> None:
    ref = PAID.facts.ref
    moves = {**a_month().moves, ref: replace(a_month().moves[ref], residual=9000)}
    listed = {ref: (9000, "off_stripe_payment")}
    for unsettled, difference in (({}, 9000), (listed, 0)):
        owed = tie_outs(a_month(moves=moves, unsettled=unsettled))[2]
        assert owed.difference == difference


@pytest.mark.parametrize(
    ("case", "moves", "differences"),
    [
        ("a move is missing", {"in_2": None}, [5650, 650, 0]),
        ("a move is a draft", {"in_1": {"state": MoveState.DRAFT}}, [-22600, -2600, 0]),
        ("a move is open", {"in_1": {"residual": 7}}, [0, 0, 7]),
        ("a credit note is open", {"in_2": {"residual": 7}}, [0, 0, -7]),
    ],
)
def test_what_does_not_stand_is_a_signed_difference(
    case: str, moves: dict[str, dict[str, Any] | None], differences: list[int]
) -> None:
    stand = dict(a_month().moves)
    for name, change in moves.items():
        ref = f"stripe:acct_nexacloud:{name}"
        if change is None:
            del stand[ref]
        else:
            stand[ref] = replace(stand[ref], **change)
    rows = tie_outs(a_month(moves=stand))
    assert [row.difference for row in rows if row.currency == "CAD"] == differences, case


@pytest.mark.parametrize(
    ("case", "dated", "sums"),
    [
        ("as the source says", {}, (22600 - 5650, 22600 - 5650)),
        ("of the month, in another month of the books", {"in_1": date(2026, 3, 31)}, (22600 - 5650, -5650)),
        ("a note in another month", {"in_2": date(2026, 5, 1)}, (22600 - 5650, 22600)),
        ("none of them", dict.fromkeys(("in_1", "in_2"), date(2026, 5, 1)), (22600 - 5650, 0)),
    ],
)  # fmt: skip
def test_the_posted_documents_of_a_month_are_those_that_the_books_have_on_its_days(
    case: str, dated: dict[str, date], sums: tuple[int, int]
) -> None:
    month = a_month()
    moves = [
        replace(move, accounting_date=dated.get(ref.rpartition(":")[2], move.accounting_date))
        for ref, move in month.moves.items()
    ]
    entries = tuple(each for move in moves for each in booked(LedgerState(ref=move.ref, move=move)))
    ties = report(month, history=History(entries=entries))["tie_outs"]
    (row,) = [tie for tie in ties if "dated in it" in tie["name"] and tie["currency"] == "CAD"]
    assert (row["left"], row["right"]) == sums, case
    assert row["ok"] is (sums[0] == sums[1])


def test_a_document_of_another_month_on_this_ones_days_is_a_difference() -> None:
    month, other = a_month(), a_move(document_of(a_case(an_invoice("in_9"))))
    moves = [*month.moves.values(), other]
    entries = tuple(each for move in moves for each in booked(LedgerState(ref=move.ref, move=move)))
    told = report(month, history=History(entries=entries))
    (row,) = [each for each in told["tie_outs"] if each["difference"] == 22600]
    assert (row["currency"], row["ok"], signing(told)) == ("CAD", False, Signing.REFUSED)


def test_the_report_sums_what_is_posted_in_the_companys_currency_and_beside_it() -> None:
    result = report()
    assert (result["population"], result["post"], result["skip"], result["hold"]) == (4, 3, 0, 1)
    assert result["revenue_by_family"] == {"hosting": 15000}
    assert result["tax_by_key"] == {"hst_13": 1950}
    assert result["settlements"] == [
        {"currency": "CAD", "method": "payment", "count": 2, "total": 22600 - 5650},
        {"currency": "USD", "method": "payment", "count": 1, "total": 22600},
    ]
    assert result["other_currencies"] == {
        "USD": {"revenue_by_family": {"hosting": 20000}, "tax_by_key": {"hst_13": 2600}}
    }
    assert result["receivable"] == []
    assert (result["generated_from"]["snapshot"], result["generated_from"]["version"]) == (
        "s-1",
        "0.1.0",
    )


def test_the_receivable_is_listed_by_billing_account_and_currency() -> None:
    moves = {ref: replace(move, residual=10) for ref, move in a_month().moves.items()}
    partner = PAID.partner
    account = {"partner": partner, "name": "Maple Ledger Ltd.", "minor": 10}
    result = report(a_month(moves=moves))["receivable"]
    assert result == [account | {"currency": "USD"}]
    del moves[NOTE.facts.ref]
    assert account | {"currency": "CAD"} in report(a_month(moves=moves))["receivable"]


def test_every_exception_of_the_report_says_what_it_means_and_what_mends_it() -> None:
    over = a_case(an_invoice(settlements=(a_settlement(PAID.facts.ref, 22601),)))
    rows = [decide(case, SETTINGS, BOOKS, LAST_PERIOD) for case in (over, HELD)]
    exceptions = report(MonthStatus(dispositions=rows))["exceptions"]
    assert {"overpaid", "lines_do_not_sum"} <= {row["code"] for row in exceptions}
    assert all(row["description"] and row["remedy"] for row in exceptions)
    assert all(row["description"] != row["code"] for row in exceptions)


def test_d4_a_locked_document_has_its_lawful_alternatives() -> None:
    locked = replace(BOOKS, invoice_lock=DAY)
    decided = decide(a_case(an_invoice()), SETTINGS, locked, LAST_PERIOD)
    month = MonthStatus(dispositions=[decided], books=locked)
    [row] = [row for row in report(month)["exceptions"] if row["code"] == "period_locked"]
    unlock, reissue, by_hand = row["alternatives"]
    assert f"lock of {DAY}" in unlock
    assert "issue it anew" in reissue
    assert "226.00 CAD by hand on 2026-04-04" in by_hand


def test_holds_come_first_and_then_the_largest_amount() -> None:
    over = a_case(an_invoice(settlements=(a_settlement(PAID.facts.ref, 22601),)))
    rows = [decide(case, SETTINGS, BOOKS, LAST_PERIOD) for case in (over, HELD)]
    exceptions = report(MonthStatus(dispositions=rows))["exceptions"]
    assert [row["is_held"] for row in exceptions] == sorted(
        (row["is_held"] for row in exceptions), reverse=True
    )
    assert exceptions[0]["code"] == "lines_do_not_sum"
    assert exceptions[0]["date"] == HELD.facts.date.isoformat()


def test_tax_is_told_with_its_base_and_as_configured() -> None:
    (dollars, cad) = sorted(report()["taxes"], key=lambda row: row["currency"], reverse=True)
    assert (cad["base"], cad["amount"], cad["percentage"]) == (20000 - 5000, 2600 - 650, "13")
    assert (dollars["base"], dollars["amount"]) == (20000, 2600)
    assert "CA" in cad["jurisdiction"]
    assert sum(row["amount"] for row in report()["taxes"] if row["currency"] == "CAD") == sum(
        report()["tax_by_key"].values()
    )


def test_a_report_knows_whether_it_was_changed() -> None:
    made = report()
    assert made["generated_from"]["digest"] == digest_of(made)
    read = json.loads(json.dumps(made))
    assert digest_of(read) == made["generated_from"]["digest"]
    read["revenue_by_family"]["hosting"] += 1
    assert digest_of(read) != made["generated_from"]["digest"]


def test_every_gate_of_the_report_says_what_it_proves() -> None:
    passed, warned = report()["gates"]
    assert (passed["outcome"], passed["detail"], passed["count"]) == ("pass", "", 0)
    assert (warned["outcome"], warned["count"]) == ("warn", 1)
    assert warned["detail"].startswith("lines_do_not_sum")
    assert all(gate["description"] and gate["recovery"] for gate in (passed, warned))


def test_the_report_is_plain_json() -> None:
    assert json.loads(json.dumps(report())) == report()


def test_the_report_lists_the_documents_whose_tax_was_not_expected() -> None:
    ontario = Address(country="CA", state="ON", taken_from="document")
    abroad = Address(country="US", state=None, taken_from="nexacloud")
    rows = [
        witness(case.facts, address, None, SETTINGS)
        for case, address in ((PAID, ontario), (DOLLARS, abroad), (HELD, None))
    ]
    result = report(a_month(witness=rows))["tax_witness"]
    assert result["verdicts"] == {"match": 1, "differs": 1, "unknown_address": 1, "exempt": 0}
    assert [
        (row["number"], row["verdict"], row["expected"], row["billed"], row["difference"])
        for row in result["rows"]
    ] == [("NC-in_3", "differs", 0, 2600, 2600), ("NC-in_4", "unknown_address", None, 2600, 0)]
    assert all(row["detail"] for row in result["rows"])
