"""Objects in the exact shape of Stripe's (API 2026-10-28.endive) and Lago's (v1) answers.

Constructors for tests: the sandbox's own, and the credit notes that its datasets don't have.
Amounts are integer minor units, instants Unix seconds.
"""

from fcb_pipelines.sandbox.making.lago_shapes import (
    lago_applied_tax,
    lago_customer,
    lago_fee,
    lago_invoice,
    lago_payment,
)
from fcb_pipelines.sandbox.making.stripe_shapes import (
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
    "lago_customer",
    "lago_fee",
    "lago_invoice",
    "lago_payment",
    "stripe_credit_note",
    "stripe_credit_note_line",
    "stripe_invoice",
    "stripe_invoice_payment",
    "stripe_line",
    "stripe_tax",
    "stripe_tax_rate",
]


def stripe_credit_note(
    id,
    invoice,
    *,
    number,
    customer,
    lines,
    created,
    total_taxes=(),
    status="issued",
    currency="cad",
    livemode=True,
    reason=None,
):
    subtotal = sum(line["amount"] - line["discount_amount"] for line in lines)
    exclusive = sum(t["amount"] for t in total_taxes if t["tax_behavior"] == "exclusive")
    total = subtotal + exclusive
    return {
        "id": id,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": created,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": created,
        "invoice": invoice,
        "lines": {
            "object": "list",
            "data": list(lines),
            "has_more": False,
            "url": f"/v1/credit_notes/{id}/lines",
        },
        "livemode": livemode,
        "memo": None,
        "metadata": {},
        "number": number,
        "out_of_band_amount": None,
        "pdf": "",
        "post_payment_amount": 0,
        "pre_payment_amount": total,
        "pretax_credit_amounts": [],
        "reason": reason,
        "refunds": [],
        "shipping_cost": None,
        "status": status,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_excluding_tax": subtotal,
        "total_taxes": list(total_taxes),
        "type": "pre_payment",
        "voided_at": None,
    }


def stripe_credit_note_line(
    id, description, amount, *, taxes=(), invoice_line_item=None, livemode=True
):
    return {
        "id": id,
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": invoice_line_item,
        "livemode": livemode,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": list(taxes),
        "type": "invoice_line_item" if invoice_line_item else "custom_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
