"""Worlds that meet faults: each job dies or fails somewhere, is run once more, and is compared."""

import multiprocessing
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from multiprocessing.process import BaseProcess
from pathlib import Path

from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.odoo import SandboxOdoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.defs.world import PERIODS, Json, World, running
from fcb_pipelines_tests.faults.books import Damage, Stand, damage, stand
from fcb_pipelines_tests.faults.result import Result, summed
from fcb_pipelines_tests.faults.victim import Asked, serve
from fcb_pipelines_tests.odoo_server import OdooBooks

_PATIENCE = 900
_FILES_OF_AN_EXTRACT = 25
# Children of a process that has read everything and has no threads.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["fcb_pipelines_tests.faults.victim"])


class OdooHost:
    """The running Odoo of a bench: faults stop it, and it is started again at its address."""

    def __init__(self, box: SandboxOdoo, log: Path) -> None:
        self._box = box
        self._log = log
        self.process = box.start(None, log=log)

    def revive(self) -> None:
        """Start it again, as a supervisor does, unless it runs."""
        if not processes.alive(self.process):
            self.stop()
            self.process = self._box.start(None, log=self._log, port=self.process.port)

    def stop(self) -> None:
        """Stop it, if it runs."""
        processes.stop(self.process)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault that a process meets: `how`, at which `points`, in which job."""

    how: str
    points: str
    job: str = "month"

    @property
    def name(self) -> str:
        """The fault in words."""
        return (
            f"{self.how}, {_PLACES[self.points]}{' of an extract' if self.job != 'month' else ''}"
        )


@dataclass(slots=True, kw_only=True)
class Bench:
    """Where the worlds are made: a folder, a server, and fresh books of Odoo where those are asked for.

    `seed` draws the points. `odoo` makes prepared, empty books on `host`; None: the embedded books. Of the
    dataset's months only `periods` are built.
    """

    folder: Path
    server: EmbeddedPostgres
    databases: Callable[..., str]
    seed: str
    odoo: Callable[[], OdooBooks] | None = None
    host: OdooHost | None = None
    periods: tuple[str, ...] = PERIODS
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
                for period in self.periods:
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

    def draws(self, of: str) -> random.Random:
        """What draws the points of a kind: the same ones wherever a seed is tried."""
        return random.Random(f"{self.seed} {of}")  # noqa: S311 - not for secrets

    def points(self, kind: Kind, rounds: int) -> list[dict[str, int]]:
        """For each round a point in each month: every one in turn in the books, drawn ones elsewhere."""
        assert self.undisturbed.moves
        if kind.points == "books":
            return [dict.fromkeys(self.periods, place) for place in range(1, rounds + 1)]
        draw = self.draws(kind.name)
        return [
            {period: draw.randint(1, self._most(kind, period)) for period in self.periods}
            for _ in range(rounds)
        ]

    def try_points(self, kind: Kind, rounds: int) -> Result:
        """In each round every month meets the fault once at its point, then is run once more."""
        undisturbed, met, by_hand = self.undisturbed, 0, 0
        damages: list[Damage] = []
        for places in self.points(kind, rounds):
            with self.world() as world:
                assert world.extract().success
                hits = 0
                for period, place in places.items():
                    hits += self._meet(kind, place, period)
                    by_hand += not world.month(period, post=True).success
                damages.append(damage(undisturbed, self._ended(world)))
            met += hits
            if kind.points == "books" and not hits:
                break
        return self._result(kind.name, met, summed(damages), by_hand)

    def try_extracts(self, kind: Kind, rounds: int) -> Result:
        """In each round the first extract and one after the close meet the fault, and are run once more."""
        undisturbed, met, by_hand = self.undisturbed, 0, 0
        damages: list[Damage] = []
        draw = self.draws(kind.name)
        for _ in range(rounds):
            with self.world() as world:
                for _ in range(2):
                    met += self._meet(kind, draw.randint(1, _FILES_OF_AN_EXTRACT), None)
                    by_hand += not world.extract().success
                    by_hand += sum(not world.month(one, post=True).success for one in self.periods)
                damages.append(damage(undisturbed, self._ended(world)))
        return self._result(kind.name, met, summed(damages), by_hand)

    def try_together(
        self, kinds: Sequence[Kind], first: Callable[[World], None], last: Callable[[World], None]
    ) -> Result:
        """One world whose extract and whose months meet all of these, one after the other.

        `first` is called before the extract that succeeds, `last` with the books that were compared.
        """
        undisturbed = self.undisturbed
        draw = self.draws("together")
        extracts = [kind for kind in kinds if kind.job == "extract"]
        months = [kind for kind in kinds if kind.job == "month"]
        with self.world() as world:
            met = sum(self._meet(one, draw.randint(1, 3), None) for one in extracts)
            first(world)
            assert world.extract().success
            for period, kind in zip(cycle(self.periods), months, strict=False):
                # An early point: those before have done a part of the month.
                met += self._meet(kind, draw.randint(1, 2), period)
            by_hand = sum(not world.month(one, post=True).success for one in self.periods)
            found = damage(undisturbed, self._ended(world))
            last(world)
        return self._result("; ".join(kind.name for kind in kinds), met, found, by_hand)

    def try_twice_at_once(self) -> Result:
        """Every month is run by two processes at once, without the pools that keep them apart."""
        undisturbed, by_hand, met = self.undisturbed, 0, 0
        with self.world() as world:
            assert world.extract().success
            for period in self.periods:
                both = [self._begin(period, Asked()) for _ in range(2)]
                met += len([self._end(one) for one in both])
                by_hand += not world.month(period, post=True).success
            found = damage(undisturbed, self._ended(world))
        return self._result("two syncs at once, without their pools", met, found, by_hand)

    def _most(self, kind: Kind, period: str) -> int:
        """The number of points of a month, or a guess of it; a point beyond the last is not met."""
        calls = self._calls[period]
        most = {"calls": calls, "reads": calls * 2 // 3, "writes": calls // 5}
        return max(1, most.get(kind.points, 20))

    def _meet(self, kind: Kind, place: int, period: str | None) -> bool:
        """Whether a process of this job met the fault at this point."""
        asked = Asked(
            points=kind.points,
            at=place,
            how=kind.how,
            job=kind.job,
            postgres=self.server.data.parent,
            odoo=self.host.process.pid if self.host else 0,
        )
        met = self._end(self._begin(period, asked)) != 0
        if self.host:
            self.host.revive()
        return met

    def _result(self, fault: str, met: int, found: Damage, by_hand: int) -> Result:
        return Result(fault=fault, ledger=self.ledger, met=met, damage=found, by_hand=by_hand)

    def closed(self, world: World, *, post: bool = True) -> Json:
        """The status of this world after a first close of the months of the bench."""
        assert world.extract().success
        assert all(world.month(period, post=post).success for period in self.periods)
        self._prove(world)
        return world.status()

    def _ended(self, world: World) -> Stand:
        """The months that others touched once more, the proof, and what stands then."""
        world.months([])
        self._prove(world)
        return stand(world)

    def _prove(self, world: World) -> None:
        # It fails, and says so, as long as months are not built.
        assert world.prove().success or self.periods != PERIODS

    @staticmethod
    def _begin(period: str | None, asked: Asked) -> BaseProcess:
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
    "reads": "at a read of Odoo",
    "writes": "at a write into Odoo",
}
