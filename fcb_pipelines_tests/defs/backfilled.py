"""A generated dataset closed in a process of its own: in process, or by Celery workers over an S3 store.

FCB_HOME=… python -m fcb_pipelines_tests.defs.backfilled DATA [STORE_URL]

Prints the status, the moves and the trial balance as JSON. With a store its months are a backfill that the
daemon launches on two workers.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from fcb_pipelines.cli.dev import _make_pools
from fcb_pipelines.cli.work import open_pipeline, prepare_ledger, working_in
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.session import Sandbox, open_dataset

ROOT = Path(__file__).parents[2]
PATIENCE = 600
ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


def closed(data: Path, home: Path, store: str | None) -> dict[str, Any]:
    dataset = open_dataset(str(data), home)
    with Sandbox(dataset, home).running() as lent:
        config = Path(lent["FCB_CONFIG"])
        config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "posting": "auto"}))
        shared = {"FCB_STORE_URL": store} if store else {}
        broker = _broker(Path(lent["DAGSTER_HOME"])) if store else {}
        with working_in({**lent, **shared}, quiet=True) as found:
            prepare_ledger(found, dataset)
            pipeline = open_pipeline(found)
            pipeline.extract()
            if store:
                with _workers(home, broker):
                    _backfill(len(pipeline.periods()))
            else:
                for period in pipeline.periods():
                    assert pipeline.run_month(period, post=None).ok, period
            for period in pipeline.touched():
                assert pipeline.run_month(period, post=None).ok, period
            assert pipeline.completeness()
            return _books(pipeline, found)


def _books(pipeline: Any, found: Any) -> dict[str, Any]:
    from fcb_pipelines.config import settings
    from fcb_pipelines.defs.runtime import connections

    ledger = connections.ledger(found, settings.current())
    return {
        "months": len(pipeline.periods()),
        "status": pipeline.status(),
        "moves": sorted(
            [m.ref, m.state.value, m.document.content_hash] for m in ledger.read_moves()
        ),
        "balance": sorted([b.account, b.currency, b.balance] for b in ledger.trial_balance()),
        "local frames": sorted(p.name for p in (found.data_home / "frames").rglob("*.parquet")),
    }


def _broker(dagster_home: Path) -> dict[str, Any]:
    """Write deploy/'s dagster.yaml over a broker that is a folder; return a worker's configuration."""
    folders = {name: dagster_home / "broker" / name for name in ("queue", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    transport = {
        "data_folder_in": str(folders["queue"]),
        "data_folder_out": str(folders["queue"]),
        "control_folder": str(folders["control"]),
    }
    instance = yaml.safe_load((ROOT / "deploy" / "dagster-celery.yaml").read_text())
    launcher = instance["run_launcher"]["config"]
    launcher |= {
        "broker": "filesystem://",
        "config_source": {"broker_transport_options": transport},
    }
    instance["concurrency"]["runs"]["max_concurrent_runs"] = 2
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(instance))
    worker = yaml.safe_load((ROOT / "deploy" / "celery-worker.yaml").read_text())
    worker["execution"]["config"]["broker"] = "filesystem://"
    worker["execution"]["config"]["config_source"]["broker_transport_options"] = transport
    return dict(worker)


@contextmanager
def _workers(home: Path, broker: dict[str, Any]) -> Iterator[None]:
    """The daemon and two workers, stopped after the block."""
    _make_pools()
    file = home / "worker.yaml"
    file.write_text(yaml.safe_dump(broker))
    bin_ = Path(sys.executable).parent
    worker = [
        str(bin_ / "dagster-celery"),
        "worker",
        "start",
        "-A",
        "dagster_celery.app",
        "-y",
        str(file),
    ]
    commands = {
        "daemon": [str(bin_ / "dagster-daemon"), "run", "-w", str(ROOT / "workspace.yaml")],
        **{f"worker-{n}": [*worker, "-n", f"w{n}", "--", "--concurrency=1"] for n in (1, 2)},
    }
    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    started = [
        processes.start(name, argv, port=0, log=home / f"{name}.log", environment={"PATH": path})
        for name, argv in commands.items()
    ]
    try:
        yield
    finally:
        for process in started:
            # A worker's wrapper ends without telling the worker; all runs have ended by now.
            processes.stop(process, patience=3)


def _backfill(months: int) -> None:
    from fcb_pipelines.instance.storage import open_instance

    argv = [str(Path(sys.executable).with_name("dagster")), "job", "backfill", "-j", "month",
            "--all", "--noprompt", "-w", str(ROOT / "workspace.yaml")]  # fmt: skip
    subprocess.run(argv, check=True, stdout=sys.stderr)
    deadline = time.monotonic() + PATIENCE
    with open_instance() as instance:
        while time.monotonic() < deadline:
            runs = instance.get_runs(dg.RunsFilter(job_name="month"))
            if len(runs) == months and all(run.status in ENDED for run in runs):
                assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
                assert all("dagster-celery/task_id" in run.tags for run in runs), runs[0].tags
                return
            time.sleep(1)
    raise AssertionError(f"the backfill did not end: {[run.status for run in runs]}")


if __name__ == "__main__":
    store = sys.argv[2] if len(sys.argv) > 2 else None
    print(json.dumps(closed(Path(sys.argv[1]), Path(os.environ["FCB_HOME"]), store)))  # noqa: T201
