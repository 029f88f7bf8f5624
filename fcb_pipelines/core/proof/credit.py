"""Credit without an origin (S12): a customer's balance that would go below zero."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from fcb_pipelines.core.codes import ExceptionCode, Method
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.moves import LedgerSettlement, MoveState
from fcb_pipelines.core.proof.amount_rows import AmountRow, Measure

_BALANCE = frozenset({Method.CUSTOMER_BALANCE, Method.OVERPAYMENT})
_WALLET = frozenset({Method.PREPAID_CREDIT})


def drawn_without_origin(
    settlements: Iterable[LedgerSettlement],
    dispositions: Mapping[str, Disposition],
    facts: Iterable[InvoiceFacts] = (),
) -> tuple[AmountRow, ...]:
    """One row for each settlement that draws more credit than the customer had in the books that day.

    Customer balance and wallet are kept apart. `listed` is the missing credit, minor units, below zero.
    `facts` show the part of a balance that is a debt and no credit (B9).
    """
    rows = []
    settlements = tuple(settlements)
    debts = {each.ref: each.debt for one in facts for each in one.settlements if each.debt}
    for methods in (_BALANCE, _WALLET):
        left: dict[tuple[str, str], int] = defaultdict(int)
        own = [
            entry.settlement
            for entry in settlements
            if entry.state is MoveState.POSTED and entry.settlement.method in methods
        ]
        # Credit given comes before credit drawn on the same day.
        for each in sorted(own, key=lambda s: (s.date, s.kind.sign * s.amount > 0, s.ref)):
            key = each.partner, each.currency
            change = -each.kind.sign * (each.amount - debts.get(each.ref, 0))
            short = min(0, left[key] + change)
            # Missing credit is listed once: credit that comes later is not reduced by it.
            left[key] = max(0, left[key] + change)
            if short < 0:
                row = dispositions.get(each.document)
                rows.append(
                    AmountRow(
                        ref=each.document,
                        entry=each.ref,
                        number=row.number if row else "",
                        partner=each.partner,
                        currency=each.currency,
                        measure=Measure.CREDIT,
                        day=each.date,
                        source=0,
                        posted=-short,
                        listed=short,
                        why=ExceptionCode.CREDIT_WITHOUT_ORIGIN,
                    )
                )
    return tuple(rows)
