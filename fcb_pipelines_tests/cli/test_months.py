"""The months that a sync builds, and those that it builds once more because another one changed them."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fcb_pipelines.cli.months import run_months
from fcb_pipelines_tests.defs.world import PERIODS

# isort: split
from fcb_pipelines.cli.pipeline import MonthOutcome

MARCH, APRIL = PERIODS[:2]
NOTHING = MonthOutcome(
    period=APRIL, ok=True, failed_gates=(), written=0, posted=0, settled=0
)  # fmt: skip


@dataclass
class Runs:
    """A pipeline whose runs come to what is given; April's changes March."""

    outcome: MonthOutcome
    asked: int = 0
    built: list[str] = field(default_factory=list)

    def periods(self) -> tuple[str, ...]:
        """Both months."""
        return (MARCH, APRIL)

    def run_month(self, period: str, *, post: bool | None) -> MonthOutcome:
        """What is given, of this month."""
        self.built.append(period)
        return replace(self.outcome, period=period)

    def touched(self) -> tuple[str, ...]:
        """March; the whole ledger is read for it."""
        self.asked += 1
        return (MARCH,)


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (NOTHING, False),
        (replace(NOTHING, written=1), True),
        (replace(NOTHING, posted=1), True),
        (replace(NOTHING, settled=1), True),
        # What a run did before it failed nobody knows.
        (replace(NOTHING, ok=False), True),
    ],
)
def test_the_ledger_is_read_for_touched_months_only_where_something_was_written(
    outcome: MonthOutcome, again: bool
) -> None:
    runs: Any = Runs(outcome)
    run_months(runs, [APRIL], post=None)
    assert runs.asked == int(again)
    assert runs.built == ([APRIL, MARCH] if again else [APRIL])


def test_what_a_month_wrote_in_both_of_its_runs_is_counted() -> None:
    runs: Any = Runs(replace(NOTHING, written=2, posted=1))
    (march, april) = sorted(run_months(runs, [MARCH, APRIL], post=None), key=lambda one: one.period)
    assert (march.written, march.posted) == (4, 2)
    assert (april.written, april.posted) == (2, 1)
