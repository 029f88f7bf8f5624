"""The close report as tables, for a spreadsheet: exact amounts, each beside its currency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.close.ageing import BUCKETS
from fcb_pipelines.core.close.shapes import Document, ExceptionRow, ReportJson
from fcb_pipelines.core.close.signing import badge
from fcb_pipelines.core.close.words import words
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.money import to_major

Cell = str | int | Decimal | date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: a name (`roll-forward`), the heads of its columns, and a cell for each in every row.

    Amounts are Decimals in major units with the decimals of their currency; credit notes are negative.
    """

    name: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(report: ReportJson) -> tuple[Table, ...]:
    """Documents, exceptions, taxes, receivable, open documents, roll-forward and revenue of one report."""
    return (
        _documents(report),
        _exceptions(report),
        _taxes(report),
        _receivable(report),
        _open_documents(report),
        _roll_forward(report),
        _revenue(report),
    )


def about(report: ReportJson) -> dict[str, str]:
    """What the tables are of: month, company, and what the report was made from."""
    made = report["generated_from"]
    return {
        "month": report["period"],
        "company": report["company"],
        "currency": report["currency"],
        "signing": badge(report),
        "snapshot": made["snapshot"],
        "version": made["version"],
        "digest": made["digest"],
    }


def _documents(report: ReportJson) -> Table:
    heads = (
        "date", "number", "document", "kind", "customer", "account", "disposition", "reason",
        "currency", "net", "tax", "total", "paid", "state", "payment state", "exceptions",
        "ledger number",
    )  # fmt: skip
    return _table("documents", heads, (_document(report, one) for one in report["documents"]))


def _document(report: ReportJson, one: Document) -> Sequence[Cell]:
    sign = Kind(one["kind"]).sign
    amounts = (
        _amount(sign * each, one["currency"])
        for each in (one["net"], one["tax"], one["total"], one["paid"])
    )
    links = report["links"].get(one["ref"])
    return (
        _day(one["date"]),
        one["number"],
        one["ref"],
        words(one["kind"]),
        report["customers"].get(one["partner"] or ""),
        one["partner"],
        one["disposition"],
        one["reason"],
        one["currency"],
        *amounts,
        one["state"],
        words(one["payment_state"]),
        ", ".join(one["exceptions"]),
        links["ledger_number"] if links else "",
    )


def _exceptions(report: ReportJson) -> Table:
    heads = (
        "date", "number", "document", "customer", "account", "held", "code", "what", "detail",
        "what to do", "currency", "amount", "waits for", "acknowledged by", "acknowledged until", "note",
    )  # fmt: skip
    return _table(
        "exceptions",
        heads,
        (
            (
                _day(row["date"]),
                row["number"],
                row["ref"],
                report["customers"].get(row["partner"] or ""),
                row["partner"],
                "yes" if row["is_held"] else "no",
                row["code"],
                row["description"],
                row["detail"],
                row["remedy"],
                row["currency"],
                _amount(row["amount"], row["currency"]),
                words(row["owner"]),
                *_acknowledged(row),
            )
            for row in report["exceptions"]
        ),
    )


def _acknowledged(row: ExceptionRow) -> tuple[str | None, date | None, str | None]:
    known = row["acknowledged"]
    return (known["by"], _day(known["until"]), known["note"]) if known else (None, None, None)


def _taxes(report: ReportJson) -> Table:
    heads = ("tax", "percentage", "jurisdiction", "account", "currency", "base", "amount")
    return _table(
        "taxes",
        heads,
        (
            (
                row["name"],
                Decimal(row["percentage"]) if row["percentage"] else None,
                row["jurisdiction"],
                row["account"],
                row["currency"],
                _amount(row["base"], row["currency"]),
                _amount(row["amount"], row["currency"]),
            )
            for row in report["taxes"]
        ),
    )


def _receivable(report: ReportJson) -> Table:
    heads = ("customer", "account", "currency", *(head.lower() for head in BUCKETS.values()))
    return _table(
        "receivable",
        (*heads, "together"),
        (
            (
                row["name"],
                row["partner"],
                row["currency"],
                *(
                    _amount(row[name], row["currency"])  # type: ignore[literal-required]
                    for name in (*BUCKETS, "total")
                ),
            )
            for row in report["ageing"]
        ),
    )


def _open_documents(report: ReportJson) -> Table:
    heads = (
        "since", "counted from", "days", "number", "document", "customer", "account", "currency",
        "open",
    )  # fmt: skip
    return _table(
        "open-documents",
        heads,
        (
            (
                _day(row["since"]),
                "due date" if row["basis"] == "due" else "document date",
                row["days"],
                row["number"],
                row["ref"],
                row["name"],
                row["partner"],
                row["currency"],
                _amount(row["open"], row["currency"]),
            )
            for row in report["open_documents"]
        ),
    )


def _roll_forward(report: ReportJson) -> Table:
    rows: list[Sequence[Cell]] = []
    for one in report["roll_forward"]:
        lines: list[tuple[str, int | None, int]] = [("Opening", None, one["opening"])]
        lines += [(each["label"], each["count"], each["amount"]) for each in one["movements"]]
        lines += [
            ("Closing", None, one["closing"]),
            ("Settled by entries that are not ours", None, one["by_hand"]),
            ("Unexplained", None, one["unexplained"]),
            ("Open in the ledger", None, one["open"]),
        ]
        rows += [
            (one["currency"], label, count, _amount(amount, one["currency"]))
            for label, count, amount in lines
        ]
    return _table("roll-forward", ("currency", "line", "entries", "amount"), rows)


def _revenue(report: ReportJson) -> Table:
    heads = ("family", "currency", "this month", "month before", "a year before")
    return _table(
        "revenue",
        heads,
        (
            (
                row["family"],
                report["currency"],
                *(
                    _amount(each, report["currency"])
                    for each in (row["amount"], row["month_before"], row["year_before"])
                ),
            )
            for row in report["revenue_compared"]
        ),
    )


def _table(name: str, heads: tuple[str, ...], rows: Iterable[Sequence[Cell]]) -> Table:
    return Table(name=name, heads=heads, rows=tuple(map(tuple, rows)))


def _amount(minor: int | None, currency: str) -> Decimal | None:
    return None if minor is None else to_major(minor, currency)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
