"""Whether a month may be signed: what its close report comes to."""

from collections.abc import Mapping
from enum import StrEnum

from fcb_pipelines.core.close.shapes import ExceptionRow, GateRow, ReportJson
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.core.proof.gates import BOOKS_ARE_RIGHT

_OF_COPIES = frozenset({ExceptionCode.NEXACLOUD_DIFFERS, ExceptionCode.NEXACLOUD_ITEMS_MISSING})
# The warnings that tell the same as exceptions do, by gate; `nothing_is_held` tells the holds.
_TELL_EXCEPTIONS: Mapping[str, frozenset[ExceptionCode]] = {
    "nexacloud_agrees_with_source": _OF_COPIES,
    "unitemised_lines": frozenset({ExceptionCode.UNITEMISED}),
    "read_back_equals_intent": BOOKS_ARE_RIGHT,
    "dates_as_intended": BOOKS_ARE_RIGHT,
    "residuals_match_source": BOOKS_ARE_RIGHT,
}


class Signing(StrEnum):
    """What a close report comes to: READY, or there is something to DECIDE, or it must be REFUSED."""

    READY = "clean"
    DECIDE = "attention"
    REFUSED = "open"


def signing(report: ReportJson) -> Signing:
    """REFUSED where a gate of the month fails, a tie-out differs or an amount stands nowhere.

    No acknowledgement changes that.
    """
    ties = all(tie["ok"] for tie in report["tie_outs"])
    nowhere = any(row["difference"] for row in report["billed"])
    if Outcome.FAIL in {gate["outcome"] for gate in report["gates"]} or nowhere or not ties:
        return Signing.REFUSED
    return Signing.DECIDE if points_to_decide(report) else Signing.READY


def points_to_decide(report: ReportJson) -> int:
    """What waits for a person: holds and exceptions that nobody acknowledged, and gates over all months.

    Without such an exception it is the month's warnings, except those that tell of acknowledged ones.
    Gates over all months are of the last proof and may be mended by now, so they refuse no month.
    """
    over_all = sum(gate["outcome"] == Outcome.FAIL for gate in report["gates_over_all"])
    decided = [row for row in report["exceptions"] if row["acknowledged"]]
    held = report["hold"] - sum(row["is_held"] for row in decided)
    waiting = max(len(report["exceptions"]) - len(decided), held)
    warned = sum(
        gate["outcome"] == Outcome.WARN and not any(_tells(gate, row) for row in decided)
        for gate in report["gates"]
    )
    return over_all + (waiting or warned)


def badge(report: ReportJson) -> str:
    """What a report says first: `Ready to sign`, `2 points to decide` or `Must not be signed`."""
    match signing(report):
        case Signing.READY:
            return "Ready to sign"
        case Signing.REFUSED:
            return "Must not be signed"
        case Signing.DECIDE:
            points = points_to_decide(report)
            return f"{points} point{'' if points == 1 else 's'} to decide"


def _tells(gate: GateRow, row: ExceptionRow) -> bool:
    """Whether the gate's warning tells of this exception."""
    if gate["name"] == "nothing_is_held":
        return row["is_held"]
    return row["code"] in _TELL_EXCEPTIONS.get(gate["name"], frozenset())
