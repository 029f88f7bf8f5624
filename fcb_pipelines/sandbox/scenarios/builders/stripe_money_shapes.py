"""Stripe's objects that change an invoice or its payment: credit notes, refunds, disputes, failures.

They have the exact shape of API 2026-10-28.endive, with every field that the vendor sends. Amounts are
integer minor units, instants Unix seconds.
"""

from collections.abc import Mapping, Sequence

from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json

_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def stripe_credit_note_line(
    id: str,
    description: str,
    amount: int,
    *,
    taxes: Sequence[Json] = (),
    invoice_line_item: str | None = None,
    livemode: bool = True,
) -> Json:
    """A line of a credit note; `amount` includes inclusive tax."""
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


def stripe_credit_note(
    id: str,
    invoice: str,
    *,
    number: str,
    customer: str,
    lines: Sequence[Json],
    created: int,
    effective_at: int | None = None,
    total_taxes: Sequence[Json] = (),
    pre_payment: int | None = None,
    refunds: Sequence[Json] = (),
    customer_balance_transaction: str | None = None,
    out_of_band: int | None = None,
    status: str = "issued",
    voided_at: int | None = None,
    currency: str = "cad",
    livemode: bool = True,
    reason: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Json:
    """A credit note, its total derived from its lines.

    `pre_payment` is the part that reduces the open invoice (by default all of it); the rest is
    post-payment: `refunds` (from `stripe_note_refund`), `out_of_band` (money returned outside of
    Stripe), and `customer_balance_transaction` (`cbtxn_…`) for the remainder.
    """
    subtotal = sum(line["amount"] - line["discount_amount"] for line in lines)
    exclusive = sum(t["amount"] for t in total_taxes if t["tax_behavior"] == "exclusive")
    inclusive = sum(t["amount"] for t in total_taxes if t["tax_behavior"] == "inclusive")
    total = subtotal + exclusive
    before = total if pre_payment is None else pre_payment
    kind = "mixed" if 0 < before < total else "pre_payment" if before else "post_payment"
    return {
        "id": id,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": created,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "customer_balance_transaction": customer_balance_transaction,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": created if effective_at is None else effective_at,
        "invoice": invoice,
        "lines": {
            "object": "list",
            "data": list(lines),
            "has_more": False,
            "url": f"/v1/credit_notes/{id}/lines",
        },
        "livemode": livemode,
        "memo": None,
        "metadata": metadata or {},
        "number": number,
        "out_of_band_amount": out_of_band,
        "pdf": "",
        "post_payment_amount": total - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": reason,
        "refunds": list(refunds),
        "shipping_cost": None,
        "status": status,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inclusive,
        "total": total,
        "total_excluding_tax": subtotal - inclusive,
        "total_taxes": list(total_taxes),
        "type": kind,
        "voided_at": voided_at,
    }


def stripe_note_refund(refund: str, amount: int) -> Json:
    """One element of a credit note's `refunds`: the part of a refund that belongs to the note."""
    return {
        "amount_refunded": amount,
        "payment_record_refund": None,
        "refund": refund,
        "type": "refund",
    }


def stripe_refund(
    id: str,
    amount: int,
    *,
    created: int,
    charge: str,
    payment_intent: str | None = None,
    status: str = "succeeded",
    currency: str = "cad",
    reason: str | None = "requested_by_customer",
    metadata: Mapping[str, str] | None = None,
) -> Json:
    """A refund of a charge: pending, succeeded, failed or canceled."""
    return {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": id.replace("re_", "txn_") if status == "succeeded" else None,
        "charge": charge,
        "created": created,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "destination_details": {
            "card": {
                "reference": None,
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "failure_balance_transaction": None,
        "failure_reason": None,
        "instructions_email": None,
        "metadata": metadata or {},
        "next_action": None,
        "payment_intent": payment_intent,
        "payment_method": None,
        "pending_reason": "processing" if status == "pending" else None,
        "presentment_details": None,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def stripe_dispute(
    id: str,
    amount: int,
    *,
    created: int,
    charge: str,
    payment_intent: str | None = None,
    status: str = "needs_response",
    currency: str = "cad",
    reason: str = "fraudulent",
    balance_transactions: Sequence[Json] = (),
    livemode: bool = True,
    metadata: Mapping[str, str] | None = None,
) -> Json:
    """A dispute of a charge; `balance_transactions` are the withdrawal and any return of it."""
    return {
        "id": id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": list(balance_transactions),
        "charge": charge,
        "created": created,
        "currency": currency,
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "appeal": None, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": created + 864000,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": None,
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": livemode,
        "metadata": metadata or {},
        "network_reason_code": "10.4",
        "payment_intent": payment_intent,
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }
