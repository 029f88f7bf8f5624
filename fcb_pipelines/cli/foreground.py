"""Waiting in the foreground while children run, until Ctrl-C or SIGTERM."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from fcb_pipelines.cli.screen import say
from fcb_pipelines.connectors.failures import TransientFailure
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.processes import Process


def watch(watched: Sequence[Process]) -> None:
    """Wait until Ctrl-C. Raises TransientFailure when a child ends by itself."""
    try:
        while all(processes.alive(process) for process in watched):
            time.sleep(0.5)
    except KeyboardInterrupt:
        say("stopping")
        return
    ended = next(process for process in watched if not processes.alive(process))
    raise TransientFailure(f"running {ended.name}", "it ended by itself", remedy="see its log")


@contextmanager
def kill_is_ctrl_c() -> Iterator[None]:
    """Turn a SIGTERM in the block into a Ctrl-C, so that the children are stopped, too."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
