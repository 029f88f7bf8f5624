"""A small dataset with one document for each habit of the sources that the rules name.

`write(folder)` lays it out as any dataset; `stripe_bodies()` and `lago_bodies()` give the same
documents as the connectors hand them on.
"""

import json
from pathlib import Path

from fcb_pipelines_tests.source_shapes import (
    Json,
    lago_applied_tax,
    lago_credit_note,
    lago_customer,
    lago_fee,
    lago_invoice,
    lago_payment,
    stripe_balance_transaction,
    stripe_credit_note,
    stripe_credit_note_line,
    stripe_dispute,
    stripe_invoice,
    stripe_invoice_payment,
    stripe_line,
    stripe_payout,
    stripe_refund,
    stripe_tax,
    stripe_tax_rate,
)

ACCOUNT = "acct_test"
ORGANIZATION = "nexa"
TIMEZONE = "America/Toronto"

MAY_2 = 1777735800  # 2026-05-02 11:30 in Toronto
LATE_MARCH_31 = 1775014200  # 2026-03-31 23:30 in Toronto, 2026-04-01 03:30 UTC
MAY, JUNE = 1777608000, 1780286400  # the first of the month, Toronto midnight
HST, GST, QST, HST_IN = "txr_hst_on", "txr_gst", "txr_qst", "txr_hst_in"

RATES = [
    stripe_tax_rate(HST),
    stripe_tax_rate(GST, percentage=5.0, display_name="GST", tax_type="gst", state=None, jurisdiction="Canada"),
    stripe_tax_rate(QST, percentage=9.975, display_name="QST", tax_type="qst", state="QC", jurisdiction="Quebec"),
    # Typed by hand in the dashboard: no type, no state.
    stripe_tax_rate(HST_IN, display_name="HST (13%)", tax_type=None, state=None, jurisdiction="Ontario", inclusive=True),
]  # fmt: skip


def _line(invoice: str, amount: int, number: int = 1, **more: object) -> Json:
    more.setdefault("description", "Odoo ERP Hosting - Standard")
    return stripe_line(
        f"il_{invoice.removeprefix('in_')}_{number}",
        invoice,
        more.pop("description"),
        amount,
        period_start=MAY,
        period_end=JUNE,
        **more,
    )


def _invoice(invoice: str, lines: list[Json], **more: object) -> Json:
    more.setdefault("status", "paid")
    if more["status"] != "draft":
        more.setdefault("finalized_at", MAY_2)
    if more["status"] == "paid":
        more.setdefault("paid_at", MAY_2 + 60)
    number = None if more["status"] == "draft" else invoice.upper()
    return stripe_invoice(
        invoice,
        number=number,
        customer="cus_1",
        lines=lines,
        created=MAY_2 - 3600,
        customer_name="Acme",
        customer_email="billing@acme.test",
        **more,
    )


def _taxed(invoice: str, net: int, tax: int, **more: object) -> Json:
    billed = stripe_tax(tax, net, HST)
    return _invoice(invoice, [_line(invoice, net, taxes=[billed])], total_taxes=[billed], **more)


def _many() -> Json:
    lines = [
        _line("in_many", 100 + n, n, taxes=[stripe_tax(13, 100 + n, HST)]) for n in range(1, 26)
    ]
    net = sum(line["amount"] for line in lines)
    return _invoice("in_many", lines, total_taxes=[stripe_tax(25 * 13, net, HST)])


def _discounted() -> Json:
    first = stripe_tax(1170, 9000, HST)
    second = stripe_tax(585, 4500, HST)
    lines = [
        _line("in_discount", 10000, 1, taxes=[first], discount_amounts=[(1000, "di_1")]),
        _line("in_discount", 5000, 2, taxes=[second], discount_amounts=[(500, "di_1")]),
    ]
    return _invoice(
        "in_discount",
        lines,
        discounts=[(1500, "di_1")],
        total_taxes=[stripe_tax(1755, 13500, HST)],
    )


def _inclusive() -> Json:
    billed = stripe_tax(1300, 10000, HST_IN, inclusive=True)
    line = _line("in_inclusive", 11300, taxes=[billed])
    return _invoice("in_inclusive", [line], total_taxes=[billed])


def _negative() -> Json:
    billed = stripe_tax(-650, -5000, HST)
    line = _line(
        "in_negative", -5000, description="Unused time on Managed Odoo - Standard", taxes=[billed],
        proration=True,
    )  # fmt: skip
    return _invoice("in_negative", [line], total_taxes=[billed], ending_balance=-5650)


def _broken() -> Json:
    invoice = _taxed("in_broken", 10000, 1300)
    invoice["lines"]["data"][0]["amount"] = 9999
    return invoice


def stripe_invoices() -> list[Json]:
    """The Stripe invoices, by what they are for."""
    return [
        _taxed("in_paid", 21450, 2789),
        _taxed("in_partial", 20000, 2600, status="open", amount_paid=10000),
        _many(),
        _taxed("in_void", 4999, 650, status="void", voided_at=MAY_2 + 90),
        _taxed("in_draft", 3220, 419, status="draft"),
        _invoice("in_zero", [_line("in_zero", 0)]),
        _negative(),
        _discounted(),
        _inclusive(),
        _invoice("in_jpy", [_line("in_jpy", 5000, currency="jpy")], currency="jpy"),
        _taxed("in_balance", 10000, 1300, starting_balance=-3000, ending_balance=0),
        _broken(),
        _taxed("in_late", 21450, 2789, finalized_at=LATE_MARCH_31),
        _taxed("in_instalments", 12000, 1560),
        _taxed("in_outside", 8000, 1040, off_stripe=9040),
        _invoice("in_ugx", [_line("in_ugx", 500, currency="ugx")], currency="ugx"),
        _taxed("in_test", 1000, 130, livemode=False),
    ]


def stripe_payments() -> list[Json]:
    """The payments of the Stripe invoices; `in_instalments` has more than one page inline."""
    plain = {"in_paid": 24239, "in_partial": 10000, "in_discount": 15255, "in_inclusive": 11300}
    plain |= {"in_jpy": 5000, "in_balance": 8300, "in_late": 24239, "in_many": 3150}
    payments = [
        stripe_invoice_payment(
            f"inpay_{invoice.removeprefix('in_')}", invoice, amount, paid_at=MAY_2 + 60,
            payment_intent=f"pi_{invoice.removeprefix('in_')}",
            currency="jpy" if invoice == "in_jpy" else "cad",
        )
        for invoice, amount in plain.items()
    ]  # fmt: skip
    payments += [
        stripe_invoice_payment(
            f"inpay_part_{n}", "in_instalments", 1130, paid_at=MAY_2 + n * 86400, charge=f"ch_{n}"
        )
        for n in range(12)
    ]
    payments.append(
        stripe_invoice_payment(
            "inpay_failed", "in_partial", 12600, paid_at=MAY_2, charge="ch_x", status="canceled"
        )
    )
    return payments


def stripe_notes() -> list[Json]:
    """One credit note against the discounted invoice."""
    billed = stripe_tax(130, 1000, HST)
    line = stripe_credit_note_line("cnli_1", "Odoo ERP Hosting - Standard", 1000, taxes=[billed])
    return [
        stripe_credit_note(
            "cn_1", "in_discount", number="CN-1", customer="cus_1", lines=[line],
            created=MAY_2 + 500, total_taxes=[billed],
        )
    ]  # fmt: skip


def stripe_money_objects() -> dict[str, list[Json]]:
    """One refund, dispute, balance transaction, payout and event, as far as anything reads them."""
    refund = stripe_refund("re_1", 1130, created=MAY_2 + 900, charge="ch_1")
    dispute = stripe_dispute("dp_1", 1130, created=MAY_2 + 900, charge="ch_2", status="lost")
    moved = stripe_balance_transaction(
        "txn_1", -1130, type="refund", source="re_1", created=MAY_2 + 900
    )
    event = {"id": "evt_1", "object": "event", "type": "invoice.paid", "created": MAY_2}
    event |= {"data": {"object": {"id": "in_paid", "object": "invoice"}}, "livemode": True}
    event |= {"api_version": "2026-10-28.endive", "pending_webhooks": 0, "request": None}
    return {
        "stripe/refunds": [refund],
        "stripe/disputes": [dispute],
        "stripe/balance_transactions": [moved],
        "stripe/payouts": [stripe_payout("po_1", 20000, created=MAY_2 + 900)],
        "stripe/events": [event],
    }


CUSTOMER = lago_customer("user-1", name="Acme", email="billing@acme.test", stripe_customer="cus_1")


def _lago(
    lago_id: str, fees: list[tuple[int, int]], tax: int | None = None, **more: object
) -> Json:
    fee_objects = []
    for n, (amount, fee_tax) in enumerate(fees, start=1):
        fee_id = f"{lago_id}-fee-{n}"
        applied = lago_applied_tax(f"{fee_id}-tax", "lago_fee_id", fee_id, fee_tax)
        fee_objects.append(
            lago_fee(
                fee_id, lago_id, amount, name="WordPress Website Hosting", tax_amount=fee_tax,
                applied_taxes=[applied], from_date="2026-05-01T00:00:00Z",
                to_date="2026-05-31T23:59:59Z",
            )
        )  # fmt: skip
    off = int(more.get("coupons", 0)) + int(more.get("progressive", 0))
    base = sum(amount for amount, _ in fees) - off
    total_tax = sum(each for _, each in fees) if tax is None else tax
    applied = lago_applied_tax(f"{lago_id}-tax", "lago_invoice_id", lago_id, total_tax, base=base)
    return lago_invoice(
        lago_id, number=f"NEX-{lago_id}", issuing_date=more.pop("issuing_date", "2026-04-30"),
        fees=fee_objects, customer=CUSTOMER, applied_taxes=[applied], **more,
    )  # fmt: skip


def lago_invoices() -> list[Json]:
    """The Lago invoices, by what they are for."""
    return [
        _lago("paid", [(21450, 2789)]),
        _lago("coupon", [(10000, 1170), (5000, 585)], coupons=1500),
        _lago("progressive", [(10000, 650)], progressive=5000),
        _lago("credited", [(10000, 1300)], prepaid=300, credit_notes=1000),
        _lago("draft", [(3220, 419)], status="draft", payment_status="pending"),
        _lago("voided", [(4999, 650)], status="voided", payment_status="pending"),
        _lago("by-hand", [(1000, 130)]),
        _lago("open", [(2000, 260)], payment_status="pending"),
        _lago("shared-1", [(1000, 130)]),
        _lago("shared-2", [(2000, 260)]),
        _lago("old", [(1000, 130)], version_number=1, coupons=100, tax=130),
        _lago("top-up", [(5000, 0)], invoice_type="credit", tax=0),
    ]


def lago_payments() -> list[Json]:
    """The payments of the Lago invoices; one pays two of them."""
    plain = {"paid": 24239, "coupon": 15255, "progressive": 5650, "credited": 10000}
    payments = [
        lago_payment(
            f"pay-{lago_id}", lago_id, f"NEX-{lago_id}", amount,
            created_at="2026-05-01T02:30:00Z", provider_payment_id=f"pi_{lago_id}",
        )
        for lago_id, amount in plain.items()
    ]  # fmt: skip
    shared = lago_payment(
        "pay-shared", "request-1", "", 3390, created_at="2026-05-04T12:00:00Z",
        provider_payment_id="pi_shared",
    )  # fmt: skip
    shared |= {"invoice_ids": ["shared-1", "shared-2"], "payable_type": "PaymentRequest"}
    shared["invoice_numbers"] = ["NEX-shared-1", "NEX-shared-2"]
    return [
        *payments,
        shared,
        lago_payment(
            "pay-by-hand", "by-hand", "NEX-by-hand", 1130, created_at="2026-05-03T12:00:00Z",
            type="manual", reference="cheque 7",
        ),
        lago_payment(
            "pay-failed", "open", "NEX-open", 2260, created_at="2026-05-03T12:00:00Z",
            payment_status="failed", provider_payment_id="pi_failed",
        ),
    ]  # fmt: skip


def lago_notes() -> list[Json]:
    """One credit note against the coupon invoice's first fee."""
    fee = lago_invoices()[1]["fees"][0]
    tax = lago_applied_tax("note-1-tax", "lago_credit_note_id", "note-1", 130, base=1000)
    return [
        lago_credit_note(
            "note-1", lago_invoices()[1], number="NEX-coupon-CN1", issuing_date="2026-05-05",
            items=[("note-1-item", fee, 1000)], applied_taxes=[tax],
            created_at="2026-05-05T12:00:00Z",
        )
    ]  # fmt: skip


def stripe_body(invoice: str) -> Json:
    """One Stripe invoice as the connector hands it on: payments expanded, rates beside it."""
    document = next(each for each in stripe_invoices() if each["id"] == invoice)
    own = [each for each in stripe_payments() if each["invoice"] == invoice]
    document["payments"] = {"object": "list", "data": own, "has_more": False, "url": ""}
    return {"invoice": document, "tax_rates": json.loads(json.dumps(RATES))}


def lago_body(lago_id: str) -> Json:
    """One Lago invoice as the connector hands it on: fees and payments beside it."""
    document = next(each for each in lago_invoices() if each["lago_id"] == lago_id)
    fees = document.pop("fees")
    own = [each for each in lago_payments() if lago_id in each["invoice_ids"]]
    return {"invoice": document, "fees": fees, "payments": own}


def write(folder: Path) -> Path:
    """The dataset laid out in `folder`, which is returned."""
    tables = {
        "stripe/invoices": stripe_invoices(),
        "stripe/invoice_payments": stripe_payments(),
        "stripe/tax_rates": RATES,
        "stripe/credit_notes": stripe_notes(),
        **stripe_money_objects(),
        "lago/invoices": lago_invoices(),
        "lago/payments": lago_payments(),
        "lago/credit_notes": lago_notes(),
    }
    for name, rows in tables.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (folder / "dataset.yaml").write_text(
        f"name: small\nstripe: {{account: {ACCOUNT}}}\nlago: {{organization: {ORGANIZATION}}}\n"
    )
    return folder
