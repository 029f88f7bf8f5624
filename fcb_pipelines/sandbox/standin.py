"""What the Stripe and Lago stand-ins share: dataset files, faults to order, serving on loopback."""

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
    """The JSON arrays of one folder, read again when a file changes on disk. Missing is empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._none: list[Json] = []
        self._read: dict[str, tuple[tuple[int, int], list[Json]]] = {}
        self._derived: dict[tuple[str, Callable[..., Any]], tuple[list[Json], Any]] = {}

    def rows(self, name: str) -> list[Json]:
        """The objects of `<name>.json` in file order. Raises ValueError for a file that is none."""
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
        """What `build` (a module's function) makes of a table's rows, made once for each content."""
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
    """Faults that a test orders; none by default.

    `broken`: ids whose own page answers 500. `throttle`: so many of the next calls answer 429 with
    `retry_after` seconds. `skip` and `repeat`: of these lists, the second page is left out, or is
    the first once more. `forbidden`: path parts that the key may not read.
    """

    broken: frozenset[str] = frozenset()
    throttle: int = 0
    retry_after: str | None = "0"
    skip: frozenset[str] = frozenset()
    repeat: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)

    def throttled(self) -> bool:
        """Whether this call is one of those to be turned away; counts it."""
        if self.throttle <= 0:
            return False
        self.throttle -= 1
        return True

    def page_shift(self, table: str, *, first: bool, size: int) -> int:
        """By how many objects the page to come is off: forward for a lost page, back for a repeated."""
        if first:
            return 0
        return size * ((table in self.skip) - (table in self.repeat))


class Limiter:
    """So many calls in each second of the wall clock; 0 is no limit."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self._clock = clock
        self._second = 0
        self._used = 0

    def left(self) -> int | None:
        """How many calls are left in this second after this one; below zero: turn it away."""
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
