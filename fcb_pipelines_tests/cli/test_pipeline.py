"""How a run that fails is told: what a step raised, whether a rerun helps, and that a kill is a kill."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
import yaml

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split

from fcb_pipelines.cli.foreground import kill_is_ctrl_c
from fcb_pipelines.cli.pipeline import Pipeline
from fcb_pipelines.config import environment
from fcb_pipelines.connectors import stopping
from fcb_pipelines.connectors.failures import (
    Failure,
    NotPrepared,
    TransientFailure,
    Unreachable,
)
from fcb_pipelines.connectors.stopping import stop_if_asked

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


def test_a_month_that_failed_for_the_outside_alone_carries_what_came_back(
    pipeline: Pipeline,
) -> None:
    def outcome(*problems: Exception) -> Failure | None:
        running(pipeline, *(failing(one) for one in problems))
        found = pipeline._outcome("2026-04", pipeline._run("extract"))
        assert not found.ok
        return found.failure

    gone = outcome(GONE)
    assert (str(gone), isinstance(gone, TransientFailure)) == (
        "building 2026-04: Lago: GET /invoices: no answer. A rerun may help.", True,
    )  # fmt: skip
    lacking = outcome(GONE, LACKING)
    assert lacking is not None
    assert not lacking.rerun_helps
    assert outcome(KeyError("lost")) is None
    assert outcome(GONE, KeyError("lost")) is None


Kill = Callable[[], None]


def batches(done: list[int], kill: Kill) -> Body:
    """A step of 50 batches that may be stopped between two; the signal comes in the third."""

    def body() -> None:
        for number in range(50):
            stop_if_asked()
            if number == 2:
                kill()
            time.sleep(0.1)
            done.append(number)

    return body


def one_batch(done: list[int], kill: Kill) -> Body:
    """A step with no place to stop at."""

    def body() -> None:
        kill()
        time.sleep(0.5)
        done.append(0)

    return body


def waiting_for_a_source(done: list[int], kill: Kill) -> Body:
    """A step in the midst of a long wait between two tries."""

    def body() -> None:
        threading.Timer(0.3, kill).start()
        stopping.sleep(60)

    return body


def killing_by(one: signal.Signals) -> Kill:
    return lambda: os.kill(os.getpid(), one)


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize(
    ("step", "ends_as", "batches_done"),
    [
        (batches, dg.DagsterRunStatus.CANCELED, 3),
        (waiting_for_a_source, dg.DagsterRunStatus.CANCELED, 0),
        (one_batch, dg.DagsterRunStatus.SUCCESS, 1),
    ],
    ids=["between batches", "while it waits", "the only batch"],
)
def test_a_signal_ends_the_verb_where_the_batch_in_hand_is_whole(
    pipeline: Pipeline,
    step: Callable[[list[int], Kill], Body],
    one: signal.Signals,
    ends_as: dg.DagsterRunStatus,
    batches_done: int,
) -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt), kill_is_ctrl_c():
        running(pipeline, step(done, killing_by(one))).extract()
    (run,) = instance_of(pipeline).get_runs()
    assert run.status is ends_as
    assert len(done) == batches_done
    assert not stopping.is_asked()


def test_the_page_lists_what_the_command_runs_under_its_job(pipeline: Pipeline) -> None:
    running(pipeline, one_batch([], lambda: None)).extract()
    (run,) = instance_of(pipeline).get_runs()
    label = workspace_location()
    assert run.tags[".dagster/repository"] == f"__repository__@{label}"
    assert run.job_name == "extract"


def workspace_location() -> str:
    told = yaml.safe_load(Path(__file__).parents[2].joinpath("workspace.yaml").read_text("utf-8"))
    return str(told["load_from"][0]["python_module"]["location_name"])


def test_what_follows_the_step_in_hand_does_not_start(pipeline: Pipeline) -> None:
    first: list[int] = []

    @dg.asset
    def begun() -> None:
        one_batch(first, killing_by(signal.SIGINT))()

    @dg.asset(deps=[begun])
    def next_step() -> None:
        stop_if_asked()
        first.append(1)

    pipeline.__dict__["_definitions"] = dg.Definitions(
        assets=[begun, next_step], jobs=[dg.define_asset_job("extract")]
    )
    with pytest.raises(KeyboardInterrupt):
        pipeline.extract()
    assert first == [0]
    (run,) = instance_of(pipeline).get_runs()
    assert run.status is dg.DagsterRunStatus.CANCELED


def test_a_second_signal_does_not_wait_for_the_batch(pipeline: Pipeline) -> None:
    ended = threading.Event()

    def long_batch() -> None:
        kill = killing_by(signal.SIGINT)
        kill()
        # Two signals at once are one.
        while not stopping.is_asked():
            time.sleep(0.01)
        kill()
        ended.wait(30)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        running(pipeline, long_batch).extract()
    assert time.monotonic() - began < 20
    ended.set()
    (work,) = [one for one in threading.enumerate() if one.name == "fcb work"]
    work.join(20)


def test_a_stopped_run_gives_its_place_in_the_pool_back(pipeline: Pipeline) -> None:
    @dg.asset(pool="ledger")
    def written() -> None:
        batches([], killing_by(signal.SIGTERM))()

    instance = instance_of(pipeline)
    instance.event_log_storage.set_concurrency_slots("ledger", 1)
    pipeline.__dict__["_definitions"] = dg.Definitions(
        assets=[written], jobs=[dg.define_asset_job("extract")]
    )
    with pytest.raises(KeyboardInterrupt), kill_is_ctrl_c():
        pipeline.extract()
    info = instance.event_log_storage.get_concurrency_info("ledger")
    assert not info.claimed_slots
    assert not info.pending_steps


def instance_of(pipeline: Pipeline) -> dg.DagsterInstance:
    found = pipeline.__dict__["_instance"]
    assert isinstance(found, dg.DagsterInstance)
    return found
