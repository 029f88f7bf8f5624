"""One job in a process of its own that meets a fault at its n-th point.

A point is a rename into the books, a rename of any other file, or a call of Odoo: any, one that reads, or one
that may write. The process ends with 0 where
the job succeeded without a fault, 3 where it succeeded in spite of one, 1 where it failed, and by signal 9 where
it was killed.
"""

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fcb_pipelines.config import environment, settings
from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.defs.runs import Frames
from fcb_pipelines_tests.defs.world import DEFINITIONS, FUNCTIONS, PostingConfig, connections

_FLIGHT = 0.03
_READS = frozenset(
    {"read", "search", "search_read", "fields_get", "has_access", "formatted_read_group"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The fault: `how`, at the `at`-th of these `points` of the job.

    `postgres` is the home of the server, `odoo` the id of Odoo's process.
    """

    points: str = "books"
    at: int = 0
    how: str = "nothing"
    job: str = "month"
    postgres: Path | None = None
    odoo: int = 0


class Points:
    """Counts the points of this process, and does what is asked at the n-th."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._seen = 0
        self._full = False
        self.met = False

    def meet(self, do: Callable[[], Any]) -> Any:
        """One point: `do` it, with the fault where it is the turn of this one."""
        self._seen += 1
        how = self._asked.how
        if self._full or (how == "disk full" and self._seen == self._asked.at):
            self._full = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._seen != self._asked.at:
            return do()
        self.met = True
        if how == "killed before":
            _die()
        elif how == "killed during":
            threading.Timer(_FLIGHT, _die).start()
            do()
            time.sleep(2 * _FLIGHT)
        elif how == "postgres restarted":
            self._restart_postgres()
        elif how == "postgres restarted during":
            threading.Timer(_FLIGHT, self._restart_postgres).start()
        elif how == "odoo restarted during":
            # Whoever asked for it starts it again.
            threading.Timer(_FLIGHT, os.kill, (self._asked.odoo, signal.SIGKILL)).start()
        answer = do()
        if how == "killed after":
            _die()
        if how == "answer lost":
            raise Unreachable("point of a fault", "the answer was lost")
        return answer

    def _restart_postgres(self) -> None:
        assert self._asked.postgres is not None
        server = EmbeddedPostgres(self._asked.postgres)
        server.stop()
        server.start()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch(points: Points, kind: str) -> None:
    """Let every point of this kind go through `points`."""
    if kind in ("calls", "reads", "writes"):
        execute = OdooConnection._execute

        def called(self: OdooConnection, *given: Any) -> Any:
            reads = given[1] in _READS
            if (kind == "reads" and not reads) or (kind == "writes" and reads):
                return execute(self, *given)
            return points.meet(lambda: execute(self, *given))

        OdooConnection._execute = called  # type: ignore[method-assign]
        return
    rename = os.replace

    def renamed(source: Any, target: Any, **named: Any) -> None:
        in_books = "books" in Path(target).parts and Path(target).suffix == ".beancount"
        if in_books == (kind == "books"):
            points.meet(lambda: rename(source, target, **named))
        else:
            rename(source, target, **named)

    os.replace = renamed


def run(of: str, month: str | None) -> bool:
    """The job, posting, over the environment's connections; whether it succeeded."""
    found = environment.read()
    ledger = connections.ledger(found, settings.current())
    lent = {"ledger": SimpleNamespace(open=lambda: ledger)}
    job = DEFINITIONS.resolve_job_def(of)
    frames = Frames(connections.frames(found))
    return FUNCTIONS.run(job, frames, month, PostingConfig(post=True), lent).success


def serve(variables: Mapping[str, str], month: str | None, asked: Asked) -> None:
    """The whole life of the process, in this environment."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.environ.clear()
    os.environ.update(variables)
    settings.current.cache_clear()
    points = Points(asked)
    watch(points, asked.points)
    succeeded = run(asked.job, month)
    sys.exit((3 if points.met else 0) if succeeded else 1)
