"""Credit that is drawn must have come from somewhere (S12): the customers' balances never go below zero."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from fcb_pipelines.core.amount_rows import WITHOUT_ORIGIN, AmountRow, Measure
from fcb_pipelines.core.dispositions import Disposition
from fcb_pipelines.core.facts import Method
from fcb_pipelines.core.standing import MoveState, StandingSettlement

_BALANCE = frozenset({Method.CUSTOMER_BALANCE, Method.OVERPAYMENT})
_WALLET = frozenset({Method.PREPAID_CREDIT})


def drawn_without_origin(
    settlements: Iterable[StandingSettlement], dispositions: Mapping[str, Disposition]
) -> tuple[AmountRow, ...]:
    """What was drawn beyond what the books saw each customer get, by day; one row a settlement.

    Customer balance and wallet are kept apart. `listed` is below zero: by so much too much was drawn.
    """
    rows = []
    settlements = tuple(settlements)
    for methods in (_BALANCE, _WALLET):
        left: dict[tuple[str, str], int] = defaultdict(int)
        own = [
            entry.settlement
            for entry in settlements
            if entry.state is MoveState.POSTED and entry.settlement.method in methods
        ]
        # What is given comes before what is drawn of it on the same day.
        for each in sorted(own, key=lambda s: (s.date, s.kind.sign * s.amount > 0, s.ref)):
            key, change = (each.partner, each.currency), -each.kind.sign * each.amount
            short = min(0, left[key] + change) - min(0, left[key])
            left[key] += change
            if change < 0 and short < 0:
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
                        why=WITHOUT_ORIGIN,
                    )
                )
    return tuple(rows)
