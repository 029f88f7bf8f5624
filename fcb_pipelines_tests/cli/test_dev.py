"""`fcb dev`: webserver and daemon on the sandbox's Postgres, ready when told, gone afterwards."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import psutil
import pytest

from fcb_pipelines.cli import dev, work
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.failures import TransientFailure
from fcb_pipelines.instance.dead_runs import leases_of
from fcb_pipelines.sandbox import processes, session
from fcb_pipelines.sandbox.session import Sandbox
from fcb_pipelines_tests.instance.instances import until
from fcb_pipelines_tests.sandbox.test_session import a_dataset, a_home

TINY = """\
import dagster as dg

@dg.asset
def one():
    return 1

defs = dg.Definitions(assets=[one])
"""

# A run works for ever, until the file FREE is there; two of them fill the queue.
WITH_A_JOB = """\
import pathlib
import time

import dagster as dg

from fcb_pipelines.defs.automation.sensors import dead_runs

@dg.op
def write():
    while not pathlib.Path("FREE").exists():
        time.sleep(0.2)

@dg.job(executor_def=dg.in_process_executor)
def month():
    write()

defs = dg.Definitions(jobs=[month], sensors=[dead_runs])
"""
LAUNCH = """
mutation {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "tiny_location", repositoryName: "__repository__", jobName: "month"}
    runConfigData: {}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    dataset = a_dataset(tmp_path_factory.mktemp("data") / "small", "small")
    with a_home() as home:
        with Sandbox(dataset, home).running() as lent, work.working_in(lent) as environment:
            yield environment
        assert session.down(home) == ()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A code location of one asset in place of the project's own, which takes longer to load."""
    (tmp_path / "tiny_location.py").write_text(TINY)
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(
        "load_from:\n- python_module:\n    module_name: tiny_location\n"
        f"    working_directory: {tmp_path}\n"
    )
    files = {"workspace.yaml": workspace, "dagster.yaml": work.project_file("dagster.yaml")}
    monkeypatch.setattr(dev, "project_file", files.__getitem__)
    return workspace


def ask(url: str, query: str) -> Any:
    return httpx.post(f"{url}/graphql", json={"query": query}, timeout=30).json()["data"]


def test_webserver_and_daemon_come_up_on_the_one_dagster_yaml_and_are_stopped(
    found: Environment, tiny: Path
) -> None:
    with dev.dagster(found, port=processes.free_port()) as (webserver, daemon):
        nodes = ask(webserver.url, "{ assetNodes { assetKey { path } } }")["assetNodes"]
        assert nodes == [{"assetKey": {"path": ["one"]}}]
        assert "free_slots_after_run_end_seconds: 60" in healthy_instance(webserver.url)
    assert not processes.alive(webserver)
    assert not processes.alive(daemon)


def healthy_instance(url: str) -> str:
    """The instance's configuration, once every daemon that it requires beats."""
    query = (
        "{ instance { info daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"
    )
    for _ in range(60):
        told = ask(url, query)["instance"]
        statuses = told["daemonHealth"]["allDaemonStatuses"]
        if all(status["healthy"] for status in statuses if status["required"]):
            return str(told["info"])
        time.sleep(0.5)
    raise AssertionError(f"a daemon does not beat: {statuses}")


def launched(url: str) -> str:
    told = ask(url, LAUNCH)["launchRun"]
    assert told["__typename"] == "LaunchRunSuccess", told
    return str(told["run"]["runId"])


@pytest.mark.slow
def test_launched_runs_that_were_killed_are_ended_by_the_daemon_and_the_queue_goes_on(
    found: Environment, tiny: Path, tmp_path: Path
) -> None:
    location = tmp_path / "tiny_location.py"
    location.write_text(WITH_A_JOB.replace("FREE", str(tmp_path / "FREE")))
    with (
        dev.dagster(found, port=processes.free_port()) as (webserver, _),
        dg.DagsterInstance.get() as instance,
    ):
        leases = leases_of(instance)
        assert leases is not None
        killed = {launched(webserver.url), launched(webserver.url)}
        until(lambda: {lease.run_id for lease in leases.all_of()} == killed, 120)
        for lease in leases.all_of():
            psutil.Process(lease.pid).kill()
        (tmp_path / "FREE").touch()
        third = launched(webserver.url)

        def status(run_id: str) -> dg.DagsterRunStatus:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            return run.status

        until(lambda: status(third) is dg.DagsterRunStatus.SUCCESS, 180)
        assert {status(one) for one in killed} == {dg.DagsterRunStatus.FAILURE}
        assert leases.all_of() == ()


def test_a_webserver_that_can_not_start_leaves_nothing_running(
    found: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = {"workspace.yaml": tmp_path / "none.yaml"}
    monkeypatch.setattr(dev, "project_file", missing.__getitem__)
    monkeypatch.setattr(dev, "_workspace", lambda: ["-w", str(tmp_path / "none.yaml")])
    with (
        pytest.raises(TransientFailure, match="dagster-webserver"),
        dev.dagster(found, port=processes.free_port()),
    ):
        raise AssertionError("it came up")
