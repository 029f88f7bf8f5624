"""What is left open of the lines of the outstanding account, computed from the posted lines alone.

For a ledger that has no reconciliation of its own. As in one that has, the lines of one key in one
currency meet each other once a transaction of the balance names the key; a settlement and its reversal alone
stay open beside each other. The result depends on the lines alone, not on the order in which they were written.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingLine:
    """A posted line of the outstanding account: `amount` minor units of `currency`, debit > 0.

    `entry` is the entry that it is a line of, `key` its matching key; without one it meets nothing.
    `is_settled`: the line of a settlement or shared receipt, which waits for a transaction.
    """

    entry: str
    key: str | None
    date: date
    currency: str
    amount: int
    is_settled: bool = False


def residuals(lines: Sequence[OutstandingLine], on: date | None = None) -> tuple[int, ...]:
    """The open part of each line at the end of a day, in the order of the lines; None: of all days.

    A line of a later day has none. Of a key, debits meet credits, earlier ones first.
    """
    named = {line.key for line in lines if not line.is_settled}
    left = [line.amount if on is None or line.date <= on else 0 for line in lines]
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        if line.key is not None and line.key in named and left[number]:
            groups[line.key, line.currency].append(number)
    for group in groups.values():
        ordered = sorted(group, key=lambda number: (lines[number].date, lines[number].entry))
        for sign in (1, -1):
            same = [number for number in ordered if sign * lines[number].amount > 0]
            against = sum(abs(lines[number].amount) for number in ordered) - sum(
                abs(lines[number].amount) for number in same
            )
            for number in same:
                taken = min(against, abs(lines[number].amount))
                against -= taken
                left[number] -= sign * taken
    return tuple(left)
