"""The amounts of every document - at its source, posted, listed - and the gates over them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.codes import ExceptionCode, Reason
from fcb_pipelines.core.naming import money, named
from fcb_pipelines.core.proof.gate import Finding, failing, warning


class Measure(StrEnum):
    """The measure that an amount belongs to."""

    REVENUE = "revenue"
    TAX = "tax"
    CASH = "cash"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountRow:
    """One amount of one document, in minor units of `currency`.

    Revenue and tax are positive for an invoice and negative for a credit note; cash is positive where
    the company received it. `entry` is the ref of the document or settlement that has the amount.
    `listed` is the part of the source's amount that `why`, a reason or an exception of the document,
    explains. A row of measure credit has no source: it lists drawn credit without an origin.
    """

    ref: str
    entry: str
    number: str
    partner: str
    currency: str
    measure: Measure
    day: date | None
    source: int
    posted: int
    listed: int
    why: str | None

    @property
    def is_unknown(self) -> bool:
        """Whether the source's amount is not known, because its document can't be read."""
        return self.why == Reason.UNREADABLE and self.measure is Measure.REVENUE and not self.source

    @property
    def difference(self) -> int:
        """The amount that is lost: the source's amount less posted less listed."""
        return self.source - self.posted - self.listed


def nothing_is_lost(rows: Sequence[AmountRow]) -> Finding:
    """Fail with each amount that is neither posted nor listed; without any, warn of the listed ones.

    A document that can't be read has no amount at its source; it is among the listed ones, as unknown.
    """
    lost = [row for row in rows if row.difference]
    if lost:
        return failing([_describe(row) for row in lost])
    listed = [
        row for row in rows if row.measure is not Measure.CREDIT and (row.listed or row.is_unknown)
    ]
    amounts = ((f"{row.currency} {row.measure}", row.listed) for row in listed)
    return warning([_describe(row) for row in listed], amounts=amounts)


def cash_without_document(rows: Sequence[AmountRow]) -> Finding:
    """Warn of money that a source confirms for a document that is not posted, summed by currency (S11)."""
    return _listed(row for row in rows if row.why == ExceptionCode.CASH_WITHOUT_DOCUMENT)


def credit_has_an_origin(rows: Sequence[AmountRow]) -> Finding:
    """Warn of drawn credit that the books have not seen the customer get, summed by currency (S12)."""
    return _listed(row for row in rows if row.measure is Measure.CREDIT)


def totals(rows: Iterable[AmountRow]) -> dict[str, dict[str, dict[str, int]]]:
    """The sums by currency and measure, minor units: `{"CAD": {"tax": {"source": 1300, "posted": …}}}`."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for row in rows:
        if row.measure is Measure.CREDIT or not row.currency:
            continue
        of_currency = found.setdefault(row.currency, {})
        sums = of_currency.setdefault(row.measure.value, {"source": 0, "posted": 0, "listed": 0})
        sums["source"] += row.source
        sums["posted"] += row.posted
        sums["listed"] += row.listed
    return {currency: dict(sorted(found[currency].items())) for currency in sorted(found)}


def by_document(rows: Iterable[AmountRow]) -> dict[str, list[AmountRow]]:
    """The rows by the ref of their document."""
    found: dict[str, list[AmountRow]] = defaultdict(list)
    for row in rows:
        found[row.ref].append(row)
    return found


def _listed(rows: Iterable[AmountRow]) -> Finding:
    own = tuple(rows)
    return warning(
        [_describe(row) for row in own], amounts=((row.currency, row.listed) for row in own)
    )


def _describe(row: AmountRow) -> str:
    name = f"{named(row.ref, row.number)}: {row.measure}"
    if row.entry != row.ref:
        name += f" {row.entry}"
    if row.measure is Measure.CREDIT:
        return f"{name} {money(row.listed, row.currency)} ({row.why})"
    if row.is_unknown and not row.currency:
        return f"{name} unknown at the source, whose document can't be read ({row.why})"
    at_source = "unknown" if row.is_unknown else money(row.source, row.currency)
    return (
        f"{name} {at_source} at the source, {money(row.posted, row.currency)} posted, "
        f"{money(row.listed, row.currency)} listed ({row.why or 'nothing lists it'})"
    )
