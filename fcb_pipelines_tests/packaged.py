"""The folders of the packaged datasets, built for this run of the tests."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from fcb_pipelines.sandbox.scenarios import packaged as scenarios

# The home that all processes of a run build in; the process that was started by hand removes it.
HOME = "FCB_TESTS_HOME"


@cache
def packaged(name: str) -> Path:
    """The folder of the packaged dataset of this name."""
    return scenarios.folder(name, _home())


@cache
def _home() -> Path:
    if HOME in os.environ:
        return Path(os.environ[HOME])
    made = Path(tempfile.mkdtemp(prefix="fcb-datasets-"))
    atexit.register(shutil.rmtree, made)
    return made
