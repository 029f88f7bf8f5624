"""Dagster's folder on a database of a test's own, as `dagster.yaml` of the project writes it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

ROOT = Path(__file__).parents[2]


def a_dagster_home(folder: Path, url: str, **changes: Any) -> Path:
    """The folder with the project's dagster.yaml over this Postgres; `changes` replace its blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    settings["storage"]["custom"]["config"]["postgres_url"] = url
    (folder / "dagster.yaml").write_text(yaml.safe_dump({**settings, **changes}))
    return folder


@contextmanager
def a_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which has the pool once it says that it writes."""
    child = subprocess.Popen(
        [sys.executable, "-m", "fcb_pipelines_tests.instance.holder"],
        env={**os.environ, "DAGSTER_HOME": str(folder), "FCB_TEST_SECONDS": "300"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


def holders(instance: dg.DagsterInstance) -> set[str]:
    info = instance.event_log_storage.get_concurrency_info("ledger")
    return {slot.run_id for slot in info.claimed_slots}
