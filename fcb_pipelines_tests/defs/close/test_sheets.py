"""What a spreadsheet opens has the exact amounts, and no text of somebody else's runs in it."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.close.tables import Cell, Table
from fcb_pipelines.defs.close.sheets import csv_of

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
