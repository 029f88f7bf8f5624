"""A pipeline that answers from memory and writes down what it was asked, for the verbs' tests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines_tests.metering import a_metering_status


def unboxed(shown: str) -> str:
    """The words of a panel in one line, wherever it was wrapped."""
    return " ".join(shown.replace("│", " ").split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a month, as `fcb_pipelines.cli.pipeline.MonthOutcome` tells it."""

    period: str
    ok: bool = True
    failed_gates: tuple[str, ...] = ()
    written: int = 0
    posted: int = 0
    failure: Failure | None = None
    unapproved: int = 0
    left: tuple[Any, ...] = ()

    @property
    def may_touch_others(self) -> bool:
        """Whether the ledger may have changed."""
        return not self.ok or self.written + self.posted > 0


def a_status(**changes: Any) -> dict[str, Any]:
    """The status JSON of one month with one posted and one held document."""
    document = {
        "ref": "stripe:acct_1:in_1",
        "number": "A-1",
        "period": "2026-04",
        "date": "2026-04-03",
        "kind": "invoice",
        "disposition": "post",
        "reason": None,
        "exceptions": [],
        "acknowledged": [],
        "currency": "CAD",
        "net": 10000,
        "tax": 1300,
        "total": 11300,
        "paid": 11300,
        "state": "posted",
        "payment_state": "paid",
        "lines": [],
        "listed": [],
    }
    held = document | {
        "ref": "stripe:acct_1:in_2",
        "number": "A-2",
        "disposition": "hold",
        "reason": "lines_do_not_sum",
        "state": "none",
        "listed": [
            {
                "what": "revenue",
                "entry": "stripe:acct_1:in_2",
                "date": "2026-04-03",
                "amount": 10000,
                "why": "lines_do_not_sum",
            }
        ],
    }
    status: dict[str, Any] = {
        "periods": {
            "2026-04": {
                "population": 2,
                "post": 1,
                "skip": 0,
                "hold": 1,
                "gates": {"documents_balance": "pass", "revenue_in_other": "warn"},
            },
            "unplaced": {"population": 0, "post": 0, "skip": 0, "hold": 0, "gates": {}},
        },
        "gate_details": [],
        "gates": {"completeness": "pass"},
        "documents": [document, held],
        "amounts": {"CAD": {"revenue": {"source": 20000, "posted": 10000, "listed": 10000}}},
        "totals": {
            "CAD": {
                "posted_count": 1,
                "posted_total": 11300,
                "receivable": 0,
                "by_family": {"hosting": 10000, "managed": 0},
            }
        },
        "other_service": 0,
        "metering": a_metering_status(),
        "snapshot": "20260531T060000.000000Z",
    }
    return status | changes


@dataclass(slots=True, kw_only=True)
class MemoryPipeline:
    """Two months, of which the window is the second; `stopped` months are stopped by a gate."""

    told: dict[str, Any] = field(default_factory=a_status)
    stopped: frozenset[str] = frozenset()
    complete: bool = True
    failure: Failure | None = None
    asked: list[str] = field(default_factory=list)
    review: Any = None
    left: tuple[Any, ...] = ()

    def __call__(self, found: object, *, say: Callable[[str], None] | None = None) -> Any:
        """Stands where the Pipeline class stands."""
        return self

    def extract(self, *, full: bool = False) -> None:
        self.asked.append("extract in full" if full else "extract")
        if self.failure is not None:
            raise self.failure

    def window(self) -> tuple[str, ...]:
        return ("2026-05",)

    def touched(self) -> tuple[str, ...]:
        return ()

    def periods(self) -> tuple[str, ...]:
        return ("2026-04", "2026-05")

    def run_month(self, period: str, *, post: bool | None) -> Outcome:
        self.asked.append(f"{period} post={post}")
        if period in self.stopped:
            return Outcome(period=period, ok=False, failed_gates=("documents_balance",))
        return Outcome(period=period, written=2, posted=1)

    def drafted(self) -> tuple[str, ...]:
        return ("2026-04",)

    def post_month(self, period: str) -> Outcome:
        self.asked.append(f"post {period}")
        return Outcome(period=period, posted=1)

    def post_approved(self, period: str, *, but: str | None = None) -> Outcome:
        self.asked.append(f"post approved {period}{f' but of {but}' if but else ''}")
        return Outcome(period=period, posted=1, left=self.left)

    def completeness(self) -> bool:
        self.asked.append("completeness")
        return self.complete

    def status(self, period: str | None = None) -> dict[str, Any]:
        self.asked.append(f"status {period}")
        return self.told

    def report(self, period: str) -> Path:
        self.asked.append(f"report {period}")
        return Path(f"reports/{period}.html")
