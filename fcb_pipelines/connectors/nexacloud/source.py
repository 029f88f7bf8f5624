"""NexaCloud's Postgres, read only: one snapshot of the tables in one transaction.

    snapshot = NexaCloudSource("postgresql://reader@db/nexacloud").snapshot(folder)
    read_frame(snapshot.files["invoices"].path)

The session refuses writes, every statement has a time limit, and rows go into the files by batches.
Contracts are checked by `connectors.nexacloud.contracts`, on the frames in the files.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pandas as pd
import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from psycopg2.extensions import make_dsn, parse_dsn

from fcb_pipelines.connectors.failures import (
    ContractBreach,
    Failure,
    NotAllowed,
    NotPrepared,
    TransientFailure,
    Unreachable,
)
from fcb_pipelines.connectors.nexacloud.columns import (
    as_read,
    columns_there,
    found_types,
    series,
)
from fcb_pipelines.connectors.nexacloud.copying import as_copied, copy
from fcb_pipelines.connectors.nexacloud.tables import (
    ALL_TABLES,
    METERED_TABLES,
    SERVICE_TABLES,
    TABLES,
    ColumnContract,
)
from fcb_pipelines.connectors.nexacloud.values import register_casts
from fcb_pipelines.connectors.retry import tried_again
from fcb_pipelines.connectors.stopping import stop_if_asked
from fcb_pipelines.connectors.store.frame_writer import FrameWriter
from fcb_pipelines.connectors.store.frames import FrameFile, write_frame

VARIABLE = "FCB_NEXACLOUD_DSN"
STATEMENT_TIMEOUT_SECONDS = 300
ROWS_A_FETCH = 10_000

_log = logging.getLogger(__name__)
_FAMILIAR = re.compile(r"^(postgres|postgresql)(\+\w+)?://", re.IGNORECASE)
_WRONG_LOGIN = ("authentication failed", "no pg_hba.conf entry", "no password supplied")
_WRONG_NAME = re.compile(r'(database|role) "[^"]*" does not exist')


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All tables as one transaction saw them, each a frame's file. A table that isn't there is a frame
    without columns, one of the other services' (`service_…`) a frame without rows.

    In a frame uuid and text are str, numeric is Decimal, timestamptz is datetime64[us, UTC]. A number or
    moment that nobody can count with (NaN, 44 BC) is text, a value of another type (an array) is bytes:
    both break the contract. `id` sorts by `taken_at`, the database's time; every frame's attrs have it
    as `snapshot`.
    """

    id: str
    taken_at: datetime
    files: Mapping[str, FrameFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class NexaCloudDescription:
    """NexaCloud's database as found. `problems` stop a sync, `warnings` do not: without a table that
    only the dual run reads, the books go on.

    `rows` counts each table; `missing` names tables and columns (`invoices.paid_at`).
    """

    version: str
    database: str
    role: str
    rows: Mapping[str, int]
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def libpq_dsn(dsn: str) -> tuple[str, str | None]:
    """The DSN in libpq's form, and the correction that it needed (None: none).

    A SQLAlchemy-style URL is corrected: the driver goes, asyncpg's `ssl` becomes `sslmode`. Raises
    NotPrepared for any other text that is no Postgres DSN. No message ever shows a password.
    """
    given = dsn.strip()
    correction = None
    found = _FAMILIAR.match(given)
    if found and found.group(2):
        given = _plain_url(given)
        correction = (
            f"{VARIABLE} begins with {found.group(0)}, which is SQLAlchemy's form; read as "
            f"{_without_password(given)}: write it so"
        )
    if not _is_dsn(given):
        raise NotPrepared(
            f"reading {VARIABLE}",
            "it is no Postgres address in libpq's form",
            remedy=f"{VARIABLE}=postgresql://reader@host:5432/nexacloud",
        )
    return given, correction


class NexaCloudSource:
    """Reads NexaCloud's database. `dsn` is libpq's form; another one is corrected and logged."""

    def __init__(
        self, dsn: str, *, statement_timeout_seconds: int = STATEMENT_TIMEOUT_SECONDS
    ) -> None:
        self._dsn, self._correction = libpq_dsn(dsn)
        self._timeout = statement_timeout_seconds
        if self._correction:
            _log.warning(self._correction)

    def snapshot(self, folder: Path) -> Snapshot:
        """Every table as one REPEATABLE READ, READ ONLY transaction sees it, as files in `folder`.

        A table that keeps its contract's types is copied by batches; any other one is read as a whole.
        Raises Unreachable, NotAllowed or TransientFailure; a table or column that is missing is
        left to the contract.
        """
        folder.mkdir(exist_ok=True, mode=0o700)
        with self.session() as connection:
            with connection.cursor() as cursor:
                cursor.execute("select transaction_timestamp()")
                ((taken_at,),) = cursor.fetchall()
            taken_at = taken_at.astimezone(UTC)
            known_as = taken_at.strftime("%Y%m%dT%H%M%S.%fZ")
            files = {
                table: self._extract(connection, table, folder / f"{table}.parquet", known_as)
                for table in ALL_TABLES
            }
        return Snapshot(id=known_as, taken_at=taken_at, files=files)

    def describe(self) -> NexaCloudDescription:
        """Version, role, its rights, row counts, and missing tables and columns. Reads only."""
        rows: dict[str, int] = {}
        missing: list[str] = []
        problems: list[str] = []
        writable: list[str] = []
        with self.session() as connection, connection.cursor() as cursor:
            cursor.execute(
                "select current_setting('server_version'), current_database(), current_user, "
                "(select rolsuper from pg_roles where rolname = current_user)"
            )
            ((version, database, role, superuser),) = cursor.fetchall()
            for table in TABLES:
                there = columns_there(connection, table)
                wanted = [column.name for column in TABLES[table] if not column.optional]
                missing += [f"{table}.{name}" for name in wanted if there and name not in there]
                if not there:
                    missing.append(table)
                    continue
                cursor.execute(
                    "select has_table_privilege(%s, 'select'), "
                    "has_table_privilege(%s, 'insert, update, delete, truncate')",
                    (table, table),
                )
                ((may_read, may_write),) = cursor.fetchall()
                writable += [table] * may_write
                if not may_read:
                    problems.append(f"role {role} may not read {table}: {_grant(table, role)}")
                    continue
                cursor.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table)))
                ((rows[table],),) = cursor.fetchall()
        warnings = [self._correction] if self._correction else []
        for name in missing:
            reported = warnings if name.split(".")[0] in METERED_TABLES else problems
            reported.append(f"{name} is missing: the schema may have changed")
        if superuser:
            warnings.append(f"role {role} is a superuser: use a role that can only read")
        elif writable:
            warnings.append(f"role {role} could write {', '.join(writable)}: use a reading role")
        return NexaCloudDescription(
            version=version,
            database=database,
            role=role,
            rows=rows,
            missing=tuple(missing),
            problems=tuple(problems),
            warnings=tuple(warnings),
        )

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A session that refuses writes, in one repeatable-read transaction that is rolled back."""
        tried = f"reading NexaCloud at {_without_password(self._dsn)}"

        def connect() -> Connection:
            stop_if_asked()
            try:
                return psycopg2.connect(make_dsn(self._dsn, **self._guards()))
            except psycopg2.OperationalError as error:
                raise _no_connection(tried, error) from error

        connection = tried_again(connect)
        try:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            register_casts(connection)
            yield connection
        except psycopg2.Error as error:
            raise _failed(tried, error) from error
        finally:
            connection.close()

    def _guards(self) -> dict[str, str | int]:
        """Connection parameters that hold from the session's first moment."""
        milliseconds = self._timeout * 1000
        ours = (
            f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} "
            "-c idle_in_transaction_session_timeout=600000 -c timezone=UTC "
            "-c client_encoding=UTF8"
        )
        asked = parse_dsn(self._dsn)
        return {
            "options": f"{asked.get('options', '')} {ours}".strip(),
            "application_name": asked.get("application_name", "fcb_pipelines"),
            "connect_timeout": asked.get("connect_timeout", 15),
        }

    def _extract(self, connection: Connection, table: str, path: Path, snapshot: str) -> FrameFile:
        stop_if_asked()
        there = columns_there(connection, table)
        columns = [column for column in ALL_TABLES[table] if column.name in there]
        if not columns:
            missing = SERVICE_TABLES.get(table, ())
            return _written(
                pd.DataFrame({c.name: series(c.type, []) for c in missing}), path, snapshot
            )
        found = found_types(connection, table, columns)
        read = as_read(columns, found)
        order = [read[c.name] for c in columns if c.key] or list(read.values())
        query = sql.SQL("select {} from {} order by {}").format(
            sql.SQL(", ").join(read.values()), sql.Identifier(table), sql.SQL(", ").join(order)
        )
        copied = as_copied(connection, table, columns, found)
        if copied is None:
            return _written(self._read(connection, table, columns, query), path, snapshot)
        with FrameWriter(path, copied.types, snapshot=snapshot) as writer:
            copy(connection, query, copied, writer)
        return writer.file

    def _read(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[ColumnContract],
        query: sql.Composable,
    ) -> pd.DataFrame:
        """The rows as Python's values: whatever stands in them reaches the contract."""
        with connection.cursor(name=f"extract_{table}") as cursor:
            cursor.itersize = ROWS_A_FETCH
            cursor.execute(query)
            rows = list(cursor)
        by_column = zip(*rows, strict=True) if rows else [()] * len(columns)
        return pd.DataFrame(
            {
                column.name: series(column.type, values)
                for column, values in zip(columns, by_column, strict=True)
            }
        )


def _written(frame: pd.DataFrame, path: Path, snapshot: str) -> FrameFile:
    frame.attrs["snapshot"] = snapshot
    write_frame(frame, path)
    return FrameFile(path=path, rows=len(frame))


def _is_dsn(given: str) -> bool:
    try:
        return bool(parse_dsn(given))
    except psycopg2.ProgrammingError:
        return False


def _plain_url(url: str) -> str:
    parts = urlsplit(_FAMILIAR.sub("postgresql://", url))
    asked = [("sslmode" if name == "ssl" else name, v) for name, v in parse_qsl(parts.query)]
    known = [(name, value) for name, value in asked if name not in _ASYNCPG_ONLY]
    return urlunsplit(parts._replace(query=urlencode(known, safe="/")))


_ASYNCPG_ONLY = frozenset({"prepared_statement_cache_size", "statement_cache_size"})


def _without_password(dsn: str) -> str:
    parts = parse_dsn(dsn)
    host = parts.get("host", "this machine")
    port = f":{parts['port']}" if "port" in parts else ""
    user = f"{parts['user']}@" if "user" in parts else ""
    return f"postgresql://{user}{host}{port}/{parts.get('dbname', '')}"


def _grant(table: str, role: str) -> str:
    return f"grant select on {table} to {role}"


def _no_connection(tried: str, error: psycopg2.OperationalError) -> Failure:
    message = " ".join(str(error).split())
    if any(words in message for words in _WRONG_LOGIN):
        return NotAllowed(tried, message, remedy=f"correct role and password in {VARIABLE}")
    if _WRONG_NAME.search(message):
        return NotPrepared(tried, message, remedy=f"correct {VARIABLE}")
    return Unreachable(tried, message, remedy=f"check network and {VARIABLE}, then `fcb doctor`")


def _failed(tried: str, error: psycopg2.Error) -> Failure:
    message = " ".join(str(error).split())
    if isinstance(error, errors.InsufficientPrivilege):
        return NotAllowed(tried, message, remedy="grant select on the tables to the role")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return NotAllowed(tried, f"the session refuses writes: {message}")
    if isinstance(error, errors.CharacterNotInRepertoire | errors.UntranslatableCharacter):
        fault = f"a text in another encoding than the database says ({message})"
        return ContractBreach(tried, fault, remedy="correct the text in NexaCloud")
    if isinstance(error, errors.QueryCanceled):
        return TransientFailure(tried, f"the statement took too long or was cancelled: {message}")
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return Unreachable(tried, message)
    return ContractBreach(tried, message)
