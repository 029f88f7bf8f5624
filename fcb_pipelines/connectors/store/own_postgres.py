"""Our own Postgres (FCB_POSTGRES_URL): transactions, and tables that bring themselves up to date.

schema = OwnSchema("fcb_intake", (CREATE, ADD_A_COLUMN), lock=7_023_190_427)
with transaction(url, "keeping usage", schema.bring_up) as connection: ...
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from psycopg2.extensions import parse_dsn

from fcb_pipelines.connectors.failures import Failure, NotAllowed, Unreachable

_VERSIONS = "fcb_schema_versions"


def only_grows(table: str) -> str:
    """The statement that lets a table take new rows alone: update, delete and truncate are refused."""
    return f"""
create or replace function {table}_only_grows() returns trigger language plpgsql as $$
begin
    raise exception '{table} is append-only' using errcode = 'insufficient_privilege';
end $$;
create or replace trigger {table}_only_grows
    before update or delete or truncate on {table}
    for each statement execute function {table}_only_grows();
"""


@contextmanager
def transaction(
    postgres_url: str, tried: str, prepare: Callable[[Connection], None]
) -> Iterator[Connection]:
    """One transaction, committed at the end of the block and rolled back where it raises.

    `postgres_url` is in libpq's or SQLAlchemy's form; `prepare` makes the tables. Raises Unreachable or
    NotAllowed, saying what was `tried`.
    """
    dsn = postgres_url.replace("postgresql+psycopg2://", "postgresql://", 1)
    try:
        # What the address asks for itself stays.
        options = f"{parse_dsn(dsn).get('options', '')} -c timezone=UTC".strip()
        connection = psycopg2.connect(dsn, application_name="fcb_pipelines", options=options)
    except psycopg2.OperationalError as error:
        raise Unreachable(tried, message(error), remedy="fcb doctor") from error
    try:
        with connection:
            prepare(connection)
            yield connection
    except psycopg2.Error as error:
        raise _failed(tried, error) from error
    finally:
        connection.close()


class OwnSchema:
    """Tables of ours under one name, made by statements that each run once in a database, in order."""

    def __init__(self, name: str, versions: Sequence[str], *, lock: int) -> None:
        self._name = name
        self.versions = tuple(versions)
        self._lock = lock
        self._made = False

    def bring_up(self, connection: Connection) -> None:
        """Run the statements that this database lacks. Asks the database once a process."""
        if self._made:
            return
        with connection.cursor() as cursor:
            if self._version(connection) < len(self.versions):
                cursor.execute("select pg_advisory_xact_lock(%s)", (self._lock,))
                cursor.execute(
                    f"create table if not exists {_VERSIONS} "
                    "(name text primary key, version integer not null)"
                )
                for statement in self.versions[self._version(connection) :]:
                    cursor.execute(statement)
                cursor.execute(
                    f"insert into {_VERSIONS} values (%s, %s) "  # noqa: S608 - a constant
                    "on conflict (name) do update set version = excluded.version",
                    (self._name, len(self.versions)),
                )
        connection.commit()
        self._made = True

    def _version(self, connection: Connection) -> int:
        """The number of statements that this database has had."""
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass(%s) is not null", (_VERSIONS,))
            ((there,),) = cursor.fetchall()
            if not there:
                return 0
            cursor.execute(f"select version from {_VERSIONS} where name = %s", (self._name,))  # noqa: S608 - a constant
            found = cursor.fetchone()
            return int(found[0]) if found else 0


def message(error: psycopg2.Error) -> str:
    """What Postgres said, in one line."""
    return " ".join(str(error).split())


def _failed(tried: str, error: psycopg2.Error) -> Failure:
    if isinstance(error, errors.InsufficientPrivilege):
        return NotAllowed(tried, message(error))
    return Unreachable(tried, message(error), remedy="fcb doctor")
