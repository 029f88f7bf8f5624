"""The dual run in the whole graph: invoices of another month, replays, late records, broken tables."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import yaml

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.codes import Status
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.invoiced import Invoiced, lines_of
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.defs.metering import freshness
from fcb_pipelines.defs.metering.freshness import changed_months
from fcb_pipelines.defs.metering.inputs import invoiced_of
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.defs.world import PERIODS, World, failed, why

APRIL, MAY = "2026-04", "2026-05"
NORTHERN = "cb400dfd-160e-5834-8631-8e785853316f"
PRIYA = "fbb331a5-d84e-5d83-8012-7fde630e9071"
LAKESIDE = "93a75a46-ec8d-56ae-be07-17ce91421ab3"


def rows(world: World, key: Any, row_type: Any, period: str | None = None) -> tuple[Any, ...]:
    frame = world.frames.read(key.path, period)
    assert frame is not None
    return to_rows(frame, row_type)


def row_of(world: World, subscription: str, period: str) -> MeteringDelta:
    (found,) = (
        row
        for row in rows(world, keys.METERING_DELTAS, MeteringDelta, period)
        if row.subscription_id == subscription
    )
    return found


def used(world: World, subscription: str, period: str) -> Usage:
    (found,) = (
        row for row in rows(world, keys.USAGE, Usage, period) if row.subscription_id == subscription
    )
    return found


def unix(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/Toronto")).timestamp())


def test_building_a_month_again_tells_the_same(closed: World) -> None:
    before = [rows(closed, keys.METERING_DELTAS, MeteringDelta, period) for period in PERIODS]
    first = closed.status()["metering"]
    assert closed.again()["metering"] == first
    after = [rows(closed, keys.METERING_DELTAS, MeteringDelta, period) for period in PERIODS]
    assert after == before


def test_documents_that_did_not_change_are_not_read_again(closed: World) -> None:
    told = closed.extract().metadata[keys.INVOICED_DOCUMENTS]
    assert told["read_anew"] == 0
    assert len(rows(closed, keys.INVOICED_DOCUMENTS, Invoiced)) == 28


def test_a_claimed_document_is_read_once_it_is_billed(closed: World) -> None:
    index = [
        row
        for row in rows(closed, keys.source_key("stripe", "index"), IndexRow)
        if row.claimed and row.status is Status.DRAFT
    ]
    wanted = {row.source_id: row.ref for row in index}
    before = {one.ref for one in rows(closed, keys.INVOICED_DOCUMENTS, Invoiced)}
    assert wanted
    assert not before & {*wanted.values()}
    with closed.objects("stripe/invoices") as invoices:
        for each in invoices:
            if each["id"] in wanted:
                each |= {"status": "open", "effective_at": each["created"]}
                each["status_transitions"]["finalized_at"] = each["created"]
    told = closed.extract().metadata[keys.INVOICED_DOCUMENTS]
    assert told["read_anew"] == len(wanted)
    after = {one.ref for one in rows(closed, keys.INVOICED_DOCUMENTS, Invoiced)}
    assert after == before | {*wanted.values()}


def test_an_invoice_dated_in_the_next_month_counts_in_the_month_it_is_for(closed: World) -> None:
    assert row_of(closed, PRIYA, MAY).actual == 4425
    with closed.objects("stripe/invoices") as invoices:
        (invoice,) = (each for each in invoices if each["number"] == "NXC-0014")
        (line,) = invoice["lines"]["data"]
        line["period"] = {"start": unix("2026-04-01"), "end": unix("2026-05-01")}
    assert closed.extract().success
    # Dated in May, for April: both months are told otherwise now, and the window has both.
    assert {APRIL, MAY} <= set(closed.window())
    for period in (APRIL, MAY):
        assert closed.month(period).success
    april = row_of(closed, PRIYA, APRIL)
    assert (april.expected, april.actual, april.verdict.value) == (4425, 4425, "match")
    may = row_of(closed, PRIYA, MAY)
    assert (may.expected, may.actual, may.cause) == (4425, 0, "not_invoiced")
    # What a month reads of the documents of all months has all that it looks for.
    frame = closed.frames.read(keys.INVOICED_DOCUMENTS.path)
    assert frame is not None
    every = to_rows(frame, Invoiced)
    for period in PERIODS:
        concern = invoiced_of(frame, period)
        assert lines_of(concern, period) == lines_of(every, period)
        assert {*concern} >= {one for one in every if one.period == period}
        assert len(concern) < len(every)


def test_a_late_record_brings_its_month_back_into_the_window(closed: World) -> None:
    assert closed.window() == (APRIL, MAY)
    with closed.table("usage_records") as records:
        late = dict(records[0])
        late |= {"subscription_id": NORTHERN, "cpu_hours": "400"}
        late |= {"period_start": "2026-03-10 04:00:00+00", "period_end": "2026-03-11 04:00:00+00"}
        late["created_at"] = "2026-05-31 05:00:00+00"
        records.append(late)
    assert closed.extract().success
    assert closed.window() == ("2026-03", APRIL, MAY)
    assert closed.month("2026-03").success
    row = row_of(closed, NORTHERN, "2026-03")
    assert (row.cause, row.actual) == ("not_invoiced", 0)
    assert [remark.kind.value for remark in used(closed, NORTHERN, "2026-03").remarks] == ["late"]
    assert closed.status()["periods"]["2026-03"]["gates"]["usage_is_clean"] == "warn"
    assert closed.window() == (APRIL, MAY)


def _used_in_march(world: World, hours: str) -> None:
    with world.table("usage_records") as records:
        records[:] = [one for one in records if not one["period_start"].startswith("2026-03-10")]
        late = {**records[0], "cpu_hours": hours, "created_at": "2026-03-12 05:00:00+00"}
        late |= {"period_start": "2026-03-10 06:00:00+00", "period_end": "2026-03-11 05:00:00+00"}
        records.append(late)
    assert world.extract().success


def test_a_month_is_not_held_for_measured_by_an_extract_that_was_replaced_meanwhile(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _used_in_march(closed, "5.00")
    assert closed.month("2026-03", post=True).success
    _used_in_march(closed, "4.00")
    real = freshness._known_fresh

    def meanwhile(*given: Any) -> dict[str, str]:
        found = real(*given)
        _used_in_march(closed, "5.00")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(freshness, "_known_fresh", meanwhile)
        changed_months(closed.frames, PERIODS)
    _used_in_march(closed, "4.00")
    assert "2026-03" in changed_months(closed.frames, PERIODS)


def test_deltas_of_usage_that_was_measured_by_other_rules_bring_their_month_back(
    closed: World,
) -> None:
    _used_in_march(closed, "7.77")
    assert closed.month("2026-03", post=True).success
    assert "2026-03" not in changed_months(closed.frames, PERIODS)
    file = Path(closed.found.values["FCB_CONFIG"])
    told = yaml.safe_load(file.read_text("utf-8"))
    own = next(each for each in told["services"] if each["key"] == "nexacloud")
    own["metrics"][0]["factor"] = 1800
    file.write_text(yaml.safe_dump(told), "utf-8")
    current.cache_clear()
    assert closed.materialize(keys.METERING_DELTAS, "2026-03").success
    assert "2026-03" in changed_months(closed.frames, PERIODS)


def test_replayed_usage_replaces_and_never_adds(closed: World) -> None:
    before = used(closed, PRIYA, MAY)
    with closed.table("usage_records") as records:
        own = [dict(row) for row in records if row["subscription_id"] == PRIYA]
        records += own
        records.append(own[0] | {"cpu_hours": "9.25", "created_at": "2026-05-20 00:00:00+00"})
    assert closed.extract().success
    assert closed.month(MAY).success
    after = used(closed, PRIYA, MAY)
    assert after.readings == before.readings
    # One window was corrected, from 1.25 core-hours to 9.25.
    assert after.quantity - before.quantity == 8 * 3600
    kinds = [remark.kind.value for remark in after.remarks]
    assert (kinds.count("corrected"), kinds.count("replayed")) == (2, len(own) - 1)


@pytest.mark.parametrize(
    ("column", "value", "cause"),
    [("billing_cycle", "weekly", "unknown_cycle"), ("plan_id", "", "missing_price")],
)
def test_what_cannot_be_expected_is_a_failed_row_and_the_books_go_on(
    column: str, value: str, cause: str, closed: World
) -> None:
    with closed.table("subscriptions") as subscriptions:
        for row in subscriptions:
            if row["id"] == PRIYA:
                row[column] = value
    assert closed.extract().success
    assert closed.month(MAY).success
    row = row_of(closed, PRIYA, MAY)
    assert (row.verdict.value, row.cause, row.expected, row.actual) == ("failed", cause, None, 4425)


def test_a_broken_table_of_another_service_keeps_nothing_waiting(closed: World) -> None:
    folder = closed.data / "nexacloud"
    (folder / "service_usage.csv").write_text("service,metric\nnexamaps,api_calls\n", "utf-8")
    (folder / "service_plans.csv").write_text(
        "service,id,name,price_monthly,price_yearly,quota,is_active\nnexamaps,p1,Maps,10,,,\n",
        "utf-8",
    )
    status = closed.again()
    assert status["gates"]["services_meet_contract"] == "warn"
    assert status["gates"]["completeness"] == "pass"
    assert status["metering"]["periods"][MAY]["rows"] == 5


def _twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(1)], ignore_index=True)


def _lost(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[1:]


def _emptied(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(subscription_id=["", *frame["subscription_id"][1:]])


@pytest.mark.parametrize(
    ("change", "gates"),
    [
        (_twice, {"one_row_each_subscription"}),
        (_lost, {"one_row_each_subscription"}),
        (_emptied, {"one_row_each_subscription", "no_empty_subscription"}),
    ],
)
def test_rows_that_are_not_one_each_fail_their_gate(
    change: Any, gates: set[str], closed: World
) -> None:
    closed.tamper(keys.METERING_DELTAS, MAY, change)
    outcomes = closed.status()["periods"][MAY]["gates"]
    assert {gate for gate, outcome in outcomes.items() if outcome == "fail"} == gates


def test_the_report_comes_though_the_dual_run_was_never_built(closed: World) -> None:
    closed.frames.path(keys.METERING_DELTAS.path, MAY).unlink()
    result = closed.run("close_report", MAY)
    assert result.success, why(result)
    assert closed.status()["metering"]["periods"].keys() == {*PERIODS} - {MAY}


def test_rows_that_cannot_be_read_are_failed_rows_and_the_close_posts_everything(
    fresh: World,
) -> None:
    with fresh.table("usage_records") as records:
        bad = next(row for row in records if row["subscription_id"] == PRIYA)
        bad["cpu_hours"] = "NaN"
        window = bad["period_start"]
    with fresh.table("subscriptions") as subscriptions:
        (broken,) = (row for row in subscriptions if row["id"] == LAKESIDE)
        broken["current_period_end"] = "0044-03-15 12:00:00+00 BC"
    status = fresh.close()
    assert status["totals"]["CAD"]["posted_count"] == 23
    assert status["totals"]["CAD"]["posted_total"] == 340346
    assert status["gates"]["extracts_meet_contract"] == "pass"
    assert status["gates"]["services_meet_contract"] == "warn"
    assert failed(status) == set()
    (gate,) = (one for one in status["gate_details"] if one["gate"] == "services_meet_contract")
    assert (gate["period"], gate["count"]) == (None, 2)
    told = " ".join(gate["sample"])
    day = window[:10]
    assert "nexacloud.usage_records.cpu_hours: no finite number" in told
    assert f"(subscription_id {PRIYA}, period_start {day}" in told
    assert "'NaN'" in told
    assert "nexacloud.subscriptions.current_period_end: no moment in the years 1 to 9999" in told
    assert f"(id {LAKESIDE}: '0044-03-15 12:00:00+00 BC')" in told
    for subscription in (PRIYA, LAKESIDE):
        row = row_of(fresh, subscription, MAY)
        assert (row.verdict.value, row.cause, row.expected) == ("failed", "unreadable_row", None)
    assert row_of(fresh, PRIYA, MAY).actual == 4425
    assert "'NaN'" in row_of(fresh, PRIYA, MAY).detail
    assert "BC" in row_of(fresh, LAKESIDE, MAY).detail
    # The others are measured as ever.
    figures = status["metering"]["periods"][MAY]
    assert (figures["rows"], figures["failed"], figures["delta"]) == (5, 2, 3)
    assert status["periods"][MAY]["gates"]["flip_readiness"] == "warn"
    # Mended, it is measured again.
    with fresh.table("usage_records") as records:
        next(row for row in records if row["cpu_hours"] == "NaN")["cpu_hours"] = "1.25"
    assert fresh.extract().success
    assert MAY in fresh.window()
    assert fresh.month(MAY, post=True).success
    assert row_of(fresh, PRIYA, MAY).verdict.value == "match"


@pytest.mark.parametrize(
    "table",
    [
        "usage_records",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("plans", "deployments")),
        pytest.param("subscriptions", marks=pytest.mark.long),
    ],
)
def test_without_a_table_of_the_dual_run_the_close_goes_on(table: str, closed: World) -> None:
    file = closed.data / "nexacloud" / f"{table}.csv"
    file.write_text("id,somebody_renamed_the_rest\n", "utf-8")
    status = closed.again((APRIL, MAY))
    assert status["gates"]["services_meet_contract"] == "warn"
    assert failed(status) == set()
    assert status["totals"]["CAD"]["posted_count"] == 23
    figures = status["metering"]["periods"][MAY]
    if table != "deployments":
        assert figures["failed"] == figures["rows"] > 0


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e500"])
def test_a_bad_value_of_a_posting_table_stops_with_table_row_column_and_value(
    value: str, closed: World
) -> None:
    with closed.table("invoices") as invoices:
        invoices[0]["subtotal"] = value
        row = invoices[0]["id"]
    result = closed.extract()
    assert not result.success
    (told,) = (
        check.description
        for check in result.checks
        if check.check_name == "extracts_meet_contract" and not check.passed
    )
    assert told is not None
    shown = value if len(value) > 5 or value == "NaN" else "1000"
    assert told.startswith("nexacloud.invoices.subtotal: no finite number")
    assert f"(id {row}: '{shown}" in told
    assert "correct the row in NexaCloud, then `fcb sync`" in told
    # The status says the same, though the rest of the proof can't be told.
    status = closed.status()
    assert failed(status) == {"extracts_meet_contract"}
    (gate,) = (one for one in status["gate_details"] if one["gate"] == "extracts_meet_contract")
    assert f"id {row}" in gate["detail"]
