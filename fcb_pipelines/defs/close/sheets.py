"""The tables of a close report as files that a spreadsheet opens: CSV, one a table.

A text that a spreadsheet would take for a formula is given as text.
"""

import csv
import io
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.close.tables import Cell, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_of(table: Table) -> bytes:
    """The table as CSV (RFC 4180, UTF-8): amounts with their decimals, days ISO 8601, None empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.heads)
    writer.writerows([_text(cell) for cell in row] for row in table.rows)
    return text.getvalue().encode()


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
