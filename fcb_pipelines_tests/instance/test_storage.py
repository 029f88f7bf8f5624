"""The pool: few connections a process, none shared over a fork, none that a restart broke."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psycopg2
import pytest

from fcb_pipelines.config.environment import libpq_url
from fcb_pipelines.instance.storage import (
    KEPT_CONNECTIONS,
    PooledEventLogStorage,
    PooledPostgresStorage,
    open_instance,
)
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.instance.instances import a_dagster_home, until

Ask = Callable[[str], list[int]]


@dg.op
def an_op() -> None:
    """Does nothing; a run of it is only events."""


@dg.job
def a_job() -> None:
    an_op()


@pytest.fixture
def url(postgres: EmbeddedPostgres, database: str) -> str:
    return postgres.sqlalchemy_url(database)


@pytest.fixture
def instance(url: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(a_dagster_home(tmp_path, url))) as made:
        yield made


@pytest.fixture
def backends(url: str) -> Iterator[Ask]:
    """Asks Postgres of the backends of this database, other than its own."""
    connection = psycopg2.connect(libpq_url(url))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:

            def ask(what: str) -> list[int]:
                cursor.execute(
                    f"select {what} from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                )
                return [row[0] for row in cursor.fetchall()]

            yield ask
    finally:
        connection.close()


def a_run(instance: dg.DagsterInstance) -> bool:
    return a_job.execute_in_process(instance=instance, raise_on_error=False).success


def test_runs_of_one_process_share_the_same_few_connections(
    instance: dg.DagsterInstance, backends: Ask
) -> None:
    assert a_run(instance)
    before = set(backends("pid"))
    assert 0 < len(before) <= KEPT_CONNECTIONS
    assert a_run(instance)
    assert set(backends("pid")) == before


def test_every_event_of_a_run_is_on_record_in_its_order(instance: dg.DagsterInstance) -> None:
    @dg.op
    def gives() -> int:
        return 1

    @dg.op
    def takes(one: int) -> int:
        return one

    @dg.job
    def both() -> None:
        takes(gives())

    done = both.execute_in_process(instance=instance)
    stored = [
        entry.dagster_event
        for entry in instance.all_logs(done.run_id)
        if entry.dagster_event and entry.dagster_event.is_step_event
    ]
    told = [event for event in done.all_events if event.is_step_event]
    kinds = {event.event_type for event in stored}
    assert [(one.step_key, one.event_type) for one in stored] == [
        (one.step_key, one.event_type) for one in told
    ]
    assert {dg.DagsterEventType.LOADED_INPUT, dg.DagsterEventType.HANDLED_OUTPUT} <= kinds


def test_what_a_step_read_is_on_record_when_it_fails(instance: dg.DagsterInstance) -> None:
    @dg.op
    def gives() -> int:
        return 1

    @dg.op
    def fails(one: int) -> None:
        raise ValueError(one)

    @dg.job
    def both() -> None:
        fails(gives())

    done = both.execute_in_process(instance=instance, raise_on_error=False)
    stored = [
        entry.dagster_event.event_type
        for entry in instance.all_logs(done.run_id)
        if entry.dagster_event and entry.dagster_event.step_key == "fails"
    ]
    assert stored[-3:] == [
        dg.DagsterEventType.LOADED_INPUT,
        dg.DagsterEventType.STEP_INPUT,
        dg.DagsterEventType.STEP_FAILURE,
    ]


def test_another_instance_of_the_process_opens_no_connections_of_its_own(
    instance: dg.DagsterInstance, backends: Ask, tmp_path: Path
) -> None:
    assert a_run(instance)
    others = [dg.DagsterInstance.from_config(str(tmp_path)) for _ in range(5)]
    assert all(a_run(other) for other in others)
    assert len(backends("pid")) <= KEPT_CONNECTIONS


def test_an_instance_that_is_left_leaves_no_connection_and_others_go_on(
    instance: dg.DagsterInstance, backends: Ask, tmp_path: Path
) -> None:
    with dg.DagsterInstance.from_config(str(tmp_path)) as other:
        assert a_run(other)
    until(lambda: backends("pid") == [], 20)
    assert a_run(instance)


def test_connections_that_postgres_has_closed_are_replaced(
    instance: dg.DagsterInstance, backends: Ask
) -> None:
    assert a_run(instance)
    before = set(backends("pid"))
    backends("pg_terminate_backend(pid)::int")
    assert a_run(instance)
    assert before.isdisjoint(backends("pid"))


def test_a_forked_child_opens_its_own_connections_and_leaves_its_parents_alone(
    instance: dg.DagsterInstance, backends: Ask
) -> None:
    assert a_run(instance)
    before = set(backends("pid"))
    child = os.fork()
    if child == 0:
        os._exit(0 if instance.get_runs_count() == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert a_run(instance)
    assert set(backends("pid")) == before


def test_a_webservers_queries_have_a_time_limit(instance: dg.DagsterInstance) -> None:
    instance.optimize_for_webserver(statement_timeout=1500, pool_recycle=60, max_overflow=5)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        assert connection.exec_driver_sql("show statement_timeout").scalar() == "1500ms"


def test_an_instance_reaches_its_launched_runs_by_its_reference(
    instance: dg.DagsterInstance,
) -> None:
    assert a_run(instance)
    reference = dg._check.not_none(instance.get_ref())
    with dg.DagsterInstance.from_ref(reference) as launched:
        assert launched.get_runs_count() == 1
        assert isinstance(launched.event_log_storage, type(instance.event_log_storage))
        assert isinstance(reference.storage, PooledPostgresStorage)


def test_the_command_pools_and_leases_also_where_dagster_yaml_is_of_the_version_before(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = a_dagster_home(tmp_path, url, storage={"postgres": {"postgres_url": url}})
    monkeypatch.setenv("DAGSTER_HOME", str(before))
    with open_instance() as opened:
        assert isinstance(opened.event_log_storage, PooledEventLogStorage)
        assert a_run(opened)


def test_the_storage_that_the_version_before_named_works_on_the_same_tables(
    instance: dg.DagsterInstance, url: str, tmp_path: Path
) -> None:
    assert a_run(instance)
    before = a_dagster_home(tmp_path / "before", url, storage={"postgres": {"postgres_url": url}})
    with dg.DagsterInstance.from_config(str(before)) as older:
        assert older.get_runs_count() == 1
        assert a_run(older)
    assert instance.get_runs_count() == 2
