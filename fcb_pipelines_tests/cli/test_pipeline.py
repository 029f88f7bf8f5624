"""How a run that fails is told: what a step raised, whether a rerun helps, and that a kill is a kill."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split

from fcb_pipelines.cli.foreground import kill_is_ctrl_c
from fcb_pipelines.cli.pipeline import Pipeline
from fcb_pipelines.config import environment
from fcb_pipelines.connectors.failures import (
    Failure,
    NotPrepared,
    TransientFailure,
    Unreachable,
)

Body = Callable[[], None]


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pipeline:
    """A pipeline over a storage of its own."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    found = environment.read({"FCB_HOME": str(tmp_path / "home")})
    return Pipeline(found, say=lambda message: None)


def running(pipeline: Pipeline, *bodies: Body) -> Pipeline:
    """The pipeline with a job `extract` of assets that do this."""

    def an_asset(number: int, body: Body) -> dg.AssetsDefinition:
        @dg.asset(name=f"asset_{number}")
        def made() -> None:
            body()

        return made

    assets = [an_asset(number, body) for number, body in enumerate(bodies)]
    jobs = [dg.define_asset_job("extract")]
    pipeline.__dict__["_definitions"] = dg.Definitions(assets=assets, jobs=jobs)
    return pipeline


def failing(problem: Exception) -> Body:
    def body() -> None:
        raise problem

    return body


GONE = Unreachable("Lago: GET /invoices", "no answer")
LACKING = NotPrepared("opening the books", "it lacks tax hst_13", remedy="fcb ledger setup")


def test_a_rerun_helps_where_it_helps_every_step_that_failed(pipeline: Pipeline) -> None:
    with pytest.raises(TransientFailure) as failed:
        running(pipeline, failing(GONE)).extract()
    assert failed.value.came_back == "Lago: GET /invoices: no answer"
    assert str(failed.value).count("A rerun") == 1
    with pytest.raises(Failure) as failed:
        running(pipeline, failing(GONE), failing(LACKING)).extract()
    assert not failed.value.rerun_helps
    assert failed.value.remedy == "fcb ledger setup"
    assert {"no answer", "it lacks tax hst_13"} == {
        part.rpartition(": ")[2] for part in failed.value.came_back.split("; ")
    }


def test_an_error_of_another_kind_is_told_with_its_class(pipeline: Pipeline) -> None:
    with pytest.raises(Failure, match=r"running the job: KeyError: .*lost.*not help\.$"):
        running(pipeline, failing(KeyError("lost"))).extract()


def test_a_kill_in_a_step_ends_the_verb_and_is_no_failure_of_the_step(pipeline: Pipeline) -> None:
    def killed() -> None:
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt), kill_is_ctrl_c():
        running(pipeline, killed).extract()
