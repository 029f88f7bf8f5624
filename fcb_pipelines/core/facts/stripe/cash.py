"""Stripe's balance transactions, payouts and balance as facts (C1, C8, C11, C12).

`source` of a transaction is expanded, and `charge` in it: a refund and a dispute tell their payer only so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fcb_pipelines.core.codes import CashKind, System
from fcb_pipelines.core.facts.arithmetic import UNREADABLE
from fcb_pipelines.core.facts.bodies import Json, objects_in, part_of
from fcb_pipelines.core.facts.cash import (
    PAYMENTS,
    BalanceTransaction,
    Claim,
    Fee,
    Payout,
    ReportedBalance,
)
from fcb_pipelines.core.facts.stripe.parts import Amounts, reference_id
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.refs import source_ref

# Stripe's reporting categories. One that is not here is `unknown`: it goes to suspense and is listed (C11).
_KINDS = {
    "charge": CashKind.CHARGE,
    "charge_failure": CashKind.CHARGE_FAILURE,
    "refund": CashKind.REFUND,
    "refund_failure": CashKind.REFUND_FAILURE,
    "dispute": CashKind.DISPUTE,
    "dispute_reversal": CashKind.DISPUTE_REVERSAL,
    "payout": CashKind.PAYOUT,
    "payout_reversal": CashKind.PAYOUT_REVERSAL,
    "topup": CashKind.TOP_UP,
    "topup_reversal": CashKind.TOP_UP_REVERSAL,
    "fee": CashKind.FEE,
    "network_cost": CashKind.FEE,
    "tax": CashKind.TAX,
    "risk_reserved_funds": CashKind.RESERVE,
    "connect_reserved_funds": CashKind.RESERVE,
    "payout_minimum_balance_hold": CashKind.RESERVE,
    "payout_minimum_balance_release": CashKind.RESERVE,
    "payment_network_reserve_hold": CashKind.RESERVE,
    "payment_network_reserve_release": CashKind.RESERVE,
}
# Money of customers: such a transaction comes from a payment.
_OF_PAYMENTS = ("charge", "refund", "dispute")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeCash:
    """Reads the cash of one account; never raises for a body of an odd shape, but says so in `problem`."""

    account: str
    timezone: str

    def transaction(self, body: Json) -> BalanceTransaction:
        """One balance transaction. Raises KeyError or TypeError for one without an id or an instant."""
        own, created = str(body["id"]), _instant(body["created"])
        category = str(body.get("reporting_category") or "")
        known = _Known(
            ref=self._ref(own),
            id=own,
            category=category,
            created=created,
            currency=str(body.get("currency") or "").upper(),
            reader=self,
        )
        try:
            return known.read(body)
        except UNREADABLE as error:
            return known.unread(f"{own} can't be read: {error!r}")

    def payout(self, body: Json, claimed: Iterable[Json] | None) -> Payout:
        """One payout with the transactions that Stripe lists for it (None: it can't say).

        Raises KeyError or TypeError for one without an id or an instant.
        """
        own, created = str(body["id"]), _instant(body["created"])
        currency = str(body.get("currency") or "").upper()
        amounts = Amounts(currency)
        problem, amount, arrives = "", 0, created
        claims: tuple[Claim, ...] | None = None
        transactions: list[str] = []
        try:
            amount, arrives = amounts(body["amount"]), _instant(body["arrival_date"])
            named = (body.get("balance_transaction"), body.get("failure_balance_transaction"))
            transactions = [each for one in named if (each := reference_id(one)) is not None]
            if claimed is not None:
                claims = tuple(
                    Claim(
                        id=str(each["id"]),
                        category=str(each["reporting_category"]),
                        date=local_date(_instant(each["created"]), self.timezone),
                        net=amounts(each["net"]),
                    )
                    for each in claimed
                    if each["id"] not in transactions
                )
        except UNREADABLE as error:
            problem = f"{own} can't be read: {error!r}"
        return Payout(
            ref=self._ref(own),
            id=own,
            date=local_date(created, self.timezone),
            created=created,
            arrives=local_date(arrives, self.timezone),
            currency=currency,
            amount=amount,
            status=str(body.get("status")),
            is_automatic=body.get("automatic") is True,
            method=str(body.get("method")),
            failure=body.get("failure_code"),
            claims=claims,
            transactions=tuple(transactions),
            problem=problem,
        )

    def balance(
        self, body: Json, newest: Iterable[Json], *, is_sure: bool
    ) -> tuple[ReportedBalance, ...]:
        """The balance in each currency; `newest` are the newest transactions when it was read.

        Raises KeyError, TypeError or InexactAmount for a body that can't be read: there is no other proof.
        """
        rows = [(str(each["id"]), _instant(each["created"])) for each in newest]
        last = max((created for _, created in rows), default=None)
        parts: dict[str, dict[str, int]] = {}
        for name in ("available", "pending"):
            for each in body[name]:
                currency = str(each["currency"]).upper()
                amount = Amounts(currency)(each["amount"])
                sums = parts.setdefault(currency, {"available": 0, "pending": 0})
                sums[name] += amount
        return tuple(
            ReportedBalance(
                currency=currency,
                newest=last,
                at_newest=tuple(own for own, created in rows if created == last),
                is_sure=is_sure,
                **sums,
            )
            for currency, sums in sorted(parts.items())
        )

    def _ref(self, source_id: str) -> str:
        return source_ref(System.STRIPE, self.account, source_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of a transaction before its amounts are read."""

    ref: str
    id: str
    category: str
    created: int
    currency: str
    reader: StripeCash

    def read(self, body: Json) -> BalanceTransaction:
        amounts = Amounts(self.currency)
        amount, fee, net = (amounts(body[name]) for name in ("amount", "fee", "net"))
        fees = [_fee(each, amounts) for each in objects_in(body.get("fee_details"))]
        left = fee - sum(each.amount for each in fees)
        fees += [Fee(type="unnamed", amount=left)] if left else []
        if amount - fee != net:
            raise ValueError(f"{amount} less a fee of {fee} is not {net}")
        rate = body.get("exchange_rate")
        source = body.get("source")
        kind = _KINDS.get(self.category, CashKind.UNKNOWN)
        behind = _Behind.of(source)
        currency = behind.currency or self.currency
        paid = None
        if currency != self.currency:
            paid = abs(Amounts(currency)(behind.amount)) * (-1 if amount < 0 else 1)
        return BalanceTransaction(
            ref=self.ref,
            id=self.id,
            kind=kind,
            category=self.category,
            date=local_date(self.created, self.reader.timezone),
            created=self.created,
            available_on=local_date(_instant(body["available_on"]), self.reader.timezone),
            currency=self.currency,
            amount=amount,
            net=net,
            fees=tuple(fees),
            is_available=body.get("status") == "available",
            balance=str(body.get("balance_type") or PAYMENTS),
            exchange_rate=None if rate is None else Decimal(str(rate)),
            made_by=reference_id(source),
            paid_by=behind.payments,
            paid=paid,
            paid_currency=currency if paid is not None else None,
            customer=behind.customer,
            metadata=behind.metadata,
            description=str(body.get("description") or ""),
        )

    def unread(self, problem: str) -> BalanceTransaction:
        day = local_date(self.created, self.reader.timezone)
        return BalanceTransaction(
            ref=self.ref,
            id=self.id,
            kind=CashKind.UNKNOWN,
            category=self.category,
            date=day,
            created=self.created,
            available_on=day,
            currency=self.currency,
            amount=0,
            net=0,
            problem=problem,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behind:
    """The payment behind a transaction, and its payer."""

    payments: tuple[str, ...] = ()
    customer: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    amount: int = 0
    currency: str | None = None

    @classmethod
    def of(cls, source: object) -> "_Behind":
        if not isinstance(source, Mapping) or source.get("object") not in _OF_PAYMENTS:
            return cls()
        charge = source if source["object"] == "charge" else part_of(source, "charge")
        intents = (source.get("payment_intent"), charge.get("payment_intent"))
        named = (*intents, charge.get("id"), source.get("charge"))
        found = (reference_id(each) for each in named)
        metadata = charge.get("metadata") or {}
        return cls(
            payments=tuple(dict.fromkeys(each for each in found if each is not None)),
            customer=reference_id(charge.get("customer")),
            metadata=tuple(sorted((str(key), str(value)) for key, value in metadata.items())),
            amount=source["amount"],
            currency=str(source["currency"]).upper(),
        )


# What is kept of a source and of the charge in it.
_SOURCE = ("id", "object", "amount", "currency", "payment_intent", "status")
_CHARGE = (*_SOURCE, "customer", "metadata")


def without_payer(transaction: Json) -> dict[str, object]:
    """A transaction whose source has of the payer's data only what is read: no name, address or card."""
    source = transaction.get("source")
    if not isinstance(source, Mapping):
        return dict(transaction)
    is_charge = source.get("object") == "charge"
    kept = {name: source[name] for name in (_CHARGE if is_charge else _SOURCE) if name in source}
    charge = source.get("charge")
    if isinstance(charge, Mapping):
        kept["charge"] = {name: charge[name] for name in _CHARGE if name in charge}
    elif charge is not None:
        kept["charge"] = charge
    return {**transaction, "source": kept}


def _fee(each: Json, amounts: Amounts) -> Fee:
    own = str(each["type"])
    return Fee(type=own, amount=amounts(each["amount"]), is_tax=own == "tax")


def _instant(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no instant")
    return value
