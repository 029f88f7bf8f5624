"""The cash side of a dataset: the balance transactions and payouts that its payments, refunds and disputes make.

Everything is derived from the dataset's own objects, so the balance, the payouts and the settlements agree:

- a charge for each payment that Stripe confirms, and for each that Lago collected through it;
- the refund, failed refund, dispute and late failure that the dataset tells of;
- a charge of another service, a fee of Billing with its tax, and a payout each Monday of what is available.

Fees are 2.9 % and 0.30, with 13 % HST on them. What was not paid in CAD is settled in CAD at a fixed rate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from fcb_pipelines.core.facts.lago.parts import instant_of
from fcb_pipelines.core.facts.stripe.parts import amount_paid, payment_key, was_paid_once
from fcb_pipelines.core.money import Wire, half_up, wire_exponent
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles
from fcb_pipelines.sandbox.scenarios.builders.stripe_cash_shapes import (
    stripe_balance_transaction,
    stripe_charge,
    stripe_payout,
)
from fcb_pipelines.sandbox.scenarios.builders.stripe_money_shapes import stripe_refund
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json

TRANSACTIONS, PAYOUTS = "stripe/balance_transactions", "stripe/payouts"
CLAIMS = "stripe/payout_transactions"

_RATES = {"CAD": 1.0, "USD": 1.36, "EUR": 1.48, "JPY": 0.0092, "KWD": 4.43}
_PERCENT, _FIXED, _TAX = Decimal("0.029"), 30, Decimal("0.13")
# Seconds after which a charge is available, and the hour at which payouts are made.
_AVAILABLE = 2 * 86400
_NOON = 16
# Seconds after which a dispute is decided.
_DECIDED = 14 * 86400
_ELSE = "cus_other_service"


@dataclass(slots=True)
class _Side:
    """The charges by payment, and the transactions so far."""

    sources: Mapping[str, Sequence[Json]]
    charges: dict[str, Json] = field(default_factory=dict)
    rows: dict[str, Json] = field(default_factory=dict)

    def table(self, name: str) -> Sequence[Json]:
        return self.sources.get(name, ())

    def charge(
        self, payment: str, amount: int, created: int, customer: str | None, currency: str
    ) -> None:
        """A charge of a payment: pi_… or ch_…, in its own currency."""
        name = payment.partition("_")[2]
        own = payment if payment.startswith("ch_") else f"ch_{name}"
        intent = None if payment.startswith("ch_") else payment
        charge = stripe_charge(
            own,
            amount,
            created=created,
            payment_intent=intent,
            customer=customer,
            currency=currency,
        )
        self.charges[payment] = self.charges[own] = charge
        settled = _settled(amount, currency)
        fee = half_up(settled * _PERCENT) + _FIXED
        self.add(f"txn_{name}", settled, "charge", charge, created, currency, fee=fee)

    def add(
        self,
        own: str,
        amount: int,
        kind: str,
        source: str | Json | None,
        created: int,
        currency: str = "cad",
        *,
        fee: int = 0,
        category: str | None = None,
    ) -> None:
        """One transaction in CAD, with the tax on its fee."""
        rate = None if currency.upper() == "CAD" else _RATES[currency.upper()]
        self.rows[own] = stripe_balance_transaction(
            own, amount, type=kind, source=source, created=created, fee=fee,
            fee_tax=half_up(fee * _TAX), category=category, exchange_rate=rate,
        )  # fmt: skip


def with_cash(files: DatasetFiles) -> DatasetFiles:
    """The dataset with its cash side, up to the end of its last day."""
    told = files.described
    last = datetime.combine(told["as_of"], time(23, 59, 59), ZoneInfo(told["timezone"]))
    tables = cash_side(files.sources, int(last.timestamp()))
    return replace(files, sources={**files.sources, **tables})


def cash_side(sources: Mapping[str, Sequence[Json]], until: int) -> dict[str, list[Json]]:
    """The tables of the cash side (`stripe/balance_transactions`, `stripe/payouts`, and what each claims).

    `sources` are the dataset's objects by file. Nothing is made after `until` (a Unix instant).
    """
    side = _Side(sources)
    customers = {each["id"]: each["customer"] for each in side.table("stripe/invoices")}
    _charges(side, customers)
    _collected_by_lago(side)
    _what_the_dataset_tells(side)
    _refunds(side)
    _refunds_of_lago(side)
    _disputes(side)
    days = sorted(row["created"] for row in side.rows.values())
    if days:
        _of_the_account(side, days[0])
    rows = sorted(
        (row for row in side.rows.values() if row["created"] <= until),
        key=lambda row: (row["created"], row["id"]),
    )
    payouts, claims, moved = _payouts(rows, until)
    return {TRANSACTIONS: [*rows, *moved], PAYOUTS: payouts, CLAIMS: claims}


def _charges(side: _Side, customers: Mapping[str, str | None]) -> None:
    parts: dict[str, list[Json]] = {}
    for payment in side.table("stripe/invoice_payments"):
        paid = payment["status"] == "paid" or was_paid_once(payment)
        through = payment["payment"]["type"] != "payment_record"
        key = payment_key(payment)
        if paid and through and key and payment["status_transitions"]["paid_at"]:
            parts.setdefault(key, []).append(payment)
    for key, own in parts.items():
        first = min(own, key=lambda each: each["status_transitions"]["paid_at"])
        side.charge(
            key,
            sum(map(amount_paid, own)),
            first["status_transitions"]["paid_at"],
            customers.get(first["invoice"]),
            first["currency"],
        )
        gone = [each for each in own if was_paid_once(each)]
        if gone:
            currency = first["currency"]
            amount = -_settled(sum(map(amount_paid, gone)), currency)
            back = max(each["status_transitions"]["canceled_at"] for each in gone)
            name, charge = key.partition("_")[2], side.charges[key]
            side.add(f"txn_{name}back", amount, "payment_failure_refund", charge, back, currency)


def _collected_by_lago(side: _Side) -> None:
    for payment in side.table("lago/payments"):
        intent = payment.get("provider_payment_id")
        if payment["payment_status"] == "succeeded" and intent and intent not in side.charges:
            created = int(instant_of(payment["created_at"]).timestamp())
            currency = payment["amount_currency"].lower()
            side.charge(intent, payment["amount_cents"], created, None, currency)


def _what_the_dataset_tells(side: _Side) -> None:
    """The transactions of the dataset itself: failures, failed refunds, disputes; not a charge twice."""
    refunds = {each["id"]: each for each in side.table("stripe/refunds")}
    disputes = {each["id"]: each for each in side.table("stripe/disputes")}
    for row in side.table(TRANSACTIONS):
        source = row["source"]
        named = source["id"] if isinstance(source, Mapping) else source
        if row["type"] == "charge":
            continue
        found = side.charges.get(str(named)) or refunds.get(named) or disputes.get(named)
        if found is None:
            side.rows[row["id"]] = dict(row)
            continue
        whole = _with_charge(side, found)
        currency = whole["currency"]
        won = row["type"] == "adjustment" and row["amount"] > 0
        side.add(
            row["id"],
            _settled(row["amount"], currency),
            row["type"],
            whole,
            row["created"],
            currency,
            fee=row["fee"],
            category="dispute_reversal" if won else None,
        )


def _refunds(side: _Side) -> None:
    for refund in side.table("stripe/refunds"):
        if refund["status"] in ("succeeded", "failed") and _is_charged(side, refund):
            amount = -_settled(refund["amount"], refund["currency"])
            own = refund["id"].replace("re_", "txn_re")
            whole = _with_charge(side, refund)
            side.add(own, amount, "refund", whole, refund["created"], refund["currency"])


def _refunds_of_lago(side: _Side) -> None:
    """The refund of a credit note that Lago made through Stripe."""
    paid_by = {
        invoice: payment["provider_payment_id"]
        for payment in side.table("lago/payments")
        for invoice in payment["invoice_ids"]
        if payment.get("provider_payment_id") in side.charges
    }
    for note in side.table("lago/credit_notes"):
        intent = paid_by.get(note["lago_invoice_id"])
        amount = note["refund_amount_cents"]
        if not intent or not amount or note["refund_status"] != "succeeded":
            continue
        charge, currency = side.charges[intent], note["currency"].lower()
        day = datetime.fromisoformat(note["issuing_date"]).replace(hour=_NOON, tzinfo=UTC)
        refund = stripe_refund(
            f"re_{note['lago_id']}",
            amount,
            created=int(day.timestamp()),
            charge=charge["id"],
            payment_intent=intent,
            currency=currency,
        )
        own, whole = f"txn_{refund['id']}", {**refund, "charge": charge}
        side.add(own, -_settled(amount, currency), "refund", whole, refund["created"], currency)


def _disputes(side: _Side) -> None:
    """What a dispute took, and what a won one gave back, where the dataset does not tell it."""
    for dispute in side.table("stripe/disputes"):
        if not _is_charged(side, dispute):
            continue
        told = [each["amount"] for each in dispute["balance_transactions"]]
        own, whole = dispute["id"].replace("dp_", "txn_dp"), _with_charge(side, dispute)
        amount, currency = _settled(dispute["amount"], dispute["currency"]), dispute["currency"]
        if not told:
            when = dispute["created"]
            side.add(own, -amount, "adjustment", whole, when, currency, fee=1500)
        if dispute["status"] == "won" and not any(each > 0 for each in told):
            when = dispute["created"] + _DECIDED
            category = "dispute_reversal"
            side.add(f"{own}won", amount, "adjustment", whole, when, currency, category=category)


def _of_the_account(side: _Side, first: int) -> None:
    """A charge of another service and a fee with its tax, two days after the first transaction."""
    when = first + 2 * 86400
    other = stripe_charge(
        "ch_otherservice", 4520, created=when, payment_intent="pi_otherservice", customer=_ELSE
    )
    side.add("txn_otherservice", 4520, "charge", other, when, fee=161)
    side.add("txn_billingfee", -700, "stripe_fee", None, when + 60)
    side.add("txn_billingtax", -91, "tax_fee", None, when + 61)


def _payouts(rows: Sequence[Json], until: int) -> tuple[list[Json], list[Json], list[Json]]:
    """A payout each Monday of all that is available and unpaid: the payouts, their claims, their transactions."""
    payouts: list[Json] = []
    claims: list[Json] = []
    moved: list[Json] = []
    left = list(rows)
    for when in _mondays(rows, until):
        own = [row for row in left if row["created"] + _AVAILABLE <= when]
        amount = sum(row["net"] for row in own)
        if not own or not amount:
            continue
        left = left[len(own) :]
        name = f"po_{datetime.fromtimestamp(when, UTC):%Y%m%d}"
        payouts.append(stripe_payout(name, amount, created=when))
        claims.append({"payout": name, "transactions": [row["id"] for row in own]})
        moved.append(
            stripe_balance_transaction(
                name.replace("po_", "txn_"), -amount, type="payout", source=name, created=when
            )
        )
    return payouts, claims, moved


def _mondays(rows: Sequence[Json], until: int) -> Iterable[int]:
    if not rows:
        return
    day = datetime.fromtimestamp(rows[0]["created"], UTC).replace(
        hour=_NOON, minute=0, second=0, microsecond=0
    )
    day += timedelta(days=7 - day.weekday())
    while day.timestamp() <= until:
        yield int(day.timestamp())
        day += timedelta(days=7)


def _with_charge(side: _Side, source: Json) -> Json:
    charge = source.get("charge")
    known = side.charges.get(str(charge)) or side.charges.get(str(source.get("payment_intent")))
    return source if known is None or source["object"] == "charge" else {**source, "charge": known}


def _is_charged(side: _Side, source: Json) -> bool:
    return str(source["charge"]) in side.charges or str(source["payment_intent"]) in side.charges


def _settled(amount: int, currency: str) -> int:
    """An amount on the wire, as cents of CAD."""
    rate = Decimal(str(_RATES[currency.upper()]))
    return half_up(Decimal(amount).scaleb(2 - wire_exponent(currency, Wire.STRIPE)) * rate)
