"""The gates of the dual run: what each finds, and that only a bug of ours fails."""

from datetime import date

import pytest

from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.company.services import MeteringSettings
from fcb_pipelines.core.metering.dual_run import Cause, MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.gates import (
    flip_readiness,
    no_empty_subscription,
    one_row_each,
    unexplained,
    usage_is_clean,
)
from fcb_pipelines.core.metering.status import metering_section, metering_status
from fcb_pipelines.core.metering.usage import usage
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines_tests.metering import (
    MAY,
    METRICS,
    ZONE,
    a_delta,
    a_one_off,
    a_reading,
)

PASS, WARN, FAIL = Outcome
DELTA, FAILED = MeteringVerdict.DELTA, MeteringVerdict.FAILED
PRORATED = a_delta(subscription_id="s2", verdict=DELTA, cause=Cause.PRORATION, actual=911)
DEARER = a_delta(subscription_id="s3", verdict=DELTA, cause=Cause.LIST_PRICE_DIFFERS, actual=25000)
CHEAPER = a_delta(subscription_id="s4", verdict=DELTA, cause=Cause.LIST_PRICE_DIFFERS, actual=15000)
UNPRICED = a_delta(subscription_id="s5", verdict=FAILED, cause=Cause.MISSING_PRICE, expected=None)
OVER, DURING = date(2026, 6, 1), date(2026, 5, 31)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ((a_delta(), PRORATED, a_one_off()), PASS),
        ((a_delta(),), FAIL),
        ((a_delta(), PRORATED, PRORATED), FAIL),
        ((a_delta(), PRORATED, DEARER), FAIL),
    ],
)
def test_each_subscription_has_one_row(rows: tuple[MeteringDelta, ...], outcome: Outcome) -> None:
    assert one_row_each(rows, [("cloud", "s1"), ("cloud", "s2")]).outcome is outcome


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (a_delta(), PASS),
        (a_one_off(), PASS),
        (a_delta(subscription_id=""), FAIL),
        (a_delta(subscription_id=None), FAIL),
        (a_one_off(subscription_id=""), FAIL),
        (a_one_off(expected=0), FAIL),
        (a_one_off(documents=("stripe:a:in_1", "stripe:a:in_2")), FAIL),
    ],
)
def test_no_row_is_of_an_empty_subscription(row: MeteringDelta, outcome: Outcome) -> None:
    assert no_empty_subscription([a_delta(), row]).outcome is outcome


@pytest.mark.parametrize(
    ("count", "amount", "outcome"),
    [(0, 0, WARN), (2, 10000, PASS), (1, 10000, WARN), (2, 9999, WARN), (9, 0, WARN)],
)
def test_what_is_unexplained_is_counted_and_summed_against_the_ceiling(
    count: int, amount: int, outcome: Outcome
) -> None:
    ceiling = MeteringSettings(ceiling_count=count, ceiling_amount=amount)
    result = unexplained([a_delta(), PRORATED, DEARER, CHEAPER, UNPRICED, a_one_off()], ceiling)
    # Too much here never makes up for too little there.
    assert (result.outcome, result.count, result.amounts) == (outcome, 2, (("CAD", 10000),))


@pytest.mark.parametrize(
    ("rows", "today", "outcome"),
    [
        ((a_delta(), PRORATED, a_one_off()), OVER, PASS),
        ((a_delta(), PRORATED), DURING, WARN),
        ((), OVER, WARN),
        ((a_one_off(),), OVER, WARN),
        ((a_delta(), DEARER), OVER, WARN),
        ((a_delta(), UNPRICED), OVER, WARN),
    ],
)
def test_the_engine_may_bill_after_a_whole_cycle_that_is_explained(
    rows: tuple[MeteringDelta, ...], today: date, outcome: Outcome
) -> None:
    assert flip_readiness(rows, MAY, today).outcome is outcome


def test_replays_and_breaches_are_told() -> None:
    day = a_reading("2026-05-01", "2026-05-02")
    rows = usage([day, day], {}, METRICS, period=MAY, timezone=ZONE, late_after_hours=24)
    told = usage_is_clean(rows)
    assert (told.outcome, told.count) == (WARN, 1)
    assert "replayed, the same again" in told.detail
    assert usage_is_clean([]).outcome is PASS


def test_no_gate_of_the_dual_run_stops_anything() -> None:
    found = [gate for gate in GATES.values() if gate.seen_on[0].startswith("metering/")]
    assert len(found) == 7
    assert not any(gate.blocking for gate in found)


ROWS = {"2026-04": (a_delta(period="2026-04"),), MAY: (a_delta(), PRORATED, DEARER, UNPRICED, a_one_off())}  # fmt: skip


def test_the_status_counts_rows_by_verdict_and_cause() -> None:
    told = metering_status(ROWS, {"2026-03": True, "2026-04": True}, currency="CAD", leaks=3)
    assert (told["flip_ready"], told["cycle"], told["leaks"]) == (True, "2026-04", 3)
    assert told["periods"][MAY] == {
        "rows": 4,
        "match": 1,
        "delta": 2,
        "failed": 1,
        "causes": {"list_price_differs": 1, "missing_price": 1, "proration": 1},
        "expected": 60000,
        "actual": 65911,
        "unexplained_count": 1,
        "unexplained_sum": 5000,
        "one_off": 1,
        "one_off_actual": 3220,
    }
    assert told["services"]["cloud"]["rows"] == 5


def test_one_period_is_shown_and_the_last_cycle_still_decides() -> None:
    told = metering_status(ROWS, {"2026-03": True, "2026-04": False}, currency="CAD", only=MAY)
    assert list(told["periods"]) == [MAY]
    assert (told["flip_ready"], told["cycle"]) == (False, "2026-04")
    assert metering_status({}, {}, currency="CAD")["cycle"] is None


def test_sums_are_in_one_currency() -> None:
    foreign = a_delta(
        subscription_id="s7", currency="USD", verdict=FAILED, cause=Cause.OTHER_CURRENCY
    )
    told = metering_status({MAY: (a_delta(), foreign)}, {}, currency="CAD")["periods"][MAY]
    assert (told["rows"], told["expected"], told["actual"]) == (2, 20000, 20000)


def test_the_section_of_the_report_has_every_row_and_sums_by_cause_and_customer() -> None:
    told = metering_section(ROWS[MAY], currency="CAD")
    assert [row["subscription"] for row in told["subscriptions"]] == ["s1", "s2", "s3", "s5"]
    assert [(row["cause"], row["expected"], row["actual"]) for row in told["by_cause"]] == [
        ("match", 20000, 20000),
        ("proration", 20000, 911),
        ("list_price_differs", 20000, 25000),
        ("missing_price", 0, 20000),
    ]
    assert told["by_customer"] == [
        {"customer": "cloud:u1", "name": "Acme", "service": "cloud", "currency": "CAD", "actual": 69131}
    ]  # fmt: skip
    assert [row["actual"] for row in told["one_offs"]] == [3220]
