"""The one partition scheme: calendar months by accounting period, in the company's timezone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from fcb_pipelines.config.settings import current
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.periods import following, period_of, periods_between

# No clock shows an earlier month.
_LONG_AGO = "2020-01"


def months(settings: Settings) -> dg.MonthlyPartitionsDefinition:
    """Months from first_period to the month of as_of where it is set, else to the open month."""
    end = None if settings.as_of is None else following(period_of(settings.as_of))
    return dg.MonthlyPartitionsDefinition(
        start_date=settings.first_period,
        end_date=end,
        fmt="%Y-%m",
        timezone=settings.timezone,
        # 1 includes the open month. With an end any number does that reaches it from whatever
        # day the clock shows, since as_of may lie ahead; Dagster counts these months at each call.
        end_offset=1 if end is None else max(1, len(periods_between(_LONG_AGO, end))),
    )


MONTHS = months(current())


def periods() -> tuple[str, ...]:
    """Every period there is, oldest first, as of now (or as_of)."""
    return periods_between(current().first_period, period_of(today()))


def today() -> date:
    """The day that counts as today: as_of where the configuration sets it."""
    settings = current()
    return settings.as_of or datetime.now(ZoneInfo(settings.timezone)).date()
