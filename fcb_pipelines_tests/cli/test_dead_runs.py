"""A killed run gives its place in the pools back to the next one; a living one keeps it."""

import socket
from collections.abc import Iterator

import dagster as dg
import pytest

from fcb_pipelines.cli.dead_runs import PROCESS_TAG, free_slots_of_dead_runs, this_process

GONE = f"{socket.gethostname()} 4194304 1.00"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(overrides={"concurrency": {"pools": {"default_limit": 1}}}) as made:
        yield made


def a_run_that_holds_the_ledger(instance: dg.DagsterInstance, process: str) -> str:
    run = instance.create_run_for_job(
        dg.job(name="month")(lambda: None),
        status=dg.DagsterRunStatus.STARTED,
        tags={PROCESS_TAG: process},
    )
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default("ledger")
    assert storage.claim_concurrency_slot("ledger", run.run_id, "step").is_claimed
    return run.run_id


def holders(instance: dg.DagsterInstance) -> set[str]:
    info = instance.event_log_storage.get_concurrency_info("ledger")
    return {slot.run_id for slot in info.claimed_slots}


def test_the_slot_of_a_killed_process_is_freed_and_its_run_has_failed(
    instance: dg.DagsterInstance,
) -> None:
    run_id = a_run_that_holds_the_ledger(instance, GONE)
    assert free_slots_of_dead_runs(instance) == (run_id,)
    assert holders(instance) == set()
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize(
    "process",
    [this_process(), "another-host 1 1.00", ""],
    ids=["this process", "another host", "launched by the daemon"],
)
def test_a_run_that_may_be_alive_keeps_its_slot(instance: dg.DagsterInstance, process: str) -> None:
    run_id = a_run_that_holds_the_ledger(instance, process)
    assert free_slots_of_dead_runs(instance) == ()
    assert holders(instance) == {run_id}
