"""The expected status of a set of sales: a subset of `fcb status --json`.

It follows from the sales, payments and families that the author named, never from the pipeline.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fcb_pipelines.core.codes import System
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.sandbox.scenarios.builders.sales import Sale, SaleStatus, SoldAt

UNPLACED = "unplaced"


def expected_status(
    sales: Iterable[Sale],
    *,
    periods: Sequence[str],
    account: str,
    organization: str,
    income: Mapping[str, str],
) -> dict[str, Any]:
    """The status after a whole run, documents by ref, without exceptions and gates.

    `income` is the income account code of each family.
    """
    documents = {
        _ref(sale, account, organization): _document(sale, income)
        for sale in sorted(sales, key=lambda sale: (sale.created, sale.key))
    }
    return {
        "periods": _periods(documents.values(), periods),
        "documents": documents,
        "totals": {"CAD": _totals(documents.values())},
        "other_service": 0,
    }


def _ref(sale: Sale, account: str, organization: str) -> str:
    if sale.source is SoldAt.STRIPE:
        return f"{System.STRIPE}:{account}:{sale.source_id}"
    return f"{System.LAGO}:{organization}:{sale.source_id}"


def _reason(sale: Sale) -> str | None:
    if sale.status is SaleStatus.DRAFT:
        return "draft_at_source"
    if sale.status is SaleStatus.VOID:
        return "void_at_source"
    families: Counter[str] = Counter()
    for line in sale.lines:
        families[line.family] += line.net
    # A move between two families sums to zero and is a sale all the same.
    return None if sale.total or sale.tax or any(families.values()) else "zero_amount"


def _document(sale: Sale, income: Mapping[str, str]) -> dict[str, Any]:
    reason = _reason(sale)
    day = sale.issued.date() if sale.issued else None
    document: dict[str, Any] = {
        "period": period_of(day) if day else None,
        "date": day.isoformat() if day else None,
        "kind": "invoice",
        "disposition": "skip" if reason else "post",
        "reason": reason,
        "currency": "CAD",
        "net": sale.net,
        "tax": sale.tax,
        "total": sale.total,
    }
    if reason:
        return document | {"paid": 0, "state": "none"}
    taxes = [sum(each) for each in zip(*sale.line_taxes(), strict=True)] or [0] * len(sale.lines)
    return document | {
        "number": sale.number,
        "paid": sale.paid,
        "state": "posted",
        "payment_state": _payment_state(sale),
        "lines": [
            {"family": line.family, "account": income[line.family], "net": line.net, "tax": tax}
            for line, tax in zip(sale.lines, taxes, strict=True)
        ],
    }


def _payment_state(sale: Sale) -> str:
    if sale.paid == sale.total:
        return "paid"
    return "partial" if sale.paid else "not_paid"


def _periods(documents: Iterable[Mapping[str, Any]], periods: Sequence[str]) -> dict[str, Any]:
    places = [(each["period"] or UNPLACED, each["disposition"]) for each in documents]
    counted = Counter(places)
    entries = {}
    for place in (*periods, UNPLACED):
        verdicts = {verdict: counted[place, verdict] for verdict in ("post", "skip", "hold")}
        entries[place] = {"population": sum(verdicts.values()), **verdicts}
    return entries


def _totals(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    posted = [each for each in documents if each["disposition"] == "post"]
    families: Counter[str] = Counter()
    for line in (line for each in posted for line in each["lines"]):
        families[line["family"]] += line["net"]
    return {
        "posted_count": len(posted),
        "posted_total": sum(each["total"] for each in posted),
        "receivable": sum(each["total"] - each["paid"] for each in posted),
        "by_family": dict(sorted(families.items())),
    }
