"""What a person has to decide on: each held document and each exception, with its remedy and its options."""

from collections.abc import Iterable
from datetime import date

from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.month import LISTED_BY_AMOUNT, MonthStatus
from fcb_pipelines.core.close.options import alternatives
from fcb_pipelines.core.close.owners import owner_of
from fcb_pipelines.core.close.seen import acknowledgement
from fcb_pipelines.core.close.shapes import Acknowledged, Document, ExceptionRow
from fcb_pipelines.core.codes import ExceptionCode, Reason, Verdict


def exception_rows(
    month: MonthStatus, documents: Iterable[Document], today: date
) -> list[ExceptionRow]:
    """One row for the reason of each held document and for every exception of every document.

    Those that somebody acknowledged come last; among the others holds come first, and the largest amount
    before the others.
    """
    rows_by_ref = {row.ref: row for row in month.dispositions}
    rows: list[ExceptionRow] = []
    for document in documents:
        own = rows_by_ref[document["ref"]]
        held = document["reason"] if document["disposition"] == Verdict.HOLD else None
        # A code that holds a document and is an exception of it, too, has two rows, as it always had.
        for code in ((held,) if held else ()) + tuple(document["exceptions"]):
            is_held = code == held
            known = Reason.of(code) if is_held else ExceptionCode.of(code)
            rows.append(
                {
                    "ref": document["ref"],
                    "number": document["number"],
                    "code": code,
                    "description": known.meaning,
                    "detail": own.detail if is_held else "",
                    "remedy": known.remedy,
                    "alternatives": list(
                        alternatives(code, own, month.books, today) if month.books else ()
                    ),
                    "amount": _amount(document, code),
                    "currency": document["currency"],
                    "is_held": is_held,
                    "date": document["date"],
                    "partner": document["partner"],
                    "owner": owner_of(known).value,
                    "acknowledged": _told(acknowledgement(month, document["ref"], code)),
                }
            )
    return sorted(rows, key=in_order)


def in_order(row: ExceptionRow) -> tuple[bool, bool, int, str]:
    """The place of a row in a list of exceptions."""
    return (row["acknowledged"] is not None, not row["is_held"], -abs(row["amount"]), row["ref"])


def _told(decision: Decision | None) -> Acknowledged | None:
    if decision is None:
        return None
    return {
        "by": decision.by,
        "at": decision.at.isoformat(timespec="seconds"),
        "note": decision.note,
        "until": decision.until.isoformat() if decision.until else None,
    }


def _amount(document: Document, code: str) -> int:
    """The amount that an exception lists, where it lists one; else the document's total."""
    listed = [each["amount"] for each in document["listed"] if each["why"] == code]
    return sum(listed) if code in LISTED_BY_AMOUNT and listed else document["total"]
