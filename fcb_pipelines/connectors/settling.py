"""Settlements written so that one that a ledger refuses stops no other, and the failures that refuse it."""

from collections.abc import Sequence

from fcb_pipelines.connectors.failures import (
    ContractBreach,
    EntriesRefused,
    NotPrepared,
    PermanentFailure,
    Refusal,
)
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove
from fcb_pipelines.core.settlements.requirements import Unmet, unlike_receipt, unmet

# With so many refused and none written the fault is the ledger's own; each try costs a call.
_ENOUGH = 20


def settle_each(ledger: Ledger, settlements: Sequence[Settlement]) -> None:
    """Settle a batch; a settlement that the ledger refuses is left out, and the others are written.

    Raises EntriesRefused naming each that was refused, after the others were written. Raises the ledger's
    own PermanentFailure where it refuses many and takes none: then the fault is not one settlement's.
    """
    refused: list[Refusal] = []
    written = 0
    # Halves, until the refused one is alone; in their order, since a reversal follows its settlement.
    # What a call before a failure wrote is found by its external id, so it is not written twice.
    batches = [tuple(settlements)]
    while batches:
        batch = batches.pop()
        try:
            ledger.settle(batch)
        except PermanentFailure as failure:
            if len(batch) > 1:
                middle = len(batch) // 2
                batches += [batch[middle:], batch[:middle]]
                continue
            if not written and len(refused) + 1 >= _ENOUGH:
                raise
            refused += [_refusal(each, failure) for each in batch]
        else:
            written += len(batch)
    if refused:
        raise EntriesRefused(f"settling {len(settlements)} times", refused)


def _refusal(settlement: Settlement, failure: PermanentFailure) -> Refusal:
    return Refusal(
        ref=settlement.ref, code=ExceptionCode.REFUSED_BY_LEDGER, detail=failure.came_back
    )


def assert_settleable(
    settlement: Settlement, document: LedgerMove | None, drawn_on: LedgerMove | None = None
) -> None:
    """Raises NotPrepared where a command mends the fault, ContractBreach where none does."""
    _refuse(settlement, unmet(settlement, document, drawn_on))


def assert_same_receipt(allocation: Settlement, amount: int, currency: str) -> None:
    """Raises ContractBreach unless the recorded receipt has the amount and currency of the allocation's."""
    _refuse(allocation, unlike_receipt(allocation, amount, currency))


def id_taken(ref: str) -> ContractBreach:
    """The failure of a settlement whose id another entry of ours has: no command mends it."""
    return ContractBreach(f"settling by {ref}", "another entry of ours has its id")


def _refuse(settlement: Settlement, fault: Unmet | None) -> None:
    if fault is None:
        return
    tried = f"settling {settlement.document} by {settlement.ref}"
    if fault.remedy is None:
        raise ContractBreach(tried, fault.why)
    raise NotPrepared(tried, fault.why, remedy=fault.remedy)
