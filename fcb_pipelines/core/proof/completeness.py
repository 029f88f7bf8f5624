"""Completeness: over all months and unplaced, every member has exactly one disposition."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.codes import Reason, Verdict
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice
from fcb_pipelines.core.proof.gate import Finding, failing

UNPLACED = "unplaced"
NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of the population: its ref and the month it lies in (None: unplaced)."""

    ref: str
    period: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletenessRow:
    """One member and its one disposition, or the fault instead of it.

    `answer` is `post`, `skip`, `hold`, `not built` (its month was never built), `missing` (its
    month is built and lacks it), `twice`, or `no member` (a disposition without a member).
    """

    ref: str
    period: str | None
    answer: str
    reason: Reason | None


def population(
    index: Iterable[IndexRow],
    rows: Sequence[NexaCloudInvoice],
    claimants: Mapping[str, NexaCloudInvoice],
) -> tuple[Member, ...]:
    """Every document in scope at the sources, and every NexaCloud row without a document of its own."""
    by_ref = {row.ref: row for row in index}
    members = [Member(ref=row.ref, period=row.period) for row in by_ref.values() if row.is_member]
    for copy in rows:
        row = by_ref.get(copy.claims) if copy.claims else None
        duplicate = copy.claims is not None and claimants[copy.claims].invoice_id != copy.invoice_id
        if duplicate:
            members.append(Member(ref=copy.ref, period=row.period if row else None))
        elif row is None or not (row.found or row.is_lost):
            members.append(Member(ref=copy.ref, period=None))
    return tuple(members)


def completeness(
    members: Iterable[Member],
    months: Mapping[str, Sequence[Disposition]],
    unplaced: Sequence[Disposition],
) -> tuple[CompletenessRow, ...]:
    """One row for each member, and one for each ref with dispositions and without a member.

    `months` maps each built month, `YYYY-MM`, to its dispositions.
    """
    places = {**months, UNPLACED: unplaced}
    found: dict[str, list[tuple[str, Disposition]]] = defaultdict(list)
    for place, dispositions in places.items():
        for disposition in dispositions:
            found[disposition.ref].append((place, disposition))
    rows = []
    known = set()
    for member in members:
        known.add(member.ref)
        rows.append(_member_row(member, found.get(member.ref, []), built=set(places)))
    rows += [
        CompletenessRow(ref=ref, period=where[0][1].period, answer="no member", reason=None)
        for ref, where in found.items()
        if ref not in known
    ]
    return tuple(rows)


def completeness_gate(rows: Sequence[CompletenessRow]) -> Finding:
    """Fail with each member that has not exactly one disposition, in its own month."""
    verdicts = set(Verdict)
    faults = [
        f"{row.ref} ({row.period or UNPLACED}): {row.answer}"
        for row in rows
        if row.answer not in verdicts
    ]
    return failing(faults)


def _member_row(
    member: Member, where: Sequence[tuple[str, Disposition]], *, built: Collection[str]
) -> CompletenessRow:
    place = member.period or UNPLACED
    reason = None
    if len(where) > 1:
        answer = "twice"
    elif place not in built:
        answer = NOT_BUILT
    elif not where or where[0][0] != place:
        answer = "missing"
    else:
        answer, reason = where[0][1].verdict.value, where[0][1].reason
    return CompletenessRow(ref=member.ref, period=member.period, answer=answer, reason=reason)
