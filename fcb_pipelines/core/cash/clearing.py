"""What is open on the outstanding account at the end of each month, key by key, and why (C5, C9)."""

import datetime as dt
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.cash.settled import SettledCash
from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.ledger.cash import CashEntry

_REVERSING = frozenset(
    {CashKind.CHARGE_FAILURE, CashKind.REFUND_FAILURE, CashKind.DISPUTE_REVERSAL}
)


class ClearingState(StrEnum):
    """Why a key is open.

    UNDER_WAY: settled, and not in the balance yet. UNSETTLED: in the balance, and no settlement of it is in the
    books: its document is held, or an event is not booked yet. DIFFERS: both are there, and not of one amount.
    """

    UNDER_WAY = "under_way"
    UNSETTLED = "unsettled"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearingRow:
    """One matching key that is open at the end of a month; minor units of `currency`, debit > 0.

    `settled` is what its settlements put on the outstanding account until then, `moved` what its transactions
    did: a payment above zero, its charge below. `transactions` are the refs of the cash entries. `since` is
    the day of the first of all, `age` the days from it to the month's end.
    """

    period: str
    key: str
    document: str | None
    currency: str
    settled: int
    moved: int
    since: dt.date
    age: int
    state: ClearingState
    transactions: tuple[str, ...] = ()

    @property
    def open(self) -> int:
        """What is left on the account."""
        return self.settled + self.moved


@dataclass(slots=True)
class _Sides:
    """The two sides of a key so far, those of its reversal apart."""

    settled: int = 0
    moved: int = 0
    settled_back: int = 0
    moved_back: int = 0
    since: date = date.max
    document: str | None = None
    transactions: list[str] = field(default_factory=list)

    def settle(self, row: SettledCash) -> None:
        self.since = min(self.since, row.date)
        self.document = self.document or row.document
        if row.is_reversal:
            self.settled_back += row.amount
        else:
            self.settled += row.amount

    def move(self, entry: CashEntry, amount: int) -> None:
        self.since = min(self.since, entry.booked_on)
        self.transactions.append(entry.ref)
        if entry.kind in _REVERSING:
            self.moved_back += amount
        else:
            self.moved += amount

    @property
    def open(self) -> int:
        return self.settled + self.settled_back + self.moved + self.moved_back

    def state(self) -> ClearingState:
        pairs = ((self.settled, self.moved), (self.settled_back, self.moved_back))
        if any(settled and moved and settled + moved for settled, moved in pairs):
            return ClearingState.DIFFERS
        on_its_way = sum(settled for settled, moved in pairs if not moved)
        return ClearingState.UNDER_WAY if on_its_way else ClearingState.UNSETTLED


def clearing(
    settled: Iterable[SettledCash],
    entries: Iterable[CashEntry],
    month_ends: Mapping[str, date],
    documents: Mapping[str, str],
) -> tuple[ClearingRow, ...]:
    """The open keys at the end of each of these months, oldest first.

    `settled` are the settlements in the books, `entries` the cash entries; each counts from its own day on.
    `documents` tells the document of a key that the sources know and the books do not.
    """
    sides: dict[tuple[str, str], _Sides] = defaultdict(_Sides)
    days: dict[date, list[SettledCash | CashEntry]] = defaultdict(list)
    for row in settled:
        days[row.date].append(row)
    for entry in entries:
        days[entry.booked_on].append(entry)
    coming = deque(sorted(days))
    rows: list[ClearingRow] = []
    # A month costs what is open in it and what moves in it, not all that ever was.
    still: set[tuple[str, str]] = set()
    for period, end in sorted(month_ends.items(), key=lambda one: one[1]):
        while coming and coming[0] <= end:
            for each in days[coming.popleft()]:
                still.update(_add(sides, each))
        still = {place for place in still if sides[place].open}
        rows += [
            _row(period, end, key, currency, sides[key, currency], documents)
            for key, currency in sorted(still)
        ]
    return tuple(rows)


def _add(
    sides: dict[tuple[str, str], _Sides], each: SettledCash | CashEntry
) -> Iterator[tuple[str, str]]:
    """Add a settlement or an entry to its keys, and name these."""
    if isinstance(each, SettledCash):
        sides[each.key, each.currency].settle(each)
        yield each.key, each.currency
        return
    for line in each.lines:
        if line.meets is None:
            continue
        amount, currency = line.amount, each.currency
        if line.original is not None:
            amount, currency = line.original, line.original_currency or each.currency
        sides[line.meets, currency].move(each, amount)
        yield line.meets, currency


def _row(
    period: str,
    end: date,
    key: str,
    currency: str,
    found: _Sides,
    documents: Mapping[str, str],
) -> ClearingRow:
    return ClearingRow(
        period=period,
        key=key,
        document=found.document or documents.get(key),
        currency=currency,
        settled=found.settled + found.settled_back,
        moved=found.moved + found.moved_back,
        since=found.since,
        age=(end - found.since).days,
        state=found.state(),
        transactions=tuple(found.transactions),
    )
