"""The tie-outs of a balance: opening and all transactions against what is reported, and each payout (C1, C3, C11)."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.cash.entries import OF_CUSTOMERS, Placement, cash_settings
from fcb_pipelines.core.cash.settled import SettledCash
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts.cash import BalanceTransaction, Claim, Payout, ReportedBalance
from fcb_pipelines.core.money import from_major
from fcb_pipelines.core.naming import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What the transactions of one kind come to: their number, and their net in minor units."""

    kind: CashKind
    count: int
    net: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """The balance of one source in one currency, when it was reported; minor units.

    `opening` and `moved` (all transactions since the books begin, `kinds` by kind) are to be `reported`, of
    which `pending` is not available yet. Of `moved`, `booked` is in entries, `held` in reserves, and `listed`
    in what is listed with its reason. None: the source reports no such balance.
    """

    source: str
    currency: str
    opening: int
    moved: int
    reported: int
    pending: int
    booked: int
    held: int
    listed: int
    kinds: tuple[Moved, ...]
    is_sure: bool = True

    @property
    def difference(self) -> int:
        """What the transactions have more than is reported; zero where it ties out."""
        return self.opening + self.moved - self.reported


def balance_rows(
    source: str,
    transactions: Iterable[BalanceTransaction],
    placements: Iterable[Placement],
    reported: Iterable[ReportedBalance],
    settings: Settings,
) -> tuple[BalanceRow, ...]:
    """A row for each currency that is reported, that the books begin with, or that a transaction is in.

    A transaction counts that moves the balance of payments, is not of before the books, and had been made
    when the balance was read.
    """
    begin = books_begin(settings)
    balances = {one.currency: one for one in reported}
    opening = {
        one.currency: from_major(one.amount, one.currency)
        for one in cash_settings(settings).opening
    }
    known = next(iter(balances.values()), None)
    counted: dict[str, list[BalanceTransaction]] = defaultdict(list)
    for one in transactions:
        at = balances.get(one.currency, known)
        if one.counts and one.date >= begin and (at is None or at.covers(one)):
            counted[one.currency].append(one)
    booked = {own for each in placements if each.entry is not None for own in each.transactions}
    rows = []
    for currency in sorted({*balances, *opening, *counted}):
        found = counted[currency]
        at = balances.get(currency)
        held = [one.net for one in found if one.kind is CashKind.RESERVE]
        entered = [one.net for one in found if one.id in booked]
        moved = sum(one.net for one in found)
        rows.append(
            BalanceRow(
                source=source,
                currency=currency,
                opening=opening.get(currency, 0),
                moved=moved,
                reported=at.amount if at else 0,
                pending=at.pending if at else 0,
                booked=sum(entered),
                held=sum(held),
                listed=moved - sum(entered) - sum(held),
                kinds=_by_kind(found),
                is_sure=at.is_sure if at else True,
            )
        )
    return tuple(rows)


def _by_kind(found: Iterable[BalanceTransaction]) -> tuple[Moved, ...]:
    nets: dict[CashKind, list[int]] = defaultdict(list)
    for one in found:
        nets[one.kind].append(one.net)
    return tuple(
        Moved(kind=kind, count=len(nets[kind]), net=sum(nets[kind]))
        for kind in CashKind
        if kind in nets
    )


def placed_wrongly(
    transactions: Iterable[BalanceTransaction], placements: Iterable[Placement]
) -> tuple[str, ...]:
    """In words, each transaction that is listed twice, or is not placed exactly once with its amount."""
    listed = Counter(one.id for one in transactions)
    placed = Counter(own for each in placements for own in each.transactions)
    faults = [f"{own} is listed {times} times" for own, times in listed.items() if times > 1]
    faults += [
        f"{own} is placed {placed[own]} times"
        for own in sorted(listed.keys() | placed.keys())
        if placed[own] != 1 and own in listed
    ]
    faults += [
        f"{own} is placed and is no transaction" for own in sorted(placed.keys() - listed.keys())
    ]
    return tuple(faults)


def of_others_as_ours(
    transactions: Iterable[BalanceTransaction],
    placements: Iterable[Placement],
    settled: Iterable[SettledCash],
    customers: Collection[str],
    metadata_key: str,
) -> tuple[str, ...]:
    """In words, each transaction that nothing shows to be ours and that has an entry of its own (C6).

    Judged by the transactions themselves, not by where they were placed: what shows it is the customer, the
    metadata key, or a settlement of a document of ours by the same payment.
    """
    by_id = {one.id: one for one in transactions}
    paying = {row.payment_id for row in settled if row.payment_id}
    faults = []
    for each in placements:
        if each.entry is None or each.kind is CashKind.OTHER_SERVICES:
            continue
        for one in (by_id[own] for own in each.transactions if own in by_id):
            shown = (
                one.kind not in OF_CUSTOMERS
                or one.customer in customers
                or metadata_key in dict(one.metadata)
                or not paying.isdisjoint(one.paid_by)
            )
            if not shown:
                named = ", ".join(filter(None, (one.customer, *one.paid_by)))
                faults.append(f"{one.id} ({named}) is of another service and is booked as ours")
    return tuple(faults)


def to_explain(placements: Iterable[Placement]) -> tuple[str, ...]:
    """In words, each placement that waits for a person: by its reason, with what mends it (C5, C11)."""
    return tuple(
        f"{each.date}: {', '.join(each.transactions)} {money(each.net, each.currency)}: "
        f"{each.reason}. {each.reason.remedy}"
        for each in placements
        if each.reason in _FOR_A_PERSON
    )


_FOR_A_PERSON = frozenset(
    {
        CashReason.WITHOUT_DOCUMENT,
        CashReason.DISPUTE_PENDING,
        CashReason.UNNAMED_CATEGORY,
        CashReason.UNREADABLE,
        CashReason.NO_JOURNAL,
        CashReason.OTHER_BALANCE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutRow:
    """One payout beside its transactions; minor units.

    `claimed` is what they come to, None where the source can't say. It is shown in parts: `named`, and
    `unnamed` of categories that have no account, also when that is zero (C11). `faults` are in words.
    """

    ref: str
    id: str
    date: dt.date
    arrives: dt.date
    currency: str
    amount: int
    status: str
    is_automatic: bool
    count: int
    claimed: int | None
    named: int
    unnamed: int
    faults: tuple[str, ...] = ()


def payout_rows(
    payouts: Iterable[Payout], transactions: Iterable[BalanceTransaction], settings: Settings
) -> tuple[PayoutRow, ...]:
    """A row for each payout, by date. Transactions of before the books are known to the payout alone."""
    begin = books_begin(settings)
    ordered = sorted(payouts, key=lambda one: (one.created, one.id))
    known = {one.id: one for one in transactions}
    claims = Counter(claim.id for one in ordered for claim in one.claims or ())
    return tuple(_payout_row(one, known, claims, begin) for one in ordered)


def _payout_row(
    payout: Payout,
    known: Mapping[str, BalanceTransaction],
    claims: Mapping[str, int],
    begin: date,
) -> PayoutRow:
    def shown(amount: int) -> str:
        return money(amount, payout.currency)

    own, paid_out = payout.claims or (), shown(payout.amount)
    unnamed = sum(one.net for one in own if _is_unnamed(one, known))
    claimed = sum(one.net for one in own)
    faults = [payout.problem] if payout.problem else []
    if payout.claims is not None and claimed != payout.amount:
        faults.append(f"its transactions come to {shown(claimed)}, the payout is {paid_out}")
    for one in own:
        listed = known.get(one.id)
        if listed is None and one.date >= begin:
            faults.append(f"{one.id} is in it and in no month")
        elif listed is not None and listed.net != one.net:
            faults.append(
                f"{one.id} is {shown(one.net)} in it and {shown(listed.net)} in its month"
            )
        if claims[one.id] > 1:
            faults.append(f"{one.id} is in {claims[one.id]} payouts")
    moved = [known[each] for each in payout.transactions if each in known]
    if payout.date >= begin and len(moved) < len(payout.transactions):
        lacking = next(each for each in payout.transactions if each not in known)
        faults.append(f"{lacking}, its own transaction, is in no month")
    out = [one.amount for one in moved if one.kind is CashKind.PAYOUT]
    if out and out != [-payout.amount]:
        faults.append(f"its own transaction moves {shown(out[0])}, the payout is {paid_out}")
    return PayoutRow(
        ref=payout.ref,
        id=payout.id,
        date=payout.date,
        arrives=payout.arrives,
        currency=payout.currency,
        amount=payout.amount,
        status=payout.status,
        is_automatic=payout.is_automatic,
        count=len(own),
        claimed=None if payout.claims is None else claimed,
        named=claimed - unnamed,
        unnamed=unnamed,
        faults=tuple(faults),
    )


def _is_unnamed(claim: Claim, known: Mapping[str, BalanceTransaction]) -> bool:
    listed = known.get(claim.id)
    return listed is not None and listed.kind is CashKind.UNKNOWN
