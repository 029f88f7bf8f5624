"""Worlds for the tests of the whole graph: a fresh one, and copies of one that is all posted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.world import Snapshot, World, running


@pytest.fixture
def fresh(tmp_path: Path, postgres: EmbeddedPostgres, new_database: NewDatabase) -> Iterator[World]:
    """The dataset with empty books: nothing has run."""
    with running(tmp_path / "world", postgres, new_database) as world:
        yield world


@pytest.fixture(scope="session")
def all_posted(postgres: EmbeddedPostgres, new_database: NewDatabase) -> Callable[[], Snapshot]:
    """The dataset after one close that posted everything; all test processes share the one."""
    folder = postgres.data.parent / "closed"

    def snapshot() -> Snapshot:
        with FileLock(postgres.data.parent / "closed.lock"):
            note = folder / "databases"
            if not note.exists():
                with running(folder, postgres, new_database) as world:
                    world.close()
                    note.write_text(f"{world.own_database} {world.database}")
        own, copies = note.read_text().split()
        return Snapshot(folder=folder, database=own, copies=copies)

    return snapshot


@pytest.fixture
def closed(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    all_posted: Callable[[], Snapshot],
) -> Iterator[World]:
    """A copy of its own of the dataset's world after everything was posted."""
    with running(tmp_path / "world", postgres, new_database, like=all_posted()) as world:
        yield world
