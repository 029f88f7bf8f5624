"""The verbs: what they ask of the pipeline, what they print, and how they end."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from fcb_pipelines.cli import books, demo
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.connectors.failures import Failure, NotPrepared, Unreachable
from fcb_pipelines.sandbox.session import Sandbox
from fcb_pipelines_tests.cli.pipelines import MemoryPipeline, Outcome, a_status, unboxed

RUNNER = CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"})


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryPipeline:
    """The operator's environment in a folder of its own, and a pipeline that answers from memory."""
    memory = MemoryPipeline()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    stand_in = SimpleNamespace(Pipeline=memory)
    monkeypatch.setitem(sys.modules, "fcb_pipelines.cli.pipeline", stand_in)
    return memory


def test_sync_extracts_builds_the_window_and_proves_completeness(pipeline: MemoryPipeline) -> None:
    done = RUNNER.invoke(app, ["sync"])
    assert done.exit_code == Exit.OK, done.output
    assert pipeline.asked == ["extract", "2026-05 post=None", "completeness"]


def test_sync_builds_the_periods_that_are_asked_for_in_order(pipeline: MemoryPipeline) -> None:
    done = RUNNER.invoke(app, ["sync", "--period", "2026-05", "--period", "2026-04", "--json"])
    assert done.exit_code == Exit.OK
    assert [month["period"] for month in json.loads(done.stdout)["months"]] == [
        "2026-04",
        "2026-05",
    ]


def test_sync_lists_every_source_in_full_on_demand(pipeline: MemoryPipeline) -> None:
    assert RUNNER.invoke(app, ["sync", "--full"]).exit_code == Exit.OK
    assert pipeline.asked[0] == "extract in full"


def test_sync_builds_every_month_on_demand(pipeline: MemoryPipeline) -> None:
    done = RUNNER.invoke(app, ["sync", "--all", "--json"])
    assert [month["period"] for month in json.loads(done.stdout)["months"]] == list(
        pipeline.periods()
    )


def test_a_month_that_a_gate_stops_does_not_stop_the_others(pipeline: MemoryPipeline) -> None:
    pipeline.stopped = frozenset({"2026-04"})
    done = RUNNER.invoke(app, ["sync", "--period", "2026-04", "--period", "2026-05", "--json"])
    assert done.exit_code == Exit.DIFFERENCE
    stopped, built = json.loads(done.stdout)["months"]
    assert stopped["failed_gates"] == ["documents_balance"]
    assert built["ok"]
    assert "stopped by documents_balance" in done.stderr


def test_a_sync_that_is_not_complete_says_so(pipeline: MemoryPipeline) -> None:
    pipeline.complete = False
    assert RUNNER.invoke(app, ["sync"]).exit_code == Exit.DIFFERENCE


def test_post_posts_the_months_with_drafts_and_extracts_nothing(pipeline: MemoryPipeline) -> None:
    done = RUNNER.invoke(app, ["post"])
    assert done.exit_code == Exit.OK
    assert pipeline.asked == ["post 2026-04"]
    assert "1 posted over 1 months" in done.stdout


@pytest.mark.parametrize("verb", ["sync", "post"])
def test_a_month_that_the_outside_fails_is_exit_code_three_and_told_once(
    verb: str, pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(self: object, period: str, **_: object) -> Outcome:
        gone = Unreachable(f"building {period}", "Odoo does not answer", remedy="start it")
        return Outcome(period=period, ok=False, failure=gone)

    monkeypatch.setattr(MemoryPipeline, "run_month", lost)
    monkeypatch.setattr(MemoryPipeline, "post_month", lost)
    both = ["--period", "2026-04", "--period", "2026-05"]
    done = RUNNER.invoke(app, [verb, *both])
    assert done.exit_code == Exit.CONNECTION
    assert done.stderr.count("Odoo does not answer") == 1
    assert "building 2026-04, 2026-05" in done.stderr
    told = json.loads(RUNNER.invoke(app, [verb, *both, "--json"]).stdout)["months"]
    assert ["Odoo does not answer" in month["failure"] for month in told] == [True, True]


def test_a_demo_that_the_outside_fails_is_exit_code_three_too(
    pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def lost(self: object, period: str, **_: object) -> Outcome:
        return Outcome(period=period, ok=False, failure=Unreachable("building", "Odoo is gone"))

    @contextmanager
    def no_sandbox(self: object, *, keep: bool) -> Iterator[dict[str, str]]:
        yield {}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(MemoryPipeline, "run_month", lost)
    monkeypatch.setattr(Sandbox, "running", no_sandbox)
    monkeypatch.setattr(demo, "prepare_ledger", lambda *_: None)
    monkeypatch.setattr(demo, "_tell", lambda *_: ())
    done = RUNNER.invoke(app, ["demo", "--json"])
    assert done.exit_code == Exit.CONNECTION, done.output
    assert "Odoo is gone" in done.stderr


def test_status_json_is_the_status_and_nothing_else(pipeline: MemoryPipeline) -> None:
    done = RUNNER.invoke(app, ["status", "--json"])
    assert done.exit_code == Exit.OK
    assert json.loads(done.stdout) == a_status()


def test_status_names_what_is_held_and_every_gate_that_does_not_pass(
    pipeline: MemoryPipeline,
) -> None:
    done = RUNNER.invoke(app, ["status"])
    assert done.exit_code == Exit.OK
    for said in ("lines_do_not_sum", "revenue_in_other", "113.00", "hosting 100.00"):
        assert said in done.stdout


@pytest.mark.parametrize("where", ["month", "global"])
def test_a_gate_that_fails_is_exit_code_one(pipeline: MemoryPipeline, where: str) -> None:
    if where == "month":
        pipeline.told["periods"]["2026-04"]["gates"]["read_back"] = "fail"
    else:
        pipeline.told["gates"]["receivables"] = "fail"
    done = RUNNER.invoke(app, ["status"])
    assert done.exit_code == Exit.DIFFERENCE
    assert "FAIL" in done.stdout


@pytest.mark.parametrize("period", ["2026-06", "April", "2026-4"])
def test_a_period_that_is_none_of_ours_is_refused_before_anything_runs(
    pipeline: MemoryPipeline, period: str
) -> None:
    done = RUNNER.invoke(app, ["report", "--period", period])
    assert done.exit_code == Exit.USAGE
    assert "2026-04 to 2026-05" in done.stderr
    assert pipeline.asked == []


def test_report_prints_where_the_page_is(pipeline: MemoryPipeline) -> None:
    done = RUNNER.invoke(app, ["report", "--period", "2026-04"])
    assert done.stdout.strip() == "reports/2026-04.html"


@pytest.mark.parametrize(
    ("failure", "rerun"),
    [
        (Unreachable("listing invoices at Stripe", "503"), "may help"),
        (NotPrepared("reading Odoo", "account 411310 is missing", remedy="fcb ledger setup"),
         "alone will not help"),
    ],
)  # fmt: skip
def test_a_failed_connection_is_told_in_words_and_is_exit_code_three(
    pipeline: MemoryPipeline, failure: Failure, rerun: str
) -> None:
    pipeline.failure = failure
    done = RUNNER.invoke(app, ["sync"])
    assert done.exit_code == Exit.CONNECTION
    for said in (failure.tried, failure.came_back, rerun, failure.remedy or ""):
        assert said in done.stderr
    assert "Traceback" not in done.output


def test_a_verb_that_is_stopped_says_that_a_rerun_goes_on(
    pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemoryPipeline, "run_month", stopped)
    done = RUNNER.invoke(app, ["sync"])
    assert done.exit_code == Exit.STOPPED
    assert "the same command goes on from there" in done.stderr


def test_a_storage_that_goes_away_is_one_clear_message(
    pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        for _ in range(3):
            logging.warning("Retrying failed database connection: %s", "four lines")
        try:
            told = "connection to server at 127.0.0.1 failed: Connection refused\n"
            raise OperationalError("select 1", {}, psycopg2.OperationalError(told))
        except OperationalError as error:
            raise RuntimeError("too many retries for DB connection") from error

    monkeypatch.setattr(MemoryPipeline, "run_month", gone)
    done = RUNNER.invoke(app, ["sync"])
    assert done.exit_code == Exit.CONNECTION
    for said in ("FCB_POSTGRES_URL", "Connection refused", "may help"):
        assert said in done.stderr
    assert "select 1" not in done.stderr
    assert "four lines" not in done.stderr
    assert done.stderr.count("it is tried again for a while") == 1
    assert len(done.stderr.splitlines()) < 12


def test_with_debug_the_failure_itself_comes_through(pipeline: MemoryPipeline) -> None:
    pipeline.failure = Unreachable("listing", "503")
    done = RUNNER.invoke(app, ["--debug", "sync"])
    assert done.exception is pipeline.failure


def test_without_any_connection_the_way_out_is_named(
    pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FCB_POSTGRES_URL")
    done = RUNNER.invoke(app, ["status"])
    assert done.exit_code == Exit.USAGE
    assert "FCB_NEXACLOUD_DSN" in done.stderr
    assert "--dataset nexa-2026-05" in done.stderr


def test_a_dotenv_file_is_read_and_never_overrules_the_environment(
    pipeline: MemoryPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FCB_LEDGER=odoo\nFCB_DATASET=from-file\n")
    monkeypatch.setenv("FCB_DATASET", "from-shell")
    monkeypatch.setenv("FCB_LEDGER", "")
    monkeypatch.delenv("FCB_LEDGER")
    assert RUNNER.invoke(app, ["status", "--json"]).exit_code == Exit.OK
    assert (tmp_path / "home" / "from-shell" / "dagster" / "dagster.yaml").exists()


def test_dagsters_folder_of_an_operator_keeps_its_own_configuration(
    pipeline: MemoryPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(own))
    assert RUNNER.invoke(app, ["status", "--json"]).exit_code == Exit.OK
    assert "storage" not in (own / "dagster.yaml").read_text()


def test_the_version_is_told_without_a_verb() -> None:
    done = RUNNER.invoke(app, ["--version"])
    assert (done.exit_code, done.stderr) == (Exit.OK, "")
    assert done.stdout.startswith(f"fcb_pipelines {metadata.version('fcb_pipelines')}, dagster 1.")


@pytest.mark.parametrize(
    ("snapshot", "said"),
    [
        ("20260531T060000.120000Z", "As of the extract of 2026-05-31 06:00 UTC"),
        ("", "Nothing was extracted yet: fcb sync"),
        ("test", "As of the extract of test"),
    ],
)
def test_the_status_begins_with_its_time(
    pipeline: MemoryPipeline, snapshot: str, said: str
) -> None:
    pipeline.told["snapshot"] = snapshot
    assert RUNNER.invoke(app, ["status"]).stdout.splitlines()[0] == said


def of_datasets(home: Path, *names: str) -> None:
    for name in names:
        (home / name / "books").mkdir(parents=True)
        (home / name / "books" / "main.beancount").touch()


@pytest.mark.parametrize(
    ("there", "given", "dataset", "opened"),
    [
        (["production"], [], None, "production"),
        (["nexa-2026-05"], [], None, "nexa-2026-05"),
        (["nexa-2026-05", "production"], [], None, "production"),
        (["nexa-2026-05", "edge-cases"], ["--dataset", "edge-cases"], None, "edge-cases"),
        (["nexa-2026-05"], [], "production", "production"),  # asked for, and not there yet
        ([], [], None, "production"),
        (["nexa-2026-05", "edge-cases"], [], None, None),
    ],
)
def test_the_books_are_those_of_the_dataset_or_the_only_ones(
    there: list[str],
    given: list[str],
    dataset: str | None,
    opened: str | None,
    pipeline: MemoryPipeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looked(main: Path, **_: object) -> None:
        raise NotPrepared("opening", main.parents[1].name)

    monkeypatch.setattr(books, "open_books", looked)
    monkeypatch.delenv("FCB_DATASET", raising=False)
    if dataset:
        monkeypatch.setenv("FCB_DATASET", dataset)
    of_datasets(tmp_path / "home", *there)
    done = RUNNER.invoke(app, ["books", *given])
    if opened is None:
        assert done.exit_code == Exit.USAGE
        assert "edge-cases, nexa-2026-05" in unboxed(done.stderr)
    else:
        assert done.exit_code == Exit.CONNECTION
        assert re.search(rf"came back {opened}\b", unboxed(done.stderr))


VERBS = [
    "demo", "init", "doctor", "sync", "post", "status", "report", "dev", "books", "sandbox up",
    "sandbox down", "sandbox env", "sandbox odoo", "sandbox generate", "sandbox status", "ledger setup",
    "ledger export", "ledger release", "exceptions", "exceptions acknowledge", "exceptions withdraw",
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_teaches_with_an_example(verb: str) -> None:
    done = RUNNER.invoke(app, [*verb.split(), "--help"])
    assert done.exit_code == Exit.OK
    assert "Example" in done.stdout
    assert f"fcb {verb}" in done.stdout


def test_the_help_of_the_command_explains_its_exit_codes() -> None:
    done = RUNNER.invoke(app, ["--help"])
    for code in Exit:
        assert f"{code.value} " in done.stdout.partition("Exit codes")[2]
