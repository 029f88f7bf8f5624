"""The walk of docs/month-end.md: every command of the page in its order, on whichever ledger, and what it must say."""

import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app

DATASET, MONTH = "nexa-2026-05", "2026-04"

COMMANDS = re.findall(
    r"^ {4}(fcb .+)$",
    (Path(__file__).parents[1] / "docs" / "month-end.md").read_text("utf-8"),
    re.MULTILINE,
)
# A place in the page for what an earlier command printed.
PLACE = "FILE.json"

Look = Callable[[str], None]
"""A person's look at what a command printed, and at whatever it changed."""


@contextmanager
def a_home(variables: Mapping[str, str]) -> Iterator[Path]:
    """A working folder without any connection, so that the verbs find the sandbox that the page starts.

    Beside `variables`, the environment has nothing of the project's.
    """
    before = dict(os.environ)
    here = Path.cwd()
    # Not pytest's tmp_path: as root, the embedded Postgres runs as another user and can't pass it.
    with tempfile.TemporaryDirectory(prefix="fcb-month-end-") as folder:
        for name in [name for name in os.environ if name.startswith("FCB_")]:
            del os.environ[name]
        os.environ.pop("DAGSTER_HOME", None)
        os.environ.update({**variables, "FCB_HOME": folder})
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            ran("fcb sandbox down")
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)


def ran(command: str) -> Any:
    runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
    done = runner.invoke(app, shlex.split(command)[1:])
    assert done.exit_code == Exit.OK, f"{command}: {done.output[-3000:]}"
    return done


def walk(home: Path, after: Mapping[str, Look] | None = None) -> None:
    """Run every command of the page, with a look `after` the first run of each of these.

    Each printed what the page says of it.
    """
    left = dict(after or {})
    shown: dict[str, list[str]] = {}
    printed = ""
    for command in COMMANDS:
        out = ran(command.replace(PLACE, printed.replace(".html", ".json"))).stdout
        shown.setdefault(command, []).append(out)
        if command.startswith("fcb report --period"):
            printed = out.strip()
        if look := left.pop(command, None):
            look(out)
    assert not left, "the page has no such command"
    _as_the_page_says(shown, Path(printed), home)


def _as_the_page_says(shown: Mapping[str, list[str]], report: Path, home: Path) -> None:
    before, after = (
        shown[f"fcb exceptions --period {MONTH}{all_of}"][0] for all_of in ("", " --all")
    )
    assert "4 wait, 0 acknowledged" in before
    assert "0 wait, 4 acknowledged" in after
    assert "voided" in shown["fcb explain NXC-0008"][0]
    assert "5 drafts" in shown[f"fcb review --period {MONTH}"][0]
    assert "0 approved" in shown[f"fcb review --period {MONTH}"][0]
    posted = shown[f"fcb post --period {MONTH} --approved"][0]
    assert "5 posted" in posted
    assert "not posted" not in posted
    assert all("Complete." in out for out in shown["fcb sync"])
    assert "is as it was made" in shown[f"fcb report --verify {PLACE}"][0]
    # Posting and the second sync moved nothing of what was acknowledged.
    assert "Ready to sign" in report.read_text("utf-8")
    # Four acknowledgements and five approvals.
    assert len([*home.glob("*/decisions/*.json")]) == 9
