"""Settlements that the ledger holds and that their source no longer reports.

A settlement and its reversals are a chain, each of which reverses the one before: `X`, `X:undone`,
`X:undone:undone`. The ledger has the settlement where an even number of reversals follows it. Whatever the source
says next, it is the last of a chain that is reversed.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState
from fcb_pipelines.core.refs import is_correction


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreversed:
    """The last entry of a chain. `chain` are the refs of all of them, the last first."""

    entry: LedgerSettlement
    chain: tuple[str, ...]


def unreversed_settlements(ledger_state: Mapping[str, LedgerState]) -> dict[str, list[Unreversed]]:
    """The settlements in the ledger that no other one reverses, by their document; none of corrections.

    A match of a credit note with its invoice is of both.
    """
    # A correction takes a part of a settlement back, which stands with the rest.
    entries = [
        row.settlement
        for row in ledger_state.values()
        if row.settlement is not None and not row.absent and not is_correction(row.settlement.ref)
    ]
    undoes = {entry.ref: entry.settlement.undoes for entry in entries}
    undone = {*undoes.values()}
    found: dict[str, list[Unreversed]] = defaultdict(list)
    for entry in entries:
        if entry.ref not in undone:
            last = Unreversed(entry=entry, chain=_chain(entry.ref, undoes))
            found[entry.settlement.document].append(last)
            if entry.settlement.is_allocation and entry.settlement.receipt is None:
                found[str(entry.settlement.drawn_on)].append(last)
    return found


def withdrawn_settlements(
    unreversed: Iterable[Unreversed], *reported: Container[str]
) -> tuple[LedgerSettlement, ...]:
    """The entries of a document in the ledger that its source does not confirm, or no longer does (S7).

    `unreversed` are the document's, from `unreversed_settlements`; a ref in any of `reported` is one that
    the source reports. An entry is confirmed that the source reports, and the reversal of one that is not.
    """

    def is_confirmed(chain: Sequence[str]) -> bool:
        last, *before = chain
        is_reported = any(last in refs for refs in reported)
        return is_reported or (bool(before) and not is_confirmed(before))

    return tuple(last.entry for last in unreversed if not is_confirmed(last.chain))


def _chain(last: str, undoes: Mapping[str, str | None]) -> tuple[str, ...]:
    chain, before = [last], undoes[last]
    while before is not None and before not in chain:
        chain.append(before)
        before = undoes.get(before)
    return tuple(chain)
