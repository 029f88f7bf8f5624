"""Settlements as entries of the books, and the checks before they are written."""

from collections import Counter
from collections.abc import Sequence

from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.beancount.chart import route_of
from fcb_pipelines.connectors.beancount.checks import assert_open, payee
from fcb_pipelines.connectors.beancount.loading import journal
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.beancount.text import settlement_text
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.settling import assert_same_receipt, assert_settleable, id_taken
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.settlements.requirements import draws_on_a_document, receipt_of


def add_settlements(
    settlements: Sequence[Settlement], records: Records, changes: Changes, settings: Settings
) -> None:
    """Add to `changes` the entries of those settlements that the books do not have."""
    batch = _Batch(records, changes, settings)
    new = [each for each in settlements if each.ref not in records.settlements]
    # A failed payment releases the amount of its allocation before another allocation takes it.
    for settlement in sorted(new, key=lambda each: each.undoes is None):
        batch.add(settlement)


def named_by(settlement: Settlement) -> set[str]:
    """The ids of the entries that must be known before a settlement is written."""
    named = (settlement.ref, settlement.document, settlement.drawn_on, settlement.undoes)
    return set(filter(None, named))


class _Batch:
    """The receipts and allocations of one batch so far, and its changes."""

    def __init__(self, records: Records, changes: Changes, settings: Settings) -> None:
        self._records = records
        self._changes = changes
        self._settings = settings
        self._receivable = records.chart.name(settings.accounts.receivable.code)
        self._receipts: dict[str, Settlement] = {}
        self._allocated: Counter[str] = Counter()
        self._undone: set[str] = set()

    def add(self, settlement: Settlement) -> None:
        """Add the entry of one settlement. Raises NotPrepared, NotAllowed or ContractBreach."""
        tried = f"settling {settlement.document} by {settlement.ref}"
        known = (self._receipts, self._records.receipts, self._records.documents)
        if any(settlement.ref in entries for entries in known):
            raise id_taken(settlement.ref)
        document, drawn_on = self._move(settlement.document), None
        if draws_on_a_document(settlement):
            drawn_on = self._move(settlement.drawn_on)
        assert_settleable(settlement, document, drawn_on)
        if not draws_on_a_document(settlement):
            assert_open(tried, settlement.date, "payments", self._records)
        if settlement.receipt is not None:
            self._receive(tried, settlement)
        if settlement.undoes is not None:
            self._release(settlement)
        if settlement.is_allocation and not self._fits(settlement):
            return
        self._write(tried, settlement, document.document.number if document else "on account")

    def _move(self, ref: str | None) -> LedgerMove | None:
        return self._records.move(ref) if ref in self._records.documents else None

    def _receive(self, tried: str, allocation: Settlement) -> None:
        """Write the shared receipt unless it exists. Raises where one of another amount does."""
        receipt = receipt_of(allocation)
        if receipt.ref in self._records.settlements:
            raise id_taken(receipt.ref)
        known = self._receipts.get(receipt.ref)
        if known is None and receipt.ref in self._records.receipts:
            known = self._records.receipt(receipt.ref)
            state = self._records.state(receipt.ref)
            if state is not MoveState.POSTED:
                raise NotPrepared(tried, f"{receipt.ref} is {state.value}", remedy="fcb books")
        if known is None:
            self._write(tried, receipt, "receipt", record="receipt")
        else:
            assert_same_receipt(allocation, known.amount, known.currency)
        self._receipts[receipt.ref] = known or receipt

    def _fits(self, allocation: Settlement) -> bool:
        """Whether both sides have its amount left: an allocation is never written in part."""
        drawn_on = allocation.drawn_on or ""
        undone = allocation.ref in self._undone | self._records.undone
        sides = (drawn_on,) if undone else (allocation.document, drawn_on)
        if any(
            self._allocated[side] + allocation.amount > self._allocatable(side) for side in sides
        ):
            return False
        self._allocated.update(dict.fromkeys(sides, allocation.amount))
        return True

    def _release(self, failure: Settlement) -> None:
        self._undone.add(failure.undoes or "")
        if failure.undoes in self._records.settlements:
            ledger_state = self._records.settlement(failure.undoes)
            if ledger_state is not None and ledger_state.settlement.is_allocation:
                self._allocated[failure.document] -= ledger_state.settlement.amount

    def _allocatable(self, target: str) -> int:
        if target in self._receipts and target not in self._records.receipts:
            return self._receipts[target].amount
        return self._records.matching(target).allocatable

    def _write(
        self, tried: str, settlement: Settlement, what: str, *, record: str = "settlement"
    ) -> None:
        debited = credited = self._receivable
        on_debit, on_credit = settlement.drawn_on, settlement.document or None
        if not settlement.is_allocation:
            route = route_of(settlement.method, self._settings)
            debited = self._records.chart.name(route.through.code)
            if route.against is not None:
                credited, on_credit = self._records.chart.name(route.against.code), None
        text = settlement_text(
            settlement,
            record=record,
            payee=payee(tried, settlement.partner, self._records),
            what=what,
            debited=(debited, on_debit),
            credited=(credited, on_credit),
        )
        self._changes.append(journal(settlement.date), text)
