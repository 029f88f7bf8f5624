"""Objects in the exact shape of Lago's answers (API v1).

They have every field that the vendor sends; totals are derived, so that a document adds up. Amounts
are integer minor units, instants ISO texts with their offset.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.money import Wire, wire_exponent

Json = dict[str, Any]


def lago_applied_tax(
    id: str,
    owner_key: str,
    owner: str,
    amount: int,
    *,
    code: str = "hst_on",
    name: str = "HST Ontario",
    rate: float = 13.0,
    base: int | None = None,
    currency: str = "CAD",
    created_at: str = "2026-05-01T12:00:00Z",
) -> Json:
    """A tax on an invoice (owner_key `lago_invoice_id`), credit note (`lago_credit_note_id`) or fee
    (`lago_fee_id`); `base` is the net of the first two.
    """
    tax = {
        "lago_id": id,
        owner_key: owner,
        "lago_tax_id": "9f0c3a52-0000-4000-8000-000000000013",
        "tax_name": name,
        "tax_code": code,
        "tax_rate": rate,
        "tax_description": None,
        "amount_cents": amount,
        "amount_currency": currency,
        "created_at": created_at,
    }
    if owner_key == "lago_invoice_id":
        tax["fees_amount_cents"] = base
    if owner_key == "lago_credit_note_id":
        tax["base_amount_cents"] = base
    return tax


def lago_fee(
    id: str,
    invoice: str,
    amount: int,
    *,
    name: str,
    tax_amount: int = 0,
    description: str | None = None,
    units: str = "1.0",
    currency: str = "CAD",
    applied_taxes: Sequence[Json] = (),
    fee_type: str = "add_on",
    code: str = "nexa_hosting",
    created_at: str = "2026-05-01T12:00:00Z",
    from_date: str | None = None,
    to_date: str | None = None,
    customer: str = "c0ffee00-0000-4000-8000-000000000001",
    external_customer_id: str | None = None,
    precise_coupons: str = "0.0",
    external_subscription_id: str | None = None,
    unit_amount: str | None = None,
    taxes_rate: float = 13.0,
) -> Json:
    """A fee: charge, add_on, subscription, credit or commitment; `amount` is before taxes."""
    major = _major(amount, currency)
    return {
        "lago_id": id,
        "lago_charge_id": None,
        "lago_charge_filter_id": None,
        "lago_fixed_charge_id": None,
        "lago_invoice_id": invoice,
        "lago_true_up_fee_id": None,
        "lago_true_up_parent_fee_id": None,
        "lago_subscription_id": None,
        "external_subscription_id": external_subscription_id,
        "lago_customer_id": customer,
        "external_customer_id": external_customer_id,
        "item": {
            "type": fee_type,
            "code": code,
            "name": name,
            "description": None,
            "invoice_display_name": name,
            "filters": None,
            "filter_invoice_display_name": None,
            "lago_item_id": "1d0000aa-0000-4000-8000-000000000001",
            "item_type": "AddOn",
            "grouped_by": {},
        },
        "pay_in_advance": False,
        "invoiceable": True,
        "amount_cents": amount,
        "amount_currency": currency,
        "precise_amount": major,
        "precise_total_amount": _major(amount + tax_amount, currency),
        "taxes_amount_cents": tax_amount,
        "taxes_precise_amount": _major(tax_amount, currency),
        "taxes_rate": taxes_rate,
        "total_aggregated_units": None,
        "total_amount_cents": amount + tax_amount,
        "total_amount_currency": currency,
        "units": units,
        "description": description or name,
        "precise_unit_amount": unit_amount or major,
        "precise_coupons_amount_cents": precise_coupons,
        "events_count": None,
        "payment_status": "succeeded",
        "created_at": created_at,
        "succeeded_at": None,
        "failed_at": None,
        "refunded_at": None,
        "amount_details": {},
        "self_billed": False,
        "pricing_unit_details": None,
        "from_date": from_date,
        "to_date": to_date,
        "applied_taxes": list(applied_taxes),
    }


def lago_customer(
    external_id: str,
    *,
    name: str,
    email: str | None = None,
    city: str | None = "Toronto",
    state: str | None = "ON",
    zipcode: str | None = "M5H 1A1",
    address_line1: str | None = "1 King St W",
    country: str | None = "CA",
    lago_id: str = "c0ffee00-0000-4000-8000-000000000001",
    tax_number: str | None = None,
    stripe_customer: str | None = None,
    created_at: str = "2025-12-01T15:00:00Z",
) -> Json:
    """A customer; NexaCloud's user id is its external id."""
    return {
        "lago_id": lago_id,
        "billing_entity_code": "nexacloud",
        "external_id": external_id,
        "account_type": "customer",
        "name": name,
        "firstname": None,
        "lastname": None,
        "customer_type": None,
        "sequential_id": 1,
        "slug": "NEX-0001",
        "created_at": created_at,
        "updated_at": created_at,
        "country": country,
        "address_line1": address_line1,
        "address_line2": None,
        "state": state,
        "zipcode": zipcode,
        "email": email,
        "city": city,
        "url": None,
        "phone": None,
        "logo_url": None,
        "legal_name": None,
        "legal_number": None,
        "currency": "CAD",
        "tax_identification_number": tax_number,
        "timezone": "America/Toronto",
        "applicable_timezone": "America/Toronto",
        "net_payment_term": None,
        "external_salesforce_id": None,
        "finalize_zero_amount_invoice": "inherit",
        "billing_configuration": {
            "invoice_grace_period": None,
            "payment_provider": "stripe" if stripe_customer else None,
            "payment_provider_code": None,
            "document_locale": "en",
            "provider_customer_id": stripe_customer,
        },
        "shipping_address": {
            "address_line1": None,
            "address_line2": None,
            "city": None,
            "zipcode": None,
            "state": None,
            "country": None,
        },
        "skip_invoice_custom_sections": False,
        "metadata": [],
        "integration_customers": [],
    }


def lago_invoice(
    id: str,
    *,
    number: str | None,
    issuing_date: str,
    fees: Sequence[Json],
    customer: Json,
    applied_taxes: Sequence[Json] = (),
    status: str = "finalized",
    payment_status: str = "succeeded",
    coupons: int = 0,
    progressive: int = 0,
    credit_notes: int = 0,
    prepaid: int = 0,
    offset: int = 0,
    credits: Sequence[Json] = (),
    self_billed: bool = False,
    paid: int | None = None,
    currency: str = "CAD",
    invoice_type: str = "one_off",
    version_number: int = 4,
    sequential_id: int = 1,
    created_at: str | None = None,
    voided_at: str | None = None,
    metadata: Iterable[tuple[str, str]] = (),
) -> Json:
    """An invoice with its fees, totals as Lago derives them from version 3 on.

    A succeeded one is paid in full unless `paid` is given. `offset` is the sum that its own credit notes
    set off against it; `credits` come from `lago_credit`.
    """
    fees_amount = sum(fee["amount_cents"] for fee in fees)
    taxes = sum(tax["amount_cents"] for tax in applied_taxes)
    sub_excl = fees_amount - progressive - coupons
    sub_incl = sub_excl + taxes
    total = sub_incl - credit_notes - prepaid
    if paid is None:
        paid = total - offset if payment_status == "succeeded" and status == "finalized" else 0
    created_at = created_at or f"{issuing_date}T15:00:00Z"
    return {
        "lago_id": id,
        "billing_entity_code": "nexacloud",
        "sequential_id": sequential_id,
        "number": number,
        "purchase_order_number": None,
        "issuing_date": issuing_date,
        "payment_due_date": issuing_date,
        "net_payment_term": 0,
        "invoice_type": invoice_type,
        "status": status,
        "payment_status": payment_status,
        "payment_dispute_lost_at": None,
        "payment_overdue": False,
        "currency": currency,
        "fees_amount_cents": fees_amount,
        "taxes_amount_cents": taxes,
        "progressive_billing_credit_amount_cents": progressive,
        "coupons_amount_cents": coupons,
        "credit_notes_amount_cents": credit_notes,
        "sub_total_excluding_taxes_amount_cents": sub_excl,
        "sub_total_including_taxes_amount_cents": sub_incl,
        "total_amount_cents": total,
        "total_due_amount_cents": total - paid - offset,
        "total_paid_amount_cents": paid,
        "total_offsetted_credit_note_amount_cents": offset,
        "prepaid_credit_amount_cents": prepaid,
        "prepaid_granted_credit_amount_cents": None,
        "prepaid_purchased_credit_amount_cents": None,
        "file_url": None,
        "xml_url": None,
        "version_number": version_number,
        "self_billed": self_billed,
        "created_at": created_at,
        "updated_at": created_at,
        "voided_at": voided_at,
        "customer": customer,
        "billing_periods": [],
        "subscriptions": [],
        "fees": list(fees),
        "credits": list(credits),
        "metadata": [
            {"lago_id": f"{id[:-1]}f", "key": k, "value": v, "created_at": created_at}
            for k, v in metadata
        ],
        "applied_taxes": list(applied_taxes),
        "error_details": [],
        "applied_invoice_custom_sections": [],
    }


def lago_payment(
    id: str,
    invoice: str,
    invoice_number: str,
    amount: int,
    *,
    created_at: str,
    provider_payment_id: str | None = None,
    external_customer_id: str | None = None,
    type: str = "provider",
    payment_status: str = "succeeded",
    currency: str = "CAD",
    reference: str | None = None,
    provider_customer_id: str | None = None,
    customer: str = "c0ffee00-0000-4000-8000-000000000001",
    request: str | None = None,
    others: Sequence[tuple[str, str]] = (),
) -> Json:
    """A payment; `created_at` is its date, since Lago has no other.

    With `request` (a payment request) it also pays the `others`, each an id and a number.
    """
    return {
        "lago_id": id,
        "lago_customer_id": customer,
        "external_customer_id": external_customer_id,
        "invoice_ids": [invoice, *(each for each, _ in others)],
        "invoice_numbers": [invoice_number, *(number for _, number in others)],
        "lago_payable_id": request or invoice,
        "payable_type": "PaymentRequest" if request else "Invoice",
        "amount_cents": amount,
        "amount_currency": currency,
        "status": payment_status,
        "payment_status": payment_status,
        "type": type,
        "reference": reference or "",
        "payment_provider_code": "stripe_nexa" if type == "provider" else None,
        "payment_provider_type": "stripe" if type == "provider" else None,
        "external_payment_id": provider_payment_id,
        "provider_payment_id": provider_payment_id,
        "provider_customer_id": provider_customer_id,
        "next_action": {},
        "created_at": created_at,
    }


def _major(amount: int, currency: str) -> str:
    places = wire_exponent(currency, Wire.LAGO)
    return f"{Decimal(amount).scaleb(-places):.{places}f}"
