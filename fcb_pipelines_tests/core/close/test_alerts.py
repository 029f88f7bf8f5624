"""What is told, how severe it is, and what is never told."""

from datetime import UTC, datetime, timedelta

import pytest

from fcb_pipelines.core.close.alerts import (
    OVER_ALL,
    OVERDUE,
    Severity,
    alert_of_hanging,
    alert_of_overdue,
    alert_of_proof,
    alert_of_run,
)
from fcb_pipelines.core.proof.gate import GateResult, Outcome

NOW = datetime(2026, 6, 2, 8, tzinfo=UTC)


def gate(name: str, outcome: Outcome, **more: object) -> GateResult:
    return GateResult(
        gate=name,
        proves=f"{name} holds",
        recovery=f"mend {name}",
        outcome=outcome,
        count=3,
        detail="NEX-2026-0001 of Ada Lovelace",
        sample=("NEX-2026-0001 of Ada Lovelace",),
        **more,  # type: ignore[arg-type]
    )


PASSES = gate("balance", Outcome.PASS)
WARNS = gate("tax", Outcome.WARN)
FAILS = gate("complete", Outcome.FAIL, amounts=(("CAD", 123456), ("JPY", 500)))


@pytest.mark.parametrize(
    ("gates", "severity", "title"),
    [
        ({"2026-05": [PASSES], OVER_ALL: [PASSES]}, None, ""),
        ({"2026-05": [WARNS]}, Severity.WARNING, "Books: 1 gate warns"),
        ({"2026-05": [FAILS]}, Severity.ERROR, "Books: 1 gate fails"),
        ({"2026-04": [FAILS], "2026-05": [FAILS]}, Severity.ERROR, "Books: 2 gates fail"),
        ({"2026-05": [WARNS, FAILS]}, Severity.ERROR, "Books: 1 gate fails, 1 gate warns"),
        ({"2026-05": [WARNS], OVER_ALL: [WARNS]}, Severity.WARNING, "Books: 2 gates warn"),
    ],
)
def test_a_proof_is_told_of_as_its_worst_gate_is(
    gates: dict[str, list[GateResult]], severity: Severity | None, title: str
) -> None:
    told = alert_of_proof(gates)
    assert (told.severity if told else None, told.title if told else "") == (severity, title)


def test_an_alert_says_what_how_much_and_what_to_do_and_names_no_customer() -> None:
    told = alert_of_proof({"2026-05": [WARNS, PASSES, FAILS]}, "https://dagster.example.com/runs/1")
    assert told is not None
    assert told.lines == (
        "2026-05: complete fails (3; 1,234.56 CAD, 500 JPY)",
        "    must hold: complete holds",
        "    what to do: mend complete",
        "2026-05: tax warns (3)",
        "    must hold: tax holds",
        "    what to do: mend tax",
        "More: fcb status",
        "https://dagster.example.com/runs/1",
    )
    assert "Lovelace" not in told.body


@pytest.mark.parametrize(
    ("proved", "overdue"),
    [
        (None, True),
        (NOW, False),
        (NOW - OVERDUE, False),
        (NOW - OVERDUE - timedelta(seconds=1), True),
    ],
)
def test_a_proof_is_overdue_after_a_day_and_two_hours(
    proved: datetime | None, overdue: bool
) -> None:
    told = alert_of_overdue(proved, NOW)
    assert (told is not None) == overdue
    if told and proved:
        assert "2026-06-01 05:59 UTC" in told.body
    if told:
        assert told.severity is Severity.ERROR
        assert "fcb sync" in told.body


def test_a_failed_run_is_told_with_its_message() -> None:
    told = alert_of_run("run 1 (month 2026-05)", "Steps failed: ['documents']", "https://x/runs/1")
    assert (told.severity, told.title) == (Severity.ERROR, "Failed: run 1 (month 2026-05)")
    assert told.lines == ("Steps failed: ['documents']", "More: fcb doctor", "https://x/runs/1")


@pytest.mark.parametrize(
    ("names", "title"),
    [
        ((), None),
        (("run 1",), "1 run hangs: run 1"),
        (("run 2",), "1 run hangs: run 2"),
        (("run 1", "run 2"), "2 runs hang: run 1, run 2"),
    ],
)
def test_runs_that_hang_are_told_of_together(names: tuple[str, ...], title: str | None) -> None:
    told = alert_of_hanging(dict.fromkeys(names, "it has no lease"))
    assert (told.title if told else None) == title
    assert [f"{name}: it has no lease" for name in names] == [*(told.lines if told else ())][
        : len(names)
    ]
