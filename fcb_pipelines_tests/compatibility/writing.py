"""Writes `before`: the home of `edge-cases` after both of its closes and the corrections."""

import csv
import json
import shutil
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres, database_name
from fcb_pipelines.sandbox.scenarios.edge_cases import NAME, edge_files
from fcb_pipelines_tests.compatibility.before import (
    BOOKS,
    ENTRIES,
    ENTRY,
    FOLDER,
    HOME,
    LOG,
    LOGGED,
    NAMES,
    entries,
    logged,
)
from fcb_pipelines_tests.compatibility.names import names
from fcb_pipelines_tests.defs.test_edge_cases import CORRECTED
from fcb_pipelines_tests.edge_cases import LATER, NOW
from fcb_pipelines_tests.fcb_command import Fcb, a_home

NO_MONTH = "unplaced"


def write() -> None:
    """Close, close a month later, correct, and keep what that left behind."""
    for fcb in a_home({}):
        data = close_and_correct(fcb)
        on = _on(data)
        status = fcb("status", "--json", *on)
        for period in sorted(status["periods"].keys() - {NO_MONTH}):
            fcb("report", "--period", period, *on)
        server = EmbeddedPostgres(fcb.home)
        server.start()
        log = logged(server.sqlalchemy_url(database_name(NAME, "fcb")))
        keep(fcb.home / NAME, Dataset.open(data), status, log)


def close_and_correct(fcb: Fcb) -> Path:
    """Both datasets closed in one home, a person's corrections, and a sync; the dataset of then."""
    for dataset in (NOW, LATER):
        fcb("demo", "--keep", *_on(dataset))
    fcb("ledger", "correct", *(each.ref for each in CORRECTED), "--yes", *_on(LATER))
    after = fcb.home / "corrected"
    edge_files(later=True, corrected=True).write(after)
    fcb("sync", *_on(after))
    return after


def keep(
    home: Path, dataset: Dataset, status: Mapping[str, Any], log: Iterable[Mapping[str, str]]
) -> None:
    """The folder `before` of one home, whose `status` JSON and log of read-backs these are."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(home / "books", BOOKS, ignore=shutil.ignore_patterns(".*"))
    _table(LOG, LOGGED, log)
    _table(ENTRIES, ENTRY, entries(BeancountLedger(BOOKS, dataset.settings())))
    (BOOKS / ".lock").unlink(missing_ok=True)
    NAMES.write_text(json.dumps(names(), indent=1) + "\n", "utf-8")
    (home / "status.json").write_text(json.dumps(status), "utf-8")
    kept = {
        file.relative_to(home).as_posix(): file
        for pattern in ("status.json", "reports/*.json", "frames/**/*.parquet")
        for file in home.glob(pattern)
    }
    kept |= {
        f"data/{file.relative_to(dataset.path).as_posix()}": file
        for file in dataset.path.rglob("*")
        if file.is_file()
    }
    with tarfile.open(HOME, "w:xz") as archive:
        for name, file in sorted(kept.items()):
            archive.add(file, name, filter=_nobodys)


def _on(dataset: Path) -> tuple[str, ...]:
    return ("--ledger", "beancount", "--dataset", str(dataset))


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without owner and time, which differ from run to run."""
    return member.replace(uid=0, gid=0, uname="", gname="", mtime=0, mode=0o600, deep=False)


def _table(file: Path, columns: Sequence[str], found: Iterable[Mapping[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
