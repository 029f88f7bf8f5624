"""A backup that is restored after everything was lost: the same status, the same books, nothing to write."""

import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from filelock import FileLock
from sqlalchemy import make_url
from typer.testing import CliRunner

from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.world import World

# isort: split

from fcb_pipelines.cli.main import app
from fcb_pipelines.connectors.store.readback_log import ReadBackLog
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.supply_chain.lock import PROJECT

RUNNER = CliRunner(env={"NO_COLOR": "1"})


def script(name: str, argument: Path, binaries: Path) -> subprocess.CompletedProcess[str]:
    """A script of deploy/ in this process's environment, with the server's own pg_dump."""
    return subprocess.run(
        [str(PROJECT / "deploy" / name), str(argument)],
        env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def told(*arguments: str) -> Any:
    done = RUNNER.invoke(app, [*arguments, "--json"])
    assert done.stdout, done.output
    return json.loads(done.stdout)


def backed_up(folder: Path, binaries: Path) -> Path:
    done = script("backup.sh", folder, binaries)
    assert done.returncode == 0, done.stderr
    made = Path(done.stdout.strip())
    assert [*folder.iterdir()] == [made]
    assert not [each for each in made.iterdir() if each.stat().st_mode & 0o077]
    return made


def lost(
    world: World, server: EmbeddedPostgres, new_database: NewDatabase, patch: pytest.MonkeyPatch
) -> None:
    """The machine's disk and the database are gone; there is an empty one."""
    shutil.rmtree(world.found.home)
    server.drop_database(world.own_database)
    patch.setenv("FCB_POSTGRES_URL", server.sqlalchemy_url(new_database()))


def of_frames(world: World) -> dict[Path, int]:
    """The time of each frame's file, in nanoseconds."""
    return {
        file: file.stat().st_mtime_ns
        for file in sorted((world.found.data_home / "frames").rglob("*.parquet"))
    }


def _database() -> str:
    """The name of the database that the environment names."""
    return str(make_url(os.environ["FCB_POSTGRES_URL"]).database)


def test_what_was_lost_is_restored_and_proves_the_same(
    closed: World,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (first, *_) = told("exceptions")["exceptions"]
    given = ("exceptions", "acknowledge", first["ref"], first["code"], "--note", "known")
    assert RUNNER.invoke(app, [*given]).exit_code == 0
    status, balance, queue = told("status"), told("ledger", "export"), told("exceptions", "--all")
    assert queue["acknowledged"] == 1
    books = closed.books_text()
    identity = closed.ledger.describe().identity
    logged = ReadBackLog(os.environ["FCB_POSTGRES_URL"]).latest(identity)
    assert status["totals"]
    assert logged
    times = of_frames(closed)
    made = backed_up(tmp_path / "backups", postgres.binaries)

    lost(closed, postgres, new_database, monkeypatch)
    done = script("restore.sh", made, postgres.binaries)
    assert done.returncode == 0, done.stderr

    assert closed.books_text() == books
    # By these a month's part of a frame knows that the whole is still the one it was cut from.
    assert of_frames(closed) == times
    assert ReadBackLog(os.environ["FCB_POSTGRES_URL"]).latest(identity) == logged
    with closed.server.connect(_database()) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error, match="append-only"):
            cursor.execute("delete from fcb_readback_log")
        connection.rollback()
    assert told("status") == status
    assert told("exceptions", "--all") == queue
    assert told("ledger", "export") == balance
    again = told("sync", "--all")
    assert again["complete"]
    assert {(month["ok"], month["written"], month["posted"]) for month in again["months"]} == {
        (True, 0, 0)
    }
    assert closed.books_text() == books


@pytest.mark.parametrize("fault", ["home", "database", "byte", "missing"])
def test_a_restore_overwrites_nothing_and_trusts_no_broken_backup(
    fault: str,
    closed: World,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = backed_up(tmp_path / "backups", postgres.binaries)
    kept = closed.found.home
    if fault != "home":
        shutil.rmtree(kept)
    if fault != "database":
        monkeypatch.setenv("FCB_POSTGRES_URL", postgres.sqlalchemy_url(new_database()))
    dump = made / "postgres.dump"
    if fault == "byte":
        content = bytearray(dump.read_bytes())
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)
    if fault == "missing":
        dump.unlink()
    before = sorted(kept.rglob("*"))
    done = script("restore.sh", made, postgres.binaries)
    assert done.returncode in (1, 2)
    said = {"home": "is there already", "database": "name an empty one"}
    assert said.get(fault, "is not as it was made") in done.stderr
    assert sorted(kept.rglob("*")) == before


def test_a_backup_that_fails_leaves_none(
    closed: World,
    postgres: EmbeddedPostgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql+psycopg2://nobody@127.0.0.1:1/none")
    done = script("backup.sh", tmp_path / "backups", postgres.binaries)
    assert done.returncode != 0
    assert [*(tmp_path / "backups").iterdir()] == []


def test_a_backup_waits_for_a_writer_of_the_books(
    closed: World,
    postgres: EmbeddedPostgres,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "backups"
    with ThreadPoolExecutor() as pool:
        with FileLock(closed.books / ".lock"):
            made = pool.submit(backed_up, folder, postgres.binaries)
            while not [*folder.glob("*/postgres.dump")]:
                assert not made.done()
                time.sleep(0.1)
            with pytest.raises(TimeoutError):
                made.result(timeout=3)
            # The database is there, and no archive of books in the midst of a change.
            (part,) = folder.iterdir()
            assert [each.name for each in part.iterdir()] == ["postgres.dump"]
        assert (made.result(timeout=60) / "home.tar.gz").is_file()
