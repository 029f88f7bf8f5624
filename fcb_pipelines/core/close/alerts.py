"""What is told to whoever watches: failing gates after a proof, a failed run, a proof that did not come.

An alert says what, how much, and what to do. It names no customer and quotes no document: it may leave
the house by email or chat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fcb_pipelines.core.naming import amount
from fcb_pipelines.core.proof.gate import GateResult, Outcome

OVERDUE = timedelta(hours=26)
"""A day and two hours: the proof of a daily sync may come that late."""

OVER_ALL = "all months"


class Severity(StrEnum):
    """How much an alert matters; each destination says which it wants."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One message: a title of one line, and the lines below it."""

    severity: Severity
    title: str
    lines: tuple[str, ...]

    @property
    def body(self) -> str:
        """The lines below the title."""
        return "\n".join(self.lines)


def alert_of_proof(gates: Mapping[str, Sequence[GateResult]], page: str = "") -> Alert | None:
    """The gates that do not pass, by month (or `OVER_ALL`); None where all do.

    Failing ones come first. It is an error where one fails, else a warning. `page` is a link.
    """
    found = [
        (where, one)
        for where, results in gates.items()
        for one in results
        if one.outcome is not Outcome.PASS
    ]
    failing = [one for one in found if one[1].outcome is Outcome.FAIL]
    if not found:
        return None
    counted = [
        f"{len(some)} {'gate' if len(some) == 1 else 'gates'} {verb if len(some) > 1 else verb_of_one}"
        for some, verb, verb_of_one in (
            (failing, "fail", "fails"),
            ([one for one in found if one not in failing], "warn", "warns"),
        )
        if some
    ]
    ordered = sorted(found, key=lambda one: one not in failing)
    return Alert(
        severity=Severity.ERROR if failing else Severity.WARNING,
        title=f"Books: {', '.join(counted)}",
        lines=(
            *(line for where, one in ordered for line in _of_gate(where, one)),
            *_closing("fcb status", page),
        ),
    )


def alert_of_run(name: str, message: str, page: str = "") -> Alert:
    """A run that failed: its name in words, and what it ended with."""
    return Alert(
        severity=Severity.ERROR,
        title=f"Failed: {name}",
        lines=(message, *_closing("fcb doctor", page)),
    )


def alert_of_hanging(hanging: Mapping[str, str], page: str = "") -> Alert | None:
    """Runs that hold up the queue and that nobody executes, each with how that is known; None without any."""
    if not hanging:
        return None
    which = "1 run hangs" if len(hanging) == 1 else f"{len(hanging)} runs hang"
    return Alert(
        severity=Severity.ERROR,
        # By its title an alert is known: another run that hangs is another alert.
        title=f"{which}: {', '.join(hanging)}",
        lines=(
            *(f"{name}: {why}" for name, why in hanging.items()),
            *_closing("fcb doctor --fix", page),
        ),
    )


def alert_of_overdue(proved: datetime | None, now: datetime, page: str = "") -> Alert | None:
    """The last complete proof is older than `OVERDUE`, or there was none; None where it is younger."""
    if proved is not None and now - proved <= OVERDUE:
        return None
    since = (
        f"The last complete proof is of {proved:%Y-%m-%d %H:%M} UTC"
        if proved is not None
        else "There is no complete proof yet"
    )
    return Alert(
        severity=Severity.ERROR,
        title="Books: the daily proof did not come",
        lines=(
            f"{since}; one is due every {OVERDUE.total_seconds() / 3600:.0f} hours.",
            "Is the schedule daily_ledger_sync on, with the sensors that continue it? Did its runs fail?",
            *_closing("fcb sync", page),
        ),
    )


def _of_gate(where: str, one: GateResult) -> tuple[str, ...]:
    amounts = ", ".join(f"{amount(minor, currency)} {currency}" for currency, minor in one.amounts)
    outcome = "fails" if one.outcome is Outcome.FAIL else "warns"
    much = f" ({one.count}{f'; {amounts}' if amounts else ''})" if one.count else ""
    return (
        f"{where}: {one.gate} {outcome}{much}",
        f"    must hold: {one.proves}",
        f"    what to do: {one.recovery}",
    )


def _closing(command: str, page: str) -> tuple[str, ...]:
    return (f"More: {command}", *((page,) if page else ()))
