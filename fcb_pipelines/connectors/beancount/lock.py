"""The lock of the one writer of embedded books, over all processes that see their folder.

It is a lock of the operating system, which a process that is killed loses at once. Beside it lies the name of
who has it, so that others can say for whom they wait.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from fcb_pipelines.connectors.failures import Busy
from fcb_pipelines.connectors.ledger import Writer
from fcb_pipelines.connectors.stopping import stop_if_asked

PATIENCE = 120.0
"""Seconds that a writer waits for another."""

_ASKS_EVERY = 1.0


class BooksLock:
    """The lock of the books in `folder`; `writer` is the name in which it is held."""

    def __init__(self, folder: Path) -> None:
        self.writer = Writer()
        self._lock = FileLock(folder / ".lock", mode=0o600)
        self._name = folder / ".writer"
        self._folder = folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it in the block. Raises Busy, which names the other, after `PATIENCE` seconds."""
        self._take()
        try:
            yield
        finally:
            self._lock.release()

    def _take(self) -> None:
        if self._lock.is_locked:
            self._lock.acquire()
            return
        deadline = time.monotonic() + PATIENCE
        # The first try tells nobody: most locks are held for a moment.
        while not self._taken(min(_ASKS_EVERY, PATIENCE)):
            stop_if_asked()
            holder = self._holder()
            self.writer.waits(holder)
            if time.monotonic() >= deadline:
                raise Busy(
                    f"locking the books in {self._folder.name}/",
                    f"{holder} writes them, and did not end within {PATIENCE:.0f} s",
                    remedy="let it end, or end that process, then fcb sync",
                )
        # The name is for the others alone: a full disk is told by what is to be written.
        with suppress(OSError):
            self._write_name()

    def _write_name(self) -> None:
        now = datetime.now(UTC)
        process = f"process {os.getpid()} on {socket.gethostname()}"
        descriptor = os.open(self._name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{self.writer.name}, {process}, since {now:%Y-%m-%d %H:%M} UTC,")

    def _taken(self, seconds: float) -> bool:
        try:
            self._lock.acquire(timeout=seconds)
        except Timeout:
            return False
        return True

    def _holder(self) -> str:
        try:
            return self._name.read_text() or "a writer that has just begun"
        except FileNotFoundError:
            return "a writer of an earlier version"
