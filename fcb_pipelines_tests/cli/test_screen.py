"""Money is printed in its currency's decimals, from integers alone; the dual run in short."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from fcb_pipelines.cli.screen import money, status_tables
from fcb_pipelines.core.dual_run import Cause, MeteringVerdict
from fcb_pipelines.core.metering_status import metering_status
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


def test_the_dual_run_is_shown_by_month_and_over_all_months() -> None:
    assert printed(maps=False) == [
        ["2026-04", "1 proration", "200.00", "9.11", "0: 0.00"],
        [MAY, "1 match, 1 proration", "400.00", "209.11", "1: 32.20"],
        ["all", "1 match, 2 proration", "600.00", "218.22", "1: 32.20"],
    ]


def test_services_are_shown_where_there_are_several() -> None:
    assert [row[0] for row in printed(maps=True)] == ["2026-04", MAY, "all", "cloud", "maps"]
