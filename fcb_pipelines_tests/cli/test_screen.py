"""Money is printed in its currency's decimals, from integers alone; the dual run in short."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from fcb_pipelines.cli.screen import (
    gate_lines,
    marked,
    money,
    out,
    remedy_lines,
    say,
    show_failure,
    show_problem,
    status_tables,
    table,
)
from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.core.metering.dual_run import Cause, MeteringVerdict
from fcb_pipelines.core.metering.status import metering_status
from fcb_pipelines_tests.cli.pipelines import a_status
from fcb_pipelines_tests.metering import MAY, a_delta, a_one_off


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (340346, "CAD", "3,403.46 CAD"),
        (-5, "CAD", "-0.05 CAD"),
        (0, "CAD", "0.00 CAD"),
        (1234567, "JPY", "1,234,567 JPY"),
        (1234, "KWD", "1.234 KWD"),
        (99999999999999999999, "CAD", "999,999,999,999,999,999.99 CAD"),
    ],
)
def test_minor_units_are_shown_as_people_write_them(minor: int, currency: str, shown: str) -> None:
    assert money(minor, currency) == shown


PRORATED = a_delta(verdict=MeteringVerdict.DELTA, cause=Cause.PRORATION, actual=911)


def printed(*, maps: bool) -> list[list[str]]:
    """The cells of the dual run's table as they are printed in eighty columns."""
    own = (a_delta(), PRORATED, a_one_off(), *((a_delta(service="maps"),) if maps else ()))
    rows = {"2026-04": (replace(PRORATED, period="2026-04"),), MAY: own}
    told = metering_status(rows, {"2026-04": True}, currency="CAD")
    (table,) = (
        one for one in status_tables(a_status(metering=told)) if "Dual run" in str(one.title)
    )
    written = StringIO()
    screen = Console(width=80, file=written)
    screen.print(table)
    lines = written.getvalue().splitlines()
    assert lines[0].strip() == "Dual run, engine against invoices, CAD (2026-04: ready)"
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if "│" in line]


def test_the_balance_is_shown_where_cash_is_on() -> None:
    balance = {
        "source": "stripe",
        "currency": "CAD",
        "opening": 1000,
        "moved": 10927,
        "booked": 10927,
        "reported": 11926,
        "pending": 0,
        "difference": 1,
    }
    told = {"balances": [balance], "payouts": {}, "statements": 0, "under_way": [], "to_explain": 0}
    titles = {"Cash in the balance, all periods"}
    (shown,) = (one for one in status_tables(a_status(cash=told)) if str(one.title) in titles)
    written = StringIO()
    Console(width=100, file=written).print(shown)
    for each in ("stripe", "10.00", "109.27", "119.26", "0.01"):
        assert each in written.getvalue()
    assert not titles & {str(one.title) for one in status_tables(a_status(cash=None))}


def test_the_dual_run_is_shown_by_month_and_over_all_months() -> None:
    assert printed(maps=False) == [
        ["2026-04", "1 proration", "200.00", "9.11", "0: 0.00"],
        [MAY, "1 match, 1 proration", "400.00", "209.11", "1: 32.20"],
        ["all", "1 match, 2 proration", "600.00", "218.22", "1: 32.20"],
    ]


def test_services_are_shown_where_there_are_several() -> None:
    assert [row[0] for row in printed(maps=True)] == ["2026-04", MAY, "all", "cloud", "maps"]


# What a source may call a document or a customer, and Rich would read as mark-up.
ODD = ["A[/red]-1", "[bold]A-1", "A[link=x]", "Acme [Canada] Inc.", "A\\[x]", ":smile: A-1"]


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, as one line: cells are folded."""
    told = capsys.readouterr()
    return "".join(line.strip("│ ") for line in (told.out + told.err).splitlines())


@pytest.mark.parametrize("odd", ODD)
def test_what_comes_from_data_is_printed_as_it_is(
    odd: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = table(f"Title {odd}", "column", odd)
    made.add_row(odd, "plain")
    out().print(made)
    assert shown(capsys).count(odd) == 3
    for printed in (
        lambda: out().print(f"told {odd}"),
        lambda: out().print(marked("✗", "bold red", odd)),
        lambda: say(odd),
        lambda: show_problem(odd, "message"),
        lambda: show_problem("title", odd),
        lambda: show_failure(Unreachable(odd, odd, remedy=odd)),
    ):
        printed()
        assert odd in shown(capsys)


@pytest.mark.parametrize("odd", ODD)
def test_the_status_of_a_document_with_an_odd_number_is_shown(odd: str) -> None:
    told = a_status()
    for document in told["documents"]:
        document |= {"number": odd, "exceptions": ["overpaid"]}
    told["gate_details"] = [
        {
            "gate": "revenue_in_other",
            "period": "2026-04",
            "outcome": "warn",
            "count": 1,
            "detail": odd,
            "sample": [odd],
            "recovery": odd,
        }
    ]
    written = StringIO()
    screen = Console(width=200, file=written)
    for each in status_tables(told):
        screen.print(each)
    for line in (*remedy_lines(told), *gate_lines(told)):
        screen.print(line)
    assert written.getvalue().count(odd) == 6
    assert "hold lines_do_not_sum (1): " in written.getvalue()
    assert "exception overpaid (2): " in written.getvalue()
