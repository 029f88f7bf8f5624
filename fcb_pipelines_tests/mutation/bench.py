"""A bench for faults: the project's own assets over one dataset, called one after the other.

An asset here is the very function that Dagster runs, with its inputs read from the frames and its
answer written there; only the run around it is left out, since a hundred faults are tried. Books and
log of read-backs are real, the sources' answers are those that were once read over HTTP.
"""

import inspect
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from traceback import walk_tb
from types import SimpleNamespace
from typing import Any

import dagster as dg

from fcb_pipelines.cli.work import working_in
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.connectors.sources import (
    Absent,
    BalanceList,
    BalanceReport,
    Body,
    KeepsBalance,
    Listing,
    Source,
    SourceBody,
)
from fcb_pipelines.connectors.store.frames import FrameStore, write_frame
from fcb_pipelines.core.corrections.plan import CorrectionPlan
from fcb_pipelines.defs.automation.window import touched_months
from fcb_pipelines.defs.ledger.correcting import planned, write
from fcb_pipelines.defs.ledger.posting import PostingConfig
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import connections, keys
from fcb_pipelines.defs.runtime.frame_io import FrameIOManager
from fcb_pipelines.defs.runtime.ledger_reading import LedgerReader, open_reader
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.defs.runtime.resources import (
    IntakeResource,
    LedgerResource,
    ReadBackLogResource,
    StoreResource,
)
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines_tests.defs.cash_world import JOBS
from fcb_pipelines_tests.defs.world import World

Json = dict[str, Any]
Tell = Callable[[Any], Any]

INDEXES = (
    keys.MOVES,
    keys.source_key("stripe", "index"),
    keys.source_key("lago", "index"),
    keys.UNPLACED_DOCUMENTS,
    keys.UNPLACED,
)
SOURCES = tuple(
    keys.source_key(name, noun)
    for name in ("stripe", "lago")
    for noun in ("invoices", "credit_notes", "credited_invoices", "payments")
)
DECIDING = (
    keys.AGREEMENTS,
    keys.STANDING,
    keys.DISPOSITIONS,
    keys.TAX_WITNESS,
    keys.DOCUMENTS,
)
WRITING = (keys.PARTNERS, keys.DRAFT_MOVES, keys.POSTED_MOVES, keys.SETTLEMENTS)
MONTH = (*SOURCES, *DECIDING, *WRITING, keys.LEDGER_DELTAS)
# What ends a run: refusals and failures, and what a rule that gets something wrong may raise.
ENDS_A_RUN = (dg.Failure, Failure, ValueError, ArithmeticError, LookupError, TypeError)
PROOF = (keys.COMPLETENESS, keys.RECEIVABLE)

CASH_READ = (keys.source_key("stripe", "balance"), keys.CASH_SETTLED)
CASH_MONTH = (
    *(keys.source_key("stripe", noun) for noun in ("balance_transactions", "payouts")),
    keys.CASH_ENTRIES,
    keys.STATEMENT_LINES,
)
# The last is one of the frames of one step.
CASH_PROOF = (keys.BALANCE_ROWS, keys.PAYOUT_ROWS, keys.CLEARING)

_ASSETS = {
    key: one
    for one in JOBS.assets or ()
    if isinstance(one, dg.AssetsDefinition)
    for key in one.keys
}


class BrokenFault(Exception):
    """A fault does not do what it says: its own code failed, not the product's."""


class Remembered:
    """A source whose answers are kept: the second to ask for a document is told the same."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self._source = source
        self._listing: Listing | None = None
        self._asked: dict[str, SourceBody | Absent] = {}
        self._complete: dict[str, SourceBody | Absent] = {}

    def open(self) -> "Remembered":
        """Itself: it stands in its resource's place as well."""
        return self

    def listing(self, progress: Callable[[int], None] | None = None) -> Listing:
        self._listing = self._listing or self._source.listing(progress)
        return self._listing

    def ask(self, ids: Collection[str]) -> tuple[SourceBody | Absent, ...]:
        new = [one for one in ids if one not in self._asked]
        self._asked |= dict(zip(new, self._source.ask(new) if new else (), strict=True))
        return tuple(self._asked[one] for one in ids)

    def transactions(self, begin: int, end: int) -> BalanceList:
        return self._balance.transactions(begin, end)

    def payouts(
        self, begin: int, end: int, known: Mapping[str, tuple[Body, ...]] | None = None
    ) -> BalanceList:
        return self._balance.payouts(begin, end, known)

    def balance(self) -> BalanceReport:
        return self._balance.balance()

    def balance_problems(self) -> tuple[str, ...]:
        return self._balance.balance_problems()

    @property
    def _balance(self) -> KeepsBalance:
        assert isinstance(self._source, KeepsBalance)
        return self._source

    def complete(self, bodies: Sequence[SourceBody]) -> tuple[SourceBody | Absent, ...]:
        new = [one for one in bodies if one.id not in self._complete]
        told = self._source.complete(new) if new else ()
        self._complete |= dict(zip([one.id for one in new], told, strict=True))
        return tuple(self._complete[one.id] for one in bodies)


_LOG = logging.getLogger(__name__)


class Changed(Remembered):
    """The same source later on: it has lost these documents, and tells others otherwise."""

    def __init__(
        self, remembered: Remembered, lost: Collection[str], told: Mapping[str, Tell]
    ) -> None:
        super().__init__(remembered)
        self._lost = frozenset(lost)
        self._told = told

    def listing(self, progress: Callable[[int], None] | None = None) -> Listing:
        before = super().listing(progress)
        kept = (one for one in before.documents if one.id not in self._lost)
        return replace(before, documents=tuple(map(self._now, kept)))

    def ask(self, ids: Collection[str]) -> tuple[SourceBody | Absent, ...]:
        wanted = [each for each in ids if each not in self._lost]
        known = dict(zip(wanted, super().ask(wanted), strict=True))
        gone = {
            each: Absent(id=each, reason="does_not_exist", detail=f"No such: {each}")
            for each in self._lost
        }
        return tuple((known | gone)[each] for each in ids)

    def complete(self, bodies: Sequence[SourceBody]) -> tuple[SourceBody | Absent, ...]:
        return tuple(map(self._now, super().complete(bodies)))

    def _now(self, one: Any) -> Any:
        tell = self._told.get(one.id)
        return replace(one, body=tell(deepcopy(one.body))) if tell else one


@dataclass(frozen=True, slots=True)
class _Context:
    """What the assets ask of Dagster's context."""

    resources: Any
    partition_key: str | None = None
    run: dg.DagsterRun = field(
        default_factory=lambda: dg.DagsterRun(job_name=keys.MONTH, run_id="bench")
    )
    log: logging.Logger = _LOG

    @property
    def has_partition_key(self) -> bool:
        return self.partition_key is not None


@dataclass(frozen=True, slots=True)
class Sources:
    """Both sources, remembered over every bench of the process, and what else assets ask for."""

    stripe: Remembered
    lago: Remembered
    store: StoreResource = field(default_factory=StoreResource)


@dataclass(slots=True)
class Bench:
    """One home to try a fault in. `stopped` are the failures that ended a month, by period.

    `counted` is what assets counted of what they did (`posted`, `settled`, …), summed by that name.
    """

    found: Environment
    sources: Sources
    stopped: dict[str, str] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)

    def run(self, key: dg.AssetKey, period: str | None = None) -> None:
        """One asset. Raises what it raises."""
        asset = _ASSETS[key]
        asked = inspect.signature(_function(asset)).parameters
        manager = FrameIOManager(self.frames.root)
        lent = {one.name: getattr(self.sources, one.name) for one in fields(self.sources)}
        given: Json = {
            "context": _Context(SimpleNamespace(**lent, io_manager=manager), period),
            "ledger": LedgerResource(),
            "read_back_log": ReadBackLogResource(),
            "intake": IntakeResource(),
            "store": self.sources.store,
            "io_manager": manager,
        }
        if "config" in asked:
            kind = asked["config"].annotation
            given["config"] = kind(post=True) if kind is PostingConfig else kind()
        named = {name: value for name, value in given.items() if name in asked}
        result = _function(asset)(**named)
        # An asset of several frames yields each of them by its key.
        for one in [result] if isinstance(result, dg.MaterializeResult) else result:
            write_frame(one.value, self.frames.path((one.asset_key or key).path, period))
            told = one.metadata or {}
            self.counted.update({name: n for name, n in told.items() if isinstance(n, int)})

    def month(self, period: str, assets: Sequence[dg.AssetKey] = MONTH) -> None:
        """These assets of one month in order; a refusal or a failure ends it, as it ends a run."""
        self.stopped.pop(period, None)
        try:
            for key in assets:
                self.run(key, period)
        except ENDS_A_RUN as error:
            self.stopped[period] = _told(error)

    def correct(self, refs: Sequence[str]) -> None:
        """What `fcb ledger correct --yes` does with these documents."""
        write(self.corrections(refs), self._reader())

    def corrections(self, refs: Sequence[str]) -> tuple[CorrectionPlan, ...]:
        """What it would do with them."""
        return planned(refs, FrameReport(self.frames), self._reader())

    def months(self, chosen: Sequence[str], assets: Sequence[dg.AssetKey] = MONTH) -> None:
        """These months, and those that they touched once more."""
        for period in chosen:
            self.month(period, assets)
        if not self.stopped:
            for period in touched_months(self.frames, self.ledger):
                self.month(period, assets)

    def prove(self) -> None:
        """The proof over all months."""
        self.stopped.pop("all", None)
        self.month_free(PROOF, "all")

    def month_free(self, assets: Sequence[dg.AssetKey], place: str) -> None:
        """Assets without a month; a failure is kept under `place`."""
        try:
            for key in assets:
                self.run(key)
        except ENDS_A_RUN as error:
            self.stopped[place] = _told(error)

    def close(self) -> None:
        """Everything that follows the extracts: indexes, all months, the proof."""
        self.month_free(INDEXES, "indexes")
        self.months(periods())
        self.prove()

    def status(self) -> Json:
        """The status JSON."""
        return FrameReport(self.frames).status()

    @property
    def frames(self) -> FrameStore:
        """Every frame of this home."""
        return connections.frames(self.found)

    @property
    def ledger(self) -> Any:
        """The books of this home, opened anew."""
        return connections.ledger(self.found, current())

    @property
    def journal(self) -> Path:
        """The folder of the journal's months."""
        return self.found.data_home / "books" / "journal"

    def books_text(self) -> dict[str, str]:
        """Every month of the journal."""
        return {file.name: file.read_text("utf-8") for file in sorted(self.journal.glob("*"))}

    def _reader(self) -> LedgerReader:
        return open_reader(self.ledger, connections.read_back_log(self.found), "bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A home at rest: a folder and the database of its log, to begin benches from."""

    home: Path
    database: str
    sources: Sources


@contextmanager
def bench(
    world: World, folder: Path, new_database: Callable[..., str], state: State
) -> Iterator[Bench]:
    """A bench of its own that goes on from a state; `world` lends its server and configuration."""
    home = folder / "home"
    shutil.copytree(state.home, home, ignore=shutil.ignore_patterns("dagster"))
    database = new_database(template=state.database)
    lent = {"FCB_HOME": str(home), "FCB_POSTGRES_URL": world.server.sqlalchemy_url(database)}
    with working_in(lent) as found:
        yield Bench(found=found, sources=state.sources)


def remembered_sources(found: Environment) -> Sources:
    """Both sources of an environment."""
    return Sources(**{one.name: Remembered(one.open(found)) for one in registered(current())})


def _told(error: Exception) -> str:
    """What the product says of its failure. Raises one of a fault's own: that fault is tried by nobody."""
    modules = [frame.f_globals["__name__"] for frame, _ in walk_tb(error.__traceback__)]
    own = [name for name in modules if name.startswith("fcb_pipelines")]
    if own[-1].startswith(f"{__package__}."):
        raise BrokenFault(f"{own[-1]}: {error}") from error
    said = getattr(error, "description", None) or str(error)
    return f"{type(error).__name__}: {said}"


def _function(asset: dg.AssetsDefinition) -> Callable[..., Any]:
    function: Callable[..., Any] = asset.op.compute_fn.decorated_fn  # type: ignore[union-attr]
    return function
