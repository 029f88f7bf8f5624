"""The definitions as a whole: every asset tells what it is, and nothing runs by itself."""

import subprocess
import sys
from datetime import date
from inspect import signature
from pathlib import Path

import dagster as dg
import pytest

from fcb_pipelines.core.close.alerts import OVERDUE
from fcb_pipelines.core.close.gates import BEFORE_A_WRITE, GATES
from fcb_pipelines.core.proof.gate import Gate, Scope
from fcb_pipelines.defs.gates.inputs import INPUTS, TABLE, frames_of
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.month import GATED, STANDING
from fcb_pipelines.defs.runtime.partitions import MONTHS, months
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines_tests.defs.world import DEFINITIONS, NEXA, PERIODS

GRAPH = DEFINITIONS.resolve_asset_graph()
SPECS = {spec.key: spec for spec in DEFINITIONS.resolve_all_asset_specs()}
READS_A_SOURCE = ("index", "invoices", "credit_notes")


def test_every_asset_says_what_a_row_is_who_owns_it_and_what_its_columns_are() -> None:
    lacking = {
        key.to_user_string(): [
            name
            for name, told in (
                ("description", spec.description),
                ("group", spec.group_name == key.path[0]),
                ("kinds", spec.kinds),
                ("owners", spec.owners),
                ("columns", "dagster/column_schema" in spec.metadata),
            )
            if not told
        ]
        for key, spec in SPECS.items()
    }
    assert len(lacking) > 25
    assert {key: parts for key, parts in lacking.items() if parts} == {}


def test_no_two_assets_have_the_same_description() -> None:
    told = [spec.description for spec in SPECS.values()]
    assert sorted(told, key=str) == sorted({*told}, key=str)


def test_the_location_loads_in_a_fresh_interpreter_with_an_empty_environment(
    tmp_path: Path,
) -> None:
    code = "from fcb_pipelines.definitions import defs; defs().get_repository_def()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={}, cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_loads_them_looks_for_cycles_rarely() -> None:
    told = (
        "import gc; import fcb_pipelines.definitions as d; d.defs(); print(gc.get_threshold()[0])"
    )
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["50000"]


def test_all_automation_is_off_until_somebody_turns_it_on() -> None:
    repository = DEFINITIONS.get_repository_def()
    statuses = {each.name: each.default_status.value for each in repository.schedule_defs}
    statuses |= {each.name: each.default_status.value for each in repository.sensor_defs}
    assert {"daily_ledger_sync", "months_after_extract", "proof_after_months"} <= statuses.keys()
    assert statuses.pop("dead_runs") == "RUNNING"
    assert set(statuses.values()) == {"STOPPED"}


def test_every_job_sensor_and_schedule_says_on_its_page_what_it_does() -> None:
    repository = DEFINITIONS.get_repository_def()
    named = [*repository.schedule_defs, *repository.sensor_defs]
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    assert len(jobs) > 6
    assert [one.name for one in (*named, *jobs) if not one.description] == []


def test_the_proof_over_all_months_is_due_each_day() -> None:
    for key in (keys.COMPLETENESS, keys.RECEIVABLE, keys.AMOUNTS):
        expected = dg.FreshnessPolicy.time_window(fail_window=OVERDUE)
        assert SPECS[key].freshness_policy == expected, key


def test_every_check_is_a_gate_and_is_partitioned_like_its_asset() -> None:
    for key in GRAPH.asset_check_keys:
        check, asset = GRAPH.get(key), GRAPH.get(key.asset_key)
        assert check.partitions_def == asset.partitions_def, key
        gate = GATES[key.name]
        assert (check.blocking, check.description) == (gate.blocking, gate.proves), key
        assert (check.partitions_def is not None) == (gate.scope is Scope.MONTH), key
    assert {(key.name, key.asset_key.to_user_string()) for key in GRAPH.asset_check_keys} == {
        (gate.name, asset) for gate in TABLE for asset in gate.seen_on
    }
    assert {gate.name for gate in TABLE} < GATES.keys(), "without cash no gate is over it"


def test_every_asset_that_writes_reads_what_the_gates_before_a_write_are_given() -> None:
    # What stands and what the ledger allows it asks the ledger for, at that moment.
    wanted = frames_of(BEFORE_A_WRITE).keys() - STANDING.keys()
    assert wanted <= GATED.keys()


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_the_inputs_of_a_gate_are_known_and_are_those_of_its_function(gate: Gate) -> None:
    assert {*gate.inputs} <= INPUTS.keys()
    signature(gate.finds).bind(*gate.inputs)


def test_no_input_is_listed_that_no_gate_is_given() -> None:
    assert {name for gate in GATES.values() for name in gate.inputs} == INPUTS.keys()


@pytest.mark.parametrize(
    ("key", "pool"),
    [
        *((each, "ledger") for each in (keys.PARTNERS, keys.DRAFT_MOVES, keys.POSTED_MOVES)),
        (keys.SETTLEMENTS, "ledger"),
        *(
            (dg.AssetKey([name, noun]), name)
            for name in ("stripe", "lago")
            for noun in READS_A_SOURCE
        ),
    ],
    ids=str,
)
def test_writers_of_the_ledger_and_readers_of_a_source_queue_up(
    key: dg.AssetKey, pool: str
) -> None:
    assert GRAPH.get(key).pools == {pool}


def test_the_months_reach_from_the_first_period_to_the_one_that_counts_as_today() -> None:
    assert tuple(MONTHS.get_partition_keys()) == PERIODS
    assert months(Dataset.open(NEXA).settings()) == MONTHS


def test_a_day_that_counts_as_today_may_lie_ahead() -> None:
    ahead = Dataset.open(NEXA).settings().model_copy(update={"as_of": date(2031, 3, 31)})
    assert months(ahead).get_last_partition_key() == "2031-03"
