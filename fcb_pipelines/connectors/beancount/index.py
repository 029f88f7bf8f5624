"""Which files of the books an answer needs, kept beside them: external id -> the entries that mention it.

The index is derived from the files alone. A file whose signature differs from the one it was searched
with is searched anew before any answer; where the index can't be used, the answer is the whole books.
"""

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path

from fcb_pipelines.connectors.beancount.loading import MAIN, Signature, is_month
from fcb_pipelines.connectors.beancount.scan import (
    OF_BALANCE,
    Scan,
    Shape,
    balance_stated,
    scan,
    statement_of,
)

FILE = ".index"
VERSION = 2
WAIT_SECONDS = 60
BATCH = 500

_TABLES = (
    "drop table if exists mention",
    "drop table if exists file",
    "create table file (id integer primary key, name text unique, signature text, shape text)",
    "create table mention (name text, file integer, entry integer, holds integer,"
    " primary key (name, file, entry, holds)) without rowid",
    "create index by_entry on mention (file, entry)",
    f"pragma user_version = {VERSION}",
)


class Index:
    """The index of the books in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(
        self,
        signatures: Mapping[str, Signature],
        names: Collection[str],
        stated_after: date | None = None,
    ) -> frozenset[str] | None:
        """The files, of those with `signatures`, that have all that the answers for `names` need.

        A document's answer needs the entries that name it and the documents that these name; a
        settlement's the same of each document that it names; a statement's the one before it. With
        `stated_after` also those with a balance of ours that is stated after that day. None: only the whole
        books have it.
        """
        try:
            with self._transaction(signatures) as index:
                shapes: dict[str, str] = dict(index.execute("select name, shape from file"))
                if Shape.WHOLE in shapes.values():
                    return None
                each_time = {
                    name
                    for name, shape in shapes.items()
                    if shape == Shape.SHARED or not is_month(name)
                }
                return frozenset(each_time | _needed(index, names, stated_after))
        except sqlite3.OperationalError:
            # No right to write here, a full disk, another process that takes long.
            return None
        except sqlite3.DatabaseError:
            with suppress(OSError):
                (self._folder / FILE).unlink()
            return None
        except FileNotFoundError:
            # Renamed by a person between two looks; the whole is read by Beancount's own rules.
            return None

    @contextmanager
    def _transaction(self, signatures: Mapping[str, Signature]) -> Iterator[sqlite3.Connection]:
        """The index, true to the files as they are, unchanged by others meanwhile."""
        with closing(self._open()) as index:
            index.execute("begin")
            if not _is_ours(index) or _stale(index, signatures):
                index.execute("rollback")
                index.execute("begin immediate")
                _prepare(index)
                self._renew(index, signatures)
            yield index
            index.execute("commit")

    def _open(self) -> sqlite3.Connection:
        path = self._folder / FILE
        with suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        return sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)

    def _renew(self, index: sqlite3.Connection, signatures: Mapping[str, Signature]) -> None:
        """Search the files that are other than when they were searched; forget those that are gone."""
        for name in _stale(index, signatures):
            of_file = (name,)
            index.execute(
                "delete from mention where file = (select id from file where name = ?)", of_file
            )
            index.execute("delete from file where name = ?", of_file)
            if name in signatures:
                self._add(index, name, signatures[name])

    def _add(self, index: sqlite3.Connection, name: str, signature: Signature) -> None:
        found = self._scan(name)
        row = index.execute(
            "insert into file (name, signature, shape) values (?, ?, ?)",
            (name, str(signature), found.shape.value),
        )
        mentions = ((each.name, row.lastrowid, each.entry, each.holds) for each in found.mentions)
        index.executemany("insert or ignore into mention values (?, ?, ?, ?)", mentions)

    def _scan(self, name: str) -> Scan:
        try:
            text = (self._folder / name).read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            return Scan(shape=Shape.WHOLE)
        return scan(text, top=name == MAIN)


def _is_ours(index: sqlite3.Connection) -> bool:
    return bool(index.execute("pragma user_version").fetchone()[0] == VERSION)


def _prepare(index: sqlite3.Connection) -> None:
    """Make the tables, anew when a version before or after this one made them."""
    if not _is_ours(index):
        for statement in _TABLES:
            index.execute(statement)


def _stale(index: sqlite3.Connection, signatures: Mapping[str, Signature]) -> list[str]:
    """The files that changed, came or went since they were searched."""
    known: dict[str, str] = dict(index.execute("select name, signature from file"))
    there = {name: str(signature) for name, signature in signatures.items()}
    return [name for name in {**known, **there} if known.get(name) != there.get(name)]


def _needed(
    index: sqlite3.Connection, names: Collection[str], stated_after: date | None
) -> set[str]:
    """The months with the entries that `names` need, and with the balances stated after a day."""
    near = {*names, *_together(index, names)}
    near |= {before for name in near for before in _statement_before(index, name)}
    far = near | _together(index, near)
    mentioning = _select(index, "select distinct file from mention where name in", near)
    holding = _select(index, "select distinct file from mention where holds and name in", far)
    stated = _stated(index, stated_after) if stated_after is not None else set()
    found = _select(index, "select name from file where id in", mentioning | holding | stated)
    return {name for name in found if is_month(name)}


def _statement_before(index: sqlite3.Connection, name: str) -> Iterable[str]:
    """What the statements before those of this name are mentioned by; nothing for any other name."""
    if not name.startswith(f"{OF_BALANCE} "):
        return
    first = statement_of(name.split(" ")[1], date.min)
    query = "select max(name) from mention where name >= ? and name < ?"
    for (found,) in index.execute(query, (first, name)):
        if found is not None:
            yield found


def _stated(index: sqlite3.Connection, after: date) -> set[int]:
    """The files with a balance of ours that is stated after this day."""
    query = "select distinct file from mention where name > ? and name <= ?"
    range_ = (balance_stated(after), balance_stated(date.max))
    return {row[0] for row in index.execute(query, range_)}


def _together(index: sqlite3.Connection, names: Iterable[str]) -> set[str]:
    """The ids that are mentioned in one entry with one of these."""
    query = (
        "select distinct b.name from mention a"
        " join mention b on b.file = a.file and b.entry = a.entry where a.name in"
    )
    return _select(index, query, names)


def _select(index: sqlite3.Connection, query: str, values: Iterable[object]) -> set[str]:
    """The first column of a query that ends in `in`, over these values."""
    given = list(values)
    found: set[str] = set()
    for start in range(0, len(given), BATCH):
        batch = given[start : start + BATCH]
        marks = ", ".join("?" * len(batch))
        found.update(row[0] for row in index.execute(f"{query} ({marks})", batch))
    return found
