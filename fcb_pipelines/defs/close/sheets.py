"""The tables of a close report as files that a spreadsheet opens: CSV, one a table, and one workbook.

A text that a spreadsheet would take for a formula is given as text.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from fcb_pipelines.core.close.tables import Cell, Table

# What a spreadsheet keeps: digits of a number, characters of a cell.
_DIGITS = 15
_LONGEST = 32767
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_of(table: Table) -> bytes:
    """The table as CSV (RFC 4180, UTF-8): amounts with their decimals, days ISO 8601, None empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.heads)
    writer.writerows([_text(cell) for cell in row] for row in table.rows)
    return text.getvalue().encode()


def workbook_of(tables: Sequence[Table], about: Mapping[str, str], made: date) -> bytes:
    """One workbook (XLSX): a sheet `about`, and one a table. The same tables give the same bytes.

    Numbers have the decimals of their currency; one of more digits than a spreadsheet keeps (15) is a text.
    `made` is the day that the file's properties name.
    """
    content = io.BytesIO()
    with Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"created": datetime.combine(made, time(), UTC)})
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet("about")
        sheet.set_column(0, 1, 24)
        for place, (name, text) in enumerate(about.items()):
            sheet.write_string(place, 0, name, bold)
            sheet.write_string(place, 1, text)
        formats = _Formats(book)
        for table in tables:
            _fill(book.add_worksheet(table.name), table, bold, formats)
    return content.getvalue()


class _Formats(dict[int, Format]):
    """The number format of so many decimals, made once."""

    def __init__(self, book: Workbook) -> None:
        super().__init__()
        self._book = book

    def __missing__(self, decimals: int) -> Format:
        shown = "#,##0" + (f".{'0' * decimals}" if decimals else "")
        self[decimals] = self._book.add_format({"num_format": shown})
        return self[decimals]


def _fill(sheet: Worksheet, table: Table, bold: Format, formats: Mapping[int, Format]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(table.heads) - 1, 16)
    for column, head in enumerate(table.heads):
        sheet.write_string(0, column, head, bold)
    for row, cells in enumerate(table.rows, 1):
        for column, cell in enumerate(cells):
            _write(sheet, row, column, cell, formats)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.heads) - 1)


def _write(
    sheet: Worksheet, row: int, column: int, cell: Cell, formats: Mapping[int, Format]
) -> None:
    match cell:
        case None:
            return
        case Decimal() if len(cell.as_tuple().digits) <= _DIGITS:
            sheet.write_number(row, column, cell, formats[-int(cell.as_tuple().exponent)])
        case Decimal():
            sheet.write_string(row, column, f"{cell:f}")
        case date():
            sheet.write_datetime(row, column, cell)
        case int():
            sheet.write_number(row, column, cell)
        case _:
            sheet.write_string(row, column, cell[:_LONGEST])


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Decimal():
            return f"{cell:f}"
        case date():
            return cell.isoformat()
        case str() if cell.startswith(_FORMULA):
            # The apostrophe is how spreadsheets mark a text; what is read by programs is the JSON.
            return f"'{cell}"
        case _:
            return str(cell)
