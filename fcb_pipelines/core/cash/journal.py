"""The journal of a balance in the books beside the transactions: its balance on a day, and each entry (C2, D3)."""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from fcb_pipelines.core.cash.plan import CashDrift, CashPlan
from fcb_pipelines.core.facts.cash import Payout
from fcb_pipelines.core.ledger.cash import CashBalance, CashEntry, LedgerCash
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.periods import first_day, following, period_of


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """The bank account of one journal at the end of one day; minor units of `currency`.

    `expected` is what the entries of its transactions come to until then, `held` what the books have. `waiting`
    are those of the entries that are not written yet: their sum, and `entries_waiting` their number.
    """

    currency: str
    date: dt.date
    expected: int
    held: int
    waiting: int = 0
    entries_waiting: int = 0

    @property
    def difference(self) -> int:
        """What the books have more than is expected of what was written; zero where they agree."""
        return self.held + self.waiting - self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class CashDelta:
    """One difference between a cash entry in the books and its intent, with what differs in words."""

    ref: str
    period: str
    side: CashDrift
    detail: str


def days_to_prove(
    payouts: Iterable[Payout], entries: Collection[CashEntry], begin: date, today: date
) -> tuple[tuple[str, date], ...]:
    """(currency, day) of each payout and each month's end that is over, in order; of currencies with an entry."""
    currencies = {entry.currency for entry in entries}
    found = {
        (one.currency, one.date)
        for one in payouts
        if begin <= one.date < today and one.currency in currencies
    }
    period = period_of(begin)
    while (end := first_day(following(period)) - timedelta(days=1)) < today:
        found |= {(currency, end) for currency in currencies}
        period = following(period)
    return tuple(sorted(found, key=lambda each: (each[1], each[0])))


def balances_expected(
    days: Iterable[tuple[str, date]],
    entries: Iterable[CashEntry],
    plan: CashPlan,
    held: Mapping[str, LedgerCash],
) -> tuple[CashBalance, ...]:
    """The balance on each of these days, to be stated: of each entry on the day on which it is booked."""
    planned = {entry.ref: entry.booked_on for entry in plan.write}
    moved: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for entry in entries:
        now = held.get(entry.ref)
        is_held = now is not None and now.state is MoveState.POSTED
        day = now.entry.booked_on if now and is_held else planned.get(entry.ref, entry.booked_on)
        moved[entry.currency].append((day, entry.amount))
    running = {currency: _Running(own) for currency, own in moved.items()}
    return tuple(
        CashBalance(currency=currency, date=day, amount=running[currency].at(day))
        for currency, day in days
    )


class _Running:
    """A balance at the end of any day."""

    def __init__(self, moved: Iterable[tuple[date, int]]) -> None:
        ordered = sorted(moved)
        self._days = [day for day, _ in ordered]
        self._sums = [0, *accumulate(amount for _, amount in ordered)]

    def at(self, day: date) -> int:
        return self._sums[bisect_right(self._days, day)]


def journal_rows(
    expected: Iterable[CashBalance],
    found: Iterable[CashBalance],
    plan: CashPlan,
    held: Mapping[str, LedgerCash],
) -> tuple[JournalRow, ...]:
    """A row for each balance as it is `expected` and as the books have it, which are in one order.

    What the plan would write and the books lack only waits for a run that posts.
    """
    waiting = [entry for entry in plan.write if entry.ref not in held]
    pairs = zip(expected, found, strict=True)
    return tuple(_row(wanted, told.amount, waiting) for wanted, told in pairs)


def _row(wanted: CashBalance, held: int, waiting: Iterable[CashEntry]) -> JournalRow:
    amounts = [
        one.amount
        for one in waiting
        if one.currency == wanted.currency and one.booked_on <= wanted.date
    ]
    return JournalRow(
        currency=wanted.currency,
        date=wanted.date,
        expected=wanted.amount,
        held=held,
        waiting=sum(amounts),
        entries_waiting=len(amounts),
    )


def cash_deltas(
    entries: Iterable[CashEntry],
    held: Mapping[str, LedgerCash],
    plan: CashPlan,
    built: Collection[str],
) -> tuple[CashDelta, ...]:
    """Every difference of the plan, and each entry of ours in the books that no transaction has any more.

    An entry of a month that is not `built`, and not of before the books, is not judged.
    """
    intended = {entry.ref: entry for entry in entries}
    rows = [
        CashDelta(
            ref=ref,
            period=period_of(intended[ref].date),
            side=side,
            detail=_detail(intended[ref], held.get(ref), side),
        )
        for ref, side in plan.drift
    ]
    first = min(built, default="")
    for ref, now in held.items():
        period = period_of(now.entry.date)
        judged = period in built or period < first
        if ref not in intended and judged and now.state is MoveState.POSTED:
            said = f"no transaction has it, the books {money(now.entry.amount, now.entry.currency)}"
            rows.append(CashDelta(ref=ref, period=period, side=CashDrift.WITHDRAWN, detail=said))
    return tuple(rows)


def _detail(intended: CashEntry, now: LedgerCash | None, side: CashDrift) -> str:
    if now is None:
        return "it was in the books and is gone"
    if side is CashDrift.REMOVED:
        return f"it is {now.state} in the books"
    found = differences(intended.booked(now.entry.booked_on), now.entry)
    if found:
        return found
    if now.stored_hash is None:
        return "its hash is gone"
    return f"its day or its hash was changed: it is booked on {now.entry.booked_on}"


def differences(intended: CashEntry, now: CashEntry) -> str:
    """What an entry in the books has otherwise than intended, in words; empty where nothing differs."""
    found = [
        f"{name} {getattr(intended, name)} is {getattr(now, name)}"
        for name in ("kind", "date", "booked_on", "currency", "narration")
        if getattr(intended, name) != getattr(now, name)
    ]
    if intended.amount != now.amount:
        found.append(
            f"{money(intended.amount, intended.currency)} is {money(now.amount, now.currency)}"
        )
    if intended.lines != now.lines:
        lines = (_lines(one) for one in (intended, now))
        found.append(" is ".join(lines))
    return "; ".join(found)


def _lines(entry: CashEntry) -> str:
    told = [
        f"{line.account} {money(line.amount, entry.currency)}"
        + (f" for {line.meets}" if line.meets else "")
        for line in entry.lines
    ]
    return ", ".join(told) or "no line"
