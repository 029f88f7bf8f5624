"""Settlements that are posted in the ledger and that their source reports no longer."""

from collections.abc import Collection, Mapping

from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState
from fcb_pipelines.core.refs import is_correction


def taken_back(
    ref: str, told: Collection[str], ledger_state: Mapping[str, LedgerState]
) -> tuple[LedgerSettlement, ...]:
    """The settlements of a document that stand and that its source no longer tells (S7).

    `told` are the refs that it does. What was undone stands on, with what undoes it: unless the source
    tells of the undone one again.
    """
    entries = [
        row.settlement
        for row in ledger_state.values()
        if row.settlement is not None and not row.absent
    ]
    undone = {entry.settlement.undoes for entry in entries}
    return tuple(
        entry
        for entry in entries
        if entry.settlement.document == ref
        and entry.ref not in {*told, *undone}
        and not is_correction(entry.ref)
        and entry.settlement.undoes in {None, *told}
    )
