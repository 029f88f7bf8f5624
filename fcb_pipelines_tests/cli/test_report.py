"""`fcb report --verify`: whether a report is as it was made."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.core.close.report import digest_of

RUNNER = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A report in short, with its digest."""
    report = {"period": "2026-04", "hold": 0, "generated_from": {"snapshot": "s-1", "digest": ""}}
    report["generated_from"]["digest"] = digest_of(report)  # type: ignore[arg-type,index]
    file = tmp_path / "2026-04.json"
    file.write_text(json.dumps(report, indent=2), "utf-8")
    return file


def test_a_report_that_nobody_touched_is_as_it_was_made(signed: Path) -> None:
    done = RUNNER.invoke(app, ["report", "--verify", str(signed)])
    assert done.exit_code == Exit.OK
    assert "is as it was made" in done.stdout


def test_one_changed_figure_is_told(signed: Path) -> None:
    signed.write_text(signed.read_text("utf-8").replace('"hold": 0', '"hold": 1'), "utf-8")
    done = RUNNER.invoke(app, ["report", "--verify", str(signed), "--json"])
    assert done.exit_code == Exit.DIFFERENCE
    assert json.loads(done.stdout)["unchanged"] is False


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"generated_from": 3}', "null"])
def test_a_file_that_is_no_report_is_refused_and_says_what_writes_one(
    text: str, signed: Path
) -> None:
    signed.write_text(text, "utf-8")
    done = RUNNER.invoke(app, ["report", "--verify", str(signed)])
    assert done.exit_code == Exit.USAGE
    assert "fcb report --period" in " ".join(done.stderr.split())


@pytest.mark.parametrize("arguments", [[], ["--period", "2026-04", "--verify", "x.json"]])
def test_it_takes_one_of_its_two_options(arguments: list[str]) -> None:
    done = RUNNER.invoke(app, ["report", *arguments])
    assert done.exit_code == Exit.USAGE
    assert "either" in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["report", "--verify", str(tmp_path / "none.json")])
    assert done.exit_code == Exit.USAGE
    assert "none.json" in "".join(done.stderr.split())
