"""What Ctrl-C and SIGTERM do: end a wait, or ask the work in hand to stop where it is whole."""

import contextvars
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from fcb_pipelines.cli.screen import say
from fcb_pipelines.connectors import stopping
from fcb_pipelines.connectors.failures import TransientFailure
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.processes import Process

Result = TypeVar("Result")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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


def until_stopped(work: Callable[[], Result], last_act: Callable[[], None] | None = None) -> Result:
    """The result of `work`. Ctrl-C or SIGTERM ends it at its next whole place, a second one at once.

    `last_act` is called before it ends early. Raises Stopped also where `work` was done by then, so
    that a verb does not go on with the next.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    with stopping.stoppable(last_act):
        with _asking():
            result = _beside(work)
        # Asked once the signals are as before: one at the very end of the work counts as well.
        if stopping.is_asked():
            raise stopping.Stopped
        return result


def _beside(work: Callable[[], Result]) -> Result:
    """The result of `work`, done in a thread: libraries leave the signals of the main one alone there.

    Dagster would raise in the midst of a batch.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    # A daemon, so that a second Ctrl-C ends the process whatever the thread waits for.
    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(run,), name="fcb work", daemon=True
    )
    thread.start()
    thread.join()
    for error in errors:
        raise error
    return results[0]


@contextmanager
def _asking() -> Iterator[None]:
    """In the block, the first signal asks the work to stop and the second one is a Ctrl-C."""

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if stopping.is_asked():
            raise KeyboardInterrupt
        stopping.ask()
        say("stopping after the batch in hand; once more stops at once")

    before = {one: signal.signal(one, ask) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
