"""Settlements that the ledger holds and that their source no longer reports."""

from collections.abc import Collection, Mapping

from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState
from fcb_pipelines.core.refs import is_correction


def withdrawn_settlements(
    ref: str, reported: Collection[str], ledger_state: Mapping[str, LedgerState]
) -> tuple[LedgerSettlement, ...]:
    """The settlements of a document in the ledger that its source no longer reports (S7).

    `reported` are the refs that the source reports. A settlement that was reversed is not withdrawn, and
    neither is its reversal, unless the source reports the reversed settlement again.
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
        and entry.ref not in {*reported, *undone}
        and not is_correction(entry.ref)
        and entry.settlement.undoes in {None, *reported}
    )
