"""What is matched with what on one document's receivable, worked out from its entries alone.

For books without a reconciliation of their own, Beancount's: an entry names the document that its
receivable posting settles, and these rules say how much of each is used. They depend on what stands
in the books, not on when or in which order it was written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one posted entry takes off a document, minor units; below zero it puts that much back.

    An allocation takes exactly its amount of what another entry holds. `undoes` is the claim that
    this one takes back.
    """

    ref: str
    date: date
    amount: int
    allocation: bool = False
    undoes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How much of each claim is matched (signed like its amount), and what stays open.

    `settled_by` are the claims that took something off the document itself, `allocatable` is what
    allocations have left of it: payments give way to them. `put_back` is what nothing has paid yet of
    the claims below zero; it stands beside the document.
    """

    of: Mapping[str, int]
    settled_by: frozenset[str]
    residual: int
    allocatable: int
    put_back: int


def match(total: int, claims: Iterable[Claim]) -> Matching:
    """Match the claims on a document of `total` minor units, earlier ones first.

    What undoes another is matched with it; allocations take their amount; the rest of what puts
    back is matched with what pays, and what remains with the document. What is paid beyond the
    total stays unmatched, a visible credit.
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
    """What each of these takes of what is open, out of what is left of it."""
    taken: dict[str, int] = {}
    for ref in paying:
        part = max(0, min(left[ref], open_ - sum(taken.values())))
        if part:
            taken[ref] = part
            left[ref] -= part
    return taken


def _net(left: dict[str, int], paying: Sequence[str], putting_back: str) -> None:
    """Match what is left of one debit of the document with what is left of these credits."""
    for ref in paying:
        netted = max(0, min(-left[putting_back], left.get(ref, 0)))
        if netted:
            left[putting_back] += netted
            left[ref] -= netted
