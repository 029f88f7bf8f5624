"""The receivable by age at the end of a month: by customer, and each document that is open.

A document is as old as the days since it was due, or since its own date where its source names no due date.
What is open to a customer's credit has no age.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from fcb_pipelines.core.close.report_shapes import AgeingRow, OpenDocument
from fcb_pipelines.core.close.rollforward import Group
from fcb_pipelines.core.periods import first_day, following

BUCKETS: Mapping[str, str] = {
    "current": "Not due yet",
    "days_1_30": "1–30 days",
    "days_31_60": "31–60 days",
    "days_61_90": "61–90 days",
    "over_90": "Over 90 days",
    "credit": "Open credit",
}
"""The columns of the ageing, in their order, with their heads."""

_LAST_DAYS = {"current": 0, "days_1_30": 30, "days_31_60": 60, "days_61_90": 90}


def open_documents(
    groups: Iterable[Group], period: str, due: Mapping[str, date], customers: Mapping[str, str]
) -> list[OpenDocument]:
    """What is open at the end of the month, the oldest first, credits last.

    `due` are the due dates that sources name, by document; `customers` the names of billing accounts.
    """
    end = first_day(following(period)) - timedelta(days=1)
    rows = [_open(group, end, due, customers) for group in groups if group.open]
    return sorted(rows, key=lambda row: (row["days"] is None, row["since"], row["ref"]))


def ageing(documents: Sequence[OpenDocument]) -> list[AgeingRow]:
    """What is open by customer and currency, the customer who owes most first."""
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(BUCKETS, 0))
    names = {}
    for one in documents:
        sums[one["partner"], one["currency"]][bucket(one["days"])] += one["open"]
        names[one["partner"]] = one["name"]
    rows: list[AgeingRow] = [
        {
            "partner": partner,
            "name": names[partner],
            "currency": currency,
            "current": own["current"],
            "days_1_30": own["days_1_30"],
            "days_31_60": own["days_31_60"],
            "days_61_90": own["days_61_90"],
            "over_90": own["over_90"],
            "credit": own["credit"],
            "total": sum(own.values()),
        }
        for (partner, currency), own in sums.items()
    ]
    return sorted(rows, key=lambda row: (row["currency"], -row["total"], row["partner"]))


def bucket(days: int | None) -> str:
    """The column of an age in days: `days_1_30` for 30, `days_31_60` for 31; None is a credit's."""
    if days is None:
        return "credit"
    return next((name for name, last in _LAST_DAYS.items() if days <= last), "over_90")


def _open(
    group: Group, end: date, due: Mapping[str, date], customers: Mapping[str, str]
) -> OpenDocument:
    since = due.get(group.of) or group.date or group.since
    return {
        "ref": group.of,
        "number": group.number,
        "partner": group.partner,
        "name": customers.get(group.partner),
        "currency": group.currency,
        "since": since.isoformat(),
        "basis": "due" if group.of in due else "date",
        "days": max(0, (end - since).days) if group.open > 0 else None,
        "open": group.open,
    }
