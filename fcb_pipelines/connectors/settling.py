"""A settlement that the rules do not let into the books (`core.settlements.requirements`), as a failure."""

from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove
from fcb_pipelines.core.settlements.requirements import Unmet, unlike_receipt, unmet


def assert_settleable(
    settlement: Settlement, document: LedgerMove | None, drawn_on: LedgerMove | None = None
) -> None:
    """Raises NotPrepared where a command mends what it lacks, ContractBreach where none does."""
    _refuse(settlement, unmet(settlement, document, drawn_on))


def assert_same_receipt(allocation: Settlement, amount: int, currency: str) -> None:
    """Raises ContractBreach unless the receipt that stands is the one which it draws on."""
    _refuse(allocation, unlike_receipt(allocation, amount, currency))


def _refuse(settlement: Settlement, lacking: Unmet | None) -> None:
    if lacking is None:
        return
    tried = f"settling {settlement.document} by {settlement.ref}"
    if lacking.remedy is None:
        raise ContractBreach(tried, lacking.why)
    raise NotPrepared(tried, lacking.why, remedy=lacking.remedy)
