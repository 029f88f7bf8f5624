"""A stop that was asked for: between two batches, and not wherever the program happens to be.

A signal raises in the middle of anything: a parser takes it for a fault of its file, and a write is cut
off from its answer. So the command only asks, and the connectors stop where nothing is half done: before
the next frame is read, the next call made, the next batch written.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopped(KeyboardInterrupt):
    """Work ended early because a person or the system asked for it."""


_asked = threading.Event()
_last_act: Callable[[], None] | None = None


@contextmanager
def stoppable(last_act: Callable[[], None] | None = None) -> Iterator[None]:
    """In this block a stop may be asked for; `last_act` is called before `Stopped` is first raised."""
    global _last_act
    _asked.clear()
    _last_act = last_act
    try:
        yield
    finally:
        _asked.clear()
        _last_act = None


def ask() -> None:
    """Ask whatever runs to stop at its next whole place."""
    _asked.set()


def is_asked() -> bool:
    """Whether a stop was asked for and work has not ended yet."""
    return _asked.is_set()


def stop_if_asked() -> None:
    """Called where nothing is half done. Raises Stopped where a stop was asked for."""
    global _last_act
    if not _asked.is_set():
        return
    act, _last_act = _last_act, None
    if act is not None:
        act()
    raise Stopped


def sleep(seconds: float) -> None:
    """Wait so long. Raises Stopped as soon as a stop is asked for."""
    _asked.wait(seconds)
    stop_if_asked()
