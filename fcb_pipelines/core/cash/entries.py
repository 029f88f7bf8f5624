"""Each transaction of a balance placed exactly once: in an entry of its own, in a sum, or listed (C1-C12)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fcb_pipelines.core.cash.lines import LineMaker
from fcb_pipelines.core.cash.settled import SettledBy
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.company.settings import CashSettings, Settings
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout
from fcb_pipelines.core.ledger.cash import CashEntry, CashLine
from fcb_pipelines.core.money import from_major
from fcb_pipelines.core.refs import day_ref, document_name, opening_ref

# Money between a customer and the company: only of these can another service of the company be the owner.
OF_CUSTOMERS = frozenset(
    {
        CashKind.CHARGE,
        CashKind.CHARGE_FAILURE,
        CashKind.REFUND,
        CashKind.REFUND_FAILURE,
        CashKind.DISPUTE,
        CashKind.DISPUTE_REVERSAL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where transactions are placed: one by itself, or those of other services of a day in a sum.

    `source` is the service whose balance it is (`stripe:acct_1`). `net` is their sum, minor units of
    `currency`, as they move the balance. `entry` is None for what is not booked; `reason` says why, or what is
    to be known of the entry. It is None for what needs no word. An opening balance has no transactions.
    """

    source: str
    transactions: tuple[str, ...]
    kind: CashKind
    category: str
    date: date
    currency: str
    net: int
    reason: CashReason | None
    entry: CashEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashScope:
    """What is known when the transactions are placed, and whose they are (C6).

    `settled` are the settlements of our documents, `customers` our customers at the source,
    `metadata_key` marks a payment as ours. All of them were read at `until` (a Unix instant), which is in the day
    `today`: a younger transaction waits for the next sync, and so does a sum of a day that is not over.

    `payouts` are those of the days of the transactions. An automatic payout takes all that is available
    when it is made, so what is summed up to it, and becomes available on one day, is paid out together.
    """

    settled: SettledBy
    customers: frozenset[str]
    metadata_key: str
    until: int
    today: date
    payouts: tuple[Payout, ...] = ()

    def has(self, one: BalanceTransaction) -> bool:
        """Whether a transaction is ours, and not of another service."""
        return (
            one.kind not in OF_CUSTOMERS
            or one.customer in self.customers
            or any(key == self.metadata_key for key, _ in one.metadata)
            or bool(self.settled.payments(one.paid_by))
        )

    def payouts_before(self, one: BalanceTransaction) -> int:
        """The number of automatic payouts of its day and currency that were made before a transaction."""
        return sum(
            each.is_automatic
            and (each.date, each.currency) == (one.date, one.currency)
            and each.created <= one.created
            for each in self.payouts
        )


def cash_settings(settings: Settings) -> CashSettings:
    """The section `cash`. Raises ValueError where it is off: nothing may ask for it then."""
    if settings.cash is None:
        raise ValueError("cash is off")
    return settings.cash


def balance_accounts(settings: Settings) -> dict[str, str]:
    """Currency -> the account code of its balance."""
    cash = cash_settings(settings)
    others = {one.currency: one.account.code for one in cash.balances}
    return {settings.currency: cash.accounts.balance.code, **others}


def place(
    transactions: Iterable[BalanceTransaction], scope: CashScope, settings: Settings
) -> tuple[Placement, ...]:
    """The placement of each transaction, exactly one; by date, those of other services after their day's own.

    The sums of a day follow from what is known once the day is over, so no later reading changes them.
    """
    journals = balance_accounts(settings)
    begin = books_begin(settings)
    maker = LineMaker(scope.settled, settings)
    placed: list[Placement] = []
    summed: dict[str, list[BalanceTransaction]] = defaultdict(list)
    for one in sorted(transactions, key=lambda each: (each.created, each.id)):
        reason = _not_booked(one, scope, begin, journals)
        if reason is not None:
            placed.append(_listed(one, reason))
        elif scope.has(one):
            lines, reason = maker.lines(one)
            placed.append(_placed([one], one.ref, lines, reason))
        elif cash_settings(settings).other_services == "list":
            placed.append(_listed(one, CashReason.OTHER_SERVICE))
        elif one.date >= scope.today:
            placed.append(_listed(one, CashReason.NOT_YET))
        else:
            summed[_sum_ref(one, scope)].append(one)
    for ref, group in summed.items():
        lines = maker.of_other_services(group)
        placed.append(_placed(group, ref, lines, CashReason.OTHER_SERVICE))
    return tuple(sorted(placed, key=lambda each: each.date))


def _sum_ref(one: BalanceTransaction, scope: CashScope) -> str:
    """The sum that a transaction of another service is in (C6): one that a single payout can claim."""
    service = document_name(one.ref).service
    payouts = scope.payouts_before(one)
    return day_ref(service, one.date, one.currency, one.category, one.available_on, payouts)


def opening_entries(service: str, settings: Settings) -> tuple[CashEntry, ...]:
    """The balances with which the books begin, one entry a currency, on the day before they do."""
    cash = cash_settings(settings)
    day = books_begin(settings) - timedelta(days=1)
    found = []
    for one in cash.opening:
        amount = from_major(one.amount, one.currency)
        account = cash.accounts.opening.code
        line = CashLine(account=account, amount=-amount, label="opening balance")
        found.append(
            CashEntry(
                ref=opening_ref(service, one.currency),
                kind=CashKind.OPENING,
                date=day,
                booked_on=day,
                currency=one.currency,
                amount=amount,
                lines=(line,),
                narration="opening balance",
            )
        )
    return tuple(found)


def opening_placements(service: str, settings: Settings) -> tuple[Placement, ...]:
    """The same as placements without a transaction."""
    return tuple(
        Placement(
            source=service,
            transactions=(),
            kind=entry.kind,
            category=entry.kind.value,
            date=entry.date,
            currency=entry.currency,
            net=entry.amount,
            reason=None,
            entry=entry,
        )
        for entry in opening_entries(service, settings)
    )


def entries_of(placements: Iterable[Placement]) -> tuple[CashEntry, ...]:
    """The entries of these placements."""
    return tuple(each.entry for each in placements if each.entry is not None)


def _not_booked(
    one: BalanceTransaction, scope: CashScope, begin: date, journals: Collection[str]
) -> CashReason | None:
    """Why a transaction makes no entry; None where it makes one, if only in a sum."""
    checks = {
        CashReason.UNREADABLE: bool(one.problem),
        CashReason.BEFORE_BOOKS: one.date < begin,
        CashReason.NOT_YET: one.created >= scope.until,
        CashReason.OTHER_BALANCE: not one.counts and one.kind is not CashKind.RESERVE,
        CashReason.WITHIN_BALANCE: one.kind is CashKind.RESERVE,
        CashReason.NO_JOURNAL: one.currency not in journals,
    }
    return next((reason for reason, holds in checks.items() if holds), None)


def _listed(one: BalanceTransaction, reason: CashReason) -> Placement:
    return Placement(
        source=document_name(one.ref).service,
        transactions=(one.id,),
        kind=one.kind,
        category=one.category,
        date=one.date,
        currency=one.currency,
        net=one.net,
        reason=reason,
        entry=None,
    )


def _placed(
    group: Sequence[BalanceTransaction],
    ref: str,
    lines: tuple[CashLine, ...],
    reason: CashReason | None,
) -> Placement:
    first = group[0]
    alone = ref == first.ref
    net = sum(one.net for one in group)
    kind = first.kind if alone else CashKind.OTHER_SERVICES
    told = first.id if alone else f"of other services: {len(group)}"
    return Placement(
        source=document_name(first.ref).service,
        transactions=tuple(one.id for one in group),
        kind=kind,
        category=first.category,
        date=first.date,
        currency=first.currency,
        net=net,
        reason=reason,
        entry=CashEntry(
            ref=ref,
            kind=kind,
            date=first.date,
            booked_on=first.date,
            currency=first.currency,
            amount=net,
            lines=lines,
            narration=f"{first.category} {told}",
        ),
    )
