"""A real daemon that is killed, or that ticks beside something else: the next tick makes up for it by itself."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import dagster as dg
import psutil
import yaml

from fcb_pipelines.cli.dev import _make_pools
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.instance.storage import open_instance
from fcb_pipelines.sandbox import processes
from fcb_pipelines_tests.defs.world import World
from fcb_pipelines_tests.faults.bench import Bench
from fcb_pipelines_tests.faults.books import damage, stand
from fcb_pipelines_tests.faults.patience import until
from fcb_pipelines_tests.faults.result import Result

_LOCATION = {
    "module_name": "fcb_pipelines_tests.faults.ticking",
    "attribute": "defs",
    "location_name": "fcb_pipelines",
    "working_directory": str(Path(__file__).parents[2]),
}
# A run is launched within this, also where a machine is busy; Dagster's own limit is a minute.
_SLOW_MACHINE = {"DAGSTER_GRPC_TIMEOUT_SECONDS": "300"}
# Nothing runs for so many seconds: the sensors, which look every five, have nothing left to go on with.
_REST = 15

_ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


class Daemon:
    """The daemon of a world, with every process that it begot."""

    def __init__(self, world: World, instance: dg.DagsterInstance) -> None:
        self.world = world
        self.instance = instance
        self._tick, self._begin = (world.data.parent / name for name in ("tick", "begin"))
        self._family: dict[int, psutil.Process] = {}
        self._process: processes.Process | None = None

    def start(self) -> None:
        """Start it, as a supervisor does."""
        daemon = str(Path(sys.executable).with_name("dagster-daemon"))
        argv = [daemon, "run", "-w", str(_workspace(self.world))]
        log = self.world.found.data_home / "logs" / "daemon.log"
        files = {"FCB_TEST_TICK": str(self._tick), "FCB_TEST_BEGIN": str(self._begin)}
        self._process = processes.start(
            "dagster-daemon", argv, port=0, log=log, environment=_SLOW_MACHINE | files
        )

    def kill(self, *, alone: bool = False) -> None:
        """`kill -9` of the daemon, its code server and its runs; or of the daemon `alone`."""
        assert self._process is not None
        self._look()
        for one in self._family.values():
            if not alone or one.pid == self._process.pid:
                _kill(one)
        processes.stop(self._process)

    def end(self) -> None:
        """Nothing of it runs on."""
        self._look()
        if self._process is not None:
            processes.stop(self._process, patience=10)
        for one in self._family.values():
            _kill(one)

    def until(self, is_so: Callable[[], bool]) -> bool:
        """Whether it came to be so before everything stood still."""

        def looked() -> bool:
            self._look()
            return is_so()

        return until(self.instance, looked, every=0.5)

    def tick(self, name: str) -> None:
        """Have the schedule tick within a minute, under this name."""
        _put(self._tick, name)

    def begin(self, name: str) -> None:
        """Have a sync of this name begin within seconds."""
        _put(self._begin, name)

    def rests(self) -> bool:
        """Whether it came to rest: every run has ended, and none was begun for a while."""
        busy = time.monotonic()

        def is_at_rest() -> bool:
            nonlocal busy
            if any(run.status not in _ENDED for run in self.instance.get_runs()):
                busy = time.monotonic()
            return time.monotonic() - busy > _REST

        return self.until(is_at_rest)

    def runs(self, job: str, extract: str | None = None) -> list[dg.DagsterRun]:
        """Its runs of a job, the oldest first; those of one extract."""
        tags = {keys.EXTRACT_TAG: extract} if extract else {}
        return self.instance.get_runs(dg.RunsFilter(job_name=job, tags=tags), ascending=True)

    def writes(self) -> bool:
        """Whether a month of a sync is written now."""
        return any(run.status is dg.DagsterRunStatus.STARTED for run in self.runs("month"))

    def extracts(self) -> bool:
        """Whether an extract runs now."""
        return any(run.status is dg.DagsterRunStatus.STARTED for run in self.runs("extract"))

    def _look(self) -> None:
        if self._process is None:
            return
        try:
            daemon = psutil.Process(self._process.pid)
            for one in (daemon, *daemon.children(recursive=True)):
                self._family.setdefault(one.pid, one)
        except psutil.NoSuchProcess:
            return


Disturb = Callable[[Daemon, float], None]


def _killed(when: str, *, alone: bool = False) -> Disturb:
    def disturb(daemon: Daemon, moment: float) -> None:
        assert daemon.until(daemon.extracts if when == "extract" else daemon.writes), "it never ran"
        time.sleep(moment)
        daemon.kill(alone=alone)
        daemon.start()

    return disturb


def _sync_beside(daemon: Daemon, moment: float) -> None:
    assert daemon.until(daemon.extracts), "it never ran"
    time.sleep(moment)
    # It may be refused by the daemon's, or find that another extract came between.
    _command(daemon, "fcb", "sync")


def _backfill(daemon: Daemon, _: float) -> None:
    assert daemon.until(daemon.extracts), "it never ran"
    first = daemon.runs("extract")[0].run_id
    assert daemon.until(lambda: _is_over(daemon.instance, first)), "the extract did not end"
    workspace = str(_workspace(daemon.world))
    options = ("-j", "month", "--all", "--noprompt", "-w", workspace)
    _command(daemon, "dagster", "job", "backfill", *options)


KILLS: dict[str, Disturb] = {
    "the daemon and its runs are killed while it extracts": _killed("extract"),
    "the daemon and its runs are killed while months are written": _killed("month"),
    "the daemon alone is killed while months are written": _killed("month", alone=True),
}
DISTURBANCES = KILLS | {
    "the schedule ticks beside `fcb sync`": _sync_beside,
    "the schedule ticks during a backfill of all months": _backfill,
}


def under_the_daemon(bench: Bench, some: Iterable[str] = DISTURBANCES) -> Iterator[Result]:
    """Each of these in a world of its own."""
    for name in some:
        yield disturbed(bench, name)


def disturbed(bench: Bench, name: str, *, hurried: bool = False) -> Result:
    """The daemon syncs at one tick and is disturbed; the sync of the next tick must come to the same books.

    `hurried`: no sync waits for the schedule, and the next one begins only where the first, which the daemon begins
    anew, did not come to its proof.
    """
    undisturbed = bench.undisturbed
    moment = bench.draws(name).uniform(0, 3)
    with bench.world() as world:
        post_at_once(Path(os.environ["FCB_CONFIG"]))
        _make_pools()
        with open_instance() as instance:
            daemon = Daemon(world, instance)
            try:
                (daemon.begin if hurried else daemon.tick)("first")
                daemon.start()
                DISTURBANCES[name](daemon, moment)
                by_itself = daemon.rests()
                if not (hurried and _proved(daemon, "first")):
                    (daemon.begin if hurried else daemon.tick)("second")
                    by_itself = daemon.until(lambda: _proved(daemon, "second")) and by_itself
            finally:
                daemon.end()
        found = damage(undisturbed, stand(world))
    return Result(fault=name, ledger=bench.ledger, met=1, damage=found, by_hand=int(not by_itself))


def _proved(daemon: Daemon, tick: str) -> bool:
    """Whether the sync of this tick has ended with its proof, and nothing else runs."""
    extracts = daemon.instance.get_runs(dg.RunsFilter(job_name="extract", tags={"fcb/tick": tick}))
    if not extracts or any(run.status not in _ENDED for run in daemon.instance.get_runs()):
        return False
    return any(
        run.status is dg.DagsterRunStatus.SUCCESS
        for run in daemon.runs("prove", extracts[0].run_id)
    )


def _is_over(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is not None and run.status in _ENDED


def post_at_once(config: Path) -> None:
    """Have every sync post."""
    told = yaml.safe_load(config.read_text("utf-8"))
    config.write_text(yaml.safe_dump({**told, "posting": "auto"}), "utf-8")


def _put(file: Path, name: str) -> None:
    """Write a name into a file that somebody looks at meanwhile."""
    new = file.with_suffix(".new")
    new.write_text(name, "utf-8")
    new.rename(file)


def _workspace(world: World) -> Path:
    file = world.data.parent / "workspace.yaml"
    file.write_text(yaml.safe_dump({"load_from": [{"python_module": _LOCATION}]}), "utf-8")
    return file


def _command(daemon: Daemon, name: str, *arguments: str) -> None:
    """A command beside the daemon, to its end."""
    argv = [str(Path(sys.executable).with_name(name)), *arguments]
    with subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    ) as command:
        if not daemon.until(lambda: command.poll() is not None):
            command.kill()


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
