"""Worlds for the tests of the whole graph: a fresh one, and copies of one that is all posted."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

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
def snapshot(postgres: EmbeddedPostgres, new_database: NewDatabase) -> Callable[..., Snapshot]:
    """Makes a world of `data` by `make`, once: all test processes share the one of a name."""
    home = postgres.data.parent

    def taken(name: str, make: Callable[[World], object], **options: Any) -> Snapshot:
        folder = home / name
        with FileLock(home / f"{name}.lock"):
            note = folder / "databases"
            if not note.exists():
                shutil.rmtree(folder, ignore_errors=True)
                with running(folder, postgres, new_database, **options) as world:
                    make(world)
                    note.write_text(f"{world.own_database} {world.database}")
        own, copies = note.read_text().split()
        return Snapshot(folder=folder, database=own, copies=copies)

    return taken


@pytest.fixture(scope="session")
def all_posted(snapshot: Callable[..., Snapshot]) -> Callable[[], Snapshot]:
    """The dataset after one close, through Dagster, that posted everything."""
    return lambda: snapshot("closed", lambda world: world.whole.close())


@pytest.fixture
def a_copy_of(
    tmp_path: Path, postgres: EmbeddedPostgres, new_database: NewDatabase
) -> Callable[[Snapshot], AbstractContextManager[World]]:
    """A copy of its own of a world."""
    return lambda like: running(tmp_path / like.folder.name, postgres, new_database, like=like)


@pytest.fixture
def closed(
    all_posted: Callable[[], Snapshot],
    a_copy_of: Callable[[Snapshot], AbstractContextManager[World]],
) -> Iterator[World]:
    """The dataset's world after everything was posted."""
    with a_copy_of(all_posted()) as world:
        yield world
