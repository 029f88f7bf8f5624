"""Objects in the exact shape of Stripe's answers (API 2026-10-28.endive).

They have every field that the vendor sends; totals are derived, so that a document adds up. Amounts
are integer minor units, instants Unix seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def stripe_tax_rate(
    id: str,
    *,
    percentage: float = 13.0,
    display_name: str = "HST",
    tax_type: str | None = "hst",
    state: str | None = "ON",
    jurisdiction: str = "Ontario",
    country: str = "CA",
    inclusive: bool = False,
    created: int = 1735707600,
) -> Json:
    """A tax rate; `percentage` 13.0 for 13 %."""
    return {
        "id": id,
        "object": "tax_rate",
        "active": True,
        "country": country,
        "created": created,
        "description": None,
        "display_name": display_name,
        "effective_percentage": percentage,
        "flat_amount": None,
        "inclusive": inclusive,
        "jurisdiction": jurisdiction,
        "jurisdiction_level": "state",
        "livemode": True,
        "metadata": {},
        "percentage": percentage,
        "rate_type": "percentage",
        "state": state,
        "tax_type": tax_type,
    }


def stripe_tax(
    amount: int, base: int, rate: str, *, inclusive: bool = False, reason: str = "standard_rated"
) -> Json:
    """One element of an invoice's `total_taxes` or a line's `taxes`; `base` is after discounts."""
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": rate},
        "taxability_reason": reason,
        "taxable_amount": base,
        "type": "tax_rate_details",
    }


def stripe_line(
    id: str,
    invoice: str,
    description: str,
    amount: int,
    *,
    period_start: int,
    period_end: int,
    currency: str = "cad",
    quantity: int = 1,
    unit_amount_decimal: str | None = None,
    taxes: Sequence[Json] = (),
    discount_amounts: Sequence[tuple[int, str]] = (),
    proration: bool = False,
    subscription: str | None = None,
    subscription_item: str | None = None,
    invoice_item: str | None = None,
    price: str = "price_nexa",
    product: str = "prod_nexa",
    livemode: bool = True,
    metadata: Mapping[str, str] | None = None,
) -> Json:
    """A line; `amount` is before discounts and includes inclusive tax.

    `discount_amounts` are (amount, `di_…`). With `subscription_item` it is a subscription's line,
    else an invoice item's.
    """
    if subscription_item:
        parent = {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": invoice_item,
                "proration": proration,
                "proration_details": {"credited_items": None},
                "subscription": subscription,
                "subscription_item": subscription_item,
            },
            "type": "subscription_item_details",
        }
    else:
        parent = {
            "invoice_item_details": {
                "invoice_item": invoice_item or id.replace("il_", "ii_"),
                "proration": proration,
                "proration_details": {"credited_items": None},
                "subscription": subscription,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "id": id,
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [{"amount": a, "discount": d} for a, d in discount_amounts],
        "discountable": not proration,
        "discounts": [d for _, d in discount_amounts],
        "invoice": invoice,
        "livemode": livemode,
        "metadata": metadata or {},
        "parent": parent,
        "period": {"end": period_end, "start": period_start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price, "product": product},
            "type": "price_details",
            "unit_amount_decimal": unit_amount_decimal or str(amount // quantity),
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": subscription,
        "subtotal": amount,
        "taxes": list(taxes),
    }


def stripe_invoice(
    id: str,
    *,
    number: str | None,
    status: str,
    customer: str,
    lines: Sequence[Json],
    created: int,
    finalized_at: int | None = None,
    paid_at: int | None = None,
    voided_at: int | None = None,
    effective_at: int | None = None,
    total_taxes: Sequence[Json] = (),
    discounts: Sequence[tuple[int, str]] = (),
    currency: str = "cad",
    customer_name: str | None = None,
    customer_email: str | None = None,
    address: Json | None = None,
    amount_paid: int | None = None,
    starting_balance: int = 0,
    ending_balance: int | None = None,
    off_stripe: int = 0,
    overpaid: int = 0,
    pretax_credits: Sequence[Json] = (),
    tax_exempt: str = "none",
    subscription: str | None = None,
    metadata: Mapping[str, str] | None = None,
    livemode: bool = True,
    due_date: int | None = None,
    shipping: Json | None = None,
    marked_uncollectible_at: int | None = None,
    account_name: str = "NexaCloud",
    proration_date: int | None = None,
) -> Json:
    """An invoice with its lines complete: total = lines - discounts + exclusive taxes + shipping.

    `total_taxes` come from `stripe_tax`, `discounts` are (amount, `di_…`). A paid invoice is paid in full
    unless `amount_paid` is given. `proration_date` is the moment its subscription changed,
    `pretax_credits` are elements of `total_pretax_credit_amounts`.
    """
    subtotal = sum(line["amount"] for line in lines)
    discount = sum(a for a, _ in discounts)
    exclusive = sum(t["amount"] for t in total_taxes if t["tax_behavior"] == "exclusive")
    inclusive = sum(t["amount"] for t in total_taxes if t["tax_behavior"] == "inclusive")
    total = subtotal - discount + exclusive + (shipping or {}).get("amount_subtotal", 0)
    if ending_balance is None and status != "draft":
        ending_balance = starting_balance if starting_balance == 0 else 0
    applied = (ending_balance - starting_balance) if ending_balance is not None else 0
    due = max(0, total - applied) if total > 0 else 0
    if amount_paid is None:
        amount_paid = due if status == "paid" else 0
    return {
        "id": id,
        "object": "invoice",
        "account_country": "CA",
        "account_name": account_name,
        "account_tax_ids": None,
        "amount_due": due,
        "amount_overpaid": overpaid,
        "amount_paid": amount_paid,
        "amount_paid_off_stripe": off_stripe,
        "amount_remaining": due - amount_paid,
        "amount_shipping": (shipping or {}).get("amount_total", 0),
        "application": None,
        "attempt_count": 1 if status == "paid" else 0,
        "attempted": status == "paid",
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": "subscription_cycle" if subscription else "manual",
        "collection_method": "charge_automatically",
        "created": created,
        "currency": currency,
        "custom_fields": None,
        "customer": customer,
        "customer_account": None,
        "customer_address": address
        or {
            "city": "Toronto",
            "country": "CA",
            "line1": "1 King St W",
            "line2": None,
            "postal_code": "M5H 1A1",
            "state": "ON",
        },
        "customer_email": customer_email,
        "customer_name": customer_name,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": tax_exempt,
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [d for _, d in discounts],
        "due_date": due_date,
        "effective_at": effective_at if effective_at is not None else finalized_at,
        "ending_balance": ending_balance,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {
            "object": "list",
            "data": list(lines),
            "has_more": False,
            "url": f"/v1/invoices/{id}/lines",
        },
        "livemode": livemode,
        "metadata": metadata or {},
        "next_payment_attempt": None,
        "number": number,
        "on_behalf_of": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": {},
                "subscription": subscription,
                "subscription_proration_date": proration_date,
            },
            "type": "subscription_details",
        }
        if subscription
        else None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": created,
        "period_start": created,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": shipping,
        "shipping_details": None,
        "starting_balance": starting_balance,
        "statement_descriptor": None,
        "status": status,
        "status_details": None,
        "status_transitions": {
            "finalized_at": finalized_at,
            "marked_uncollectible_at": marked_uncollectible_at,
            "paid_at": paid_at,
            "voided_at": voided_at,
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inclusive,
        "test_clock": None,
        "threshold_reason": None,
        "total": total,
        "total_discount_amounts": [{"amount": a, "discount": d} for a, d in discounts],
        "total_excluding_tax": total - exclusive - inclusive,
        "total_pretax_credit_amounts": list(pretax_credits),
        "total_taxes": list(total_taxes),
        "webhooks_delivered_at": finalized_at,
    }


def stripe_invoice_payment(
    id: str,
    invoice: str,
    amount: int,
    *,
    paid_at: int | None,
    canceled_at: int | None = None,
    created: int | None = None,
    payment_intent: str | None = None,
    charge: str | None = None,
    payment_record: str | None = None,
    status: str = "paid",
    currency: str = "cad",
    livemode: bool = True,
) -> Json:
    """A payment of an invoice by a payment intent, a charge or a payment record.

    It is open, paid or canceled; one with `canceled_at` was paid first and reversed then.
    """
    made = {
        "payment_intent": payment_intent,
        "payment_record": payment_record,
        "charge": charge,
    }
    kind = next((name for name, value in made.items() if value), "charge")
    paid = status == "paid" or canceled_at is not None
    return {
        "id": id,
        "object": "invoice_payment",
        "amount_paid": amount if paid else None,
        "amount_requested": amount,
        "created": created if created is not None else paid_at,
        "currency": currency,
        "invoice": invoice,
        "is_default": True,
        "livemode": livemode,
        "payment": {"type": kind, kind: made[kind]},
        "status": status,
        "status_transitions": {"canceled_at": canceled_at, "paid_at": paid_at if paid else None},
    }
