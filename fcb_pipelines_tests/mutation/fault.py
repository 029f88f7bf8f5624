"""A seeded fault, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# What can catch a fault beside a gate: the dataset's own figures, a ledger that can't be read, a run
# that fails without a gate.
EXPECTED = "expected.json"
BOOKS = "the books themselves"
RUN = "the run"


class Layer(StrEnum):
    """Where a fault is seeded."""

    LEDGER = "ledger"
    ROWS = "rows"
    RULES = "rules"
    WHOLE = "whole"
    FORGOTTEN = "forgotten"
    CORRECTED = "corrected"
    CASH = "cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing done wrong: what, of which accounting case, and how it is seeded.

    `seed` takes the bench (a ledger fault), the frame (`frame` names it) or a patcher (a rule).
    `trips` are the gates of which one at least must fail; EXPECTED alone where no gate can know.
    `month` is the month in which it is tried, for rows, rules and cash. `frame` without a month is one over all.
    """

    name: str
    case: str
    layer: Layer
    seed: Callable[[Any], Any]
    trips: frozenset[str]
    month: str = ""
    frame: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a fault tripped: gates that fail, warnings that changed, differences with expected.json.

    `written` is whether anything reached the books though the fault was seeded before the writing.
    """

    name: str
    case: str
    layer: str
    should: list[str]
    gates: list[str]
    warnings: list[str] = field(default_factory=list)
    expected: int = 0
    written: bool = False
    told: str = ""

    @property
    def caught(self) -> bool:
        """Whether what should catch it did."""
        return bool(set(self.should) & {*self.gates, *self.warnings, *self.by_expected})

    @property
    def by_expected(self) -> list[str]:
        """EXPECTED where expected.json is not met."""
        return [EXPECTED] if self.expected else []
