"""A dataset's sandbox: started, given to the pipeline as environment variables, stopped.

    home = Path(".fcb")
    with Sandbox(open_dataset("nexa-2026-05", home), home).running() as environment: ...

A start leaves running parts alone and, after a crash, replaces the broken ones. Only processes recorded
with pid and start time are ever stopped.
"""

import base64
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from fcb_pipelines.config.environment import LedgerName
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import Busy
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.sandbox import processes, pushing, state, told
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.nexacloud_database import load_nexacloud
from fcb_pipelines.sandbox.odoo import PASSWORD, USER, SandboxOdoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres, database_name
from fcb_pipelines.sandbox.processes import Process
from fcb_pipelines.sandbox.scenarios import nexa, packaged
from fcb_pipelines.sandbox.state import Running

DEFAULT_DATASET = nexa.NAME

# Made-up keys; the stand-ins accept only these, and no real service does.
STRIPE_KEY = "rk_test_sandbox"
LAGO_KEY = "lago_sandbox"

# Each stand-in, and the variable of its address.
STAND_INS = {"stripe": "FCB_STRIPE_API_BASE", "lago": "FCB_LAGO_API_URL"}

# The process that services hand in their records to, and the one that is told of events, where a dataset
# has any.
INTAKE = "intake"
RECEIVER = "receiver"
EVENTS_SECRET = "whsec_" + base64.b64encode(b"the sandbox tells this to nobody").decode()

# A dataset's databases beside Odoo's books; `fcb` holds Dagster's tables and our own.
USES = ("nexacloud", "fcb")

# Seconds that a process waits for another that starts or stops sandboxes, before it says so and in all.
_SAYS_NOTHING_FOR, _PATIENCE = 1, 600

# Folders of FCB_HOME that are no dataset's.
_TAKEN = frozenset({"production", "postgres", "odoo", packaged.FOLDER})


def open_dataset(name_or_folder: str, home: Path) -> Dataset:
    """A packaged dataset by name, or any dataset by its folder. Raises ConfigError for neither.

    A packaged one is built under FCB_HOME (`home`).
    """
    folder = Path(name_or_folder).expanduser()
    is_packaged = name_or_folder in packaged.SCENARIOS
    # In FCB_HOME itself, the folder with a dataset's name holds the data of its runs.
    if (folder / "dataset.yaml").exists() or (folder.is_dir() and not is_packaged):
        return Dataset.open(folder.resolve())
    if is_packaged:
        return Dataset.open(packaged.folder(name_or_folder, home))
    ours = ", ".join(sorted(packaged.SCENARIOS))
    raise ConfigError(f"{name_or_folder} is no dataset folder and no packaged dataset ({ours})")


class Sandbox:
    """The outside world of one dataset, on this machine.

    `home` is FCB_HOME: the dataset's data are in `home/<dataset name>`, the Postgres server of all
    datasets in `home/postgres`. Odoo's program is in `odoo_folder`, by default `home/odoo`. `say` is
    called with a line of text for each step.
    """

    def __init__(
        self,
        dataset: Dataset,
        home: Path,
        *,
        ledger: LedgerName = "beancount",
        odoo_folder: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        if dataset.name in _TAKEN:
            raise ConfigError(f"a dataset can't be called {dataset.name}: that folder is taken")
        self._dataset = dataset
        self._home = home.absolute()
        self._ledger: LedgerName = ledger
        self._odoo_folder = odoo_folder or self._home / "odoo"
        self._say = say
        self._folder = self._home / dataset.name
        self._server = EmbeddedPostgres(self._home)

    @contextmanager
    def running(self, *, keep: bool = False) -> Iterator[Mapping[str, str]]:
        """The environment variables of this sandbox, which runs at least as long as the block.

        It is stopped afterwards, unless it ran before or `keep` is set.
        """
        known = state.read(self._folder)
        was_up = known is not None and known.whole
        try:
            yield self.up().environment
        finally:
            if not keep and not was_up:
                self._say("stopping the sandbox")
                down(self._home, self._dataset.name, say=self._say)

    def up(self) -> Running:
        """Start every part that does not run, load the dataset, and record the sandbox."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.mkdir(exist_ok=True, mode=0o700)
        with _locked(self._home, self._say):
            known = self._known()
            running = Running(
                dataset=self._dataset.name,
                folder=str(self._dataset.path),
                processes=known.processes if known else (),
                environment={},
            )
            if self._dataset.events:
                running = self._with_receiver(running)
            lent = {**self._settings(running), **self._databases()}
            running = replace(running, environment={**running.environment, **lent})
            if self._ledger == "odoo":
                running = self._with_odoo(running)
            for name in STAND_INS:
                running = self._with_stand_in(name, running)
            content = pushing.handed_in(self._dataset.path)
            if content:
                running = self._with_intake(running)
            for process in running.processes:
                if process.name in {*STAND_INS, INTAKE, RECEIVER}:
                    processes.wait_until_it_answers(process, log=self._log(process.name))
            for service, records in content.items():
                self._push(service, records, running)
        return running

    def start_over(self) -> None:
        """Delete all data of this dataset's runs: files, databases, books."""
        down(self._home, self._dataset.name, say=self._say)
        self._say(f"starting over with {self._dataset.name}")
        with _locked(self._home, self._say):
            started = self._server.start()
            for use in USES:
                self._server.drop_database(database_name(self._dataset.name, use))
            self._odoo().drop_books(database_name(self._dataset.name, "odoo"))
            if started:
                self._server.stop()
            if self._folder.exists():
                shutil.rmtree(self._folder)

    def _known(self) -> Running | None:
        """The recorded sandbox; one of another folder with the same dataset name is stopped."""
        known = state.read(self._folder)
        if known is None or known.folder == str(self._dataset.path):
            return known
        for process in known.processes:
            processes.stop(process)
        state.forget(self._folder)
        return None

    def _settings(self, running: Running) -> dict[str, str]:
        """Write the dataset's configuration; return the variables that lead to it."""
        file = self._folder / "config.yaml"
        receivers = (one.url for one in running.processes if one.name == RECEIVER)
        content = self._dataset.config(next(receivers, None))
        file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
        return {
            "FCB_HOME": str(self._home),
            "FCB_DATASET": self._dataset.name,
            # The operator's store is not the sandbox's.
            "FCB_STORE_URL": "",
            "FCB_CONFIG": str(file),
            "FCB_LEDGER": self._ledger,
            "DAGSTER_HOME": str(self._folder / "dagster"),
            "FCB_STRIPE_API_KEY": STRIPE_KEY,
            "FCB_LAGO_API_KEY": LAGO_KEY,
        }

    def _databases(self) -> dict[str, str]:
        """Start Postgres with this dataset's databases and tables; return the variables of both."""
        if self._server.start():
            self._say("started the embedded Postgres")
        nexacloud, fcb = (database_name(self._dataset.name, use) for use in ("nexacloud", "fcb"))
        self._server.create_database(fcb)
        self._server.create_database(nexacloud)
        load_nexacloud(self._server, nexacloud, self._dataset)
        return {
            "FCB_POSTGRES_URL": self._server.sqlalchemy_url(fcb),
            "FCB_NEXACLOUD_DSN": self._server.ensure_reader(nexacloud),
        }

    def _with_odoo(self, running: Running) -> Running:
        """The sandbox with a real Odoo 19 running on this dataset's books."""
        odoo, database = self._odoo(), database_name(self._dataset.name, "odoo")
        odoo.create_books(database)
        mine = [process for process in running.processes if process.name == "odoo"]
        others = tuple(process for process in running.processes if process.name != "odoo")
        process = next(filter(processes.alive, mine), None)
        process = process or odoo.launch(database, log=self._log("odoo"))
        lent = {
            "FCB_ODOO_URL": process.url,
            "FCB_ODOO_DATABASE": database,
            "FCB_ODOO_USER": USER,
            "FCB_ODOO_PASSWORD": PASSWORD,
        }
        running = replace(
            running,
            processes=(*others, process),
            environment={**running.environment, **lent},
        )
        state.write(self._folder, running)
        odoo.wait(process, log=self._log("odoo"))
        return running

    def _odoo(self) -> SandboxOdoo:
        return SandboxOdoo(self._odoo_folder, self._server, say=self._say)

    def _with_stand_in(self, name: str, running: Running) -> Running:
        """The sandbox with this stand-in for a source."""
        module = f"fcb_pipelines.sandbox.{name}_server"
        argv = ["-m", module, "--dataset", str(self._dataset.path)]
        return self._with(name, f"the stand-in for {name.capitalize()}", argv, running)

    def _with_intake(self, running: Running) -> Running:
        """The sandbox with an intake, `fcb serve`, for the services that hand in records."""
        command = "from fcb_pipelines.cli.main import run; run()"
        return self._with(INTAKE, "the intake", ["-c", command, "serve"], running)

    def _with_receiver(self, running: Running) -> Running:
        """The sandbox with a receiver of events, on the same port each time: the configuration names it."""
        running = replace(running, environment={told.SECRET: EVENTS_SECRET})
        port = processes.usual_port(f"{self._folder} {RECEIVER}")
        argv = ["-m", "fcb_pipelines.sandbox.receiver", "--told", str(self._folder / told.FILE)]
        return self._with(RECEIVER, "the receiver of events", argv, running, port)

    def _with(
        self, name: str, what: str, argv: Sequence[str], running: Running, port: int | None = None
    ) -> Running:
        """The sandbox with this process: the recorded one if it answers, else a new one.

        A process is recorded before anything waits for it, so that no crash loses it.
        """
        mine = [process for process in running.processes if process.name == name]
        others = tuple(process for process in running.processes if process.name != name)
        for process in mine:
            if processes.alive(process) and processes.answers(process):
                return self._recorded(running, name, process)
            processes.stop(process)
        self._say(f"starting {what}")
        port = port or processes.free_port()
        process = processes.start(
            name, [sys.executable, *argv, "--port", str(port)], port=port, log=self._log(name),
            environment=running.environment if name in (INTAKE, RECEIVER) else {},
        )  # fmt: skip
        return self._recorded(replace(running, processes=(*others, process)), name, process)

    def _recorded(self, running: Running, name: str, process: Process) -> Running:
        lent = {STAND_INS[name]: process.url} if name in STAND_INS else {}
        running = replace(running, environment={**running.environment, **lent})
        state.write(self._folder, running)
        return running

    def _push(self, service: str, records: pushing.Content, running: Running) -> None:
        """Hand in a service's records over HTTP, with a key that is revoked afterwards."""
        keys = ServiceKeys(running.environment["FCB_POSTGRES_URL"])
        number, secret = keys.new(service, "the sandbox")
        (url,) = (process.url for process in running.processes if process.name == INTAKE)
        try:
            outcomes = pushing.push(url, secret, records)
        finally:
            keys.revoke(service, number)
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items() if count)
        self._say(f"{service} handed in its usage over HTTP: {counts or 'none'}")

    def _log(self, name: str) -> Path:
        return self._folder / "logs" / f"{name}.log"


def down(
    home: Path, name: str | None = None, *, say: Callable[[str], None] = lambda _: None
) -> tuple[str, ...]:
    """Stop the processes of this dataset (or of all) under FCB_HOME; return their names.

    The Postgres server is stopped with the last dataset that uses it. Data stays.
    """
    home = home.absolute()
    if not home.is_dir():
        return ()
    stopped: list[str] = []
    with _locked(home, say):
        for file in sorted(home.glob(f"{name or '*'}/{state.FILE}")):
            known = state.read(file.parent)
            for process in known.processes if known else ():
                if processes.stop(process):
                    stopped.append(f"{process.name} of {file.parent.name}")
            state.forget(file.parent)
        if not any(home.glob(f"*/{state.FILE}")) and EmbeddedPostgres(home).stop():
            stopped.append("postgres")
    return tuple(stopped)


@contextmanager
def _locked(home: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock under which a process starts or stops sandboxes of this home.

    Says whom it waits for. Raises Busy, which names it, after ten minutes.
    """
    lock, note = FileLock(home / "sandbox.lock"), home / "sandbox.lock.holder"
    try:
        lock.acquire(timeout=_SAYS_NOTHING_FOR)
    except Timeout:
        holder = "another process"
        with suppress(OSError):
            holder = note.read_text("utf-8") or holder
        say(f"waiting for {holder}: it starts or stops a sandbox of {home}")
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout as error:
            raise Busy(
                f"locking the sandboxes of {home}",
                f"{holder} has held them for {_PATIENCE} s",
                remedy="let it end, then the same command again",
            ) from error
    try:
        note.write_text(f"process {os.getpid()}, since {datetime.now(UTC):%H:%M} UTC", "utf-8")
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()
