"""Billing cycles: the span of time that a subscription pays for at once.

A cycle belongs to the month it begins in. It begins on the day and at the time of day of the
subscription's present cycle (its anchor), in the company's timezone; without an anchor on the first
at midnight.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from fcb_pipelines.core.periods import following, period_of, preceding

# No timezone is further from UTC.
_ANY_ZONE = timedelta(hours=14)


class CycleLength(StrEnum):
    """The length of a plan's billing cycle."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time from `start` up to, not including, `end`; both in UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        """Its length in whole seconds."""
        return int((self.end - self.start).total_seconds())


_LENGTHS = {
    "monthly": CycleLength.MONTHLY,
    "month": CycleLength.MONTHLY,
    "yearly": CycleLength.YEARLY,
    "year": CycleLength.YEARLY,
    "annual": CycleLength.YEARLY,
    "annually": CycleLength.YEARLY,
}


def cycle_length(billing_cycle: str | None) -> CycleLength | None:
    """The length that a plan's `billing_cycle` names; None for an unknown word (rule M4)."""
    return _LENGTHS.get((billing_cycle or "").strip().casefold())


def is_moment(value: object) -> bool:
    """Whether the value is a date, or a datetime with a timezone, that converts to every timezone."""
    if not isinstance(value, date) or (isinstance(value, datetime) and value.tzinfo is None):
        return False
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
    try:
        return bool(moment.astimezone(UTC) - _ANY_ZONE < moment.astimezone(UTC) + _ANY_ZONE)
    except (OverflowError, ValueError):
        return False


def instant(moment: datetime | date, timezone: str) -> datetime:
    """The moment in UTC; a bare date is the midnight it begins with in `timezone`."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), ZoneInfo(timezone))
    return moment.astimezone(UTC)


def cycle_of(period: str, anchor: datetime | None, timezone: str) -> Span:
    """The monthly cycle that begins in the period; day 31 becomes a shorter month's last day."""
    return Span(
        start=_anchored(period, anchor, timezone),
        end=_anchored(following(period), anchor, timezone),
    )


def period_containing(moment: datetime, anchor: datetime | None, timezone: str) -> str:
    """The period (YYYY-MM) whose monthly cycle contains the moment."""
    period = period_of(moment.astimezone(ZoneInfo(timezone)).date())
    return preceding(period) if moment < _anchored(period, anchor, timezone) else period


def begins_in(period: str, anchor: datetime, timezone: str) -> bool:
    """Whether a yearly cycle with this anchor begins in the period."""
    return anchor.astimezone(ZoneInfo(timezone)).month == int(period[5:])


def cycles_up_to(end: datetime, length: CycleLength, timezone: str) -> tuple[Span, ...]:
    """The cycles that may end at `end`: one counted back in the company's timezone, one in UTC.

    Stripe counts in UTC; the two differ by an hour where a clock change lies in between.
    """
    spans = []
    for zone in (ZoneInfo(timezone), ZoneInfo("UTC")):
        local = end.astimezone(zone)
        months = 1 if length is CycleLength.MONTHLY else 12
        number = local.year * 12 + local.month - 1 - months
        year, month = divmod(number, 12)
        day = min(local.day, monthrange(year, month + 1)[1])
        start = local.replace(year=year, month=month + 1, day=day).astimezone(UTC)
        spans.append(Span(start=start, end=end))
    return tuple(dict.fromkeys(spans))


def _anchored(period: str, anchor: datetime | None, timezone: str) -> datetime:
    zone = ZoneInfo(timezone)
    year, month = int(period[:4]), int(period[5:])
    if anchor is None:
        return datetime(year, month, 1, tzinfo=zone).astimezone(UTC)
    local = anchor.astimezone(zone)
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day, fold=0).astimezone(UTC)
