"""What a spreadsheet opens has the exact amounts, and no text of somebody else's runs in it."""

import csv
import io
import re
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.close.tables import Cell, Table
from fcb_pipelines.defs.close.sheets import csv_of, workbook_of

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", '=HYPERLINK("http://e.example")']


def one(cell: Cell) -> Table:
    return Table(name="t", heads=("head",), rows=((cell,),))


def read(table: Table) -> list[list[str]]:
    return [*csv.reader(io.StringIO(csv_of(table).decode(), newline=""))]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Decimal("-1234567.80"), "-1234567.80"),
        (Decimal("0.000"), "0.000"),
        (12, "12"),
        (date(2026, 4, 3), "2026-04-03"),
        (None, ""),
        ('Maple, "Ledger"\nInc.', 'Maple, "Ledger"\nInc.'),
    ],
)
def test_a_cell_is_written_as_it_is(cell: Cell, text: str) -> None:
    assert read(one(cell)) == [["head"], [text]]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_looks_like_a_formula_stays_a_text(text: str) -> None:
    assert read(one(text)) == [["head"], [f"'{text}"]]


@given(st.text())
def test_no_text_begins_as_a_formula_does(text: str) -> None:
    [_, [found]] = read(one(text)) if text else [[], [""]]
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert found.removeprefix("'") == text.removeprefix("'")


def sheets(*tables: Table) -> list[str]:
    """The XML of the sheets of a workbook, then that of its texts and of its formats."""
    with zipfile.ZipFile(io.BytesIO(workbook_of(tables, {"month": "=1"}, DAY))) as book:
        names = [f"xl/worksheets/sheet{place}.xml" for place in range(1, len(tables) + 2)]
        return [
            book.read(name).decode() for name in (*names, "xl/sharedStrings.xml", "xl/styles.xml")
        ]


DAY = date(2026, 5, 1)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (Decimal("-1234567.80"), "-1234567.80"),
        (Decimal("9999999999999.99"), "9999999999999.99"),
        (Decimal("4.321"), "4.321"),
        (Decimal(20000), "20000"),
        (12, "12"),
    ],
)
def test_a_number_of_the_workbook_is_exact(cell: Cell, written: str) -> None:
    _, sheet, *_ = sheets(one(cell))
    assert re.findall(r'<c r="A2"[^t>]*><v>([^<]*)</v>', sheet) == [written]


def test_a_number_has_the_decimals_of_its_currency() -> None:
    amounts = Table(
        name="t",
        heads=("a",),
        rows=((Decimal("1.00"),), (Decimal("1.000"),), (Decimal(1),), (DAY,)),
    )
    *_, styles = sheets(amounts)
    assert '"#,##0.000"' in styles
    assert "yyyy-mm-dd" in styles


def test_a_number_that_no_spreadsheet_keeps_is_a_text() -> None:
    _, sheet, texts, _ = sheets(one(Decimal("12345678901234.567")))
    assert '<c r="A2" t="s">' in sheet
    assert "12345678901234.567" in texts


@pytest.mark.parametrize("text", [*FORMULAS, "http://e.example", "x" * 40000])
def test_no_text_of_the_workbook_runs_or_links(text: str) -> None:
    about, sheet, _, _ = sheets(one(text))
    assert "<f>" not in about + sheet
    assert "hyperlink" not in about + sheet
    assert '<c r="A2" t="s">' in sheet


def test_the_same_tables_give_the_same_workbook() -> None:
    again = [workbook_of([one("a")], {"month": "2026-04"}, DAY) for _ in range(2)]
    assert again[0] == again[1]
