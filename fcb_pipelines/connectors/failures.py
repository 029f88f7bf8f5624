"""Failures of calls to the outside world, in two kinds.

    Failure
    ├── TransientFailure      the same call may succeed later: a rerun helps
    │   ├── Unreachable       no answer, or 5xx: says nothing about what exists
    │   ├── Busy              another is at it; the message names it
    │   └── Throttled         too many requests; `retry_after` says how long to wait
    └── PermanentFailure      a rerun changes nothing until somebody mends something
        ├── NotFound          the source says that it does not exist
        ├── NotAllowed        the key or role lacks a right
        ├── ContractBreach    an answer or a table in a shape we do not know
        ├── NotPrepared       something must be set up first
        └── EntriesRefused    a ledger took a batch except some entries; `refusals` names them

Each message says what was tried and what came back; `remedy` names the command that mends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fcb_pipelines.core.codes import ExceptionCode

# A ledger's answer may bring its whole traceback along, or the rows that it stumbled over.
LONGEST = 800


class Failure(Exception):
    """A call to the outside world that failed."""

    rerun_helps = False

    def __init__(self, tried: str, came_back: str, *, remedy: str | None = None) -> None:
        self.tried = _shortened(tried)
        self.came_back = _shortened(came_back)
        self.remedy = remedy
        rerun = "A rerun may help." if self.rerun_helps else "A rerun alone will not help."
        parts = [f"{self.tried}: {self.came_back}.", rerun]
        if remedy:
            parts.append(f"Mend it with: {remedy}")
        super().__init__(" ".join(parts))


def _shortened(text: str) -> str:
    """The beginning of a text that another program gave, with escapes for what no file or screen takes."""
    whole = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    if len(whole) <= LONGEST:
        return whole
    return f"{whole[:LONGEST].rstrip()}… ({len(whole):,} characters in all)"


class TransientFailure(Failure):
    """The same call may succeed later."""

    rerun_helps = True


class Unreachable(TransientFailure):
    """No answer, or a server error. It says nothing about what exists."""


class Busy(TransientFailure):
    """Another is at it, and did not end in time; the message names it."""


class Throttled(TransientFailure):
    """Too many requests. `retry_after` is the wait in seconds that the other side asked for."""

    def __init__(self, tried: str, came_back: str, *, retry_after: float | None = None) -> None:
        super().__init__(tried, came_back)
        self.retry_after = retry_after


class PermanentFailure(Failure):
    """A rerun changes nothing until somebody mends something."""


class NotFound(PermanentFailure):
    """The source says that it does not exist."""


class NotAllowed(PermanentFailure):
    """The key or role lacks a right."""


class ContractBreach(PermanentFailure):
    """An answer or a table in a shape we do not know."""


class NotPrepared(PermanentFailure):
    """Something must be set up first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One entry that a ledger would not take: its ref, a reason code and what was found.

    `code` is `tax_mismatch` (core.codes) or `refused_by_ledger`.
    """

    ref: str
    code: ExceptionCode
    detail: str


class EntriesRefused(PermanentFailure):
    """A ledger took a batch except these entries, of which nothing was written."""

    def __init__(self, tried: str, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        listed = "; ".join(f"{each.ref}: {each.code} ({each.detail})" for each in refusals[:5])
        more = f" and {len(refusals) - 5} more" if len(refusals) > 5 else ""
        super().__init__(tried, f"{listed}{more}")
