"""The lease of a run: whoever runs it says every few seconds that it is alive.

A row of `fcb_run_leases` is one run that is being executed: its process and when that last gave a sign.
Postgres's clock alone decides, and a process is known by its place after the machine's start: a clock that
is wrong, or put right meanwhile, ends no run. The process that puts a run's start on record takes the lease,
so it holds for every launcher; a thread renews it; the run's end gives it back.
"""

import logging
import os
import signal
import socket
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

RENEWED_EVERY = 10.0
"""Seconds between two signs of life."""

LAPSES_AFTER = 60.0
"""Seconds without a sign of life after which a run is over."""

_TABLE = """
create table if not exists fcb_run_leases (
    run_id text primary key,
    host text not null,
    pid integer not null,
    process_start double precision not null,
    process_ticks bigint,
    taken_at timestamptz not null default clock_timestamp(),
    renewed_at timestamptz not null default clock_timestamp()
)"""
# A version before this one knew a process by the time of its start alone.
_READY = """
select count(*) from pg_attribute
where attrelid = to_regclass('fcb_run_leases') and attname = 'process_ticks'"""
_ADD = "alter table fcb_run_leases add column if not exists process_ticks bigint"
# Two processes that create a table at once would collide.
_LOCK = 7_041_952_210
# Nobody could renew while Postgres was away, so that its start counts as a sign of life.
_ALL = """
select run_id, host, pid, process_start, (to_jsonb(fcb_run_leases) ->> 'process_ticks')::bigint, taken_at,
    extract(epoch from clock_timestamp() - greatest(renewed_at, pg_postmaster_start_time()))
from fcb_run_leases"""
_TAKE = """
insert into fcb_run_leases (run_id, host, pid, process_start, process_ticks)
values (:run, :host, :pid, :start, :ticks)
on conflict (run_id) do update set host = :host, pid = :pid, process_start = :start, process_ticks = :ticks,
    taken_at = clock_timestamp(), renewed_at = clock_timestamp()"""
_RENEW = """
update fcb_run_leases set renewed_at = clock_timestamp()
where run_id = any(:runs) and host = :host and pid = :pid returning run_id"""
_END = "delete from fcb_run_leases where run_id = :run"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A run in execution: the process that has it, and the seconds since its last sign of life.

    `process_ticks` are clock ticks from the machine's start to that of the process, which no clock changes;
    None where the system does not tell them.
    """

    run_id: str
    host: str
    pid: int
    process_start: float
    process_ticks: int | None
    taken_at: datetime
    silent_for: float

    @property
    def has_lapsed(self) -> bool:
        """Whether the run is over: no sign for a minute, or its process is gone from this machine."""
        return self.silent_for > LAPSES_AFTER or (
            self.host == socket.gethostname() and not self._is_running
        )

    @property
    def _is_running(self) -> bool:
        if self.process_ticks is not None:
            return _process_ticks(self.pid) == self.process_ticks
        return _process_start(self.pid) == self.process_start


class Leases:
    """The leases in one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all_of(self) -> tuple[Lease, ...]:
        """Every lease, the oldest first; none where no run ever took one."""
        with self._engine.connect() as connection:
            if not connection.execute(text("select to_regclass('fcb_run_leases')")).scalar():
                return ()
            rows = connection.execute(text(f"{_ALL} order by taken_at")).all()
        return tuple(
            Lease(
                run_id=run_id,
                host=host,
                pid=pid,
                process_start=start,
                process_ticks=ticks,
                taken_at=taken_at,
                silent_for=float(silent),
            )
            for run_id, host, pid, start, ticks, taken_at, silent in rows
        )

    def take(self, run_id: str) -> None:
        """Take the lease of a run for this process, which renews it from now on."""
        with self._engine.connect() as connection:
            if not connection.execute(text(_READY)).scalar():
                connection.execute(text(f"select pg_advisory_lock({_LOCK})"))
                try:
                    connection.execute(text(_TABLE))
                    connection.execute(text(_ADD))
                finally:
                    connection.execute(text(f"select pg_advisory_unlock({_LOCK})"))
            pid = os.getpid()
            named = {"run": run_id, "host": socket.gethostname(), "pid": pid}
            begun = {"start": _process_start(pid), "ticks": _process_ticks(pid)}
            connection.execute(text(_TAKE), {**named, **begun})
        _renewal.add(run_id, self._engine)

    def now(self) -> float:
        """The time by the clock of this database, seconds since 1970."""
        with self._engine.connect() as connection:
            asked = text("select extract(epoch from clock_timestamp())")
            return float(connection.execute(asked).scalar_one())

    def give_back(self, run_id: str) -> bool:
        """End the lease of a run, whoever has it; false where there was none."""
        _renewal.remove(run_id)
        with self._engine.connect() as connection:
            if not connection.execute(text("select to_regclass('fcb_run_leases')")).scalar():
                return False
            return connection.execute(text(_END), {"run": run_id}).rowcount > 0


class _Renewal:
    """The thread that renews the leases of this process; it ends with the last of them."""

    def __init__(self) -> None:
        self._held: dict[str, Engine] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, run_id: str, engine: Engine) -> None:
        with self._lock:
            self._held[run_id] = engine
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._renew_all, name="fcb leases", daemon=True
                )
                self._thread.start()

    def remove(self, run_id: str) -> None:
        with self._lock:
            self._held.pop(run_id, None)
            if not self._held:
                self._changed.set()

    def _renew_all(self) -> None:
        while True:
            self._changed.wait(RENEWED_EVERY)
            with self._lock:
                self._changed.clear()
                if not self._held:
                    self._thread = None
                    return
                held = dict(self._held)
            for engine in set(held.values()):
                self._renew(engine, [run for run, where in held.items() if where is engine])

    def _renew(self, engine: Engine, runs: list[str]) -> None:
        named = {"runs": runs, "host": socket.gethostname(), "pid": os.getpid()}
        try:
            with engine.connect() as connection:
                renewed = set(connection.execute(text(_RENEW), named).scalars())
        except DBAPIError as error:
            _log.warning("the lease of run %s was not renewed: %s", ", ".join(runs), error.orig)
            return
        with self._lock:
            lost = [run for run in runs if run in self._held and run not in renewed]
            for run in lost:
                del self._held[run]
        if lost:
            # Another process may be at the same month by now.
            _log.error("run %s was taken for dead while it slept; it stops", ", ".join(lost))
            os.kill(os.getpid(), signal.SIGTERM)


_renewal = _Renewal()


def _forget_parents_leases() -> None:
    global _renewal
    _renewal = _Renewal()


os.register_at_fork(after_in_child=_forget_parents_leases)


def _process_start(pid: int) -> float:
    try:
        return round(psutil.Process(pid).create_time(), 2)
    except psutil.NoSuchProcess:
        return 0.0


def _process_ticks(pid: int) -> int | None:
    """Ticks from the machine's start to this process's; None where Linux tells of no such process."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    # The second field is a name, which may hold anything: count from its end.
    state, *fields = told.rpartition(")")[2].split()
    return None if state == "Z" else int(fields[18])
