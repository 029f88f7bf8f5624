"""The cash of a month for the close report, of all months for the status, and one payout's story."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from fcb_pipelines.core.cash.balance import BalanceRow, PayoutRow
from fcb_pipelines.core.cash.clearing import ClearingRow
from fcb_pipelines.core.cash.entries import Placement, cash_settings
from fcb_pipelines.core.cash.shapes import (
    CashSection,
    CashStatus,
    FeeSum,
    InPayout,
    InvoicePaid,
    OnItsWay,
    OpenSum,
    PaidOut,
    PayoutLine,
    PayoutStory,
    RollForward,
)
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts.cash import BalanceTransaction, Claim, Payout
from fcb_pipelines.core.money import from_major, half_up
from fcb_pipelines.core.periods import first_day, following, period_of

_REPORTED = {
    CashKind.CHARGE: "charges",
    CashKind.CHARGE_FAILURE: "charges",
    CashKind.REFUND: "refunds",
    CashKind.REFUND_FAILURE: "refunds",
    CashKind.DISPUTE: "disputes",
    CashKind.DISPUTE_REVERSAL: "disputes",
    CashKind.FEE: "fees",
    CashKind.TAX: "fees",
    CashKind.PAYOUT: "payouts",
    CashKind.PAYOUT_REVERSAL: "payouts",
}
_CHARGED = (CashKind.FEE, CashKind.TAX)


def cash_section(
    period: str,
    transactions: Sequence[BalanceTransaction],
    payouts: Iterable[Payout],
    placements: Iterable[Placement],
    under_way: Iterable[ClearingRow],
    settings: Settings,
) -> CashSection:
    """The month's part of the close report. `transactions` and `placements` are of all months up to it."""
    counted = [one for one in transactions if one.counts and one.date >= books_begin(settings)]
    theirs = {
        own
        for each in placements
        if each.reason is CashReason.OTHER_SERVICE
        for own in each.transactions
    }
    own = [one for one in counted if period_of(one.date) == period]
    return {
        "roll_forward": _rolled_forward(period, counted, theirs, settings),
        "payouts": [_paid_out(one) for one in payouts if period_of(one.date) == period],
        "fees": _fees(own),
        "under_way": [_on_its_way(row) for row in under_way if row.period == period],
    }


def _rolled_forward(
    period: str,
    counted: Sequence[BalanceTransaction],
    theirs: Collection[str],
    settings: Settings,
) -> list[RollForward]:
    begin, end = first_day(period), first_day(following(period)) - timedelta(days=1)
    opening = Counter(
        {
            one.currency: from_major(one.amount, one.currency)
            for one in cash_settings(settings).opening
        }
    )
    moved: dict[str, Counter[str]] = defaultdict(Counter)
    for one in counted:
        if one.date < begin:
            opening[one.currency] += one.net
        elif one.date <= end:
            sums = moved[one.currency]
            sums[_REPORTED.get(one.kind, "other")] += one.amount
            sums["fees"] += one.net - one.amount
            sums["theirs"] += one.net if one.id in theirs else 0
    return [
        {
            "currency": currency,
            "opening": opening[currency],
            "charges": sums["charges"],
            "refunds": sums["refunds"],
            "disputes": sums["disputes"],
            "fees": sums["fees"],
            "payouts": sums["payouts"],
            "other": sums["other"],
            "closing": opening[currency] + sums.total() - sums["theirs"],
            "of_other_services": sums["theirs"],
        }
        for currency in sorted({*opening, *moved})
        for sums in [moved[currency]]
    ]


def _paid_out(one: Payout) -> PaidOut:
    return {
        "ref": one.ref,
        "id": one.id,
        "date": one.date.isoformat(),
        "arrives": one.arrives.isoformat(),
        "currency": one.currency,
        "amount": one.amount,
        "status": one.status,
        "is_automatic": one.is_automatic,
        "holds": None if one.claims is None else _holds(one.claims),
    }


def _holds(claims: Iterable[Claim]) -> list[InPayout]:
    nets: dict[str, list[int]] = defaultdict(list)
    for claim in claims:
        nets[claim.category].append(claim.net)
    return [
        {"category": category, "count": len(own), "net": sum(own)}
        for category, own in sorted(nets.items())
    ]


def _fees(own: Iterable[BalanceTransaction]) -> list[FeeSum]:
    """The fees of a month's transactions by category; those that are a fee themselves count as such."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    volume: Counter[str] = Counter()
    for one in own:
        if one.kind is CashKind.CHARGE:
            volume[one.currency] += one.amount
        parts = [(fee.amount, fee.is_tax) for fee in one.fees]
        if one.kind in _CHARGED:
            parts.append((-one.amount, one.kind is CashKind.TAX))
        if any(amount for amount, _ in parts):
            found = sums[one.currency, one.category]
            found["count"] += 1
            for amount, is_tax in parts:
                found["tax" if is_tax else "amount"] += amount
    return [
        {
            "currency": currency,
            "category": category,
            "count": found["count"],
            "amount": found["amount"],
            "tax": found["tax"],
            "basis_points": _basis_points(found["amount"], volume[currency]),
        }
        for (currency, category), found in sorted(sums.items())
    ]


def _basis_points(amount: int, volume: int) -> int | None:
    """A share of the volume in hundredths of a percent, rounded half-up; None without a volume."""
    return half_up(Decimal(amount) * 10_000 / Decimal(volume)) if volume > 0 else None


def _on_its_way(row: ClearingRow) -> OnItsWay:
    return {
        "key": row.key,
        "document": row.document,
        "currency": row.currency,
        "open": row.open,
        "since": row.since.isoformat(),
        "age": row.age,
        "state": row.state.value,
    }


def cash_status(
    balances: Iterable[BalanceRow],
    payouts: Iterable[PayoutRow],
    statements: int,
    under_way: Sequence[ClearingRow],
    to_explain: int,
) -> CashStatus:
    """The object `cash` of the status; `under_way` has the rows at the end of the last month alone."""
    currencies = sorted({row.currency for row in under_way})
    return {
        "balances": [
            {
                "source": row.source,
                "currency": row.currency,
                "opening": row.opening,
                "moved": row.moved,
                "booked": row.booked,
                "reported": row.reported,
                "pending": row.pending,
                "difference": row.difference,
            }
            for row in balances
        ],
        "payouts": dict(sorted(Counter(row.status for row in payouts).items())),
        "statements": statements,
        "under_way": [
            _open_sum(currency, [row for row in under_way if row.currency == currency])
            for currency in currencies
        ],
        "to_explain": to_explain,
    }


def _open_sum(currency: str, rows: Sequence[ClearingRow]) -> OpenSum:
    return {
        "currency": currency,
        "count": len(rows),
        "open": sum(row.open for row in rows),
        "oldest": max(row.age for row in rows),
    }


def payout_story(
    payout: Payout,
    transactions: Iterable[BalanceTransaction],
    placements: Iterable[Placement],
    documents: Mapping[str, str],
    numbers: Mapping[str, str],
) -> PayoutStory:
    """One payout with what it holds. `documents` is the document of each matching key, `numbers` of each ref."""
    known = {one.id: one for one in transactions}
    placed = {own: each for each in placements for own in each.transactions}
    lines = [
        _line(claim, known.get(claim.id), placed.get(claim.id), documents, numbers)
        for claim in payout.claims or ()
    ]
    return {
        "ref": payout.ref,
        "id": payout.id,
        "date": payout.date.isoformat(),
        "arrives": payout.arrives.isoformat(),
        "currency": payout.currency,
        "amount": payout.amount,
        "status": payout.status,
        "is_automatic": payout.is_automatic,
        "transactions": None if payout.claims is None else lines,
    }


def _line(
    claim: Claim,
    one: BalanceTransaction | None,
    placed: Placement | None,
    documents: Mapping[str, str],
    numbers: Mapping[str, str],
) -> PayoutLine:
    entry = placed.entry if placed else None
    paid: list[InvoicePaid] = [
        {
            "ref": document,
            "number": numbers.get(document) or None,
            "currency": line.original_currency or entry.currency,
            "amount": -(line.amount if line.original is None else line.original),
        }
        for line in (entry.lines if entry else ())
        if entry and line.meets and (document := documents.get(line.meets))
    ]
    return {
        "id": claim.id,
        "date": claim.date.isoformat(),
        "category": claim.category,
        "amount": one.amount if one else None,
        "fees": one.amount - one.net if one else None,
        "net": claim.net,
        "documents": paid,
        "reason": placed.reason.value if placed and placed.reason else None,
    }
