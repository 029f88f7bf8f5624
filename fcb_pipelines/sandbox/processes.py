"""Child processes of the sandbox: started, identified again later, and stopped.

The system reuses pids, so a process is recorded with pid and start time, and signalled only when both
agree.
"""

import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from fcb_pipelines.connectors.failures import TransientFailure
from fcb_pipelines.core.digests import digest

LOOPBACK = "127.0.0.1"

# Our own children. A stopped one is reaped, so that Python warns of none as still running.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that the sandbox started. `started` is its start time in seconds since 1970."""

    name: str
    pid: int
    started: float
    port: int

    @property
    def url(self) -> str:
        """Its address on loopback."""
        return f"http://{LOOPBACK}:{self.port}"


def free_port() -> int:
    """A TCP port on loopback that nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def usual_port(what: str) -> int:
    """The port on loopback that is the same for `what` each time, else, while it is taken, a free one."""
    port = 20_000 + int(digest(what)[:8], 16) % 10_000
    with socket.socket() as listener:
        # Connections that have just ended keep nobody from listening again.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return free_port()
    return port


def start(
    name: str, argv: Sequence[str], *, port: int, log: Path, environment: Mapping[str, str]
) -> Process:
    """Start `argv` in a session of its own, with no input and its output in `log`.

    `environment` is added to this process's own.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    _children[child.pid] = child
    started = psutil.Process(child.pid).create_time()
    return Process(name=name, pid=child.pid, started=started, port=port)


def alive(process: Process) -> bool:
    """Whether this process, identified by pid and start time, still runs."""
    return _find(process) is not None


def answers(process: Process, path: str = "/") -> bool:
    """Whether it answers HTTP on its port, with any status."""
    with requests.Session() as session:
        # No proxy of the environment's between the processes of one machine.
        session.trust_env = False
        try:
            session.get(process.url + path, timeout=2, allow_redirects=False)
        except requests.RequestException:
            return False
    return True


def wait_until_it_answers(
    process: Process, *, log: Path, path: str = "/", patience: float = 60
) -> None:
    """Wait until it answers HTTP. Raises TransientFailure when it ends or after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if answers(process, path):
            return
        if not alive(process):
            raise TransientFailure(
                f"starting {process.name} on {process.url}",
                f"it ended at once; the end of its log: {_tail(log)}",
            )
        time.sleep(0.1)
    raise TransientFailure(
        f"starting {process.name} on {process.url}",
        f"no answer in {patience:.0f} seconds; the end of its log: {_tail(log)}",
    )


def stop(process: Process, *, patience: float = 15) -> bool:
    """End this process and its children; False when it had already ended."""
    found = _find(process)
    if found is None:
        return False
    family = [found, *found.children(recursive=True)]
    found.terminate()
    _, left = psutil.wait_procs(family, timeout=patience)
    for one in left:
        one.kill()
    psutil.wait_procs(left, timeout=5)
    _reap(process)
    return True


def _find(process: Process) -> psutil.Process | None:
    _reap(process)
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.started) < 1
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _reap(process: Process) -> None:
    """Collect the exit status of a child of ours, so that it is no zombie."""
    child = _children.get(process.pid)
    if child is not None and child.poll() is not None:
        del _children[process.pid]


def _tail(log: Path, lines: int = 5) -> str:
    tail = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return " | ".join(line.strip() for line in tail) or "nothing"
