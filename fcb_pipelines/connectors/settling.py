"""Failures for settlements that may not be written by the rules of `core.settlements.requirements`."""

from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove
from fcb_pipelines.core.settlements.requirements import Unmet, unlike_receipt, unmet


def assert_settleable(
    settlement: Settlement, document: LedgerMove | None, drawn_on: LedgerMove | None = None
) -> None:
    """Raises NotPrepared where a command mends the fault, ContractBreach where none does."""
    _refuse(settlement, unmet(settlement, document, drawn_on))


def assert_same_receipt(allocation: Settlement, amount: int, currency: str) -> None:
    """Raises ContractBreach unless the recorded receipt has the amount and currency of the allocation's."""
    _refuse(allocation, unlike_receipt(allocation, amount, currency))


def _refuse(settlement: Settlement, fault: Unmet | None) -> None:
    if fault is None:
        return
    tried = f"settling {settlement.document} by {settlement.ref}"
    if fault.remedy is None:
        raise ContractBreach(tried, fault.why)
    raise NotPrepared(tried, fault.why, remedy=fault.remedy)
