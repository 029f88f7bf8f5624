"""Lago's credits in the exact shape of API v1: credit notes, and credits used on an invoice.

Amounts are integer minor units as Lago counts them, days and instants ISO texts.
"""

from collections.abc import Sequence

from fcb_pipelines.sandbox.scenarios.builders.lago_shapes import Json


def lago_credit_note(
    id: str,
    invoice: Json,
    *,
    number: str,
    issuing_date: str,
    items: Sequence[tuple[str, Json, int]],
    applied_taxes: Sequence[Json] = (),
    refund: int = 0,
    offset: int = 0,
    used: int = 0,
    refund_status: str | None = None,
    credit_status: str | None = None,
    taxes_rate: float = 13.0,
    sequential_id: int = 1,
    created_at: str | None = None,
    voided_at: str | None = None,
    description: str | None = None,
) -> Json:
    """A credit note of `invoice`; `items` are (id, the credited fee, amount before taxes).

    The part that is neither refunded nor set off against its own invoice (`offset`) is the customer's
    credit, of which `used` went into later invoices. A voided note has no balance left.
    """
    net = sum(amount for _, _, amount in items)
    tax = sum(each["amount_cents"] for each in applied_taxes)
    total, currency = net + tax, invoice["currency"]
    credit = total - refund - offset
    left = 0 if voided_at else credit - used
    made = created_at or f"{issuing_date}T15:00:00Z"
    status = ("available" if left else "consumed") if credit else None
    return {
        "lago_id": id,
        "billing_entity_code": "nexacloud",
        "sequential_id": sequential_id,
        "number": number,
        "purchase_order_number": None,
        "lago_invoice_id": invoice["lago_id"],
        "invoice_number": invoice["number"],
        "issuing_date": issuing_date,
        "credit_status": credit_status or ("voided" if voided_at else status),
        "refund_status": refund_status or ("succeeded" if refund else None),
        "reason": "order_change",
        "description": description,
        "currency": currency,
        "total_amount_cents": total,
        "precise_total_amount_cents": f"{total}.0",
        "taxes_amount_cents": tax,
        "precise_taxes_amount_cents": f"{tax}.0",
        "sub_total_excluding_taxes_amount_cents": net,
        "balance_amount_cents": left,
        "credit_amount_cents": credit,
        "refund_amount_cents": refund,
        "offset_amount_cents": offset,
        "coupons_adjustment_amount_cents": 0,
        "taxes_rate": taxes_rate,
        "created_at": made,
        "updated_at": voided_at or made,
        "file_url": None,
        "xml_url": None,
        "self_billed": False,
        "customer": invoice["customer"],
        "items": [
            {"lago_id": key, "amount_cents": amount, "amount_currency": currency, "fee": fee}
            for key, fee, amount in items
        ],
        "applied_taxes": list(applied_taxes),
    }


def lago_credit(
    id: str,
    invoice: str,
    amount: int,
    *,
    type: str,
    item: str,
    code: str,
    name: str,
    currency: str = "CAD",
    payment_status: str = "pending",
) -> Json:
    """A credit used on an invoice: a `coupon`, a `credit_note`, or an earlier progressive `invoice`.

    `item` is the id of the coupon, note or invoice used, `code` its coupon code or number.
    """
    return {
        "lago_id": id,
        "amount_cents": amount,
        "amount_currency": currency,
        "before_taxes": type != "credit_note",
        "item": {"lago_item_id": item, "type": type, "code": code, "name": name},
        "invoice": {"lago_id": invoice, "payment_status": payment_status},
    }
