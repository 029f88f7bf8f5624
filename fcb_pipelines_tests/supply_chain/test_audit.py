"""The audit fails for a known fault alone, and is loud where it had no answer."""

import json
import sys

import pytest

from fcb_pipelines_tests.supply_chain.audit import audit, command
from fcb_pipelines_tests.supply_chain.lock import FOLDER

SOUND = {"name": "requests", "version": "2.33.0", "vulns": []}
FAULTY = {"name": "jinja2", "version": "3.1.0", "vulns": [
    {"id": "PYSEC-1", "fix_versions": ["3.1.6"]}, {"id": "PYSEC-2", "fix_versions": []}
]}  # fmt: skip
UNREAD = {"name": "stripe", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def said(code: int, out: str, error: str = "") -> list[str]:
    """A command that says so much and ends with this code."""
    script = f"import sys; print({out!r}); print({error!r}, file=sys.stderr); sys.exit({code})"
    return [sys.executable, "-c", script]


ROWS = {
    "all sound": (said(0, json.dumps({"dependencies": [SOUND]})), 0, "1 packages audited, 0 faults"),
    "a known fault": (
        said(1, json.dumps({"dependencies": [SOUND, FAULTY]})), 1,
        "jinja2 3.1.0: PYSEC-1, mended in 3.1.6\njinja2 3.1.0: PYSEC-2, mended in no version yet",
    ),
    "some unread": (
        said(0, json.dumps({"dependencies": [SOUND, UNREAD]})), 0,
        "NOT AUDITED: 1 of 2 packages. pip-audit could not reach its data: Dependency not found",
    ),
    "a fault beside one unread": (
        said(1, json.dumps({"dependencies": [FAULTY, UNREAD]})), 1, "NOT AUDITED: 1 of 2 packages",
    ),
    "no network": (
        said(1, "", "ERROR:pip_audit._cli:Tried to connect to PyPI"), 0,
        "NOT AUDITED: every package. pip-audit could not reach its data: ERROR:pip_audit._cli",
    ),
    "not installed": (["/nowhere/pip-audit"], 0, "NOT AUDITED: every package"),
}  # fmt: skip


@pytest.mark.parametrize(("run", "code", "told"), ROWS.values(), ids=ROWS.keys())
def test_only_a_known_fault_fails_and_what_was_not_audited_is_told(
    run: list[str], code: int, told: str
) -> None:
    ended, text = audit(run)
    assert ended == code
    assert told in text


def test_a_network_that_swallows_everything_ends_it_in_time() -> None:
    code, told = audit([sys.executable, "-c", "import time; time.sleep(600)"], patience=0.5)
    assert code == 0
    assert "NOT AUDITED: every package" in told


def test_every_locked_file_is_audited() -> None:
    assert {str(file) for file in FOLDER.glob("*.txt")} <= {*command()}
