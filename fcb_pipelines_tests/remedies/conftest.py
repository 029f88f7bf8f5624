"""A little company for each row of a table."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from fcb_pipelines.config import settings as configuration
from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first
from fcb_pipelines_tests.remedies.little import Little


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> Iterator[Little]:
    """A little company with empty books, in memory where there is such a place."""
    memory = Path("/dev/shm")
    folder = Path(mkdtemp(prefix="fcb-", dir=memory if memory.is_dir() else None))
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(configuration, "load", configuration.load)
    yield Little(folder / "books")
    shutil.rmtree(folder)
    monkeypatch.undo()
    configuration.current.cache_clear()
