"""The embedded books in Fava, on loopback."""

import sys
from importlib.util import find_spec
from pathlib import Path

from fcb_pipelines.connectors.failures import NotPrepared, TransientFailure
from fcb_pipelines.sandbox.processes import (
    LOOPBACK,
    Process,
    free_port,
    start,
    stop,
    wait_until_it_answers,
)


def open_books(main_file: Path, *, port: int | None = None, read_only: bool = False) -> Process:
    """Start Fava on these books and `port` (default: a free one), and wait until it answers.

    `sandbox.processes.stop` ends it. Raises NotPrepared when there are no books or Fava is not
    installed, TransientFailure when it does not answer.
    """
    tried = f"opening {main_file.name} in Fava"
    if not main_file.is_file():
        raise NotPrepared(tried, "there are no books yet", remedy="fcb ledger setup")
    if find_spec("fava") is None:
        raise NotPrepared(
            tried, "Fava is not installed", remedy="pip install 'fcb_pipelines[books]'"
        )
    port = port or free_port()
    argv = [sys.executable, "-m", "fava.cli", "--host", LOOPBACK, "--port", str(port)]
    if read_only:
        argv.append("--read-only")
    log = main_file.parent / ".fava.log"
    fava = start("fava", [*argv, str(main_file)], port=port, log=log, environment={})
    try:
        wait_until_it_answers(fava, log=log)
    except TransientFailure:
        stop(fava)
        raise
    return fava
