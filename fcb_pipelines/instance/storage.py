"""Dagster's storage in Postgres, over one small pool of connections a process.

dagster-postgres opens a connection for each statement, and that costs Postgres more than the statement.
`dagster.yaml` names this class instead:

    storage:
      custom:
        module: fcb_pipelines.instance.storage
        class: PooledPostgresStorage
        config:
          postgres_url: {env: FCB_POSTGRES_URL}
"""

import logging
import os
import select
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, EventLogEntry
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster._utils.concurrency import ConcurrencyClaimStatus
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from dagster_postgres.utils import (
    create_pg_engine,
    get_token_provider_from_config,
    pg_url_from_config,
    set_pg_statement_timeout,
)
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from fcb_pipelines.instance.dead_runs import end_dead_runs
from fcb_pipelines.instance.leases import Leases
from fcb_pipelines.instance.waiting import tell_of_waiting

# A run works in one thread. The threads of a daemon and of a webserver need more, for a moment.
KEPT_CONNECTIONS, FURTHER_CONNECTIONS = 2, 20

# A connection that nobody used for so many seconds may have been cut off without a word.
IDLE_SECONDS = 60

# What a step read and gave: only people read that, once the step's own events say that it happened.
_TOLD_WITH_THE_NEXT = {
    DagsterEventType.LOADED_INPUT,
    DagsterEventType.STEP_INPUT,
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.HANDLED_OUTPUT,
}
_ENDS = {DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED}

_log = logging.getLogger(__name__)
_engines: dict[tuple[str, int, object], Engine] = {}
_lock = threading.Lock()


class _Pooled:
    """A storage whose connections come from the process's pool."""

    postgres_url: str
    _engine: Engine
    _token_provider: Any

    def use_pool(self, statement_timeout: int = 0) -> None:
        """Take connections from the pool of this process; `statement_timeout` is in milliseconds."""
        self._engine = _engine(self.postgres_url, statement_timeout, self._token_provider)

    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """Called by the webserver, whose queries have a time limit."""
        self.use_pool(statement_timeout)

    def dispose(self) -> None:
        """Close the connections that nobody uses; the pool opens others when it is asked."""
        super().dispose()  # type: ignore[misc]
        self._engine.dispose()


class PooledRunStorage(_Pooled, PostgresRunStorage):
    """Runs, over the pool. Whoever puts a run's start on record has its lease until its end is there."""

    @property
    def leases(self) -> Leases:
        """The leases of the runs."""
        return Leases(self._engine)

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        """Called for every run that is made. Its age is by Postgres's clock, as that of its lease will be."""
        return self.add_historical_run(dagster_run, datetime.fromtimestamp(self.leases.now(), UTC))

    def handle_run_event(
        self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None
    ) -> None:
        """Called for every event of a run."""
        if event.event_type is DagsterEventType.RUN_START:
            self.leases.take(run_id)
        super().handle_run_event(run_id, event, update_timestamp)
        if event.event_type in _ENDS:
            self.leases.give_back(run_id)


class PooledEventLogStorage(_Pooled, PostgresEventLogStorage):
    """Events and pool slots, over the pool. A step that waits for a slot outlives a dead holder."""

    def use_pool(self, statement_timeout: int = 0) -> None:
        """Take connections from the pool of this process; `statement_timeout` is in milliseconds."""
        super().use_pool(statement_timeout)
        self._held: dict[str, list[EventLogEntry]] = {}
        self._there: set[str] = set()

    def store_event(self, event: EventLogEntry) -> None:
        """Called for every event of a run. Those of inputs and outputs are stored with the one that follows.

        A run that is killed loses those of its last step's that its own process alone knew.
        """
        if event.dagster_event_type in _TOLD_WITH_THE_NEXT:
            self._held.setdefault(event.run_id, []).append(event)
            return
        held = self._held.pop(event.run_id, None)
        if held:
            with self.run_connection(event.run_id) as connection:
                rows = [self._event_to_row(one) for one in held]
                connection.execute(SqlEventLogStorageTable.insert(), rows)
        super().store_event(event)

    def has_table(self, table_name: str) -> bool:
        """Whether the table is there; once there, it stays."""
        if table_name not in self._there and super().has_table(table_name):
            self._there.add(table_name)
        return table_name in self._there

    def has_asset_key_col(self, column_name: str) -> bool:
        """Whether the table of assets has this column; once there, it stays."""
        name = f"asset_keys.{column_name}"
        if name not in self._there and super().has_asset_key_col(column_name):
            self._there.add(name)
        return name in self._there

    def claim_concurrency_slot(
        self, concurrency_key: str, run_id: str, step_key: str, priority: int | None = None
    ) -> ConcurrencyClaimStatus:
        """Called by a step that needs a slot, again and again until it has one."""
        claim: ConcurrencyClaimStatus = super().claim_concurrency_slot(
            concurrency_key, run_id, step_key, priority
        )
        if claim.is_claimed:
            return claim
        for ended in end_dead_runs(self._instance):
            _log.warning("%s was put on record as failed: %s", ended, ended.why)
        tell_of_waiting(self._instance, concurrency_key, run_id)
        # Dagster would ask without a pause.
        time.sleep(1)
        retried: ConcurrencyClaimStatus = claim.with_sleep_interval(0.0)
        return retried


class PooledScheduleStorage(_Pooled, PostgresScheduleStorage):
    """Schedules and sensors, over the pool."""


class PooledPostgresStorage(DagsterPostgresStorage):
    """Dagster's three storages over one pool; its configuration is that of `storage: postgres`."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: Any = None,
    ) -> None:
        # Not DagsterPostgresStorage's own, which makes three storages without a pool.
        DagsterStorage.__init__(self)  # type: ignore[arg-type, no-untyped-call]
        self.postgres_url = postgres_url
        self.should_autocreate_tables = should_autocreate_tables
        self._inst_data = inst_data
        options = {"token_provider": token_provider}
        self._run_storage = PooledRunStorage(postgres_url, should_autocreate_tables, **options)
        self._event_log_storage = PooledEventLogStorage(
            postgres_url, should_autocreate_tables, **options
        )
        self._schedule_storage = PooledScheduleStorage(
            postgres_url, should_autocreate_tables, **options
        )
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage.use_pool()

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledPostgresStorage":
        """Called by Dagster with the `config` of dagster.yaml."""
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data,
            get_token_provider_from_config(config_value),
        )


def open_instance() -> DagsterInstance:
    """The instance of DAGSTER_HOME, over this storage also where its dagster.yaml says `postgres`.

    Such a file was written for the version before; the tables are the same.
    """
    found = DagsterInstance.get()
    if not isinstance(found.event_log_storage, PostgresEventLogStorage) or isinstance(
        found.event_log_storage, PooledEventLogStorage
    ):
        return found
    reference = found.get_ref()
    named = reference.storage_data
    if named is None:
        return found
    found.dispose()
    ours = ConfigurableClassData(__name__, PooledPostgresStorage.__name__, named.config_yaml)
    return DagsterInstance.from_ref(reference._replace(storage_data=ours))


def _engine(url: str, statement_timeout: int, token_provider: Any) -> Engine:
    """The pool of this process for these settings; many instances share it."""
    key = (url, statement_timeout, token_provider)
    with _lock:
        if key not in _engines:
            engine = create_pg_engine(
                url,
                token_provider,
                isolation_level="AUTOCOMMIT",
                pool_size=KEPT_CONNECTIONS,
                max_overflow=FURTHER_CONNECTIONS,
                pool_recycle=3600,
            )
            event.listen(engine, "checkin", _note_the_time)
            event.listen(engine, "checkout", partial(_refuse_a_dead_one, engine))
            if statement_timeout:
                event.listen(
                    engine,
                    "connect",
                    lambda connection, _: set_pg_statement_timeout(connection, statement_timeout),
                )
            _engines[key] = engine
        return _engines[key]


def _note_the_time(_: Any, record: ConnectionPoolEntry) -> None:
    record.info["left"] = time.monotonic()


def _refuse_a_dead_one(
    engine: Engine, connection: Any, record: ConnectionPoolEntry, _: object
) -> None:
    """Raise DisconnectionError, for which the pool opens another connection, where Postgres closed this one.

    Postgres says nothing on a connection that asks nothing, but that it ends: what can be read from an
    idle one is its end. One that was idle for long is asked, as its end may have been lost on the way.
    """
    left = record.info.get("left")
    if left is None:
        return
    end = select.poll()
    end.register(connection, select.POLLIN)
    if end.poll(0):
        raise DisconnectionError("Postgres closed the connection")
    if time.monotonic() - left > IDLE_SECONDS:
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError("Postgres does not answer on the connection") from error


def _after_fork() -> None:
    """A child never speaks on its parent's connections, and does not close them either."""
    global _lock
    _lock = threading.Lock()
    for engine in _engines.values():
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_after_fork)
