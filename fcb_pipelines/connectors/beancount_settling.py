"""Settlements on their way into the books: which entries they make, and what is refused."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from fcb_pipelines.connectors.beancount_books import journal
from fcb_pipelines.connectors.beancount_changes import Changes
from fcb_pipelines.connectors.beancount_chart import route_of
from fcb_pipelines.connectors.beancount_checks import assert_open, payee
from fcb_pipelines.connectors.beancount_reading import Records
from fcb_pipelines.connectors.beancount_text import settlement_text
from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.company import Settings
from fcb_pipelines.core.documents import Settlement
from fcb_pipelines.core.standing import MoveState


def settled(
    settlements: Sequence[Settlement], records: Records, changes: Changes, settings: Settings
) -> None:
    """Add to `changes` the entries of those settlements that the books do not have."""
    batch = _Batch(records, changes, settings)
    for settlement in settlements:
        if settlement.ref not in records.settlements:
            batch.put(settlement)


class _Batch:
    """What a batch writes, while it is worked in."""

    def __init__(self, records: Records, changes: Changes, settings: Settings) -> None:
        self._records = records
        self._changes = changes
        self._settings = settings
        self._receivable = records.chart.name(settings.accounts.receivable.code)
        self._receipts: dict[str, Settlement] = {}
        self._allocated: Counter[str] = Counter()

    def put(self, settlement: Settlement) -> None:
        """One settlement, as the entry that its method makes or as an allocation."""
        tried = f"settling {settlement.document} by {settlement.ref}"
        assert_open(tried, settlement.date, "payments", self._records)
        number = self._settleable(tried, settlement)
        if settlement.drawn_on is None:
            self._write(tried, settlement, number)
            return
        if settlement.receipt is None:
            self._assert_credit(tried, settlement)
        else:
            self._receive(tried, settlement)
        self._allocate(tried, settlement, number)

    def _settleable(self, tried: str, settlement: Settlement) -> str:
        """The number of the document. Raises unless it is posted and of the settlement's sort."""
        if settlement.document not in self._records.documents:
            raise NotPrepared(tried, "the document is not in the books", remedy="fcb sync")
        move = self._records.move(settlement.document)
        if move.state is not MoveState.POSTED:
            raise NotPrepared(tried, f"the document is {move.state.value}", remedy="fcb post")
        document = move.document
        if (settlement.currency, settlement.kind) != (document.currency, document.kind):
            raise ContractBreach(
                tried,
                f"it is of a {settlement.kind.value} in {settlement.currency}, the document is "
                f"of kind {document.kind.value} in {document.currency}",
            )
        return document.number

    def _assert_credit(self, tried: str, settlement: Settlement) -> None:
        drawn_on = settlement.drawn_on or ""
        if drawn_on not in self._records.documents:
            raise NotPrepared(tried, f"{drawn_on} is not in the books", remedy="fcb sync")
        credit = self._records.move(drawn_on)
        if credit.state is not MoveState.POSTED:
            raise NotPrepared(tried, f"{drawn_on} is {credit.state.value}", remedy="fcb post")
        document = credit.document
        if document.currency != settlement.currency or document.kind is settlement.kind:
            raise ContractBreach(
                tried, f"it draws on a {document.kind.value} in {document.currency}: {drawn_on}"
            )

    def _receive(self, tried: str, settlement: Settlement) -> None:
        """Write the shared receipt where it is not there yet. Raises when another one stands there."""
        receipt = shared_receipt(settlement)
        known = self._receipts.get(receipt.ref)
        if known is None and receipt.ref in self._records.receipts:
            known = self._records.receipt(receipt.ref)
            state = self._records.state(receipt.ref)
            if state is not MoveState.POSTED:
                raise NotPrepared(tried, f"{receipt.ref} is {state.value}", remedy="fcb books")
        if known is None:
            self._write(tried, receipt, "receipt", receipt=True)
        elif _money(known) != _money(receipt):
            raise ContractBreach(
                tried,
                f"it draws on a receipt of {receipt.amount} minor units of {receipt.currency}, "
                f"{receipt.ref} is of {known.amount} of {known.currency}",
            )
        self._receipts[receipt.ref] = known or receipt

    def _allocate(self, tried: str, settlement: Settlement, number: str) -> None:
        for target in (settlement.document, settlement.drawn_on or ""):
            self._allocated[target] += settlement.amount
            open_ = self._allocatable(target)
            if not 0 < self._allocated[target] <= open_:
                raise ContractBreach(
                    tried, f"{self._allocated[target]} minor units of {target}, which has {open_}"
                )
        self._write(tried, settlement, number)

    def _allocatable(self, target: str) -> int:
        if target in self._receipts and target not in self._records.receipts:
            return self._receipts[target].amount
        return self._records.matching(target).allocatable

    def _write(
        self, tried: str, settlement: Settlement, what: str, *, receipt: bool = False
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
            record="receipt" if receipt else "settlement",
            payee=payee(tried, settlement.partner, self._records),
            what=what,
            debited=(debited, on_debit),
            credited=(credited, on_credit),
        )
        self._changes.append(journal(settlement.date), text)


def shared_receipt(allocation: Settlement) -> Settlement:
    """The receipt that an allocation draws on, told as a settlement of no document."""
    return replace(
        allocation,
        ref=allocation.drawn_on or "",
        document="",
        amount=allocation.receipt or 0,
        drawn_on=None,
        receipt=None,
    )


def _money(receipt: Settlement) -> tuple[object, ...]:
    return receipt.amount, receipt.currency, receipt.kind, receipt.method
