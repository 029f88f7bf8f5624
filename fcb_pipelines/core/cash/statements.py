"""Which statements a ledger is to have over its cash entries: one a payout, one a month for the rest (C3, C12).

A statement moves nothing: it groups entries that are posted. It is written once and then stays, so it is
written only when all that belongs to it is in the books.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fcb_pipelines.core.cash.entries import Placement
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.facts.cash import Payout
from fcb_pipelines.core.ledger.cash import CashEntry, CashStatement, LedgerCash, LedgerStatement
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.periods import first_day, following, period_of
from fcb_pipelines.core.refs import Suffix, opening_ref, statement_ref, suffixed

# Days after a month's end until nothing of it is claimed any more: by payouts that are made monthly and
# reconciled some days later; and where all payouts are made by hand, which claim nothing.
_CLAIMED_WITHIN = 40
_NEVER_CLAIMED = 2
# What makes no entry yet, and may make one later.
_MAY_COME = frozenset({CashReason.NOT_YET, CashReason.UNREADABLE, CashReason.NO_JOURNAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPlan:
    """The statements to write, in this order; and of those that wait, the refs, each with why in words."""

    write: tuple[CashStatement, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A statement before it has its balances: its place in time, and the entries that belong to it."""

    ref: str
    name: str
    currency: str
    day: date
    entries: tuple[CashEntry, ...] = ()
    waits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementInputs:
    """What the statements of one source follow from.

    `placements` are of all its transactions, `payouts` all its payouts, of which those with a ref in `faulty`
    do not add up. `held` are the entries in the books by ref, `written` our statements there in the
    order they were written in. `begin` is the day on which the books begin, `today` that of the extract.
    """

    source: str
    placements: Sequence[Placement]
    payouts: Sequence[Payout]
    faulty: Collection[str]
    held: Mapping[str, LedgerCash]
    written: Sequence[LedgerStatement]
    begin: date
    today: date


def plan_statements(given: StatementInputs) -> StatementPlan:
    """The statements that are complete now and not in the books, in the order of their days.

    The opening balance is the first of its currency; then come payouts and months. An entry is in one statement:
    a payout that claims what is in another goes without it. Each opens where the last one closed.
    """
    known = {one.ref for one in given.written}
    grouper = _Grouper(given)
    wanted = [*grouper.openings(), *grouper.of_payouts(), *grouper.of_months()]
    found = sorted(
        (one for one in wanted if one.ref not in known), key=lambda one: (one.day, one.ref)
    )
    last = {one.statement.currency: one.statement for one in given.written}
    write = []
    for each in found:
        if each.waits:
            continue
        before = last.get(each.currency)
        last[each.currency] = _stated(each, before)
        write.append(last[each.currency])
    waiting = tuple((each.ref, each.waits) for each in found if each.waits)
    return StatementPlan(write=tuple(write), waiting=waiting)


def _stated(wanted: _Wanted, before: CashStatement | None) -> CashStatement:
    """With its balances, after the one before it: the order of the days is the order of writing."""
    opening = before.closing if before else 0
    entries = sorted(wanted.entries, key=lambda one: (one.booked_on, one.ref))
    last = max(one.booked_on for one in entries)
    return CashStatement(
        ref=wanted.ref,
        name=wanted.name,
        date=max(last, before.date) if before else last,
        currency=wanted.currency,
        opening=opening,
        closing=opening + sum(one.amount for one in entries),
        entries=tuple(one.ref for one in entries),
    )


class _Grouper:
    """Puts each entry of a source into one statement."""

    def __init__(self, given: StatementInputs) -> None:
        self._given = given
        self._placed = {own: one for one in given.placements for own in one.transactions}
        self._entries = {one.entry.ref: one.entry for one in given.placements if one.entry}
        self._stated = {ref for one in given.written for ref in one.statement.entries}
        self._stated |= {ref for ref, one in given.held.items() if one.statement is not None}
        self._claimed: set[str] = set()
        self._automatic = {one.currency for one in given.payouts if one.is_automatic}

    def openings(self) -> Iterable[_Wanted]:
        """The statement of each balance with which the books begin."""
        for entry in self._entries.values():
            if entry.kind is CashKind.OPENING:
                self._claimed.add(entry.ref)
                yield self._group(
                    suffixed(opening_ref(self._given.source, entry.currency), Suffix.STATEMENT),
                    "opening balance",
                    entry.currency,
                    entry.date,
                    [entry.ref],
                )

    def of_payouts(self) -> Iterable[_Wanted]:
        """The statement of each payout whose transactions are known (C12)."""
        for payout in sorted(self._given.payouts, key=lambda one: (one.created, one.id)):
            if payout.claims is None:
                continue
            own = {claim.id: claim.date for claim in payout.claims}
            own |= {each: payout.date for each in payout.transactions if self._leaves(each)}
            refs = self._claimed_by(own)
            if not refs:
                continue
            self._claimed |= refs
            waits = self._lacks(own)
            if payout.ref in self._given.faulty:
                waits = "the payout does not add up"
            yield self._group(
                payout.ref, payout.id, payout.currency, payout.date, sorted(refs), waits
            )

    def of_months(self) -> Iterable[_Wanted]:
        """The statement of each month over, of what no payout claims; with what earlier ones left."""
        free: dict[tuple[str, str], list[str]] = {}
        for ref, entry in self._entries.items():
            if ref not in self._claimed and ref not in self._stated:
                period = max(period_of(self._booked_on(entry)), period_of(self._given.begin))
                free.setdefault((period, entry.currency), []).append(ref)
        known = {one.ref for one in self._given.written}
        left: dict[str, list[str]] = {}
        for (period, currency), own in sorted(free.items()):
            ref = statement_ref(self._given.source, period, currency)
            refs = [*left.pop(currency, ()), *own]
            if ref in known:
                # They came after their month was stated: the next one has them.
                left[currency] = refs
                continue
            end = first_day(following(period)) - timedelta(days=1)
            days = _CLAIMED_WITHIN if currency in self._automatic else _NEVER_CLAIMED
            wait = end + timedelta(days=days)
            waits = f"a payout may claim it until {wait}" if self._given.today <= wait else ""
            yield self._group(ref, period, currency, end, refs, waits)

    def _group(
        self, ref: str, name: str, currency: str, day: date, refs: Sequence[str], waits: str = ""
    ) -> _Wanted:
        entries = [self._held(each) for each in refs if each not in self._stated]
        absent = sum(each is None for each in entries)
        found = tuple(each for each in entries if each is not None)
        if not waits and absent:
            waits = f"{absent} of its {len(entries)} entries are not in the books"
        if not waits and not found:
            waits = "all of its entries are in other statements"
        return _Wanted(ref=ref, name=name, currency=currency, day=day, entries=found, waits=waits)

    def _leaves(self, transaction: str) -> bool:
        """Whether it is a payout's own transaction, and not that of its failure, which is another day's."""
        placed = self._placed.get(transaction)
        return placed is None or placed.kind is CashKind.PAYOUT

    def _claimed_by(self, own: Mapping[str, date]) -> set[str]:
        """The entries of these transactions; of a sum, where all of it is among them."""
        placed = [self._placed[each] for each in own if each in self._placed]
        return {
            one.entry.ref
            for one in placed
            if one.entry is not None and own.keys() >= {*one.transactions}
        }

    def _lacks(self, own: Mapping[str, date]) -> str:
        """Why some of these transactions may still get an entry; empty where none may."""
        for each, day in own.items():
            placed = self._placed.get(each)
            if placed is None and day >= self._given.begin:
                return f"{each} is in no month that is built"
            if placed is not None and placed.entry is None and placed.reason in _MAY_COME:
                return f"{each} is {placed.reason}"
        return ""

    def _held(self, ref: str) -> CashEntry | None:
        held = self._given.held.get(ref)
        return held.entry if held is not None and held.state is MoveState.POSTED else None

    def _booked_on(self, entry: CashEntry) -> date:
        held = self._held(entry.ref)
        return held.booked_on if held is not None else entry.booked_on
