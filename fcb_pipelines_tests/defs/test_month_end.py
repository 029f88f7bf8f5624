"""docs/month-end.md, run: every command of the page, in its order, in the sandbox on the embedded books."""

import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "month-end.md").read_text("utf-8")
COMMANDS = re.findall(r"^ {4}(fcb .+)$", PAGE, re.MULTILINE)
# A place in the page for what an earlier command printed.
PLACE = "FILE.json"


def test_the_page_takes_every_step_of_a_close() -> None:
    steps = [" ".join(shlex.split(command)[1:3]) for command in COMMANDS]
    wanted = ["sync", "status --period", "exceptions --period", "explain NXC-0008",
              "exceptions acknowledge", "review --period", "post --period", "report --period", "report --verify"]  # fmt: skip
    at = [next(n for n, step in enumerate(steps) if step.startswith(name)) for name in wanted]
    assert at == sorted(at)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home without any connection, so that the verbs find the sandbox that the page starts."""
    # Not pytest's tmp_path: as root, the embedded Postgres runs as another user and can't pass it.
    with tempfile.TemporaryDirectory(prefix="fcb-month-end-") as folder:
        for name in [name for name in os.environ if name.startswith("FCB_")]:
            monkeypatch.delenv(name)
        monkeypatch.delenv("DAGSTER_HOME", raising=False)
        monkeypatch.setenv("FCB_HOME", folder)
        monkeypatch.chdir(folder)
        try:
            yield Path(folder)
        finally:
            ran("fcb sandbox down")


def ran(command: str) -> Any:
    runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
    done = runner.invoke(app, shlex.split(command)[1:])
    assert done.exit_code == Exit.OK, f"{command}: {done.output[-3000:]}"
    return done


@pytest.mark.slow
def test_every_command_of_the_page_does_what_the_page_says(home: Path) -> None:
    printed = ""
    shown: dict[str, list[str]] = {}
    for command in COMMANDS:
        wanted = command.replace(PLACE, printed.replace(".html", ".json"))
        out = ran(wanted).stdout
        shown.setdefault(command, []).append(out)
        if command.startswith("fcb report --period"):
            printed = out.strip()
    before, after = (
        shown[f"fcb exceptions --period 2026-04{all_of}"][0] for all_of in ("", " --all")
    )
    assert "4 wait, 0 acknowledged" in before
    assert "0 wait, 4 acknowledged" in after
    assert "voided" in shown["fcb explain NXC-0008"][0]
    assert "5 drafts" in shown["fcb review --period 2026-04"][0]
    assert "0 approved" in shown["fcb review --period 2026-04"][0]
    posted = shown["fcb post --period 2026-04 --approved"][0]
    assert "5 posted" in posted
    assert "not posted" not in posted
    assert all("Complete." in out for out in shown["fcb sync"])
    assert "is as it was made" in shown[f"fcb report --verify {PLACE}"][0]
    # Posting and the second sync moved nothing of what was acknowledged.
    assert "Ready to sign" in Path(printed).read_text("utf-8")
    # Four acknowledgements and five approvals.
    assert len([*home.glob("*/decisions/*.json")]) == 9
