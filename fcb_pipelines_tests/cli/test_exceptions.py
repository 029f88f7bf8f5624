"""`fcb exceptions`: what it prints of the queue, and what it keeps of a person's decision."""

import json
import os
import pwd
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.core.close.queue import queue, queue_json
from fcb_pipelines_tests.cli.pipelines import MemoryPipeline

RUNNER = CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"})
USER = pwd.getpwuid(os.getuid()).pw_name
TODAY = date(2026, 5, 4)
WAITS: dict[str, Any] = {
    "ref": "stripe:a:in_1", "number": "A-1", "code": "lines_do_not_sum", "description": "It is wrong.",
    "detail": "", "remedy": "Void it.", "alternatives": [], "amount": 11300, "currency": "CAD",
    "is_held": True, "date": "2026-04-03", "partner": None, "owner": "billing", "acknowledged": None,
}  # fmt: skip
KNOWN = WAITS | {
    "ref": "stripe:a:in_2",
    "number": "",
    "code": "overpaid",
    "is_held": False,
    "acknowledged": {
        "by": "jane",
        "at": "2026-05-02T09:15:00+00:00",
        "note": "it is [red]known[/red]",
        "until": "2026-06-30",
    },
}


@dataclass(slots=True)
class MemoryQueue:
    """A queue of two, one of them acknowledged, that writes down what is decided."""

    asked: list[Any] = field(default_factory=list)

    def told(self, period: str | None, *, everything: bool) -> Any:
        self.asked.append(period)
        first = {("stripe:a:in_1", "lines_do_not_sum"): date(2026, 5, 1)}
        rows: Any = {"2026-04": [WAITS, KNOWN]}
        return queue_json(queue(rows, first, TODAY), TODAY, everything=everything)

    def acknowledge(self, *of: Any, **more: Any) -> None:
        self.asked.append((*of, more))

    def withdraw(self, *of: Any, **more: Any) -> None:
        self.asked.append((*of, more))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryQueue:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    found = MemoryQueue()
    pipeline = SimpleNamespace(queue=found, periods=MemoryPipeline().periods)
    stand_in = SimpleNamespace(Pipeline=lambda found, say: pipeline)
    monkeypatch.setitem(sys.modules, "fcb_pipelines.cli.pipeline", stand_in)
    return found


def test_the_queue_tells_what_waits_since_when_and_for_whom(memory: MemoryQueue) -> None:
    done = RUNNER.invoke(app, ["exceptions"])
    assert done.exit_code == Exit.OK, done.output
    for said in ("A-1", "hold lines_do_not_sum", "113.00 CAD", "2026-05-01", " 3 ", "billing"):
        assert said in done.stdout
    assert "hold lines_do_not_sum: It is wrong. Void it." in done.stdout
    assert "stripe:a:in_2" not in done.stdout
    assert "1 wait, 1 acknowledged; --all lists them, too." in done.stdout


def test_with_all_what_is_acknowledged_is_told_apart(memory: MemoryQueue) -> None:
    done = RUNNER.invoke(app, ["exceptions", "--all", "--period", "2026-04"])
    waiting, _, known = done.stdout.partition("Acknowledged")
    assert "A-1" in waiting
    for said in ("stripe:a:in_2", "jane", "2026-05-02", "2026-06-30", "it is [red]known[/red]"):
        assert said in known
    assert memory.asked == ["2026-04"]


@pytest.mark.parametrize(("option", "count"), [([], 1), (["--all"], 2)])
def test_its_json_is_the_queue_and_nothing_else(
    memory: MemoryQueue, option: list[str], count: int
) -> None:
    done = RUNNER.invoke(app, ["exceptions", "--json", *option])
    told = json.loads(done.stdout)
    assert (told["as_of"], told["waiting"], told["acknowledged"]) == ("2026-05-04", 1, 1)
    assert len(told["exceptions"]) == count
    assert told["exceptions"][0]["age"] == 3


def test_an_acknowledgement_is_kept_with_the_name_of_its_user(
    memory: MemoryQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    given = ["stripe:a:in_1", "lines_do_not_sum", "--note", " known ", "--until", "2026-06-30"]
    done = RUNNER.invoke(app, ["exceptions", "acknowledge", *given])
    assert done.exit_code == Exit.OK, done.output
    kept = {"by": USER, "note": "known", "until": date(2026, 6, 30)}
    assert memory.asked == [("stripe:a:in_1", "lines_do_not_sum", kept)]
    RUNNER.invoke(app, ["exceptions", "withdraw", "stripe:a:in_1", "lines_do_not_sum"])
    assert memory.asked[-1] == ("stripe:a:in_1", "lines_do_not_sum", {"by": USER})


@pytest.mark.parametrize(
    "arguments",
    [
        ["acknowledge", "stripe:a:in_1", "overpaid"],
        ["acknowledge", "stripe:a:in_1", "overpaid", "--note", "  "],
        ["acknowledge", "stripe:a:in_1", "overpaid", "--note", "x", "--until", "June"],
        ["acknowledge", "stripe:a:in_1", "--note", "x"],
        ["--dataset", "nexa-2026-05", "withdraw", "stripe:a:in_1", "overpaid"],
        ["--period", "2026-07"],
    ],
    ids=["no note", "an empty note", "no day", "no code", "options before the verb", "no period"],
)
def test_what_can_not_be_kept_is_refused(memory: MemoryQueue, arguments: list[str]) -> None:
    done = RUNNER.invoke(app, ["exceptions", *arguments])
    assert done.exit_code == Exit.USAGE
    assert memory.asked == []
