"""The log of read-backs: the state of each external id in the ledger, and the time it was seen.

Deleting a move in a ledger deletes its external id too, so the ledger alone can't distinguish "never
written" from "removed by a person". This log can. It is append-only: the table itself refuses
updates and deletes. Nothing else relies on it; exactly-once is the ledger's own unique key.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from psycopg2.extras import execute_values

from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.store.own_postgres import only_grows, transaction
from fcb_pipelines.core.ledger.moves import RELEASED, Seen

TABLE = "fcb_readback_log"

EntryKind = Literal["move", "settlement"]

# Any number that no other program of this database locks under.
_LOCK = 7_023_190_426

_CREATE = f"""
create table if not exists {TABLE} (
    id bigint generated always as identity primary key,
    ledger text not null,
    external_id text not null,
    kind text not null check (kind in ('move', 'settlement')),
    state text not null,
    content_hash text,
    observed_at timestamptz not null default clock_timestamp(),
    run_id text not null,
    reason text
);
create index if not exists {TABLE}_latest on {TABLE} (ledger, external_id, id desc);
""" + only_grows(TABLE)

_COLUMNS = "external_id, kind, state, content_hash, observed_at, run_id, reason"
_LAST = (
    f"select distinct on (external_id) {_COLUMNS} from {TABLE} where ledger = %s "  # noqa: S608 - constants
    "order by external_id, id desc"
)
# One look into the index for each: a condition on all of them would have Postgres read the whole log.
_LAST_OF = f"""
select last.* from unnest(%s::text[]) as wanted (ref)
cross join lateral (
    select {_COLUMNS} from {TABLE} where ledger = %s and external_id = wanted.ref order by id desc limit 1
) as last
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One read-back: the state of `ref` in the ledger. Only a release has a `reason`."""

    ref: str
    kind: EntryKind
    state: str
    content_hash: str | None
    observed_at: datetime
    run_id: str
    reason: str | None = None

    @property
    def seen(self) -> Seen:
        """The entry as the rules of `core` need it."""
        return Seen(ref=self.ref, state=self.state, content_hash=self.content_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One move or settlement read back just now; it is logged if its state or hash is new."""

    ref: str
    kind: EntryKind
    state: str
    content_hash: str | None


class ReadBackLog:
    """The log in one database. `postgres_url` in libpq's or SQLAlchemy's form.

    The table is made on first use. `ledger` is the identity of a set of books: two ledgers never
    share an entry. All methods raise Unreachable or NotAllowed.
    """

    def __init__(self, postgres_url: str) -> None:
        self.postgres_url = postgres_url
        self._made = False

    def append(self, ledger: str, observed: Sequence[Observation], *, run_id: str) -> int:
        """Log the observations that differ from the last entry of their ref; returns their number.

        Writers take turns, so a change that two runs observe is logged once.
        """
        with self._transaction("logging read-backs") as connection:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            known = _latest(connection, ledger, [each.ref for each in observed])
            news = {
                each.ref: each
                for each in observed
                if each.ref not in known or _differs(each, known[each.ref])
            }
            rows = [
                (ledger, each.ref, each.kind, each.state, each.content_hash, run_id)
                for each in news.values()
            ]
            with connection.cursor() as cursor:
                execute_values(
                    cursor,
                    f"insert into {TABLE} (ledger, external_id, kind, state, content_hash, run_id)"  # noqa: S608 - a constant
                    " values %s",
                    rows,
                    page_size=1000,
                )
        return len(rows)

    def latest(self, ledger: str, refs: Collection[str] | None = None) -> dict[str, LogEntry]:
        """The last entry of each of these refs, or of all; a ref never seen is left out."""
        with self._transaction("reading the log of read-backs") as connection:
            return _latest(connection, ledger, refs)

    def release(self, ledger: str, ref: str, reason: str, *, run_id: str = "by hand") -> None:
        """Log that `ref` may be written again. Raises NotFound for a ref never seen in this ledger."""
        tried = f"releasing {ref} in {ledger}"
        with self._transaction(tried) as connection:
            known = _latest(connection, ledger, [ref])
            if ref not in known:
                raise NotFound(tried, "it was never read back there", remedy="fcb status")
            with connection.cursor() as cursor:
                cursor.execute(
                    f"insert into {TABLE} (ledger, external_id, kind, state, run_id, reason)"  # noqa: S608 - a constant
                    " values (%s, %s, %s, %s, %s, %s)",
                    (ledger, ref, known[ref].kind, RELEASED, run_id, reason),
                )

    def _transaction(self, tried: str) -> AbstractContextManager[Connection]:
        return transaction(self.postgres_url, tried, self._make)

    def _make(self, connection: Connection) -> None:
        if self._made:
            return
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass(%s) is not null", (TABLE,))
            ((there,),) = cursor.fetchall()
            if not there:
                cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
                cursor.execute(_CREATE)
        connection.commit()
        self._made = True


def _latest(
    connection: Connection, ledger: str, refs: Collection[str] | None
) -> dict[str, LogEntry]:
    query, values = (_LAST, (ledger,)) if refs is None else (_LAST_OF, (list({*refs}), ledger))
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return {
            row[0]: LogEntry(
                ref=row[0],
                kind=row[1],
                state=row[2],
                content_hash=row[3],
                observed_at=row[4],
                run_id=row[5],
                reason=row[6],
            )
            for row in cursor.fetchall()
        }


def _differs(observed: Observation, entry: LogEntry) -> bool:
    return (observed.state, observed.content_hash) != (entry.state, entry.content_hash)
