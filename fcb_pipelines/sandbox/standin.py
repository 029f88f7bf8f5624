"""The common part of the Stripe and Lago stand-ins: dataset files, faults, serving."""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import simplejson
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.responses import Response

Json = dict[str, Any]
T = TypeVar("T")


class Tables:
    """The JSON arrays of one folder, read again when a file changes. A missing file is empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._none: list[Json] = []
        self._read: dict[str, tuple[tuple[int, int], list[Json]]] = {}
        self._derived: dict[tuple[str, Callable[..., Any]], tuple[list[Json], Any]] = {}

    def rows(self, name: str) -> list[Json]:
        """The objects of `<name>.json` in file order. Raises ValueError unless it holds an array."""
        path = self._folder / f"{name}.json"
        try:
            found = path.stat()
        except FileNotFoundError:
            return self._none
        stamp = (found.st_mtime_ns, found.st_size)
        if name not in self._read or self._read[name][0] != stamp:
            rows = simplejson.loads(path.read_text(encoding="utf-8"), use_decimal=True)
            if not isinstance(rows, list):
                raise ValueError(f"{path} holds no array")
            self._read[name] = (stamp, rows)
        return self._read[name][1]

    def derived(self, name: str, build: Callable[[list[Json]], T]) -> T:
        """The result of `build` (a module's function) on the rows, cached until the file changes."""
        rows = self.rows(name)
        kept, made = self._derived.get((name, build), (None, None))
        if kept is not rows:
            made = build(rows)
            self._derived[name, build] = (rows, made)
        return cast(T, made)


def described(dataset: Path) -> Mapping[str, Any]:
    """The content of a dataset's dataset.yaml; empty when there is none."""
    path = Path(dataset) / "dataset.yaml"
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


@dataclass(slots=True, kw_only=True)
class Faults:
    """The faults that a test injects; none by default.

    `broken`: ids whose own page answers 500. `throttle`: the number of calls to come that answer 429
    with `retry_after` seconds. `skip` and `repeat`: lists whose second page is left out, or is the
    first once more. `forbidden`: path parts that the key may not read. `calls`: the paths called so far.
    """

    broken: frozenset[str] = frozenset()
    throttle: int = 0
    retry_after: str | None = "0"
    skip: frozenset[str] = frozenset()
    repeat: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)

    def throttled(self) -> bool:
        """Whether this call is to be refused; a refused call is counted."""
        if self.throttle <= 0:
            return False
        self.throttle -= 1
        return True

    def page_shift(self, table: str, *, first: bool, size: int) -> int:
        """The offset of this page in objects: positive to skip a page, negative to repeat one."""
        if first:
            return 0
        return size * ((table in self.skip) - (table in self.repeat))


class Limiter:
    """A limit of calls in each second of the clock; 0 is no limit."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self._clock = clock
        self._second = 0
        self._used = 0

    def left(self) -> int | None:
        """The calls left in this second (below zero: refuse this one); None without a limit."""
        if not self.per_second:
            return None
        second = int(self._clock())
        if second != self._second:
            self._second, self._used = second, 0
        self._used += 1
        return self.per_second - self._used


def answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response that keeps Decimals digit by digit."""
    return Response(
        simplejson.dumps(content, use_decimal=True),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def serve(name: str, build: Callable[[Path, int], Starlette]) -> None:
    """The command line of a stand-in: `--dataset DIR --port N [--rate-limit N]`, loopback only."""
    parser = argparse.ArgumentParser(prog=f"python -m fcb_pipelines.sandbox.{name}")
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate-limit", type=int, default=0, help="calls a second; 0 is no limit")
    chosen = parser.parse_args()
    app = build(chosen.dataset, chosen.rate_limit)
    uvicorn.run(app, host="127.0.0.1", port=chosen.port, log_level="warning")
