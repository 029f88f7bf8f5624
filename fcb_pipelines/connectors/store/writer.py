"""One writer of a ledger at a time, over all machines and deployments that share a Postgres.

Dagster's pool `ledger` keeps order within one deployment. This lock holds between several: an advisory
lock of Postgres, by the ledger's identity. A session has it, so Postgres frees it at once when the writer
dies. That nothing is written twice never rests on it, but on the ledger's own unique key.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from psycopg2.extensions import parse_dsn

from fcb_pipelines.connectors.failures import Busy, Failure, Unreachable
from fcb_pipelines.connectors.stopping import sleep
from fcb_pipelines.core.digests import digest

PATIENCE = 900.0
"""Seconds that a writer waits for another."""

_ASKS_EVERY = 0.5
# Postgres keeps no more of an application's name.
_LONGEST_NAME = 63

_DEPLOYMENT = """
select system_identifier::text || '/' || (select oid from pg_database where datname = current_database())
from pg_control_system()
"""

# The halves of a lock's number, as pg_locks has them.
_HOLDER = """
select application_name, client_addr, to_char(backend_start at time zone 'utc', 'YYYY-MM-DD HH24:MI')
from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and classid::bigint = %(lock)s >> 32 and objid::bigint = %(lock)s & 4294967295
"""


@cache
def deployment_of(postgres_url: str) -> str:
    """The deployment that this Postgres is of, without a space: its system's number and the database's.

    Every machine of a deployment comes to the same, by whatever address. Where the role may not read the number,
    it is the address. Asked once a process. Raises Unreachable.
    """
    dsn = postgres_url.replace("postgresql+psycopg2://", "postgresql://", 1)
    try:
        with (
            closing(psycopg2.connect(dsn, application_name="fcb_pipelines")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(_DEPLOYMENT)
            ((found,),) = cursor.fetchall()
            return str(found)
    except errors.InsufficientPrivilege:
        where = parse_dsn(dsn)
        return digest(" ".join(where.get(name, "") for name in ("host", "port", "dbname")))[:20]
    except psycopg2.Error as error:
        raise _lost("asking which deployment this is", error) from error


@contextmanager
def one_writer(
    postgres_url: str,
    ledger: str,
    *,
    who: str,
    waits: Callable[[str], None],
    patience: float = PATIENCE,
) -> Iterator[bool]:
    """Be the one writer of a ledger, named by its identity, in the block; true where another was first.

    `who` names this writer to the others; `waits` is called with the writer that is waited for. Raises
    Busy, which names it, after `patience` seconds, and Unreachable where the lock was lost in the block.
    """
    tried = f"writing {ledger}"
    lock = int(digest(ledger)[:15], 16)
    try:
        # A host that is gone is noticed on either side.
        connection = psycopg2.connect(
            postgres_url.replace("postgresql+psycopg2://", "postgresql://", 1),
            application_name=named(who)[:_LONGEST_NAME],
            keepalives_idle=30,
        )
    except psycopg2.OperationalError as error:
        raise _lost(tried, error) from error
    try:
        waited = _take(connection, lock, tried, waits, patience)
        try:
            yield waited
        except BaseException:
            with suppress(Unreachable):
                _give_back(connection, lock, tried)
            raise
        _give_back(connection, lock, tried)
    finally:
        connection.close()


def named(who: str) -> str:
    """The name of a writer for the others."""
    return f"fcb {who} on {socket.gethostname()}"


def _take(
    connection: Connection, lock: int, tried: str, waits: Callable[[str], None], patience: float
) -> bool:
    deadline = time.monotonic() + patience
    waited = False
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            while True:
                cursor.execute("select pg_try_advisory_lock(%s)", (lock,))
                ((taken,),) = cursor.fetchall()
                if taken:
                    return waited
                waited = True
                holder = _holder(connection, lock)
                waits(holder)
                if time.monotonic() > deadline:
                    raise Busy(
                        tried,
                        f"{holder} writes it, and did not end within {patience:.0f} s",
                        remedy="fcb doctor there, then fcb sync",
                    )
                sleep(_ASKS_EVERY)
    except psycopg2.Error as error:
        raise _lost(tried, error) from error


def _holder(connection: Connection, lock: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, {"lock": lock})
        found = cursor.fetchall()
    if not found:
        return "a writer that has just ended"
    # Of another role's session Postgres tells neither name nor start.
    ((name, address, since),) = found
    if name is None:
        return "a writer of another role"
    at = f" at {address}" if address else ""
    return f"{name}{at}, since {since} UTC,"


def _give_back(connection: Connection, lock: int, tried: str) -> None:
    """Free the lock before the session ends: a server ends it some time after it was closed here.

    Raises Unreachable where the session had the lock no more.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s)", (lock,))
    except psycopg2.Error as error:
        raise _lost(f"{tried} as its one writer", error) from error


def _lost(tried: str, error: psycopg2.Error) -> Failure:
    return Unreachable(tried, " ".join(str(error).split()), remedy="fcb doctor")
