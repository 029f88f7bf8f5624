"""Tries every fault: a clean close first, its states kept, then each fault from the one it needs."""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fcb_pipelines.cli.expected import differences
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.connectors.store.frames import read_frame, write_frame
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.defs.automation.window import touched_months
from fcb_pipelines.defs.gates.inputs import frames_of, gate_results
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines_tests.defs.cash_world import OVER_CASH, with_cash
from fcb_pipelines_tests.defs.world import DATASET, World
from fcb_pipelines_tests.mutation import changes
from fcb_pipelines_tests.mutation.bench import (
    CASH_MONTH,
    CASH_PROOF,
    CASH_READ,
    DECIDING,
    INDEXES,
    MONTH,
    SOURCES,
    WRITING,
    Bench,
    State,
    bench,
    remembered_sources,
)
from fcb_pipelines_tests.mutation.cash_faults import OfTheRule
from fcb_pipelines_tests.mutation.fault import BOOKS, RUN, Fault, Finding, Layer

# What each gate that does not pass says, by place (a month, or None: over all) and name: its outcome,
# how many it counts, and some of them.
Gates = dict[tuple[str | None, str], tuple[str, int, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """What a clean run told: its gates, and how it misses expected.json so far."""

    gates: Gates
    misses: frozenset[str]


@dataclass(slots=True)
class Runner:
    """One world with the states of its clean close: before a month, decided, and after it."""

    world: World
    folder: Path
    new_database: Callable[..., str]
    before: dict[str, State] = field(default_factory=dict)
    decided: dict[str, State] = field(default_factory=dict)
    after: dict[str, Clean] = field(default_factory=dict)
    closed: State | None = None
    clean: Clean | None = None
    changed: dict[Layer, Clean] = field(default_factory=dict)
    closed_cash: tuple[State, Clean] | None = None

    def close(self) -> None:
        """The clean close, month by month."""
        assert self.world.extract().success
        sources = remembered_sources(self.world.found)
        first = State(home=self.world.found.home, database=self.world.own_database, sources=sources)
        with self._bench(first) as work:
            work.month_free(INDEXES, "indexes")
            for period in periods():
                self.before[period] = self._kept(work, f"before-{period}")
                work.month(period, (*SOURCES, *DECIDING))
                self.decided[period] = self._kept(work, f"decided-{period}")
                work.month(period, (*WRITING, keys.LEDGER_DELTAS))
                work.prove()
                self.after[period] = told(work, period)
            for period in touched_months(work.frames, work.ledger):
                work.month(period)
            work.prove()
            assert not work.stopped, work.stopped
            self.closed, self.clean = self._kept(work, "closed"), told(work, None)

    def find(self, fault: Fault) -> Finding:
        """Try one fault."""
        by_layer = {
            Layer.LEDGER: self._in_the_ledger,
            Layer.ROWS: self._in_the_rows,
            Layer.RULES: self._in_the_rules,
            Layer.WHOLE: self._over_all_months,
            Layer.FORGOTTEN: self._in_a_changed_world,
            Layer.CORRECTED: self._in_a_changed_world,
            Layer.CASH: self._in_cash,
        }
        return by_layer[fault.layer](fault)

    def _in_the_ledger(self, fault: Fault) -> Finding:
        assert self.closed is not None
        assert self.clean is not None
        with self._bench(self.closed) as work:
            fault.seed(work)
            edited = work.books_text()
            try:
                moved_in = touched_months(work.frames, work.ledger)
            except Failure as unreadable:
                told_by = str(unreadable)
                return _finding(fault, [BOOKS], (), 0, written=False, told=told_by)
            for period in moved_in:
                work.month(period, (*DECIDING, *WRITING, keys.LEDGER_DELTAS))
            work.prove()
            now = told(work, None)
            return _compared(
                fault, work.stopped, self.clean, now, written=work.books_text() != edited
            )

    def _in_the_rows(self, fault: Fault) -> Finding:
        with self._bench(self.decided[fault.month]) as work:
            path = work.frames.path(fault.frame.path, fault.month)
            write_frame(fault.seed(read_frame(path)), path)
            before = work.books_text()
            work.month(fault.month, (*WRITING, keys.LEDGER_DELTAS))
            stopped = dict(work.stopped)
            work.prove()
            work.stopped = {**stopped, **work.stopped}
            now = told(work, fault.month)
            changed = work.books_text() != before
            return _compared(fault, work.stopped, self.after[fault.month], now, written=changed)

    def _in_the_rules(self, fault: Fault) -> Finding:
        with self._bench(self.before[fault.month]) as work, pytest.MonkeyPatch.context() as patch:
            fault.seed(patch)
            work.month_free(INDEXES, "indexes")
            work.month(fault.month, MONTH)
            work.prove()
            now = told(work, fault.month)
            return _compared(fault, work.stopped, self.after[fault.month], now, written=True)

    def _over_all_months(self, fault: Fault) -> Finding:
        assert self.closed is not None
        assert self.clean is not None
        with self._bench(self.closed) as work:
            path = work.frames.path(fault.frame.path, None)
            write_frame(fault.seed(read_frame(path)), path)
            if fault.frame not in (keys.RECEIVABLE, keys.AMOUNTS, keys.COMPLETENESS):
                work.prove()
            return _compared(fault, work.stopped, self.clean, told(work, None), written=False)

    def _in_a_changed_world(self, fault: Fault) -> Finding:
        corrected = fault.layer is Layer.CORRECTED
        if fault.layer not in self.changed:
            clean, _ = self._changing(lambda patch: None, corrected=corrected)
            failed = _named(clean.gates.items(), Outcome.FAIL)
            assert not failed, f"{fault.layer} alone fails {failed}"
            self.changed[fault.layer] = clean
        now, stopped = self._changing(fault.seed, corrected=corrected)
        return _compared(fault, stopped, self.changed[fault.layer], now, written=False)

    def _changing(
        self, seed: Callable[[pytest.MonkeyPatch], None], *, corrected: bool
    ) -> tuple[Clean, Mapping[str, str]]:
        """What is told once the world has changed, and everything that it touches is built again."""
        assert self.closed is not None
        sources = changes.corrected if corrected else changes.forgotten
        state = replace(self.closed, sources=sources(self.closed.sources))
        with self._bench(state) as work, pytest.MonkeyPatch.context() as patch:
            if not corrected:
                changes.erased_in_nexacloud(work.frames)
            seed(patch)
            for again in (False, True) if corrected else (False,):
                if again:
                    work.correct(changes.CORRECTED)
                work.month_free(INDEXES, "indexes")
                for period in changes.MONTHS:
                    work.month(period)
            work.prove()
            status = work.status()
            now = told_of(status, None)
            wrong = differences(changes.EXPECTED, status) if corrected else ()
            return replace(now, misses=now.misses | set(wrong)), dict(work.stopped)

    def _in_cash(self, fault: Fault) -> Finding:
        with cash_on(self.world, self.folder), pytest.MonkeyPatch.context() as patch:
            if self.closed_cash is None:
                self.closed_cash = self._closed_with_cash()
            state, clean = self.closed_cash
            with self._bench(state) as work:
                again: tuple[Any, ...] = ()
                if fault.frame is not None:
                    path = work.frames.path(fault.frame.path, fault.month)
                    write_frame(fault.seed(read_frame(path)), path)
                    again = CASH_MONTH[CASH_MONTH.index(fault.frame) + 1 :]
                    again = tuple(each for each in again if each in CASH_MONTH[2:])
                elif isinstance(fault.seed, OfTheRule):
                    path = work.frames.path(CASH_MONTH[0].path, fault.month)
                    write_frame(fault.seed.change(read_frame(path)), path)
                    fault.seed(patch)
                    again = CASH_MONTH[2:]
                else:
                    fault.seed(work)
                edited = work.books_text()
                try:
                    work.month(fault.month, again)
                    work.month_free(CASH_PROOF, "all")
                    now = told_of_cash(work)
                except Failure as unreadable:
                    told_by = str(unreadable)
                    return _finding(fault, [BOOKS], (), 0, written=False, told=told_by)
                written = work.books_text() != edited
                return _compared(fault, work.stopped, clean, now, written=written)

    def _closed_with_cash(self) -> tuple[State, Clean]:
        """The close with cash on, after which no gate over it fails."""
        assert self.closed is not None
        with self._bench(self.closed) as work:
            work.ledger.setup()
            work.month_free(CASH_READ, "cash")
            for period in periods():
                work.month(period, CASH_MONTH)
            work.month_free(CASH_PROOF, "all")
            assert not work.stopped, work.stopped
            clean = told_of_cash(work)
            failed = _named(clean.gates.items(), Outcome.FAIL)
            assert not failed, f"cash alone fails {failed}: {clean.gates}"
            return self._kept(work, "cash"), clean

    @contextmanager
    def _bench(self, state: State) -> Iterator[Bench]:
        folder = self.folder / "bench"
        try:
            with bench(self.world, folder, self.new_database, state) as work:
                yield work
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _kept(self, work: Bench, name: str) -> State:
        home = self.folder / "states" / name
        shutil.copytree(work.found.home, home)
        database = self.new_database(template=_database(work))
        return State(home=home, database=database, sources=work.sources)


def told(work: Bench, period: str | None) -> Clean:
    """What the gates and expected.json say now, of one month or of all."""
    return told_of(work.status(), period)


def told_of_cash(work: Bench) -> Clean:
    """What the gates over cash say now."""
    wanted = [one for one in GATES.values() if one.name in OVER_CASH]
    read = {name: work.frames.read(one.key.path) for name, one in frames_of(wanted).items()}
    found = {name: frame for name, frame in read.items() if frame is not None}
    results = gate_results(wanted, Month("", found))
    assert len(results) == len(wanted), found.keys()
    gates: Gates = {
        (None, one.gate): (one.outcome.value, one.count, [*one.sample])
        for one in results
        if one.outcome is not Outcome.PASS
    }
    return Clean(gates=gates, misses=frozenset())


@contextmanager
def cash_on(world: World, folder: Path) -> Iterator[None]:
    """The world's configuration with cash on."""
    file = folder / "cash.yaml"
    file.write_text(with_cash(Path(os.environ["FCB_CONFIG"]), world.data), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FCB_CONFIG", str(file))
        current.cache_clear()
        yield
    current.cache_clear()


def told_of(status: Mapping[str, Any], period: str | None) -> Clean:
    """What a status JSON says: the gates that do not pass, and where it is not what is expected."""
    expected = Dataset.open(DATASET).expected or {}
    last = period in (None, periods()[-1])
    wanted = dict(expected) if last else {}
    wanted["documents"] = {
        ref: one
        for ref, one in expected.get("documents", {}).items()
        if period is None or one["period"] == period
    }
    missed = differences(wanted, status) if expected else ()
    gates = {
        (one["period"], one["gate"]): (one["outcome"], one["count"], one["sample"])
        for one in status["gate_details"]
    }
    return Clean(gates=gates, misses=frozenset(missed))


def _compared(
    fault: Fault, stopped: Mapping[str, str], clean: Clean, now: Clean, *, written: bool
) -> Finding:
    refusals = " ".join(stopped.values())
    refused = set(re.findall(r"(?:refused by |; )(\w+): ", refusals)) & GATES.keys()
    news = [(place, told) for place, told in now.gates.items() if clean.gates.get(place) != told]
    failed, warned = _named(news, Outcome.FAIL), _named(news, Outcome.WARN)
    gates = sorted(refused | failed)
    if stopped and not refused:
        gates.append(RUN)
    return _finding(
        fault, gates, warned, len(now.misses - clean.misses), written=written, told=refusals
    )


def _named(gates: Iterable[tuple[Any, tuple[str, int, list[str]]]], outcome: Outcome) -> set[str]:
    return {name for (_, name), told in gates if told[0] == outcome}


def _finding(
    fault: Fault, gates: Iterable[str], warned: Iterable[str], expected: int, **more: Any
) -> Finding:
    return Finding(
        name=fault.name,
        case=fault.case,
        layer=fault.layer.value,
        should=sorted(fault.trips),
        gates=list(gates),
        warnings=sorted(warned),
        expected=expected,
        **more,
    )


def _database(work: Bench) -> str:
    url = work.found.postgres_url()
    (name,) = re.findall(r"/([^/?]+)\?", url)
    return str(name)
