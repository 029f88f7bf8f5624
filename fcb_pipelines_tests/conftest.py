"""One embedded Postgres for the whole test run, and a database of its own for a test that asks.

The server starts with the first test that needs it; all xdist workers share it, and the process
that was started by hand stops it at the end.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests import packaged

pytest_plugins = ["fcb_pipelines_tests.odoo_server"]

_HOME = pytest.StashKey[Path]()

NewDatabase = Callable[..., str]


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder that the run's server and datasets live in; workers are told of it."""
    worker = getattr(config, "workerinput", None)
    config.stash[_HOME] = Path(worker["home"] if worker else tempfile.mkdtemp(prefix="fcb-tests-"))
    os.environ[packaged.HOME] = str(config.stash[_HOME])


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
    """The run's server, started."""
    server = EmbeddedPostgres(pytestconfig.stash[_HOME])
    server.start()
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
