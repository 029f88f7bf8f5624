"""Usage: a window counts once, whatever was replayed; what is odd is told."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.company.charges import Aggregation, Metric, Reading, RefusedReading
from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.metering.usage import Remark, RemarkKind, Usage, usage
from fcb_pipelines_tests.metering import (
    MAY,
    MAY_CYCLE,
    METRICS,
    ZONE,
    a_reading,
    a_subscription,
    at,
)

DAY_1 = a_reading("2026-05-01", "2026-05-02", "2")
DAY_2 = a_reading("2026-05-02", "2026-05-03", "3")


def used(
    *readings: Reading, subscription: Subscription | None = None, period: str = MAY
) -> tuple[Usage, ...]:
    own = subscription or a_subscription()
    return usage(
        readings, {(own.service, own.id): own}, METRICS,
        period=period, timezone=ZONE, late_after_hours=24,
    )  # fmt: skip


def kinds(rows: tuple[Usage, ...]) -> list[RemarkKind]:
    return [remark.kind for row in rows for remark in row.remarks]


def test_the_readings_of_a_cycle_are_one_quantity_in_the_metric_s_unit() -> None:
    (row,) = used(DAY_1, DAY_2)
    assert (row.quantity, row.readings, row.cycle) == (5 * 3600, 2, MAY_CYCLE)
    assert row.remarks == ()


REPLAYED = (
    st.lists(st.sampled_from((DAY_1, DAY_2)), max_size=6)
    .map(lambda again: [DAY_1, DAY_2, *again])
    .flatmap(st.permutations)
)


@given(told=REPLAYED)
def test_a_replay_changes_nothing_but_the_remarks(told: list[Reading]) -> None:
    (row,) = used(*told)
    assert (row.quantity, row.readings) == (5 * 3600, 2)
    assert kinds((row,)) == [RemarkKind.REPLAYED] * (len(told) - 2)


@given(order=st.permutations(range(3)))
def test_a_correction_replaces_in_whatever_order_it_is_read(order: list[int]) -> None:
    told = [
        a_reading("2026-05-01", "2026-05-02", value, recorded_at=at(f"2026-05-0{n}"))
        for n, value in ((2, "2"), (3, "9"), (4, "1"))
    ]
    (row,) = used(*(told[n] for n in order))
    assert row.quantity == 3600  # the last word, though it is the smallest
    assert kinds((row,)) == [RemarkKind.CORRECTED] * 2


def test_where_nothing_tells_when_the_largest_counts() -> None:
    (row,) = used(DAY_1, a_reading("2026-05-01", "2026-05-02", "2.5"))
    assert row.quantity == 9000
    (remark,) = row.remarks
    assert remark == Remark(
        kind=RemarkKind.CORRECTED, start=DAY_1.start, end=DAY_1.end,
        value=Decimal(2), detail="replaced by 2.5",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reading", "kind"),
    [
        (a_reading("2026-05-01 12:00", "2026-05-02", "1"), RemarkKind.OVERLAPPING),
        (a_reading("2026-05-31", "2026-06-01 00:00:01", "1"), RemarkKind.STRADDLING),
        (a_reading("2026-05-31", "2026-06-01", "1", recorded_at=at("2026-06-02 00:00:01")), RemarkKind.LATE),
        (a_reading("2026-05-31", "2026-06-01", "1", recorded_at=at("2026-06-02")), None),
        (a_reading("2026-05-02", "2026-05-03", "1"), None),
    ],
)  # fmt: skip
def test_what_is_odd_counts_and_is_told(reading: Reading, kind: RemarkKind | None) -> None:
    rows = used(DAY_1, reading)
    assert rows[0].quantity == 3 * 3600
    assert kinds(rows) == ([kind] if kind else [])


def test_a_window_inside_a_longer_one_overlaps_it() -> None:
    whole = a_reading("2026-05-01", "2026-05-10")
    inside = [a_reading(f"2026-05-0{n}", f"2026-05-0{n + 1}") for n in (2, 5)]
    assert kinds(used(whole, *inside)) == [RemarkKind.OVERLAPPING] * 2


def test_a_reading_lies_in_the_cycle_of_its_subscription() -> None:
    own = a_subscription(start=at("2026-05-15"))
    early, late = a_reading("2026-05-14", "2026-05-15"), a_reading("2026-05-15", "2026-05-16", "4")
    assert [row.quantity for row in used(early, late, subscription=own)] == [4 * 3600]
    assert [row.quantity for row in used(early, late, subscription=own, period="2026-04")] == [3600]
    # A subscription that nobody knows has calendar months.
    stranger = a_reading("2026-05-14", "2026-05-15", subscription_id="s9")
    assert [row.subscription_id for row in used(stranger)] == ["s9"]


def test_items_of_one_window_stand_beside_each_other() -> None:
    metric = Metric(key="cpu", aggregation=Aggregation.UNIQUE_COUNT)
    told = [a_reading("2026-05-01", "2026-06-01", "1", item=name) for name in ("ana", "bo", "ana")]
    (row,) = usage(
        told, {}, {("cloud", "cpu"): metric}, period=MAY, timezone=ZONE, late_after_hours=24
    )
    assert row.quantity == 2
    assert kinds((row,)) == [RemarkKind.REPLAYED]


def test_a_metric_that_is_not_configured_is_in_no_row() -> None:
    assert used(a_reading("2026-05-01", "2026-05-02", metric="disk")) == ()


def test_a_refused_reading_is_listed_and_does_not_count() -> None:
    own = a_subscription()
    refused = RefusedReading(
        service=own.service, subscription_id=own.id, metric=DAY_1.metric, start=DAY_1.start,
        end=DAY_1.end, value=Decimal(9), why="its month is closed",
    )  # fmt: skip

    def measured(*readings: Reading, period: str = MAY) -> tuple[Usage, ...]:
        return usage(
            readings, {(own.service, own.id): own}, METRICS,
            period=period, timezone=ZONE, late_after_hours=24, refused=[refused],
        )  # fmt: skip

    (row,) = measured(DAY_1, DAY_2)
    assert (row.quantity, row.readings) == (5 * 3600, 2)
    assert [(one.kind, one.value, one.detail) for one in row.remarks] == [
        (RemarkKind.REFUSED, Decimal(9), "its month is closed")
    ]
    (alone,) = measured()
    assert (alone.quantity, kinds((alone,))) == (0, [RemarkKind.REFUSED])
    assert measured(period="2026-06") == ()
