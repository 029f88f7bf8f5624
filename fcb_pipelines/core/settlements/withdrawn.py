"""Settlements that the ledger holds and that their source no longer reports."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping

from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState
from fcb_pipelines.core.refs import is_correction


def unreversed_settlements(
    ledger_state: Mapping[str, LedgerState],
) -> dict[str, list[LedgerSettlement]]:
    """The settlements in the ledger that no other one reverses, by their document; none of corrections.

    A match of a credit note with its invoice is of both.
    """
    entries = [
        row.settlement
        for row in ledger_state.values()
        if row.settlement is not None and not row.absent
    ]
    # A correction takes a part of a settlement back, which stands with the rest.
    undone = {entry.settlement.undoes for entry in entries if not is_correction(entry.ref)}
    found: dict[str, list[LedgerSettlement]] = defaultdict(list)
    for entry in entries:
        if entry.ref not in undone and not is_correction(entry.ref):
            found[entry.settlement.document].append(entry)
            if entry.settlement.is_allocation and entry.settlement.receipt is None:
                found[str(entry.settlement.drawn_on)].append(entry)
    return found


def withdrawn_settlements(
    unreversed: Iterable[LedgerSettlement], *reported: Container[str]
) -> tuple[LedgerSettlement, ...]:
    """The settlements of a document in the ledger that its source no longer reports (S7).

    `unreversed` are the document's, from `unreversed_settlements`; a ref in any of `reported` is one that
    the source reports. A settlement that was reversed is not withdrawn, and neither is its reversal,
    unless the source reports the reversed settlement again.
    """

    def is_reported(ref: str) -> bool:
        return any(ref in refs for refs in reported)

    return tuple(
        entry
        for entry in unreversed
        if not is_reported(entry.ref)
        and (entry.settlement.undoes is None or is_reported(entry.settlement.undoes))
    )
