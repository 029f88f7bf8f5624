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
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dagster import DagsterEvent, DagsterEventType, DagsterInstance
from dagster._core.storage.base_storage import DagsterStorage
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

from fcb_pipelines.instance.dead_runs import end_dead_runs
from fcb_pipelines.instance.leases import Leases
from fcb_pipelines.instance.waiting import tell_of_waiting

# A run works in one thread. The threads of a daemon and of a webserver need more, for a moment.
KEPT_CONNECTIONS, FURTHER_CONNECTIONS = 2, 20

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
                # Postgres may have been restarted since a connection was used last.
                pool_pre_ping=True,
            )
            if statement_timeout:
                event.listen(
                    engine,
                    "connect",
                    lambda connection, _: set_pg_statement_timeout(connection, statement_timeout),
                )
            _engines[key] = engine
        return _engines[key]


def _after_fork() -> None:
    """A child never speaks on its parent's connections, and does not close them either."""
    global _lock
    _lock = threading.Lock()
    for engine in _engines.values():
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_after_fork)
