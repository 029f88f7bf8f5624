"""One embedded Postgres for the whole test run, and a database of its own for a test that asks.

The server starts with the first test that needs it; all xdist workers share it, and the process
that was started by hand stops it at the end. The run's files lie in memory where there is room: a
database is some thousand of them, and hundreds are made.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from hypothesis import settings

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests import packaged

pytest_plugins = [
    "fcb_pipelines_tests.odoo_server",
    "fcb_pipelines_tests.s3_server",
    "fcb_pipelines_tests.browser",
]

# A machine that is busy is no fault of an example.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_HOME = pytest.StashKey[Path]()
_MEMORY = Path("/dev/shm")
# What a run with Odoo leaves there at its end is about half of it.
_ROOM = 8 * 2**30

NewDatabase = Callable[..., str]


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder that the run's server and datasets live in; workers are told of it."""
    worker = getattr(config, "workerinput", None)
    if worker:
        config.stash[_HOME] = Path(worker["home"])
        return
    prefix = f"fcb-tests-{os.getpid()}-"
    home = config.stash[_HOME] = Path(tempfile.mkdtemp(prefix=prefix, dir=_memory()))
    os.environ[packaged.HOME] = str(home)
    # All temporary files of this run, its workers and its child processes.
    (home / "tmp").mkdir()
    tempfile.tempdir = os.environ["TMPDIR"] = str(home / "tmp")


# They take minutes each, the longest first: begun last, one process would still be at them when the others are done.
_LONGEST = (
    "test_edge_cases", "faults/test_sample", "mutation/test_sample", "test_many_machines", "test_demo",
    "test_backfill", "test_signals", "odoo/test_ledger", "test_ledger_life", "test_home", "test_dev",
    "test_books_properties", "test_histories", "test_opening", "test_benchmarks", "third_source/test_close",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, all others in their order."""
    items.sort(key=lambda item: _place(item.nodeid))


def _place(test: str) -> int:
    return next((place for place, name in enumerate(_LONGEST) if name in test), len(_LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist in the main process for each worker."""
    node.workerinput["home"] = str(node.config.stash[_HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove its folder, in the main process alone."""
    home = config.stash.get(_HOME, None)
    if home is None or hasattr(config, "workerinput"):
        return
    EmbeddedPostgres(home).stop()
    shutil.rmtree(home)


def _memory() -> Path | None:
    """A folder in memory, where there is one with room for a whole run.

    What runs that were killed have left there is removed first.
    """
    for left in _MEMORY.glob("fcb-tests-*-*"):
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            EmbeddedPostgres(left).stop()
            shutil.rmtree(left, ignore_errors=True)
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        return None
    return _MEMORY if psutil.virtual_memory().available > _ROOM else None


@pytest.fixture(scope="session")
def new_home() -> Iterator[Callable[[], Path]]:
    """Makes empty folders for servers of a test's own.

    Not under pytest's: as root the server is another user, and every pytest that starts takes from
    others the right to pass through the folder that all of them share.
    """
    with tempfile.TemporaryDirectory(prefix="fcb-home-", ignore_cleanup_errors=True) as parent:
        made = count(1)
        yield lambda: Path(parent, str(next(made)))


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> EmbeddedPostgres:
    """The run's server, started. Nothing of it need outlive a crash, and no copy lives long."""
    server = EmbeddedPostgres(pytestconfig.stash[_HOME])
    if server.start():
        with server.maintenance() as connection, connection.cursor() as cursor:
            for setting in ("fsync", "full_page_writes", "autovacuum"):
                cursor.execute(f"alter system set {setting} = off")
            cursor.execute("select pg_reload_conf()")
    return server


@pytest.fixture(scope="session")
def new_database(postgres: EmbeddedPostgres) -> NewDatabase:
    """Makes a database, a copy of `template=` where one is named, and gives its name.

    They all go with the server, so nothing is dropped one by one.
    """

    def make(*, template: str | None = None) -> str:
        name = f"test_{uuid4().hex[:12]}"
        postgres.create_database(name, template=template)
        return name

    return make


@pytest.fixture
def database(new_database: NewDatabase) -> str:
    """The name of an empty database that only this test uses."""
    return new_database()
