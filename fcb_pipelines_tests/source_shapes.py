"""Objects in the exact shape of Stripe's (API 2026-10-28.endive) and Lago's (v1) answers.

The sandbox's own constructors, under one name for the tests.
Amounts are integer minor units, instants Unix seconds.
"""

from fcb_pipelines.sandbox.scenarios.builders.lago_note_shapes import lago_credit, lago_credit_note
from fcb_pipelines.sandbox.scenarios.builders.lago_shapes import (
    lago_applied_tax,
    lago_customer,
    lago_fee,
    lago_invoice,
    lago_payment,
)
from fcb_pipelines.sandbox.scenarios.builders.stripe_cash_shapes import (
    stripe_balance_transaction,
    stripe_charge,
    stripe_payout,
)
from fcb_pipelines.sandbox.scenarios.builders.stripe_money_shapes import (
    stripe_credit_note,
    stripe_credit_note_line,
    stripe_dispute,
    stripe_note_refund,
    stripe_refund,
)
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import (
    Json,
    stripe_invoice,
    stripe_invoice_payment,
    stripe_line,
    stripe_tax,
    stripe_tax_rate,
)

__all__ = [
    "Json",
    "lago_applied_tax",
    "lago_credit",
    "lago_credit_note",
    "lago_customer",
    "lago_fee",
    "lago_invoice",
    "lago_payment",
    "stripe_balance_transaction",
    "stripe_charge",
    "stripe_credit_note",
    "stripe_credit_note_line",
    "stripe_dispute",
    "stripe_invoice",
    "stripe_invoice_payment",
    "stripe_line",
    "stripe_note_refund",
    "stripe_payout",
    "stripe_refund",
    "stripe_tax",
    "stripe_tax_rate",
]
