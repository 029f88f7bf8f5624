"""Runs whose process was killed, for real: on record as failed, and the next run starts."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psutil
import pytest
from dagster._core.test_utils import freeze_time
from sqlalchemy import text

from fcb_pipelines.instance import leases as leases_module
from fcb_pipelines.instance.dead_runs import end_dead_runs, end_hanging_runs, hanging_runs
from fcb_pipelines.instance.leases import Leases
from fcb_pipelines.instance.storage import PooledRunStorage
from fcb_pipelines.instance.waiting import Waiting, listening
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.instance.holder import month
from fcb_pipelines_tests.instance.instances import a_dagster_home, a_process, holders, until

Home = tuple[Path, dg.DagsterInstance]


@pytest.fixture
def home(
    postgres: EmbeddedPostgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    url = postgres.sqlalchemy_url(database)
    folder = a_dagster_home(tmp_path / "dagster", url)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    with dg.DagsterInstance.get() as instance:
        yield folder, instance


def the_run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    (run,) = instance.get_runs()
    return run


def statement(instance: dg.DagsterInstance, sql: str) -> None:
    storage = instance.run_storage
    assert isinstance(storage, PooledRunStorage)
    with storage.connect() as connection:
        connection.execute(text(sql))


def test_a_killed_run_is_put_on_record_as_failed_and_gives_its_place_back(home: Home) -> None:
    folder, instance = home
    with a_process(folder) as child:
        until(lambda: bool(holders(instance)))
        assert end_dead_runs(instance) == ()
        assert hanging_runs(instance) == ()
        child.kill()
        child.wait()
        (ended,) = end_dead_runs(instance)
    assert ended.run_id == the_run(instance).run_id
    assert str(child.pid) in ended.why
    assert the_run(instance).status is dg.DagsterRunStatus.FAILURE
    assert holders(instance) == set()
    assert end_dead_runs(instance) == ()


def test_a_run_of_another_machine_is_over_after_a_minute_of_silence_and_not_before(
    home: Home,
) -> None:
    folder, instance = home
    with a_process(folder) as child:
        until(lambda: bool(holders(instance)))
        child.kill()
        child.wait()
    statement(instance, "update fcb_run_leases set host = 'elsewhere'")
    assert end_dead_runs(instance) == ()
    statement(
        instance, "update fcb_run_leases set renewed_at = clock_timestamp() - interval '61 s'"
    )
    # A Postgres that was away, too, made everybody silent.
    assert len(end_dead_runs(instance)) == int(server_runs_for_a_minute(instance))


def test_a_run_that_was_made_and_never_begun_is_over_after_an_hour_and_not_before(
    home: Home,
) -> None:
    _, instance = home
    instance.add_run(dg.DagsterRun(job_name="month", run_id=str(uuid4())))
    assert end_dead_runs(instance) == ()
    statement(instance, "update runs set create_timestamp = create_timestamp - interval '59 min'")
    assert end_dead_runs(instance) == ()
    statement(instance, "update runs set create_timestamp = create_timestamp - interval '2 min'")
    (ended,) = end_dead_runs(instance)
    assert ended.why == "it was made and never begun"
    assert the_run(instance).status is dg.DagsterRunStatus.FAILURE
    assert end_dead_runs(instance) == ()


def test_a_run_made_by_a_machine_whose_clock_is_behind_is_as_old_as_postgres_says(
    home: Home,
) -> None:
    _, instance = home
    with freeze_time(datetime.now(UTC) - timedelta(hours=3)):
        instance.add_run(dg.DagsterRun(job_name="month", run_id=str(uuid4())))
    assert end_dead_runs(instance) == ()


def server_runs_for_a_minute(instance: dg.DagsterInstance) -> bool:
    storage = instance.run_storage
    assert isinstance(storage, PooledRunStorage)
    with storage.connect() as connection:
        asked = "select clock_timestamp() - pg_postmaster_start_time() > interval '60 s'"
        return bool(connection.execute(text(asked)).scalar())


@pytest.fixture
def taken(home: Home) -> Iterator[Leases]:
    """The leases, of which this process has one."""
    _, instance = home
    storage = instance.run_storage
    assert isinstance(storage, PooledRunStorage)
    storage.leases.take("a run")
    yield storage.leases
    for lease in storage.leases.all_of():
        storage.leases.give_back(lease.run_id)


def test_a_run_lives_on_though_the_clock_of_its_machine_is_put_right(
    home: Home, taken: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = psutil.Process.create_time
    # The system tells the start of a process by its clock of now.
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 3600)
    assert not taken.all_of()[0].has_lapsed
    # A lease of the version before knows no other time.
    statement(home[1], "update fcb_run_leases set process_ticks = null")
    assert taken.all_of()[0].has_lapsed


def test_leases_of_the_version_before_are_read_and_their_table_is_brought_up_to_date(
    home: Home, taken: Leases
) -> None:
    statement(home[1], "alter table fcb_run_leases drop column process_ticks")
    assert not taken.all_of()[0].has_lapsed
    taken.take("another")
    first, second = taken.all_of()
    assert (first.process_ticks, first.has_lapsed, second.has_lapsed) == (None, False, False)
    assert second.process_ticks is not None


def test_a_step_that_waits_says_who_has_the_pool_and_goes_on_once_that_run_is_killed(
    home: Home,
) -> None:
    folder, instance = home
    said: list[Waiting] = []
    with a_process(folder) as child:
        until(lambda: bool(holders(instance)))
        first = the_run(instance)

        def heard(waiting: Waiting) -> None:
            said.append(waiting)
            if len(said) == 2:
                child.kill()
                child.wait()

        began = time.process_time()
        with listening(heard):
            assert month.execute_in_process(instance=instance, raise_on_error=False).success
        assert time.process_time() - began < 5
    assert f"run {first.run_id[:8]} (month) has it" in str(said[0])
    assert f"as process {child.pid} on" in str(said[0])
    failed = instance.get_run_by_id(first.run_id)
    assert failed is not None
    assert failed.status is dg.DagsterRunStatus.FAILURE


def test_a_run_gives_its_lease_back_at_its_end_and_nobody_renews_it(home: Home) -> None:
    _, instance = home
    assert month.execute_in_process(instance=instance, raise_on_error=False).success
    storage = instance.run_storage
    assert isinstance(storage, PooledRunStorage)
    assert storage.leases.all_of() == ()
    until(lambda: not any(one.name == "fcb leases" for one in threading.enumerate()), 10)


def test_a_lease_is_renewed_while_its_run_lives(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, instance = home
    monkeypatch.setattr(leases_module, "RENEWED_EVERY", 0.1)
    storage = instance.run_storage
    assert isinstance(storage, PooledRunStorage)
    storage.leases.take("a run")
    try:
        statement(instance, "update fcb_run_leases set renewed_at = now() - interval '1 hour'")
        until(lambda: storage.leases.all_of()[0].silent_for < 5, 10)
    finally:
        storage.leases.give_back("a run")


def test_a_process_whose_run_was_taken_for_dead_while_it_slept_stops(home: Home) -> None:
    folder, instance = home
    with a_process(folder) as child:
        until(lambda: bool(holders(instance)))
        psutil.Process(child.pid).suspend()
        storage = instance.run_storage
        assert isinstance(storage, PooledRunStorage)
        (lease,) = storage.leases.all_of()
        assert Leases.give_back(storage.leases, lease.run_id)
        psutil.Process(child.pid).resume()
        child.wait(timeout=60)


def test_a_run_without_a_lease_is_named_and_ended_only_when_a_person_asks(home: Home) -> None:
    _, instance = home
    run = instance.create_run_for_job(month, status=dg.DagsterRunStatus.STARTED)
    statement(instance, "update runs set start_time = 1000000000")
    instance.event_log_storage.initialize_concurrency_limit_to_default("ledger")
    assert instance.event_log_storage.claim_concurrency_slot("ledger", run.run_id, "s").is_claimed
    assert end_dead_runs(instance) == ()
    (named,) = hanging_runs(instance)
    assert named.run_id == run.run_id
    assert "no lease" in named.why
    assert [one.run_id for one in end_hanging_runs(instance)] == [run.run_id]
    assert the_run(instance).status is dg.DagsterRunStatus.FAILURE
    assert holders(instance) == set()
    assert hanging_runs(instance) == ()
