"""Whether a month may be signed, and what waits for a person: each row flips one fact of a report."""

from typing import Any, cast

import pytest

from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.close.shapes import ReportJson
from fcb_pipelines.core.close.signing import (
    _TELL_EXCEPTIONS,
    Signing,
    badge,
    points_to_decide,
    signing,
)

WAITS = {"code": "nexacloud_differs", "is_held": False, "acknowledged": None}
KNOWN = WAITS | {"acknowledged": {"by": "jane"}}
HELD = {"code": "lines_do_not_sum", "is_held": True, "acknowledged": {"by": "jane"}}
COPIES = {"name": "nexacloud_agrees_with_source", "outcome": "warn"}
TAX = {"name": "tax_as_expected", "outcome": "warn"}
STANDS: dict[str, Any] = {
    "hold": 0,
    "exceptions": [],
    "gates": [{"outcome": "pass"}],
    "gates_over_all": [{"outcome": "pass"}],
    "tie_outs": [{"ok": True}],
    "billed": [{"difference": 0}],
}


@pytest.mark.parametrize(
    ("fact", "changes", "expected", "points"),
    [
        ("everything stands", {}, Signing.READY, 0),
        ("a gate of the month fails", {"gates": [{"outcome": "fail"}]}, Signing.REFUSED, 0),
        ("a tie-out differs", {"tie_outs": [{"ok": False}]}, Signing.REFUSED, 0),
        ("an amount stands nowhere", {"billed": [{"difference": -1}]}, Signing.REFUSED, 0),
        ("a gate only warns", {"gates": [{"outcome": "warn"}]}, Signing.DECIDE, 1),
        ("two exceptions", {"exceptions": [WAITS, WAITS]}, Signing.DECIDE, 2),
        (
            "an exception and the warning of it",
            {"exceptions": [WAITS], "gates": [{"outcome": "warn"}]},
            Signing.DECIDE,
            1,
        ),
        ("a held document", {"hold": 1}, Signing.DECIDE, 1),
        (
            "a gate over all months fails beside an exception",
            {"exceptions": [WAITS], "gates_over_all": [{"outcome": "fail"}]},
            Signing.DECIDE,
            2,
        ),
        ("one of two is acknowledged", {"exceptions": [WAITS, KNOWN]}, Signing.DECIDE, 1),
        ("the only one is acknowledged", {"exceptions": [KNOWN]}, Signing.READY, 0),
        (
            "the warning tells of the acknowledged one",
            {"exceptions": [KNOWN], "gates": [COPIES]},
            Signing.READY,
            0,
        ),
        (
            "the warning tells of something else",
            {"exceptions": [KNOWN], "gates": [COPIES, TAX]},
            Signing.DECIDE,
            1,
        ),
        (
            "the hold is acknowledged",
            {
                "hold": 1,
                "exceptions": [HELD],
                "gates": [{"name": "nothing_is_held", "outcome": "warn"}],
            },
            Signing.READY,
            0,
        ),
        (
            "an acknowledged exception stands beside a hold",
            {"hold": 1, "exceptions": [HELD | {"acknowledged": None}, KNOWN], "gates": [COPIES]},
            Signing.DECIDE,
            1,
        ),
        (
            "an acknowledgement mends no gate",
            {"exceptions": [KNOWN], "gates": [COPIES | {"outcome": "fail"}]},
            Signing.REFUSED,
            0,
        ),
        (
            "nor a tie-out",
            {"exceptions": [KNOWN], "tie_outs": [{"ok": False}]},
            Signing.REFUSED,
            0,
        ),
        ("one over all only warns", {"gates_over_all": [{"outcome": "warn"}]}, Signing.READY, 0),
    ],
)
def test_the_worst_of_a_report_decides(
    fact: str, changes: dict[str, Any], expected: Signing, points: int
) -> None:
    report = cast(ReportJson, STANDS | changes)
    assert signing(report) is expected, fact
    assert points_to_decide(report) == points, fact
    said = {
        Signing.READY: "Ready to sign",
        Signing.DECIDE: f"{points} point{'s' * (points != 1)} to decide",
        Signing.REFUSED: "Must not be signed",
    }
    assert badge(report) == said[expected], fact


def test_the_warnings_that_tell_exceptions_are_gates() -> None:
    assert {"nothing_is_held", *_TELL_EXCEPTIONS} <= GATES.keys()
