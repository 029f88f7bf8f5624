"""Whether a month may be signed: what its close report comes to."""

from enum import StrEnum

from fcb_pipelines.core.close.shapes import ReportJson
from fcb_pipelines.core.proof.gate import Outcome


class Signing(StrEnum):
    """What a close report comes to: READY, or there is something to DECIDE, or it must be REFUSED."""

    READY = "clean"
    DECIDE = "attention"
    REFUSED = "open"


def signing(report: ReportJson) -> Signing:
    """REFUSED where a gate of the month fails, a tie-out differs or an amount stands nowhere."""
    ties = all(tie["ok"] for tie in report["tie_outs"])
    nowhere = any(row["difference"] for row in report["billed"])
    if Outcome.FAIL in {gate["outcome"] for gate in report["gates"]} or nowhere or not ties:
        return Signing.REFUSED
    return Signing.DECIDE if points_to_decide(report) else Signing.READY


def points_to_decide(report: ReportJson) -> int:
    """What waits for a person: holds and exceptions, else the month's warnings; and gates over all months.

    Those are of the last proof and may be mended by now, so they refuse no month.
    """
    over_all = sum(gate["outcome"] == Outcome.FAIL for gate in report["gates_over_all"])
    warned = sum(gate["outcome"] == Outcome.WARN for gate in report["gates"])
    return over_all + (max(len(report["exceptions"]), report["hold"]) or warned)


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
