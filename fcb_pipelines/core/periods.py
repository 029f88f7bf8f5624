"""Accounting periods: calendar months, keys `YYYY-MM`, in the company's timezone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_date(instant: int | datetime, timezone: str) -> date:
    """The calendar date of a Unix instant (seconds) or aware datetime in the company's timezone.

    Raises OverflowError for an instant beyond the calendar, TypeError for what is none.
    """
    if isinstance(instant, bool):
        raise TypeError(f"{instant} is no instant")
    if isinstance(instant, int):
        instant = _EPOCH + timedelta(seconds=instant)
    return instant.astimezone(ZoneInfo(timezone)).date()


def beginning(day: date, timezone: str) -> datetime:
    """The first moment of a day in the company's timezone, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def bounds(period: str, timezone: str) -> tuple[int, int]:
    """The first instant of a period in the company's timezone and that of the next, Unix seconds."""
    first, after = (beginning(first_day(each), timezone) for each in (period, following(period)))
    return int(first.timestamp()), int(after.timestamp())


def period_of(day: date) -> str:
    """The accounting period a date belongs to: 2026-03-31 -> `2026-03`."""
    return f"{day.year:04d}-{day.month:02d}"


def following(period: str) -> str:
    """The period after this one."""
    year, month = int(period[:4]), int(period[5:])
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def preceding(period: str) -> str:
    """The period before this one."""
    year, month = int(period[:4]), int(period[5:])
    return f"{year - (month == 1):04d}-{(month - 2) % 12 + 1:02d}"


def first_day(period: str) -> date:
    """The first calendar date of the period."""
    return date(int(period[:4]), int(period[5:]), 1)


def periods_between(first: str, last: str) -> tuple[str, ...]:
    """All periods from `first` to `last`, both included; empty when `last` is earlier."""
    periods = []
    while first <= last:
        periods.append(first)
        first = following(first)
    return tuple(periods)
