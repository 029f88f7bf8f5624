"""A gate: what it proves, the values it is given, and the pure function over them.

gate = GATES["documents_balance"]          # a row of the table, core/close/gates.py
gate.judge({"document_rows": rows})        # its GateResult: pass, warn or fail, and what it names
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fcb_pipelines.core.money import by_currency

SAMPLE = 10


class Outcome(StrEnum):
    """How a gate came out."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


class Scope(StrEnum):
    """What one evaluation covers: one extract, one month, or all months and `unplaced`."""

    EXTRACT = "extract"
    MONTH = "month"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a gate found: each fault in words, their exact count, and a sum by currency."""

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
    """One evaluation of a gate, with everything that is told of it.

    `count` is exact, `sample` has the first faults, `detail` the same in one line; `amounts` are sums
    in minor units by currency. Of a gate that passes, `detail` is what it proves.
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
    (`ledger/documents`) that its check sits on; on several, each is judged alone. A `blocking` gate
    stops what is below it, and where its scope is the month, every asset that writes asks it again.
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
        """Evaluate it over these values by name. Raises KeyError where an input is lacking."""
        return self.result(self.finds(*(values[name] for name in self.inputs)))

    def result(self, found: Finding) -> GateResult:
        """The result of an evaluation that found this."""
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
    """Fail when there is any fault."""
    outcome = Outcome.FAIL if faults else Outcome.PASS
    return Finding(outcome=outcome, count=len(faults), faults=tuple(faults))


def warning(
    faults: Sequence[str],
    *,
    count: int | None = None,
    amounts: Iterable[tuple[str, int]] = (),
) -> Finding:
    """Warn when there is any fault. `amounts` are added up by currency."""
    return Finding(
        outcome=Outcome.WARN if faults else Outcome.PASS,
        count=len(faults) if count is None else count,
        faults=tuple(faults),
        amounts=by_currency(amounts),
    )
