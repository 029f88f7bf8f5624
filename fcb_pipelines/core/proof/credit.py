"""Credit that is drawn must have come from somewhere (S12): the customers' balances never go below zero."""

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
    """What was drawn beyond what the books saw each customer get, by day; one row a settlement.

    Customer balance and wallet are kept apart. `listed` is below zero: by so much too much was drawn.
    `facts` tell what of a balance is a debt that an invoice left there or collected (B9): no credit.
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
        # What is given comes before what is drawn of it on the same day.
        for each in sorted(own, key=lambda s: (s.date, s.kind.sign * s.amount > 0, s.ref)):
            key = each.partner, each.currency
            change = -each.kind.sign * (each.amount - debts.get(each.ref, 0))
            short = min(0, left[key] + change)
            # What is told is told once: credit that comes later is not eaten up by it.
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
