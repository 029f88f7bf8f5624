"""The CPU of processes, which a benchmark's ratios are made of.

Seconds of user and system time, by psutil alone: also a program with libraries of its own can import it.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

Clock = Callable[[], float]
"""The CPU seconds used until now."""


@dataclass(slots=True)
class Usage:
    """What a piece of work took: seconds on the wall, and CPU seconds of each part."""

    wall: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """CPU seconds of all parts."""
        return sum(self.cpu.values())


def show(found: Mapping[str, object], *, as_json: bool) -> None:
    """Print figures by name, those of a stage under its name; or the same as JSON."""
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if isinstance(value, Mapping):
            for label, figure in value.items():
                print(f"{f'{name}: {label}':32} {figure!s:>14}")
        else:
            print(f"{name:32} {value!s:>14}")


def own() -> float:
    """The CPU seconds of this process, without its children."""
    return time.process_time()


def tree(pid: int) -> Clock:
    """The clock of a process with its children, those that ended and were waited for included."""

    def seconds() -> float:
        root = psutil.Process(pid)
        return sum(map(_with_ended, [root, *root.children(recursive=True)]))

    return seconds


@contextmanager
def measured(parts: Mapping[str, Clock]) -> Iterator[Usage]:
    """Measure the block; the usage is filled in when it ends."""
    usage = Usage()
    before = {name: clock() for name, clock in parts.items()}
    start = time.perf_counter()
    yield usage
    usage.wall = time.perf_counter() - start
    usage.cpu = {name: clock() - before[name] for name, clock in parts.items()}


def _with_ended(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        # It ended since it was listed: from now on it is in the times of its parent.
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
