"""The matching of one document's receivable, computed from the posted entries alone.

Beancount has no reconciliation of its own. There, an entry names the document that its receivable
posting settles, and these rules compute how much of each entry is used. The result depends on the
entries alone, not on when or in which order they were written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One posted entry on a document's receivable; `amount` is in minor units.

    A positive amount settles that much of the document, a negative one opens it again. An allocation
    uses exactly its amount of another entry. `undoes` is the ref of the claim that this one reverses.
    """

    ref: str
    date: date
    amount: int
    allocation: bool = False
    undoes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How much of each claim is matched, and how much stays open; all in minor units.

    `of` maps the ref of each claim to its matched amount, signed like the claim. `settled_by` are the
    claims that settle a part of the document itself. `residual` is open on the document; `allocatable`
    is the part of the total that no allocation uses; payments give way to allocations. `put_back` is the unpaid rest of the negative claims, open beside the document.
    """

    of: Mapping[str, int]
    settled_by: frozenset[str]
    residual: int
    allocatable: int
    put_back: int


def match(total: int, claims: Iterable[Claim]) -> Matching:
    """Match the claims on a document of `total` minor units, earlier ones first.

    A reversal is matched with the claim that it reverses. The other negative claims are matched with
    payments, allocations with the document, and the rest of the payments with what is open after them.
    A payment beyond the total stays unmatched, as a visible credit.
    """
    ordered = sorted(claims, key=lambda claim: (claim.date, claim.ref))
    left = {claim.ref: claim.amount for claim in ordered}
    for claim in ordered:
        if claim.undoes is not None:
            _net(left, [claim.undoes], claim.ref)
    allocations = [claim.ref for claim in ordered if claim.allocation]
    entries = [claim.ref for claim in ordered if not claim.allocation]
    for ref in entries:
        _net(left, entries, ref)
    by_allocations = _taken(left, allocations, total)
    allocatable = total - sum(by_allocations.values())
    by_entries = _taken(left, entries, allocatable)
    return Matching(
        of={claim.ref: claim.amount - left[claim.ref] for claim in ordered},
        settled_by=frozenset({**by_allocations, **by_entries}),
        residual=allocatable - sum(by_entries.values()),
        allocatable=allocatable,
        put_back=-sum(min(0, amount) for amount in left.values()),
    )


def _taken(left: dict[str, int], paying: Sequence[str], open_: int) -> dict[str, int]:
    """How much each of these claims settles of the open amount; `left` is reduced by it."""
    taken: dict[str, int] = {}
    for ref in paying:
        part = max(0, min(left[ref], open_ - sum(taken.values())))
        if part:
            taken[ref] = part
            left[ref] -= part
    return taken


def _net(left: dict[str, int], paying: Sequence[str], negative: str) -> None:
    """Match the rest of one negative claim with the rests of these positive ones."""
    for ref in paying:
        netted = max(0, min(-left[negative], left.get(ref, 0)))
        if netted:
            left[negative] += netted
            left[ref] -= netted
