"""What the version before wrote: its books, its log of read-backs, its frames, and the names it had.

    before/books/            the Beancount books of `edge-cases` after both of its months were closed and
                             what was voided and changed was corrected: every kind of external id
    before/log.csv           the log of read-backs of that home, in order
    before/entries.csv       every entry in those books: its hashes, and its name in Odoo
    before/names.json        the closed lists (`names`)
    before/home.tar.xz       the home's frames, its close reports and the status JSON, and the dataset

`python -m fcb_pipelines_tests.compatibility write` makes all of it anew with the code at hand: for the
version that is released next, never to make a test pass.
"""

import csv
import json
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.odoo.action import xml_name
from fcb_pipelines.connectors.store.readback_log import TABLE, ReadBackLog

FOLDER = Path(__file__).with_name("before")
BOOKS, LOG, ENTRIES, NAMES, HOME = (
    FOLDER / name for name in ("books", "log.csv", "entries.csv", "names.json", "home.tar.xz")
)

LOGGED = ("ledger", "external_id", "kind", "state", "content_hash", "reason")
ENTRY = ("ref", "record", "what", "state", "content_hash", "source_hash", "odoo_name")

# Sentences for people: that one is there is promised, its wording is not.
PROSE = frozenset({"description", "detail", "meaning", "recovery", "remedy", "sample"})
# When it was made, and not what it says.
PASSING = frozenset({"changes", "generated_from", "snapshot"})
# What tells one member of a list from the others.
_IDENTITY = (
    "ref",
    "entry",
    "period",
    "gate",
    "code",
    "what",
    "method",
    "partner",
    "customer",
    "name",
)

LOST = "this needs a migration for those who know it, and a line in CHANGELOG.md"


def names_before() -> dict[str, list[str]]:
    """The closed lists."""
    found: dict[str, list[str]] = json.loads(NAMES.read_text("utf-8"))
    return found


def rows(file: Path) -> list[dict[str, str]]:
    """The rows of one of the CSV files."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def written() -> dict[str, str]:
    """The journal and the partners of the old books, by file; accounts may be added to the rest."""
    files = [BOOKS / "partners.beancount", *sorted((BOOKS / "journal").iterdir())]
    return {file.relative_to(BOOKS).as_posix(): file.read_text("utf-8") for file in files}


def unpack(folder: Path) -> None:
    """`frames`, `reports`, `status.json` and the dataset (`data`) into a folder."""
    with tarfile.open(HOME) as archive:
        archive.extractall(folder, filter="data")


def entries(ledger: Ledger) -> Iterator[dict[str, str]]:
    """Every entry of ours in a ledger as `entries.csv` has it: in order of ref, documents first.

    `what` is a document's kind or a settlement's method; the hashes are those kept with the entry.
    """
    for move in sorted(ledger.read_moves(), key=lambda each: each.ref):
        document = (move.ref, "document", move.document.kind, move.state, move.stored_hash)
        yield _row(*document, move.stored_source_hash, xml_name(move.ref))
    for entry in sorted(ledger.read_settlements(), key=lambda each: each.ref):
        settled = (entry.ref, "settlement", entry.settlement.method, entry.state, entry.stored_hash)
        yield _row(*settled, None, xml_name(entry.ref))


def _row(*values: str | None) -> dict[str, str]:
    return {name: str(value or "") for name, value in zip(ENTRY, values, strict=True)}


def restore_log(log: ReadBackLog, postgres_url: str) -> None:
    """Put the old log into an empty one; `postgres_url` is where that lies."""
    log.latest("nobody's books")
    values = ", ".join(["%s"] * len(LOGGED))
    with _connected(postgres_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            f"insert into {TABLE} ({', '.join(LOGGED)}, run_id) values ({values}, 'before')",
            [[row[name] or None for name in LOGGED] for row in rows(LOG)],
        )


def logged(postgres_url: str) -> list[dict[str, str]]:
    """The log of read-backs in order, as `log.csv` has it."""
    with _connected(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(LOGGED)} from {TABLE} order by id")
        return [
            {name: value or "" for name, value in zip(LOGGED, row, strict=True)}
            for row in cursor.fetchall()
        ]


@contextmanager
def _connected(postgres_url: str) -> Iterator[Connection]:
    dsn = postgres_url.replace("postgresql+psycopg2://", "postgresql://", 1)
    connection = psycopg2.connect(dsn)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def lost(before: Any, now: Any, at: str = "") -> list[str]:
    """Where a JSON value does not say any more what it said: fields may be added, and prose reworded."""
    if isinstance(before, dict):
        if not isinstance(now, dict):
            return [f"{at}: {now!r} instead of an object"]
        kept = [name for name in before if name not in PASSING]
        gone = [f"{at}.{name}" for name in kept if name not in now]
        return gone + [
            each
            for name in kept
            if name in now and not (name in PROSE and type(before[name]) is type(now[name]))
            for each in lost(before[name], now[name], f"{at}.{name}")
        ]
    if isinstance(before, list) and isinstance(now, list):
        # A new field tells none apart that were there before it.
        names = [n for n in _IDENTITY if any(isinstance(one, dict) and n in one for one in before)]
        known, found = _by_identity(before, names), _by_identity(now, names)
        return [
            each
            for name, one in known.items()
            for each in (
                lost(one, found[name], f"{at}[{name}]") if name in found else [f"{at}[{name}]"]
            )
        ]
    return [] if before == now else [f"{at}: {now!r}, before {before!r}"]


def _by_identity(many: list[Any], names: Sequence[str]) -> dict[str, Any]:
    """Members by the fields that tell them apart, else by their place among those told alike."""
    found: dict[str, Any] = {}
    for one in many:
        told = [str(one[n]) for n in names if n in one] if isinstance(one, dict) else [str(one)]
        name = " ".join(told)
        place = sum(each == name or each.startswith(f"{name} #") for each in found)
        found[f"{name} #{place}" if place else name] = one
    return found
