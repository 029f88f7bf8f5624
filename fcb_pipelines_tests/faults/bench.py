"""Worlds that meet faults: each month dies or fails somewhere, is run once more, and is compared."""

import multiprocessing
import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.defs.world import PERIODS, World, running
from fcb_pipelines_tests.faults.books import Damage, Stand, damage, stand
from fcb_pipelines_tests.faults.result import Result, summed
from fcb_pipelines_tests.faults.victim import Asked, serve
from fcb_pipelines_tests.odoo_server import OdooBooks

_PATIENCE = 300
# Children of a process that has read everything and has no threads.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["fcb_pipelines_tests.faults.victim"])


@dataclass(slots=True, kw_only=True)
class Bench:
    """Where the worlds are made: a folder, a server, and fresh books of Odoo where those are asked for.

    `seed` draws the points. `odoo` makes prepared, empty books; None: the embedded books.
    """

    folder: Path
    server: EmbeddedPostgres
    databases: Callable[..., str]
    seed: str
    odoo: Callable[[], OdooBooks] | None = None
    _undisturbed: Stand | None = None
    _calls: dict[str, int] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def ledger(self) -> str:
        """The kind of books."""
        return "odoo" if self.odoo else "beancount"

    @property
    def undisturbed(self) -> Stand:
        """What stands after a close that nothing disturbs."""
        if self._undisturbed is None:
            with self.world() as world:
                assert world.extract().success
                for period in PERIODS:
                    before = self._sent(world)
                    assert world.month(period, post=True).success
                    self._calls[period] = self._sent(world) - before
                self._undisturbed = self._ended(world)
            assert self._undisturbed.moves
        return self._undisturbed

    @contextmanager
    def world(self) -> Iterator[World]:
        """A new world with empty books."""
        folder = self.folder / f"world-{next(self._names)}"
        odoo = self.odoo() if self.odoo else None
        with running(folder, self.server, self.databases, odoo=odoo) as world:
            yield world

    def points(self, kind: str, rounds: int) -> list[dict[str, int]]:
        """For each round a point in each month: every one in turn in the books, drawn ones elsewhere."""
        assert self.undisturbed.moves
        # Not for secrets: a seed must draw the same points wherever it is tried.
        draw = random.Random(f"{self.seed} {kind}")  # noqa: S311
        if kind == "books":
            return [dict.fromkeys(PERIODS, place) for place in range(1, rounds + 1)]
        most = {period: self._calls[period] if kind == "calls" else 20 for period in PERIODS}
        return [
            {period: draw.randint(1, max(1, most[period])) for period in PERIODS}
            for _ in range(rounds)
        ]

    def try_points(
        self, how: str, kind: str, rounds: int, options: Mapping[str, Any] | None = None
    ) -> Result:
        """In each round every month meets the fault once at its point, then is run once more."""
        undisturbed, met, by_hand = self.undisturbed, 0, 0
        damages: list[Damage] = []
        for places in self.points(kind, rounds):
            hits = 0
            with self.world() as world:
                assert world.extract().success
                for period, place in places.items():
                    asked = Asked(points=kind, at=place, how=how, **(options or {}))
                    hits += self._end(self._begin(period, asked)) != 0
                    by_hand += not world.month(period, post=True).success
                damages.append(damage(undisturbed, self._ended(world)))
            met += hits
            if not hits:
                break
        return Result(
            fault=f"{how}, {_PLACES[kind]}",
            ledger=self.ledger,
            met=met,
            damage=summed(damages),
            by_hand=by_hand,
        )

    def try_twice_at_once(self) -> Result:
        """Every month is run by two processes at once, without the pools that keep them apart."""
        undisturbed, by_hand, met = self.undisturbed, 0, 0
        with self.world() as world:
            assert world.extract().success
            for period in PERIODS:
                both = [self._begin(period, Asked()) for _ in range(2)]
                met += len([self._end(one) for one in both])
                by_hand += not world.month(period, post=True).success
            found = damage(undisturbed, self._ended(world))
        return Result(
            fault="two syncs at once, without their pools", ledger=self.ledger, met=met, damage=found, by_hand=by_hand
        )  # fmt: skip

    def _ended(self, world: World) -> Stand:
        """The months that others touched once more, the proof, and what stands then."""
        world.months([])
        assert world.prove().success
        return stand(world)

    @staticmethod
    def _begin(period: str, asked: Asked) -> BaseProcess:
        """A process that dies as it likes; the others know nothing of it."""
        begun: BaseProcess = _PROCESSES.Process(
            target=serve, args=(dict(os.environ), period, asked), daemon=True
        )
        begun.start()
        return begun

    @staticmethod
    def _end(begun: BaseProcess) -> int:
        begun.join(_PATIENCE)
        assert begun.exitcode is not None, "a month took longer than any does"
        return begun.exitcode

    @staticmethod
    def _sent(world: World) -> int:
        return world.odoo.connection().calls if world.odoo else 0


_PLACES = {
    "books": "at a rename of the books",
    "files": "at the rename of a frame or other file",
    "calls": "at a call of Odoo",
}
