"""Whatever a source, a ledger or an error says is shown as it is, by every verb, to its end."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from fcb_pipelines.cli import checkups, demo
from fcb_pipelines.cli import ledger as ledger_verbs
from fcb_pipelines.cli.exits import GateStopped
from fcb_pipelines.cli.findings import Finding
from fcb_pipelines.cli.main import app
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.core.ledger.description import (
    LedgerDescription,
    MissingPart,
    SetupStep,
    TrialBalanceRow,
)
from fcb_pipelines.sandbox import state
from fcb_pipelines_tests.cli.pipelines import MemoryPipeline, Outcome

RUNNER = CliRunner(env={"COLUMNS": "400", "NO_COLOR": "1"})

# What a source may call a document or a customer, and what is shown of it.
ODD = {
    "A[/red]-1": "A[/red]-1",
    "[bold]A": "[bold]A",
    "Acme [Canada] Inc.": "Acme [Canada] Inc.",
    "A\\[x]": "A\\[x]",
    ":smile: {0} %s": ":smile: {0} %s",
    "A\x1b[2J\x1b]0;B\x9bC": "A\\x1b[2J\\x1b]0;B\\x9bC",
    "A\ud800": "A\\ud800",
}


class OddPipeline(MemoryPipeline):
    """Says the odd text wherever a pipeline says anything of its data."""

    odd = ""

    def status(self, period: str | None = None) -> dict[str, Any]:
        told = super().status(period)
        for document in told["documents"]:
            document |= {"number": self.odd, "exceptions": ["overpaid"]}
            for each in document["listed"]:
                each |= {"why": self.odd, "entry": self.odd}
        gate = {"gate": self.odd, "period": "2026-04", "outcome": "warn", "count": 1}
        told["gate_details"] = [{**gate, "sample": [self.odd], "recovery": self.odd}]
        return told

    def run_month(self, period: str, *, post: bool | None) -> Outcome:
        return Outcome(period=period, ok=False, failed_gates=(self.odd,))

    def post_month(self, period: str) -> Outcome:
        return self.run_month(period, post=True)

    def report(self, period: str) -> Path:
        return Path(f"reports/{self.odd}.html")

    def correct(self, refs: list[str], *, write: bool) -> dict[str, dict[str, Any]]:
        sums = {"revenue": 1, "tax": 1, "cash": 1, "receivable": 1}
        return {self.odd: {"why": self.odd, "currency": "CAD", "now": sums, "after": sums}}


class OddLedger:
    """Books in which everything is called so."""

    def __init__(self, odd: str) -> None:
        self._odd = odd

    def describe(self) -> LedgerDescription:
        part = MissingPart(what=self._odd, name=self._odd, remedy=self._odd)
        return LedgerDescription(
            adapter="odoo", identity=self._odd, version="19", company=self._odd,
            company_currency="CAD", currencies=("CAD",), invoice_lock=None, entry_lock=None,
            missing=(part,), rates_since={},
        )  # fmt: skip

    def setup(self, *, dry_run: bool, unarchive: bool) -> tuple[SetupStep, ...]:
        return (SetupStep(what="tax", name=self._odd, outcome="missing"),)

    def trial_balance(self) -> tuple[TrialBalanceRow, ...]:
        return (TrialBalanceRow(account=self._odd, currency="CAD", balance=1),)


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An odd text; the pipeline, the books, the doctor and the sandbox say it."""
    text: str = request.param
    memory = OddPipeline()
    memory.odd = text
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "fcb_pipelines.cli.pipeline", SimpleNamespace(Pipeline=memory))
    monkeypatch.setattr(ledger_verbs, "_books", lambda found: OddLedger(text))
    finding = Finding(what=text, outcome="fail", detail=text, remedy=text)
    monkeypatch.setattr(checkups, "all_of", lambda found: (finding,))
    process = SimpleNamespace(name=text, url=text, pid=1)
    box = SimpleNamespace(dataset=text, processes=(process,), environment={"FCB_HOME": text})
    monkeypatch.setattr(state, "running", lambda home: (box,))
    return text


VERBS = {
    "sync": ["sync"],
    "post": ["post"],
    "status": ["status"],
    "report": ["report", "--period", "2026-04"],
    "doctor": ["doctor"],
    "ledger setup": ["ledger", "setup"],
    "ledger export": ["ledger", "export"],
    "ledger correct": ["ledger", "correct", "x"],
    "sandbox status": ["sandbox", "status"],
}


def flat(text: str) -> str:
    return "".join(line.strip("│ ") for line in text.splitlines())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_it_and_comes_to_its_end(odd: str, verb: str) -> None:
    done = RUNNER.invoke(app, VERBS[verb])
    assert isinstance(done.exception, SystemExit | None), done.exception
    assert ODD[odd] in flat(done.output)
    assert "\x1b" not in done.output


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_machine_reads_is_the_very_text(odd: str, verb: str) -> None:
    if verb == "report":
        odd = f"reports/{odd}.html"
    done = RUNNER.invoke(app, [*VERBS[verb], "--json"])
    assert odd in texts(json.loads(done.stdout))


def texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(value, *map(texts, value.values()))
    if isinstance(value, list):
        return set().union(*map(texts, value))
    return {value} if isinstance(value, str) else set()


PROBLEMS: dict[str, Callable[[str], Exception]] = {
    "a failure": lambda odd: Unreachable(odd, odd, remedy=odd),
    "a configuration": ConfigError,
    "a gate": lambda odd: GateStopped((odd,), odd),
}


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("verb", ["sync", "status", "post"])
def test_a_problem_that_says_it_is_told(
    odd: str, verb: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_more: Any) -> None:
        raise PROBLEMS[kind](odd)

    for name in ("extract", "status", "post_month"):
        monkeypatch.setattr(OddPipeline, name, fail)
    done = RUNNER.invoke(app, [verb])
    assert isinstance(done.exception, SystemExit), done.exception
    assert ODD[odd] in flat(done.output)


def test_a_demo_shows_it(odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    memory = OddPipeline()
    memory.odd = odd.replace("\ud800", "")
    shown = ODD[odd].replace("\\ud800", "")
    result = demo.DemoResult(
        status=memory.status(),
        reports=(),
        posted_now=0,
        told=(),
        faults=(memory.odd,),
        failed_outside=(),
    )
    demo._show(result)
    assert shown in flat(capsys.readouterr().out)
    named = dict.fromkeys(("service", "type", "document", "number", "occurred_at"), memory.odd)
    event = {**named, "owed": 1, "total": 1, "currency": "CAD"}
    demo._show(replace(result, told=(event,), faults=()))
    assert shown in flat(capsys.readouterr().out)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_screen_without_the_sign_for_it_shows_an_escape(encoding: str) -> None:
    script = (
        "from fcb_pipelines.cli.screen import *; print_whatever_comes(); t = table('Überschuß', 'x'); "
        "t.add_row('Łódź \\ud800'); out().print(t); say('✓ é'); emit_json({'a': 'Łódź \\ud800'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": encoding, "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert b"\\ud800" in done.stdout
    told = done.stdout.decode(encoding)
    assert json.loads(told[told.index("{") :]) == {"a": "Łódź \ud800"}
