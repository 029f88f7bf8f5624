"""The drawing of the dual run: expected against actual, by subscription and by cause."""

from collections.abc import Sequence
from typing import TypedDict

from fcb_pipelines.core.metering.dual_run import CAUSES, Cause, MeteringVerdict
from fcb_pipelines.core.metering.shapes import MeteringSection

SHOWN = 40
"""Subscriptions in the drawing; the table has all."""

_LONGEST = 500
"""Width of the longest bar, in the drawing's own units."""


class Labelled(TypedDict):
    """One row to draw, with the texts beside its bars; `expected` None: no charge can be computed."""

    expected: int | None
    actual: int
    cause: str | None
    label: str
    below: str


class Bar(TypedDict):
    """One bar, in the drawing's own units."""

    x: float
    width: float


class Pair(TypedDict):
    """The bars of one row."""

    label: str
    below: str
    colour: str
    expected: int | None
    actual: int
    bars: list[Bar]
    y: int


class DrawnSection(MeteringSection):
    """The section of the close report with its drawings."""

    by_subscription_chart: list[Pair]
    by_cause_chart: list[Pair]
    not_drawn: int


def chart(rows: Sequence[Labelled]) -> list[Pair]:
    """One pair of bars a row, from zero; negative amounts run to the left.

    Amounts are minor units. Colours are classes of the page: `good`, `explained`, `bad`.
    """
    amounts = [amount for row in rows for amount in (row["expected"] or 0, row["actual"])]
    low, high = min([0, *amounts]), max([0, *amounts])
    unit = _LONGEST / ((high - low) or 1)
    zero = -low * unit
    return [
        {
            "label": row["label"],
            "below": row["below"],
            "colour": _colour(row["cause"]),
            "expected": row["expected"],
            "actual": row["actual"],
            "bars": [
                _bar(amount, zero, unit)
                for amount in (row["expected"], row["actual"])
                if amount is not None
            ],
            "y": place * 46,
        }
        for place, row in enumerate(rows)
    ]


def charts(section: MeteringSection) -> DrawnSection:
    """The section with its two drawings: the subscriptions furthest off first, and the causes."""
    furthest = sorted(section["subscriptions"], key=lambda row: -abs(row["delta"] or 0))[:SHOWN]
    named: list[Labelled] = [
        {
            "expected": row["expected"],
            "actual": row["actual"],
            "cause": row["cause"],
            "label": f"{row['customer_name']}, {row['plan'] or row['service']}",
            "below": (row["cause"] or row["verdict"]).replace("_", " "),
        }
        for row in furthest
    ]
    causes: list[Labelled] = [
        {
            "expected": row["expected"],
            "actual": row["actual"],
            "cause": row["cause"],
            "label": f"{row['cause'].replace('_', ' ')} ({row['rows']})",
            "below": "",
        }
        for row in section["by_cause"]
    ]
    return {
        **section,
        "by_subscription_chart": chart(named),
        "by_cause_chart": chart(causes),
        "not_drawn": max(0, len(section["subscriptions"]) - SHOWN),
    }


def _bar(amount: int, zero: float, unit: float) -> Bar:
    return {
        "x": round(zero + min(amount, 0) * unit, 1),
        "width": max(round(abs(amount) * unit, 1), 1),
    }


def _colour(cause: str | None) -> str:
    if cause is None or cause == MeteringVerdict.MATCH:
        return "good"
    return "explained" if CAUSES[Cause(cause)].explains else "bad"
