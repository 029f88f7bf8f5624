"""The home of the version before under today's code: everything is found, nothing is written."""

import json
import subprocess
import sys
from typing import Any

import pytest

from fcb_pipelines_tests.compatibility.before import LOST

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What one more close of that home did."""
    # A process of its own: the months are those of the dataset under which the definitions load first.
    done = subprocess.run(
        [sys.executable, "-m", "fcb_pipelines_tests.compatibility", "close"],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_status_and_reports_of_the_old_frames_say_what_they_said(found: dict[str, Any]) -> None:
    assert found["read_otherwise"] == [], LOST


def test_a_close_over_the_old_home_writes_nothing(found: dict[str, Any]) -> None:
    assert found["stopped"] == {}
    assert found["counted"] == {"created": 0, "rebuilt": 0, "posted": 0, "settled": 0}
    assert found["changed"] == []


def test_a_close_over_the_old_home_finds_no_difference(found: dict[str, Any]) -> None:
    assert found["told_otherwise"] == [], LOST
    assert found["unnamed"] == [], LOST
    assert found["logged"] == 0
    assert found["corrected"] == []
