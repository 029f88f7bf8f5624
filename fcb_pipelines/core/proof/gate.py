"""A gate: the statement it proves, its inputs, and the pure function over them.

gate = GATES["documents_balance"]          # a row of the table, core/close/gates.py
gate.judge({"document_rows": rows})        # its GateResult: pass, warn or fail, with each fault
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fcb_pipelines.core.money import by_currency

SAMPLE = 10


class Outcome(StrEnum):
    """The outcome of a gate."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


class Scope(StrEnum):
    """The range of one evaluation: one extract, one month, or all months and `unplaced`."""

    EXTRACT = "extract"
    MONTH = "month"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The faults that a gate found, in words, their exact count, and sums in minor units by currency."""

    outcome: Outcome
    count: int
    faults: tuple[str, ...] = ()
    amounts: tuple[tuple[str, int], ...] = ()

    @property
    def sample(self) -> tuple[str, ...]:
        """The first faults."""
        return self.faults[:SAMPLE]

    @property
    def detail(self) -> str:
        """The first faults in one line, and how many more there are; empty where there is none."""
        more = f"; and {len(self.faults) - SAMPLE} more" if len(self.faults) > SAMPLE else ""
        return "; ".join(self.sample) + more


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One evaluation of a gate, complete for the checks, the status and the report.

    `count` is exact, `sample` has the first faults, `detail` the same in one line; `amounts` are sums
    in minor units by currency. `detail` of a gate that passes is the statement it proves.
    """

    gate: str
    proves: str
    recovery: str
    outcome: Outcome
    count: int
    detail: str
    sample: tuple[str, ...] = ()
    amounts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One row of the gate table.

    `finds` takes the values named by `inputs`, in this order. `seen_on` are the assets
    (`ledger/documents`) that carry its check; several are judged one by one. A `blocking` gate stops
    the assets below it; with scope month, every asset that writes evaluates it again.
    """

    name: str
    scope: Scope
    blocking: bool
    seen_on: tuple[str, ...]
    inputs: tuple[str, ...]
    finds: Callable[..., Finding]
    proves: str
    recovery: str

    def judge(self, values: Mapping[str, object]) -> GateResult:
        """The result over these values by name. Raises KeyError where an input is missing."""
        return self.result(self.finds(*(values[name] for name in self.inputs)))

    def result(self, found: Finding) -> GateResult:
        """The result of an evaluation with this finding."""
        return GateResult(
            gate=self.name,
            proves=self.proves,
            recovery=self.recovery,
            outcome=found.outcome,
            count=found.count,
            detail=found.detail or self.proves,
            sample=found.sample,
            amounts=found.amounts,
        )


def failing(faults: Sequence[str]) -> Finding:
    """The finding that fails where there is any fault."""
    outcome = Outcome.FAIL if faults else Outcome.PASS
    return Finding(outcome=outcome, count=len(faults), faults=tuple(faults))


def warning(
    faults: Sequence[str],
    *,
    count: int | None = None,
    amounts: Iterable[tuple[str, int]] = (),
) -> Finding:
    """The finding that warns where there is any fault. `amounts` (currency, minor units) are summed.

    `count` is the number of faults where none is given.
    """
    return Finding(
        outcome=Outcome.WARN if faults else Outcome.PASS,
        count=len(faults) if count is None else count,
        faults=tuple(faults),
        amounts=by_currency(amounts),
    )
