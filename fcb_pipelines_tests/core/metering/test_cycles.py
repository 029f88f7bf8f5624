"""Cycles: which month a moment belongs to, and from when to when that month's cycle runs."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.metering.cycles import (
    CycleLength,
    begins_in,
    cycle_length,
    cycle_of,
    cycles_up_to,
    instant,
    period_containing,
)
from fcb_pipelines.core.periods import following
from fcb_pipelines_tests.metering import MAY, ZONE, at, span

moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001 - local
    lambda local: at(local.isoformat())
)


@pytest.mark.parametrize(
    ("anchor", "cycle"),
    [
        (None, ("2026-05-01", "2026-06-01")),
        ("2026-02-01", ("2026-05-01", "2026-06-01")),
        ("2026-04-15 09:30", ("2026-05-15 09:30", "2026-06-15 09:30")),
        ("2026-03-31", ("2026-05-31", "2026-06-30")),
    ],
)
def test_a_cycle_begins_on_the_day_of_its_anchor(
    anchor: str | None, cycle: tuple[str, str]
) -> None:
    assert cycle_of(MAY, at(anchor) if anchor else None, ZONE) == span(*cycle)


def test_may_in_toronto_has_its_seconds_and_march_an_hour_less() -> None:
    assert cycle_of(MAY, None, ZONE).seconds == 2_678_400
    assert cycle_of("2026-03", None, ZONE).seconds == 2_678_400 - 3600


@pytest.mark.parametrize(
    ("moment", "anchor", "period"),
    [
        ("2026-04-30 23:59:59", None, "2026-04"),
        ("2026-05-01", None, "2026-05"),
        ("2026-05-14 23:59:59", "2026-01-15", "2026-04"),
        ("2026-05-15", "2026-01-15", "2026-05"),
        ("2026-06-29", "2026-01-31", "2026-05"),
        ("2026-06-30", "2026-01-31", "2026-06"),
    ],
)
def test_a_moment_belongs_to_the_month_its_cycle_begins_in(
    moment: str, anchor: str | None, period: str
) -> None:
    assert period_containing(at(moment), at(anchor) if anchor else None, ZONE) == period


@given(moment=moments, anchor=st.none() | moments)
def test_every_moment_lies_in_the_cycle_of_its_period_and_cycles_leave_no_gap(
    moment: datetime, anchor: datetime | None
) -> None:
    period = period_containing(moment, anchor, ZONE)
    cycle = cycle_of(period, anchor, ZONE)
    assert cycle.start <= moment < cycle.end
    assert cycle_of(following(period), anchor, ZONE).start == cycle.end


@pytest.mark.parametrize(
    ("told", "length"),
    [
        ("monthly", CycleLength.MONTHLY),
        (" Yearly", CycleLength.YEARLY),
        ("annual", CycleLength.YEARLY),
        ("weekly", None),
        ("", None),
        (None, None),
    ],
)
def test_a_billing_cycle_that_is_not_known_is_none(
    told: str | None, length: CycleLength | None
) -> None:
    assert cycle_length(told) is length


def test_a_yearly_cycle_begins_in_one_month() -> None:
    months = [f"2026-{n:02d}" for n in range(1, 13)]
    assert [m for m in months if begins_in(m, at("2025-04-20"), ZONE)] == ["2026-04"]


def test_a_cycle_is_counted_back_in_the_company_s_zone_and_in_utc() -> None:
    assert cycles_up_to(at("2026-06-01"), CycleLength.MONTHLY, ZONE) == (
        span("2026-05-01", "2026-06-01"),
    )
    # Over the change of clocks on 8 March Stripe's month is an hour longer than Toronto's.
    told = cycles_up_to(at("2026-04-01"), CycleLength.MONTHLY, ZONE)
    assert [one.seconds for one in told] == [2_678_400 - 3600, 2_678_400]
    (year,) = {one.seconds for one in cycles_up_to(at("2027-04-20"), CycleLength.YEARLY, ZONE)}
    assert year == 365 * 86400
    assert cycles_up_to(at("2028-02-29"), CycleLength.YEARLY, ZONE)[0].start == at("2027-02-28")


def test_a_bare_date_is_the_midnight_it_begins_with() -> None:
    assert instant(date(2026, 5, 1), ZONE) == at("2026-05-01")
