"""The queue of events and the log of their deliveries, in our own Postgres. Both tables only grow.

An event is a row, once for its id; what became of it are further rows of the log. The clock of all of them
is that of Postgres.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from psycopg2.extras import execute_values

from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.store.own_postgres import OwnSchema, only_grows, transaction
from fcb_pipelines.core.events.delivery import Logged, Queued, Standing, Step, disabled, standings
from fcb_pipelines.core.events.event import Event, event_of

EVENTS = "fcb_events"
LOG = "fcb_event_log"

# Any numbers that no other program of this database locks under: one for tables, one for writers.
_MAKING = 7_023_190_431
_QUEUEING = 7_023_190_432

_CREATE = f"""
create table {EVENTS} (
    sequence bigint generated always as identity primary key,
    event_id text not null unique,
    type text not null,
    service text not null,
    subject text not null,
    period text not null,
    body text not null,
    queued_at timestamptz not null default clock_timestamp(),
    run_id text not null
);
create index {EVENTS}_subject on {EVENTS} (subject, sequence);
create index {EVENTS}_period on {EVENTS} (period);
create table {LOG} (
    id bigint generated always as identity primary key,
    event_id text not null references {EVENTS} (event_id),
    step text not null,
    service text not null,
    endpoint text not null,
    status integer,
    detail text not null,
    at timestamptz not null default clock_timestamp(),
    run_id text not null
);
create index {LOG}_event on {LOG} (event_id, id);
create index {LOG}_step on {LOG} (step, service, endpoint, id);
""" + "".join(map(only_grows, (EVENTS, LOG)))

_COLUMNS = "sequence, event_id, type, service, subject, period, queued_at"
_ROWS = "event_id, step, at, service, endpoint, status, detail"
# Without a delivery, or sent away by a person, since it was last replayed.
_OPEN = f"""not exists (
    select from {LOG} done where done.event_id = e.event_id and done.step in ('delivered', 'dropped')
    and not exists (select from {LOG} again where again.event_id = e.event_id
                    and again.step = 'replayed' and again.id > done.id))"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The queue at one moment: the state of its events, and the services whose endpoint is gone."""

    now: datetime
    standings: tuple[Standing, ...]
    disabled: frozenset[str] = frozenset()


class EventQueue:
    """The queue in one database; `postgres_url` in libpq's or SQLAlchemy's form.

    The tables are made on first use. All methods raise Unreachable or NotAllowed.
    """

    def __init__(self, postgres_url: str) -> None:
        self.postgres_url = postgres_url
        self._schema = OwnSchema("fcb_events", (_CREATE,), lock=_MAKING)

    def put(self, events: Iterable[Event], *, run_id: str) -> int:
        """Queue these events in their order; returns the number of those that were not there yet."""
        rows = [
            (one.id, one.type, one.service, one.subject, one.period, one.body, run_id)
            for one in events
        ]
        with self._transaction("queueing events") as connection, connection.cursor() as cursor:
            # Places in the queue grow in the order in which they become visible.
            cursor.execute("select pg_advisory_xact_lock(%s)", (_QUEUEING,))
            new = execute_values(
                cursor,
                f"insert into {EVENTS} (event_id, type, service, subject, period, body, run_id) "  # noqa: S608 - a constant
                "values %s on conflict (event_id) do nothing returning event_id",
                rows,
                fetch=True,
            )
        return len(new)

    def told(self, period: str, subjects: Collection[str]) -> tuple[Event, ...]:
        """The events of a month and those of these subjects, in the order of the queue."""
        with self._transaction("reading events") as connection, connection.cursor() as cursor:
            cursor.execute(
                f"select body, subject, period from {EVENTS} "  # noqa: S608 - a constant
                "where period = %s or subject = any(%s) order by sequence",
                (period, list(subjects)),
            )
            rows = cursor.fetchall()
        return tuple(event_of(body, subject=subject, period=month) for body, subject, month in rows)

    def look(self, endpoints: Mapping[str, str] | None = None, *, every: bool = False) -> Look:
        """The events that are not done, or `every` one; `endpoints` has the digest of each service's URL."""
        chosen = "true" if every else _OPEN
        with self._transaction("reading the queue of events") as connection:
            with connection.cursor() as cursor:
                cursor.execute("select clock_timestamp()")
                ((now,),) = cursor.fetchall()
                cursor.execute(
                    f"select {_COLUMNS} from {EVENTS} e where {chosen} order by sequence"  # noqa: S608 - constants
                )
                queued = tuple(map(_queued, cursor.fetchall()))
            log = _log_of(connection, None if every else [one.id for one in queued])
            gone = _switches(connection, endpoints) if endpoints else ()
        return Look(
            now=now,
            standings=standings(queued, log),
            disabled=disabled(gone, dict(endpoints or {})),
        )

    def find(self, event_id: str) -> tuple[Standing, str, tuple[Logged, ...]]:
        """One event: its state, its body and its log. Raises NotFound."""
        tried = f"looking up event {event_id}"
        with self._transaction(tried) as connection:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"select {_COLUMNS}, body from {EVENTS} where event_id = %s",  # noqa: S608 - constants
                    (event_id,),
                )
                rows = cursor.fetchall()
            log = _log_of(connection, [event_id])
        if not rows:
            raise NotFound(tried, "the queue has no event of this id", remedy="fcb events list")
        (row,) = rows
        (standing,) = standings([_queued(row)], log)
        return standing, str(row[-1]), log

    def bodies(self, ids: Collection[str]) -> dict[str, str]:
        """The bodies of these events, by id."""
        with self._transaction("reading events") as connection, connection.cursor() as cursor:
            cursor.execute(
                f"select event_id, body from {EVENTS} where event_id = any(%s)",  # noqa: S608 - a constant
                (list(ids),),
            )
            return dict(cursor.fetchall())

    def log(
        self,
        step: Step,
        event: Queued,
        *,
        endpoint: str,
        run_id: str,
        status: int | None = None,
        detail: str = "",
    ) -> datetime:
        """Add a row to the log; returns its moment."""
        with (
            self._transaction(f"logging {step} of {event.id}") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"insert into {LOG} (event_id, step, service, endpoint, status, detail, run_id) "  # noqa: S608 - a constant
                "values (%s, %s, %s, %s, %s, %s, %s) returning at",
                (event.id, step, event.service, endpoint, status, detail, run_id),
            )
            ((at,),) = cursor.fetchall()
        moment: datetime = at
        return moment

    def _transaction(self, tried: str) -> AbstractContextManager[Connection]:
        return transaction(self.postgres_url, tried, self._schema.bring_up)


def _log_of(connection: Connection, ids: Sequence[str] | None) -> tuple[Logged, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {_ROWS} from {LOG} where %(every)s or event_id = any(%(ids)s) order by id",  # noqa: S608 - constants
            {"every": ids is None, "ids": list(ids or ())},
        )
        return tuple(map(_logged, cursor.fetchall()))


def _switches(connection: Connection, endpoints: Mapping[str, str]) -> tuple[Logged, ...]:
    """The last row of each endpoint that says that it is gone, or that a person replayed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select distinct on (service, endpoint) {_ROWS} from {LOG} "  # noqa: S608 - constants
            "where step in ('gone', 'replayed') and endpoint = any(%s) "
            "order by service, endpoint, id desc",
            (list(endpoints.values()),),
        )
        return tuple(map(_logged, cursor.fetchall()))


def _queued(row: Sequence[object]) -> Queued:
    names = ("sequence", "id", "type", "service", "subject", "period", "queued_at")
    values: dict[str, object] = dict(zip(names, row, strict=False))
    return Queued(**values)  # type: ignore[arg-type] # the columns are its fields, in order


def _logged(row: Sequence[object]) -> Logged:
    names = ("event_id", "step", "at", "service", "endpoint", "status", "detail")
    values: dict[str, object] = dict(zip(names, row, strict=True))
    values["step"] = Step(str(values["step"]))
    return Logged(**values)  # type: ignore[arg-type] # the columns are its fields, in order
