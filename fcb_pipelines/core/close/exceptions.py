"""What a person has to decide on: each held document and each exception, with its remedy and its options."""

from collections.abc import Iterable
from datetime import date

from fcb_pipelines.core.close.options import alternatives
from fcb_pipelines.core.close.shapes import Document, ExceptionRow
from fcb_pipelines.core.close.status import LISTED_BY_AMOUNT, MonthStatus
from fcb_pipelines.core.codes import ExceptionCode, Reason, Verdict


def exception_rows(
    month: MonthStatus, documents: Iterable[Document], today: date
) -> list[ExceptionRow]:
    """One row for the reason of each held document and for every exception of every document.

    Holds come first, and the largest amount before the others.
    """
    rows_by_ref = {row.ref: row for row in month.dispositions}
    details = {ref: row.detail for ref, row in rows_by_ref.items()}
    rows: list[ExceptionRow] = []
    for document in documents:
        held = document["reason"] if document["disposition"] == Verdict.HOLD else None
        codes = [held] if held else []
        for code in (*codes, *document["exceptions"]):
            known = Reason.of(code) if code in codes else ExceptionCode.of(code)
            rows.append(
                {
                    "ref": document["ref"],
                    "number": document["number"],
                    "code": code,
                    "description": known.meaning,
                    "detail": details[document["ref"]] if code in codes else "",
                    "remedy": known.remedy,
                    "alternatives": list(
                        alternatives(code, rows_by_ref[document["ref"]], month.books, today)
                        if month.books
                        else ()
                    ),
                    "amount": _amount(document, code),
                    "currency": document["currency"],
                    "is_held": code in codes,
                    "date": document["date"],
                    "partner": document["partner"],
                }
            )
    return sorted(rows, key=lambda row: (not row["is_held"], -abs(row["amount"]), row["ref"]))


def _amount(document: Document, code: str) -> int:
    """The amount that an exception lists, where it lists one; else the document's total."""
    listed = [each["amount"] for each in document["listed"] if each["why"] == code]
    return sum(listed) if code in LISTED_BY_AMOUNT and listed else document["total"]
