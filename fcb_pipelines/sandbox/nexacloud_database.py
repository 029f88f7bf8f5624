"""NexaCloud's database in the sandbox: a dataset's CSV files as Postgres tables."""

import csv
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES, ColumnType
from fcb_pipelines.sandbox.dataset import Dataset, DatasetProblem
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres

FOLDER = "nexacloud"


def load_nexacloud(server: EmbeddedPostgres, database: str, dataset: Dataset) -> bool:
    """Replace the tables of `database` by the dataset's files; False when they are loaded already.

    A table has the columns of its file's header, those of the contract with their types and others as
    text; without a file it has all of the contract's columns and no row. There are no keys or
    constraints, so that any content can be loaded and is judged by the contract. Raises DatasetProblem
    naming file, line and value; then nothing has changed.
    """
    folder = dataset.path / FOLDER
    _refuse_unknown_files(folder)
    digest = _digest(folder)
    with server.connect(database) as connection:
        # An extract that runs meanwhile would see empty tables, so they are replaced only if need be.
        if _loaded_digest(connection) == digest:
            return False
        for table in ALL_TABLES:
            _load(connection, table, folder / f"{table}.csv")
        _record_digest(connection, digest)
    return True


def _load(connection: Connection, table: str, file: Path) -> None:
    types = {column.name: _sql_type(column.type, column.name) for column in ALL_TABLES[table]}
    header = _header(file) if file.exists() else tuple(types)
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types.get(name, "text")))
        for name in header
    ]
    into = sql.Identifier(table)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("drop table if exists {} cascade").format(into))
        cursor.execute(sql.SQL("create table {} ({})").format(into, sql.SQL(", ").join(columns)))
        if not file.exists():
            return
        copy = sql.SQL("copy {} from stdin (format csv, header match, null '', force_null *)")
        try:
            with _opened(file) as rows:
                cursor.copy_expert(copy.format(into), rows)
        except psycopg2.DataError as error:
            detail = " ".join(str(error).split())
            raise DatasetProblem(f"{file}: {detail}") from error


def _header(file: Path) -> tuple[str, ...]:
    with _opened(file) as rows:
        header = tuple(next(csv.reader(rows), ()))
    if not header or "" in header or len(set(header)) < len(header):
        raise DatasetProblem(f"{file}: the first line names each column once, not {header}")
    return header


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """The file as text, without the byte order mark that spreadsheets write."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as rows:
            yield rows
    except UnicodeDecodeError as error:
        raise DatasetProblem(f"{file} is not UTF-8 text: {error}") from error


def _sql_type(kind: ColumnType, name: str) -> str:
    """The column type; where the contract allows instant or day, a name in `_date` is a day."""
    if kind is ColumnType.MOMENT:
        return "date" if name.endswith("_date") else "timestamptz"
    return kind.value


def _refuse_unknown_files(folder: Path) -> None:
    unknown = sorted(file.name for file in folder.glob("*.csv") if file.stem not in ALL_TABLES)
    if unknown:
        raise DatasetProblem(
            f"{folder}: no table for {', '.join(unknown)}; use {', '.join(ALL_TABLES)}"
        )


def _digest(folder: Path) -> str:
    """One hash over the contract's columns and every file."""
    digest = hashlib.sha256(repr(ALL_TABLES).encode())
    for table in ALL_TABLES:
        file = folder / f"{table}.csv"
        content = file.read_bytes() if file.exists() else None
        digest.update(f"\0{table}\0{None if content is None else len(content)}\0".encode())
        digest.update(content or b"")
    return digest.hexdigest()


def _loaded_digest(connection: Connection) -> str | None:
    """The digest of the loaded files: the schema's comment, since NexaCloud has no table for it."""
    with connection.cursor() as cursor:
        cursor.execute("select obj_description('public'::regnamespace, 'pg_namespace')")
        ((comment,),) = cursor.fetchall()
        return None if comment is None else str(comment)


def _record_digest(connection: Connection, digest: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("comment on schema public is %s", (digest,))
