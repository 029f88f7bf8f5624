"""The close report as a page: one self-contained HTML file, made to be read and printed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, TypedDict

from jinja2 import Environment, PackageLoader, StrictUndefined

from fcb_pipelines.core.close.ageing import BUCKETS
from fcb_pipelines.core.close.report_shapes import FamilyCompared
from fcb_pipelines.core.close.shapes import ReportJson
from fcb_pipelines.core.close.signing import badge, signing
from fcb_pipelines.core.close.words import method_name, words
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.money import exponent
from fcb_pipelines.core.naming import amount
from fcb_pipelines.defs.close.dual_run import charts
from fcb_pipelines.defs.close.receivable import age_sums, rolled

_BAR = 420
"""Width of the longest bar, in the drawing's own units."""


class Bar(TypedDict):
    """One family's bar; `minor` is its revenue."""

    family: str
    minor: int
    x: float
    width: float
    y: int


class Received(TypedDict):
    """The number of payments, and their sum in minor units."""

    count: int
    total: int


def render(report: ReportJson) -> str:
    """The page of one month's close report (the dict of `core.close.report`, amounts in minor units).

    A key that the template needs and the report lacks raises jinja2.UndefinedError.
    """
    page = _templates().get_template("close_report.html.j2")
    return page.render(
        **report,
        verdict=signing(report).value,
        badge=badge(report),
        known=sum(row["acknowledged"] is not None for row in report["exceptions"]),
        owed=_sums((row["currency"], row["minor"]) for row in report["receivable"]),
        received=_received(report),
        document_sums=_document_sums(report),
        bars=_bars(report["revenue_by_family"]),
        dual_run=charts(report["metering"]) if report["metering"] else None,
        rolled=rolled(report["roll_forward"]),
        age_columns=BUCKETS,
        age_sums=age_sums(report["ageing"]),
        compared_sums=_compared_sums(report["revenue_compared"]),
        exponent=exponent,
    )


class _OfReports(Environment):
    """Templates over JSON values: a name after a dot is a key before it is an attribute."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As Jinja looks it up, without its detour over an attribute that a dict has not."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def _templates() -> Environment:
    templates = _OfReports(
        loader=PackageLoader("fcb_pipelines.defs.close", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["amount"] = _amount
    templates.filters["percent"] = _percent
    templates.filters["words"] = words
    templates.filters["method_name"] = method_name
    return templates


def _amount(minor: int | None, currency: str) -> str:
    """Minor units as people write them, with a true minus sign; a dash for None."""
    if minor is None:
        return "–"
    return amount(minor, currency).replace("-", "−")


def _percent(basis_points: int | None) -> str:
    """Hundredths of a percent as people write them; a dash for None."""
    if basis_points is None:
        return "–"
    return f"{Decimal(basis_points).scaleb(-2):.2f} %".replace("-", "−")


def _bars(revenue: Mapping[str, int]) -> list[Bar]:
    """One bar a family: from zero, to the left where a family's revenue is negative."""
    values = list(revenue.values())
    low, high = min([0, *values]), max([0, *values])
    unit = _BAR / ((high - low) or 1)
    zero = -low * unit
    return [
        {
            "family": family,
            "minor": minor,
            "x": round(zero + min(minor, 0) * unit, 1),
            "width": max(round(abs(minor) * unit, 1), 1),
            "y": row * 34,
        }
        for row, (family, minor) in enumerate(revenue.items())
    ]


def _received(report: ReportJson) -> Received:
    """The payments in the company's currency."""
    payments = (
        Received(count=row["count"], total=row["total"])
        for row in report["settlements"]
        if (row["currency"], row["method"]) == (report["currency"], Method.PAYMENT.value)
    )
    return next(payments, Received(count=0, total=0))


def _compared_sums(rows: Sequence[FamilyCompared]) -> tuple[int | None, ...]:
    """The month's revenue, that of the month before and of a year before; None where one was not built."""
    before = [row["month_before"] for row in rows]
    year_before = [row["year_before"] for row in rows]
    return (
        sum(row["amount"] for row in rows),
        None if None in before else sum(filter(None, before)),
        None if None in year_before else sum(filter(None, year_before)),
    )


def _sums(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum of each currency."""
    found: Counter[str] = Counter()
    for currency, minor in amounts:
        found[currency] += minor
    return dict(sorted(found.items()))


def _document_sums(report: ReportJson) -> dict[str, tuple[int, ...]]:
    """Net, tax, total and paid of all documents of each currency, credit notes negative."""
    parts = ("net", "tax", "total", "paid")
    found = [
        _sums(
            (one["currency"], Kind(one["kind"]).sign * int(one[part]))  # type: ignore[literal-required]
            for one in report["documents"]
        )
        for part in parts
    ]
    return {currency: tuple(sums[currency] for sums in found) for currency in found[0]}
