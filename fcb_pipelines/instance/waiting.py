"""A step that waits for its place in a pool says so: which run has it, and since when."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from fcb_pipelines.instance.dead_runs import in_words, leases_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run that waits for a pool, or for a `lock` in words, and each who has a place of it, in words."""

    run_id: str
    pool: str
    holders: tuple[str, ...]
    lock: str | None = None

    def __str__(self) -> str:
        """The wait in one line."""
        having = "; ".join(self.holders) or "nobody, and it will be free in a moment"
        return f"waiting for {self.lock or f'a place in the pool {self.pool}'}: {having}"


Listener = Callable[[Waiting], None]

# A wait is told of about each second; one of which nothing was heard for so many seconds is over.
_OVER_AFTER = 10.0


@dataclass(slots=True, kw_only=True)
class SaidWaits:
    """Says each wait once it begins, and once a minute how long it has lasted; times are in seconds."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    again_after: float = 60.0
    _begun: dict[Waiting, float] = field(default_factory=dict)
    _said: dict[Waiting, float] = field(default_factory=dict)
    _heard: dict[Waiting, float] = field(default_factory=dict)

    def __call__(self, waiting: Waiting) -> None:
        """Called about each second of a wait."""
        now = self.clock()
        if now - self._heard.get(waiting, now - 2 * _OVER_AFTER) > _OVER_AFTER:
            self._begun[waiting] = self._said[waiting] = now
            self.say(str(waiting))
        elif now - self._said[waiting] >= self.again_after:
            self._said[waiting] = now
            self.say(f"still {waiting}, for {now - self._begun[waiting]:.0f} s so far")
        self._heard[waiting] = now


_log = logging.getLogger(__name__)


class _Log:
    """Writes each wait once to the log of the process, which is the run's own where one was launched."""

    def __init__(self) -> None:
        self._told: set[Waiting] = set()

    def __call__(self, waiting: Waiting) -> None:
        if waiting not in self._told:
            self._told.add(waiting)
            _log.warning("%s", waiting)


_listeners: list[Listener] = [_Log()]


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """In the block `listener` is called, about each second of a wait, and nobody else."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell_of_waiting(instance: dg.DagsterInstance, pool: str, run_id: str) -> None:
    """Tell the listener that a step of this run waits for the pool. Passes on what it raises."""
    slots = instance.event_log_storage.get_concurrency_info(pool).claimed_slots
    holders = sorted({slot.run_id for slot in slots})
    told = tuple(_holder(instance, holder) for holder in holders)
    tell(Waiting(run_id=run_id, pool=pool, holders=told))


def tell(waiting: Waiting) -> None:
    """Tell the listener of a wait. Passes on what it raises."""
    _listeners[-1](waiting)


def _holder(instance: dg.DagsterInstance, run_id: str) -> str:
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return f"run {run_id[:8]}, which is no longer on record"
    since = ""
    if record.start_time is not None:
        since = f" runs since {datetime.fromtimestamp(record.start_time, UTC):%Y-%m-%d %H:%M} UTC"
    leases = leases_of(instance)
    at = [one for one in leases.all_of() if one.run_id == run_id] if leases else []
    process = f" as process {at[0].pid} on {at[0].host}" if at else ""
    return f"{in_words(record.dagster_run)} has it and{since}{process}"
