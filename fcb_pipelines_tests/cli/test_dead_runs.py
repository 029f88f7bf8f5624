"""A killed run, as the next verb, the daemon's sensor and the doctor meet it."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split

from fcb_pipelines.cli import checkups
from fcb_pipelines.cli.pipeline import Pipeline
from fcb_pipelines.config import environment
from fcb_pipelines.core.close.alerts import alert_of_hanging
from fcb_pipelines.defs.automation.sensors import dead_runs
from fcb_pipelines.instance.dead_runs import hanging_runs
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.instance.holder import month
from fcb_pipelines_tests.instance.instances import a_dagster_home, a_process, holders, until
from fcb_pipelines_tests.remedies.printed import fcb, printed


@pytest.fixture
def instance(
    postgres: EmbeddedPostgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    folder = a_dagster_home(tmp_path / "dagster", postgres.sqlalchemy_url(database))
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    with dg.DagsterInstance.get() as made:
        yield made


@pytest.fixture
def killed(instance: dg.DagsterInstance, tmp_path: Path) -> str:
    """The id of a run that held the ledger when its process was killed."""
    with a_process(tmp_path / "dagster") as child:
        until(lambda: bool(holders(instance)))
        child.kill()
        child.wait()
    (run_id,) = holders(instance)
    return run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_the_next_verb_ends_it_and_says_so(
    instance: dg.DagsterInstance, killed: str, tmp_path: Path
) -> None:
    said: list[str] = []
    Pipeline(environment.read({"FCB_HOME": str(tmp_path / "home")}), say=said.append)
    assert said == [
        f"run {killed[:8]} (month) was killed and is on record as failed; its place in the queue is "
        "free again"
    ]
    assert status(instance, killed) is dg.DagsterRunStatus.FAILURE
    assert month.execute_in_process(instance=instance).success


def test_the_daemons_sensor_ends_it(instance: dg.DagsterInstance, killed: str) -> None:
    assert "1 dead runs ended" in str(
        dead_runs(dg.build_sensor_context(instance=instance)).skip_message  # type: ignore[union-attr]
    )
    assert status(instance, killed) is dg.DagsterRunStatus.FAILURE
    assert holders(instance) == set()


def test_the_doctor_names_a_run_that_hangs_and_fix_ends_it(
    instance: dg.DagsterInstance,
    postgres: EmbeddedPostgres,
    database: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = instance.create_run_for_job(month, status=dg.DagsterRunStatus.STARTED)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("update runs set start_time = 1000000000")
    (_, hanging) = checkups._dagster()
    assert hanging.outcome == "warn"
    assert hanging.detail.startswith(f"run {run.run_id[:8]} (month) hangs")
    dead_runs(dg.build_sensor_context(instance=instance))
    logged, url = capsys.readouterr().err, postgres.sqlalchemy_url(database)
    alert = alert_of_hanging({str(one): one.why for one in hanging_runs(instance)})
    assert alert is not None
    told = (hanging.remedy, logged, alert.lines[-1])
    (command,) = {printed(each, "fcb doctor --fix") for each in told}
    assert f"{run.run_id[:8]} (month) is on record as failed" in fcb(
        command, code=None, FCB_POSTGRES_URL=url, FCB_HOME=str(tmp_path / "home")
    )
    assert status(instance, run.run_id) is dg.DagsterRunStatus.FAILURE
    assert len(list(checkups._dagster())) == 1
