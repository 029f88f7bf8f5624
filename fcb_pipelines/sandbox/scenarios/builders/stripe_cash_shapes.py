"""Stripe's objects of the balance: transactions, the charges behind them, and payouts.

They have the exact shape of API 2026-10-28.endive; a charge has the fields that are read of it. Amounts are
integer minor units, instants Unix seconds.
"""

from collections.abc import Mapping
from decimal import Decimal

from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json

# The category under which Stripe reports a type of transaction, where it has another name.
_CATEGORIES = {
    "payment": "charge",
    "payment_failure_refund": "charge_failure",
    "payment_refund": "refund",
    "adjustment": "dispute",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "tax",
    "reserved_funds": "risk_reserved_funds",
    "reserve_transaction": "risk_reserved_funds",
}


def stripe_balance_transaction(
    id: str,
    amount: int,
    *,
    type: str,
    source: str | Json | None,
    created: int,
    currency: str = "cad",
    fee: int = 0,
    fee_tax: int = 0,
    category: str | None = None,
    exchange_rate: float | Decimal | None = None,
    status: str = "available",
    description: str | None = None,
) -> Json:
    """A movement of the account's balance, negative where money left it.

    An object as `source` is shown only where it is expanded (`expand[]=data.source`), else its id.
    `fee` is without `fee_tax`; `category` is given where the type does not tell it: a dispute that was won.
    """
    details = {"stripe_fee": (fee, "Stripe processing fees"), "tax": (fee_tax, "HST")}
    return {
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 172800,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": description,
        "exchange_rate": exchange_rate,
        "fee": fee + fee_tax,
        "fee_details": [
            {
                "amount": part,
                "application": None,
                "currency": currency,
                "description": what,
                "type": name,
            }
            for name, (part, what) in details.items()
            if part
        ],
        "net": amount - fee - fee_tax,
        "reporting_category": category or _CATEGORIES.get(type, type),
        "source": source,
        "status": status,
        "type": type,
    }


def stripe_charge(
    id: str,
    amount: int,
    *,
    created: int,
    payment_intent: str | None,
    customer: str | None,
    currency: str = "cad",
    metadata: Mapping[str, str] | None = None,
) -> Json:
    """A charge as it is shown as the source of a transaction, with the fields that are read of it."""
    return {
        "id": id,
        "object": "charge",
        "amount": amount,
        "balance_transaction": id.replace("ch_", "txn_"),
        "created": created,
        "currency": currency,
        "customer": customer,
        "metadata": metadata or {},
        "paid": True,
        "payment_intent": payment_intent,
        "status": "succeeded",
    }


def stripe_payout(
    id: str,
    amount: int,
    *,
    created: int,
    currency: str = "cad",
    automatic: bool = True,
    method: str = "standard",
    status: str = "paid",
    failed_by: str | None = None,
    livemode: bool = True,
) -> Json:
    """A payout to the bank, below zero where it was collected from there.

    Its own transaction is `txn_…` of the same id; `failed_by` is that of its failure.
    """
    return {
        "id": id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": created + 172800,
        "automatic": automatic,
        "balance_transaction": id.replace("po_", "txn_"),
        "created": created,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_sandbox",
        "failure_balance_transaction": failed_by,
        "failure_code": "account_closed" if failed_by else None,
        "failure_message": "The bank account has been closed." if failed_by else None,
        "livemode": livemode,
        "metadata": {},
        "method": method,
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "failed" if failed_by else status,
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
