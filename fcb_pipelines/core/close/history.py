"""The sections of the close report over more than its month: the receivable, and revenue compared."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypedDict

from fcb_pipelines.core.close.ageing import ageing, open_documents
from fcb_pipelines.core.close.booked import Booked
from fcb_pipelines.core.close.report_shapes import (
    AgeingRow,
    FamilyCompared,
    OpenDocument,
    RollForward,
)
from fcb_pipelines.core.close.rollforward import groups, roll_forward
from fcb_pipelines.core.periods import preceding

Sold = Mapping[tuple[str, str], int]
"""(currency, income account) -> net of what is posted, minor units, credit notes negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What all built months know, as their last builds left them.

    `entries` are our posted entries on the receivable, each once; `due` the due dates that sources name, by
    document; `listed` the documents that may be settled by hand; `sold` the revenue of each built month.
    """

    entries: tuple[Booked, ...] = ()
    due: Mapping[str, date] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    sold: Mapping[str, Sold] = field(default_factory=dict)


class Receivable(TypedDict):
    """The receivable at the end of the month: rolled forward, by age, and document by document."""

    roll_forward: list[RollForward]
    ageing: list[AgeingRow]
    open_documents: list[OpenDocument]


def receivable_of(history: History, period: str, customers: Mapping[str, str]) -> Receivable:
    """The receivable of all our documents at the end of the month."""
    at_end = groups(history.entries, period)
    documents = open_documents(at_end, period, history.due, customers)
    return {
        "roll_forward": roll_forward(history.entries, period, history.listed, at_end),
        "ageing": ageing(documents),
        "open_documents": documents,
    }


def compared(
    revenue: Mapping[str, int],
    period: str,
    history: History,
    families: Mapping[str, str],
    currency: str,
) -> list[FamilyCompared]:
    """The month's revenue by family beside that of the month before and of the same month last year.

    A month that was not built has None. `families` maps income accounts to families.
    """
    before = _by_family(history, preceding(period), families, currency)
    year_before = _by_family(history, f"{int(period[:4]) - 1:04d}{period[4:]}", families, currency)
    names = {*revenue, *(before or {}), *(year_before or {})}
    return [
        {
            "family": family,
            "amount": revenue.get(family, 0),
            "month_before": None if before is None else before[family],
            "year_before": None if year_before is None else year_before[family],
        }
        for family in sorted(names)
    ]


def _by_family(
    history: History, period: str, families: Mapping[str, str], currency: str
) -> Counter[str] | None:
    if period not in history.sold:
        return None
    found: Counter[str] = Counter()
    for (of, account), net in history.sold[period].items():
        if of == currency:
            found[families.get(account, account)] += net
    return found
