"""`fcb review` and `fcb post --approved`: what they print, what is kept, and how they end."""

import json
import os
import pwd
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.core.close.review import approved_hashes, draft_totals, review_digest
from fcb_pipelines_tests.cli.pipelines import MemoryPipeline, Outcome

RUNNER = CliRunner(env={"COLUMNS": "220", "NO_COLOR": "1"})
USER = pwd.getpwuid(os.getuid()).pw_name
PLAIN: dict[str, Any] = {
    "ref": "stripe:a:in_1", "number": "A-1", "period": "2026-04", "date": "2026-04-03",
    "kind": "invoice", "partner": "nexacloud:1", "customer": "Maple [red]Bakery[/red]",
    "currency": "CAD", "net": 10000, "tax": 1300, "total": 11300, "draft_tax": 1300,
    "draft_total": 11300, "families": {"hosting": 10000}, "ledger_id": "7", "ledger_number": "",
    "exceptions": [], "matches": True, "content_hash": "1" * 64, "odd": [],
    "approval": {"by": "jane", "at": "2026-05-02T09:15:00+00:00", "note": "", "holds": True},
}  # fmt: skip
ODD = PLAIN | {
    "ref": "stripe:a:in_2", "number": "A-2", "matches": False, "draft_total": 11400,
    "draft_tax": 1400, "exceptions": ["overpaid"], "customer": None,
    "odd": [{"code": "differs_from_document", "text": "The draft differs in lines."}],
    "approval": PLAIN["approval"] | {"holds": False},
}  # fmt: skip


@dataclass(slots=True)
class MemoryReview:
    """Two drafts, of which one is not the document to be posted."""

    asked: list[Any] = field(default_factory=list)

    def told(self, period: str | None, names: Sequence[str]) -> Any:
        rows: Any = [row for row in (ODD, PLAIN) if not names or row["number"] in names]
        return {
            "snapshot": "20260531T060000.000000Z", "period": period, "drafts": rows,
            "approved": len(approved_hashes(rows)), "totals": draft_totals(rows),
            "digest": review_digest(rows),
        }  # fmt: skip

    def refs(self, names: Sequence[str], rows: Any, doing: str) -> set[str]:
        return {row["ref"] for row in rows if row["number"] in names}

    def approve(self, rows: Any, *, by: str, note: str) -> Any:
        self.asked.append(([row["number"] for row in rows], by, note))
        return [row for row in rows if not row["matches"]]

    def withdraw(self, rows: Any, *, by: str) -> int:
        self.asked.append(("withdraw", [row["number"] for row in rows], by))
        return len(rows)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryPipeline:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    memory = MemoryPipeline(review=MemoryReview())
    monkeypatch.setitem(sys.modules, "fcb_pipelines.cli.pipeline", SimpleNamespace(Pipeline=memory))
    return memory


def test_the_odd_drafts_come_first_each_with_its_reason(pipeline: MemoryPipeline) -> None:
    done = RUNNER.invoke(app, ["review", "--period", "2026-04"])
    assert done.exit_code == Exit.OK, done.output
    assert "As of the extract of 2026-05-31 06:00 UTC" in done.stdout
    odd, _, others = done.stdout.partition("\nDrafts")
    for said in ("A-2", "113.00 CAD (draft 114.00)", "overpaid", " no ", "changed since it was"):
        assert said in odd
    for said in ("A-1", "Maple [red]Bakery[/red]", "hosting 100.00", "jane, 2026-05-02", " yes "):
        assert said in others
    assert "A-2: The draft differs in lines." in done.stdout
    assert "2 drafts, 1 of them odd; 1 approved." in done.stdout
    assert "226.00" in done.stdout
    assert "227.00" in done.stdout


def test_its_json_is_the_review_and_nothing_else(pipeline: MemoryPipeline) -> None:
    told = json.loads(RUNNER.invoke(app, ["review", "A-1", "--json"]).stdout)
    assert told == pipeline.review.told(None, ["A-1"])


@pytest.mark.parametrize(
    ("arguments", "asked", "code"),
    [
        (["--approve"], (["A-2", "A-1"], USER, ""), Exit.DIFFERENCE),
        (["--approve", "--except", "A-2", "--note", " read "], (["A-1"], USER, "read"), Exit.OK),
        (["A-1", "--approve"], (["A-1"], USER, ""), Exit.OK),
        (["A-1", "--withdraw"], ("withdraw", ["A-1"], USER), Exit.OK),
    ],
)
def test_what_is_shown_is_approved_by_its_user_except_what_is_left_out(
    pipeline: MemoryPipeline,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    asked: Any,
    code: Exit,
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    done = RUNNER.invoke(app, ["review", *arguments])
    assert done.exit_code == code, done.output
    assert pipeline.review.asked == [asked]
    assert ("A-2 is not approved" in done.stdout) is (code == Exit.DIFFERENCE)


def test_what_was_read_is_approved_and_a_list_that_moved_since_is_not(
    pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = RUNNER.invoke(app, ["review", "A-1"]).stdout.split()[-1]
    assert len(read) == 12
    done = RUNNER.invoke(app, ["review", "A-1", "--approve", "--seen", read])
    assert done.exit_code == Exit.OK, done.output
    assert pipeline.review.asked == [(["A-1"], USER, "")]
    # Somebody's approval is no part of what is read; an amount, or one draft more, is.
    monkeypatch.setitem(PLAIN, "approval", None)
    assert read in RUNNER.invoke(app, ["review", "A-1"]).stdout
    for arguments in (["A-1"], []):
        monkeypatch.setitem(PLAIN, "draft_total", 11301 if arguments else 11300)
        done = RUNNER.invoke(app, ["review", *arguments, "--approve", "--seen", read])
        assert done.exit_code == Exit.DIFFERENCE
        assert f"Nothing is approved: this is no longer the list that was {read}." in done.stdout
    assert len(pipeline.review.asked) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seen", "1" * 12],
        ["--approve", "--seen", "1" * 11],
        ["--approve", "--withdraw"],
        ["--except", "A-1"],
        ["--note", "x"],
        ["--period", "2026-07", "--approve"],
    ],
)
def test_what_makes_no_sense_is_refused(pipeline: MemoryPipeline, arguments: list[str]) -> None:
    done = RUNNER.invoke(app, ["review", *arguments])
    assert done.exit_code == Exit.USAGE
    assert pipeline.review.asked == []


def test_post_approved_asks_for_the_approved_alone_and_names_what_it_left(
    pipeline: MemoryPipeline,
) -> None:
    pipeline.left = (ODD, PLAIN)
    done = RUNNER.invoke(app, ["post", "--approved"])
    assert done.exit_code == Exit.DIFFERENCE
    assert pipeline.asked == ["post approved 2026-04"]
    assert "A-2 is not posted: changed since it was approved (jane, 2026-05-02)." in done.stdout
    assert "A-1 is not posted: approved (jane, 2026-05-02), but still a draft" in done.stdout
    told = json.loads(RUNNER.invoke(app, ["post", "--approved", "--json"]).stdout)["months"]
    assert [one["approved_not_posted"] for one in told] == [[ODD["ref"], PLAIN["ref"]]]


def test_with_a_second_person_nobody_posts_what_they_alone_approved(
    pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    text = PACKAGED.read_text("utf-8").replace("posting: draft", "posting: second_person", 1)
    config.write_text(text, "utf-8")
    monkeypatch.setenv("FCB_CONFIG", str(config))
    done = RUNNER.invoke(app, ["post"])
    assert done.exit_code == Exit.USAGE
    assert "posts what another person approved: fcb post --approved" in done.output.replace(
        "\n", " "
    )
    assert pipeline.asked == []
    mine = PLAIN | {"approval": PLAIN["approval"] | {"by": USER}}
    pipeline.left = (mine, PLAIN)
    done = RUNNER.invoke(app, ["post", "--approved"])
    assert done.exit_code == Exit.DIFFERENCE
    assert pipeline.asked == [f"post approved 2026-04 but of {USER}"]
    assert f"A-1 is not posted: approved by {USER} alone, who posts" in done.stdout
    assert "A-1 is not posted: approved (jane, 2026-05-02), but still a draft" in done.stdout


def test_post_says_how_many_nobody_had_approved(
    pipeline: MemoryPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def posted(self: object, period: str) -> Outcome:
        return Outcome(period=period, posted=3, unapproved=2)

    monkeypatch.setattr(MemoryPipeline, "post_month", posted)
    done = RUNNER.invoke(app, ["post"])
    assert done.exit_code == Exit.OK
    assert "3 posted over 1 months. Nobody had approved 2 of them." in done.stdout
    told = json.loads(RUNNER.invoke(app, ["post", "--json"]).stdout)["months"]
    assert [(one["posted"], one["unapproved"]) for one in told] == [(3, 2)]
