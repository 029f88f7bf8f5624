"""A running world for the tests of the whole graph: a dataset served, books, and the project's jobs.

Partitions and sources are read from the configuration when `fcb_pipelines.defs` is imported, so every
world in a process has those of one dataset: this module imports them under its configuration. It is
`nexa-2026-05`, or the folder that FCB_TEST_DATASET names.
"""

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pandas as pd
import simplejson
import yaml

from fcb_pipelines.cli.work import prepare_ledger, working_in
from fcb_pipelines.config import settings
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.connectors.store.frames import FrameStore, read_frame, write_frame
from fcb_pipelines.connectors.store.readback_log import ReadBackLog
from fcb_pipelines.sandbox import lago_server, stripe_server
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.nexacloud_database import load_nexacloud
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.session import LAGO_KEY, STRIPE_KEY
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines_tests.odoo_server import OdooBooks
from fcb_pipelines_tests.packaged import packaged
from fcb_pipelines_tests.serving import served

Json = dict[str, Any]
NEXA = packaged("nexa-2026-05")
DATASET = Path(os.environ.get("FCB_TEST_DATASET", NEXA))


def _import_months() -> tuple[str, ...]:
    """Import partitions and sources under this dataset's configuration, whoever asks for them first."""
    with TemporaryDirectory(prefix="fcb-config-") as folder:
        file = Path(folder, "config.yaml")
        file.write_text(yaml.safe_dump(Dataset.open(DATASET).config()), "utf-8")
        before = os.environ.get("FCB_CONFIG")
        os.environ["FCB_CONFIG"] = str(file)
        settings.current.cache_clear()
        try:
            from fcb_pipelines.defs.runtime.keys import SOURCES
            from fcb_pipelines.defs.runtime.partitions import periods
            from fcb_pipelines.defs.sources.registry import names

            first = Dataset.open(DATASET).config()["first_period"]
            here = (first, names())
            assert (periods()[0], SOURCES) == here, "fcb_pipelines.defs has another dataset's"
            return periods()
        finally:
            settings.current.cache_clear()
            del os.environ["FCB_CONFIG"]
            if before is not None:
                os.environ["FCB_CONFIG"] = before


PERIODS = _import_months()

from fcb_pipelines.definitions import defs  # noqa: E402
from fcb_pipelines.defs.automation.window import touched_months, window  # noqa: E402
from fcb_pipelines.defs.ledger.correcting import CorrectionConfig  # noqa: E402
from fcb_pipelines.defs.ledger.posting import PostingConfig  # noqa: E402
from fcb_pipelines.defs.reconciliation.proof import FrameReport  # noqa: E402
from fcb_pipelines.defs.runtime import connections  # noqa: E402 - after the months
from fcb_pipelines_tests.defs.runs import Frames, Functions, Run, through_dagster  # noqa: E402

DEFINITIONS: dg.Definitions = defs()
FUNCTIONS = Functions(DEFINITIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One dataset that runs: its folder, what was written of it, and the jobs over it.

    `data` is the dataset's folder: change its files, then `extract`. `database` is NexaCloud's,
    `own_database` holds the log of read-backs; the faults are what the stand-ins do wrong. Jobs run
    on their functions; those of `whole`, which is the same world, through Dagster.
    """

    data: Path
    found: Environment
    server: EmbeddedPostgres
    own_database: str
    database: str
    stripe_faults: Faults
    lago_faults: Faults
    odoo: OdooBooks | None = None
    by_dagster: bool = False
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    _read: list[Frames] = field(default_factory=list)

    @property
    def whole(self) -> "World":
        """This world, whose jobs run through Dagster."""
        return replace(self, by_dagster=True)

    def run(self, job: str, period: str | None = None, **config: Any) -> Run:
        """One job in this process; `config` is that of `ledger/posted_moves`."""
        posting, resolved = PostingConfig(**config), DEFINITIONS.resolve_job_def(job)
        if self.by_dagster:
            ops = {"ledger__posted_moves": posting} if config else {}
            return through_dagster(resolved, self.instance, period, ops)
        if not self._read:
            self._read.append(Frames(self.frames))
        # One object for all steps of a run, as a process of the pipeline's has it.
        books = self.ledger if self.odoo else None
        lent = {"ledger": SimpleNamespace(open=lambda: books)} if books else {}
        return FUNCTIONS.run(resolved, self._read[0], period, posting, lent)

    def extract(self) -> Run:
        """NexaCloud loaded anew where its files changed, then the job `extract`."""
        load_nexacloud(self.server, self.database, Dataset.open(self.data))
        return self.run("extract")

    def month(self, period: str, **config: Any) -> Run:
        """The job `month`: posting as configured unless `post` says otherwise."""
        return self.run("month", period, **config)

    def months(self, periods: Iterable[str], **config: Any) -> list[Run]:
        """These months, then those that they touched once more; all must succeed."""
        runs = [self.month(period, **config) for period in periods]
        runs += [self.month(period, **config) for period in self.touched()]
        assert all(run.success for run in runs), why(*runs)
        return runs

    def correct(self, refs: list[str], *, dry_run: bool) -> Run:
        """The job `correct_posted` over these documents, through Dagster."""
        config = CorrectionConfig(refs=refs, dry_run=dry_run)
        job = DEFINITIONS.resolve_job_def("correct_posted")
        return through_dagster(job, self.instance, ops={"correct_documents": config})

    def prove(self) -> Run:
        """The job `prove`."""
        return self.run("prove")

    def close(self, *, post: bool = True) -> Json:
        """Everything once: extract, every month, the proof. The status JSON; all must succeed."""
        results = [self.extract()]
        results += [self.month(period, post=post) for period in PERIODS]
        assert all(result.success for result in [*results, self.prove()]), why(*results)
        return self.status()

    def again(self, periods: tuple[str, ...] = PERIODS, *, post: bool = True) -> Json:
        """Everything once more, come what may: the status JSON afterwards."""
        self.extract()
        for period in periods:
            self.month(period, post=post)
        self.prove()
        return self.status()

    def materialize(self, key: dg.AssetKey, period: str) -> Run:
        """One asset alone, without its checks, as a person can ask for in the UI of Dagster."""
        chosen = dg.AssetSelection.assets(key).without_checks()
        job = dg.Definitions(
            assets=list(DEFINITIONS.assets or []),
            resources=DEFINITIONS.resources,
            jobs=[dg.define_asset_job("alone", chosen)],
        ).resolve_job_def("alone")
        return through_dagster(job, self.instance, period)

    def status(self) -> Json:
        """The status JSON, without the snapshot that it is of: each extract is another."""
        told = FrameReport(self.frames).status()
        return {name: value for name, value in told.items() if name != "snapshot"}

    def window(self) -> tuple[str, ...]:
        """The months that a sync would rebuild now."""
        return window(self.frames, self.ledger, self.log, connections.decisions(self.found))

    def touched(self) -> tuple[str, ...]:
        """The months that another month changed in the ledger after they were built."""
        return touched_months(self.frames, self.ledger)

    def turn_to(self, data: Path) -> None:
        """From now on the world is as this dataset has it, with the same books and frames."""
        shutil.rmtree(self.data)
        shutil.copytree(data, self.data)
        configure(Path(os.environ["FCB_CONFIG"]), self.found, Dataset.open(self.data), self.odoo)

    @property
    def frames(self) -> FrameStore:
        """Every frame."""
        return connections.frames(self.found)

    @property
    def ledger(self) -> Ledger:
        """The books, opened anew."""
        if self.odoo:
            return OdooLedger(self.odoo.connection(), settings.current())
        return connections.ledger(self.found, settings.current())

    @property
    def log(self) -> ReadBackLog:
        """The log of read-backs."""
        return connections.read_back_log(self.found)

    @property
    def books(self) -> Path:
        """The folder of the Beancount books."""
        return self.found.data_home / "books"

    def books_text(self) -> dict[str, str]:
        """Every file of the books."""
        files = sorted(self.books.rglob("*.beancount"))
        return {str(file.relative_to(self.books)): file.read_text("utf-8") for file in files}

    def edit_journal(self, change: Callable[[str], str], *, period: str) -> None:
        """A person's edit of one month of the journal; it must change something."""
        file = self.books / "journal" / f"{period}.beancount"
        before = file.read_text("utf-8")
        after = change(before)
        assert after != before
        file.write_text(after, "utf-8")

    @contextmanager
    def table(self, name: str) -> Iterator[list[dict[str, str]]]:
        """The rows of one NexaCloud file, to be changed in place; written back after the block."""
        file = self.data / "nexacloud" / f"{name}.csv"
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        yield rows
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    @contextmanager
    def objects(self, name: str) -> Iterator[list[Json]]:
        """The objects of one source file (`stripe/invoices`), changed in place and written back."""
        file = self.data / f"{name}.json"
        rows = simplejson.loads(file.read_text("utf-8"), use_decimal=True)
        yield rows
        file.write_text(simplejson.dumps(rows, use_decimal=True), "utf-8")

    def reconfigure(self, **config: Any) -> None:
        """Set these keys of the dataset's configuration, and the ledger up by it."""
        file = self.data / "dataset.yaml"
        told = yaml.safe_load(file.read_text("utf-8"))
        told["config"] |= config
        file.write_text(yaml.safe_dump(told, sort_keys=False), "utf-8")
        configure(Path(os.environ["FCB_CONFIG"]), self.found, Dataset.open(self.data))

    def tamper(
        self, key: dg.AssetKey, period: str, change: Callable[[pd.DataFrame], pd.DataFrame]
    ) -> None:
        """Put what `change` makes of a frame in its place."""
        path = self.frames.path(key.path, period)
        write_frame(change(read_frame(path)), path)


@contextmanager
def running(
    folder: Path,
    server: EmbeddedPostgres,
    new_database: Callable[..., str],
    *,
    like: "Snapshot | None" = None,
    data: Path = DATASET,
    odoo: OdooBooks | None = None,
) -> Iterator[World]:
    """A world of the dataset `data` in an empty `folder`, or one that goes on from `like`.

    Its books are embedded ones, or those in `odoo`.
    """
    data = shutil.copytree(like.folder / "data" if like else data, folder / "data")
    home = folder / "home"
    if like:
        shutil.copytree(like.folder / "home", home)
    own = new_database(template=like.database if like else None)
    copies = new_database(template=like.copies if like else None)
    dataset = Dataset.open(data)
    stripe_faults, lago_faults = Faults(), Faults()
    with ExitStack() as stack:
        stripe = stack.enter_context(
            served(stripe_server.create_app(data, api_key=STRIPE_KEY, faults=stripe_faults))
        )
        lago = stack.enter_context(
            served(lago_server.create_app(data, api_key=LAGO_KEY, faults=lago_faults))
        )
        load_nexacloud(server, copies, dataset)
        lent = {
            "FCB_HOME": str(home),
            "FCB_DATASET": dataset.name,
            "FCB_CONFIG": str(folder / "config.yaml"),
            "FCB_LEDGER": "odoo" if odoo else "beancount",
            **(odoo.environment if odoo else {}),
            "FCB_POSTGRES_URL": server.sqlalchemy_url(own),
            "FCB_NEXACLOUD_DSN": server.ensure_reader(copies),
            "FCB_STRIPE_API_KEY": STRIPE_KEY,
            "FCB_STRIPE_API_BASE": stripe,
            "FCB_LAGO_API_KEY": LAGO_KEY,
            "FCB_LAGO_API_URL": lago,
            "DAGSTER_HOME": str(home / "dagster"),
        }
        found = stack.enter_context(working_in(lent))
        configure(folder / "config.yaml", found, dataset, odoo)
        yield World(
            data=data,
            found=found,
            server=server,
            own_database=own,
            database=copies,
            stripe_faults=stripe_faults,
            lago_faults=lago_faults,
            odoo=odoo,
        )


def configure(
    file: Path, found: Environment, dataset: Dataset, odoo: OdooBooks | None = None
) -> None:
    """Write the dataset's configuration, and set up and lock the ledger by it, as its administrator."""
    file.write_text(yaml.safe_dump(dataset.config(), sort_keys=False), "utf-8")
    settings.current.cache_clear()
    lent = odoo.by_administrator().environment if odoo else {}
    prepare_ledger(replace(found, values={**found.values, **lent}), dataset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A world at rest, to begin others from: its folder and its two databases."""

    folder: Path
    database: str
    copies: str


def why(*runs: Run) -> list[str]:
    """What the steps that failed said."""
    return [told for run in runs for told in run.failures]


def ref_of(status: Mapping[str, Any], number: str) -> str:
    """The ref of the document that people know by this number."""
    (ref,) = (each["ref"] for each in status["documents"] if each["number"] == number)
    return str(ref)


def named(status: Mapping[str, Any], known: str) -> set[str]:
    """What the status says of a document, by ref or number: its reason and its exceptions."""
    found = [each for each in status["documents"] if known in (each["ref"], each["number"])]
    told = {code for document in found for code in document["exceptions"]}
    return told | {document["reason"] for document in found if document["reason"]}


def document(status: Mapping[str, Any], number: str) -> Json:
    """What the status says of the document that people know by this number."""
    (found,) = (each for each in status["documents"] if each["number"] == number)
    return dict(found)


def failed(status: Mapping[str, Any], period: str | None = None) -> set[str]:
    """The gates that fail, of one period or the global ones."""
    gates = status["periods"][period]["gates"] if period else status["gates"]
    return {gate for gate, outcome in gates.items() if outcome == "fail"}
