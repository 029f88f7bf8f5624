"""The model told as Stripe's and Lago's own objects, in the shapes of their answers."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines_tests.histories.model import Billing, Invoice, Loose, Money, Note, tax_on
from fcb_pipelines_tests.histories.sync import Json, Snapshot
from fcb_pipelines_tests.source_shapes import (
    lago_applied_tax,
    lago_credit,
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
    stripe_note_refund,
    stripe_refund,
    stripe_tax,
    stripe_tax_rate,
)

HST = "txr_hst_on"
CUSTOMERS = ("ada", "bob")


def snapshot(billing: Billing, *, account: str, organization: str) -> Snapshot:
    """What the world outside says now."""
    owner = {"stripe": f"stripe:{account}", "lago": f"lago:{organization}"}
    return Snapshot(
        stripe=_at_stripe(billing),
        lago=_at_lago(billing),
        users={_id(who): _user(who) for who in CUSTOMERS if who not in billing.gone},
        copied={
            f"{owner[one.side]}:{one.id}": _id(one.customer)
            for one in billing.invoices
            if one.copied and one.status != "draft" and one.customer not in billing.erased
        },
    )


def instant(day: date) -> int:
    """Noon in Toronto, whatever the season: one date there and in UTC."""
    return int(datetime(day.year, day.month, day.day, 16, 30, tzinfo=UTC).timestamp())


def _id(customer: str) -> str:
    return f"user-{customer}"


def _user(customer: str) -> User:
    return User(
        id=_id(customer),
        email=f"{customer}@example.test",
        full_name=customer.title(),
        company=f"{customer.title()} Inc.",
        billing_email=None,
        billing_address="1 King St W",
        billing_city="Toronto",
        billing_state="ON",
        billing_postal_code="M5H 1A1",
        billing_country="CA",
        tax_id=None,
        stripe_customer_id=f"cus_{customer}",
    )


# --- Stripe ---------------------------------------------------------------------------------------


def _at_stripe(billing: Billing) -> dict[str, list[Json]]:
    mine = [one for one in billing.invoices if one.side == "stripe"]
    money = [m for m in billing.all_money() if billing.find(next(iter(m.parts))).side == "stripe"]
    return {
        "tax_rates": [stripe_tax_rate(HST)],
        "invoices": [_stripe_invoice(one) for one in mine if not one.lost],
        "credit_notes": [_stripe_note(note) for one in mine for note in one.notes],
        "refunds": [_refund(each, n, billing) for each in money for n in range(len(each.refunds))],
        "disputes": [_dispute(each, billing) for each in money if each.dispute],
        "balance_transactions": [
            _failure(each, billing) for each in money if each.failed and each.told == "transaction"
        ],
    }


def _stripe_invoice(one: Invoice) -> Json:
    lines = [
        stripe_line(
            f"il_{one.id}_{n}",
            one.id,
            description,
            net,
            period_start=instant(one.day),
            period_end=instant(one.day + timedelta(days=30)),
            currency=one.currency.lower(),
            taxes=[stripe_tax(tax_on(net), net, HST)] if one.taxed else [],
        )
        for n, (description, net) in enumerate(one.lines)
    ]
    draft, is_paid = one.status == "draft", not one.remaining and one.status != "void"
    status = "paid" if is_paid and not draft else one.status
    # A credit stands below zero, a debt above; an invoice of less than nothing adds to the credit.
    ends = one.total if one.total < 0 else 0
    made = stripe_invoice(
        one.id,
        number=None if draft else one.id.upper(),
        status=status,
        customer=f"cus_{one.customer}",
        lines=lines,
        created=instant(one.day) - 3600,
        finalized_at=None if draft else instant(one.day),
        paid_at=instant(_settled_on(one)) if status == "paid" else None,
        voided_at=instant(one.void) if one.void else None,
        marked_uncollectible_at=instant(one.given_up) if one.given_up else None,
        total_taxes=[stripe_tax(one.tax, one.net, HST)] if one.taxed else [],
        currency=one.currency.lower(),
        customer_name=one.customer.title(),
        customer_email=f"{one.customer}@example.test",
        starting_balance=-one.balance,
        ending_balance=None if draft else ends,
        amount_paid=one.paid,
        off_stripe=one.outside,
        overpaid=one.excess,
        livemode=one.live,
    )
    off = sum(note.off for note in one.standing_notes)
    made["pre_payment_credit_notes_amount"] = off
    made["amount_due"] = one.due
    made["amount_remaining"] = one.remaining
    payments = [_invoice_payment(one, each) for each in one.money]
    made["payments"] = {"object": "list", "data": payments, "has_more": False, "url": ""}
    return made


def _settled_on(one: Invoice) -> date:
    taken_off = (note.day for note in one.standing_notes if note.off)
    return max([one.outside_day or one.day, *(each.day for each in one.money), *taken_off])


def _invoice_payment(one: Invoice, money: Money) -> Json:
    canceled = money.failed if money.told == "canceled" else None
    return stripe_invoice_payment(
        f"inpay_{money.id}_{one.id}",
        one.id,
        money.parts[one.id],
        paid_at=instant(money.day),
        canceled_at=instant(canceled) if canceled else None,
        payment_intent=f"pi_{money.id}",
        status="canceled" if canceled else "paid",
        currency=one.currency.lower(),
        livemode=one.live,
    )


def _stripe_note(note: Note) -> Json:
    one = note.invoice
    taxes = [stripe_tax(note.tax, note.net, HST)] if one.taxed else []
    line = stripe_credit_note_line(
        f"cnli_{note.id}",
        one.lines[0][0],
        note.net,
        taxes=taxes,
        invoice_line_item=f"il_{one.id}_0",
    )
    return stripe_credit_note(
        note.id,
        one.id,
        number=note.id.upper(),
        customer=f"cus_{one.customer}",
        lines=[line],
        created=instant(note.day),
        total_taxes=taxes,
        pre_payment=note.off,
        refunds=[stripe_note_refund(refund.id, part) for refund, part in note.refunds],
        customer_balance_transaction=f"cbtxn_{note.id}" if note.balance else None,
        out_of_band=note.outside or None,
        status="void" if note.void else "issued",
        voided_at=instant(note.void) if note.void else None,
        currency=one.currency.lower(),
        livemode=one.live,
    )


def _refund(money: Money, n: int, billing: Billing) -> Json:
    refund = money.refunds[n]
    currency = billing.find(next(iter(money.parts))).currency.lower()
    made = stripe_refund(
        refund.id,
        refund.amount,
        created=instant(refund.day),
        charge=f"ch_{money.id}",
        payment_intent=f"pi_{money.id}",
        status="failed" if refund.failed else "succeeded",
        currency=currency,
    )
    if refund.failed:
        made["failure_balance_transaction"] = {
            "id": f"txn_{refund.id}_failed",
            "created": instant(refund.failed),
            "amount": refund.amount,
        }
    return made


def _dispute(money: Money, billing: Billing) -> Json:
    assert money.disputed
    moved = [(money.disputed, -money.amount)]
    if money.won:
        moved.append((money.won, money.amount))
    transactions = [
        stripe_balance_transaction(
            f"txn_{money.id}_{n}",
            amount,
            type="adjustment",
            source=f"dp_{money.id}",
            created=instant(day),
        )
        for n, (day, amount) in enumerate(moved)
    ]
    status = {"open": "needs_response", "lost": "lost", "won": "won"}[money.dispute or "open"]
    return stripe_dispute(
        f"dp_{money.id}",
        money.amount,
        created=instant(money.disputed),
        charge=f"ch_{money.id}",
        payment_intent=f"pi_{money.id}",
        status=status,
        currency=billing.find(next(iter(money.parts))).currency.lower(),
        balance_transactions=transactions,
    )


def _failure(money: Money, billing: Billing) -> Json:
    assert money.failed
    made = stripe_balance_transaction(
        f"txn_{money.id}_failed",
        -money.amount,
        type="payment_failure_refund",
        source=f"ch_{money.id}",
        created=instant(money.failed),
    )
    made["currency"] = billing.find(next(iter(money.parts))).currency.lower()
    made["source"] = {
        "id": f"ch_{money.id}",
        "object": "charge",
        "payment_intent": f"pi_{money.id}",
    }
    return made


# --- Lago -----------------------------------------------------------------------------------------


def _at_lago(billing: Billing) -> dict[str, list[Json]]:
    mine = [one for one in billing.invoices if one.side == "lago"]
    made = {one.id: _lago_invoice(one) for one in mine}
    money = [m for m in billing.all_money() if billing.find(next(iter(m.parts))).side == "lago"]
    return {
        "invoices": [made[one.id] for one in mine if not one.lost],
        "fees": [fee for one in mine if not one.lost for fee in made[one.id]["fees"]],
        "payments": [
            *(_lago_payment(each, made, billing) for each in money),
            *map(_loose_payment, billing.loose),
        ],
        "credit_notes": [_lago_note(note, made[one.id]) for one in mine for note in one.notes],
    }


def _customer(customer: str) -> Json:
    return lago_customer(
        _id(customer),
        name=customer.title(),
        email=f"{customer}@example.test",
        stripe_customer=f"cus_{customer}",
    )


def _applied(
    key: str, owner: str, taxed: bool, net: int, currency: str, base: int | None
) -> Sequence[Json]:
    if not taxed:
        return []
    amount = tax_on(net)
    return [lago_applied_tax(f"{owner}-tax", key, owner, amount, base=base, currency=currency)]


def _lago_invoice(one: Invoice) -> Json:
    fees = [
        lago_fee(
            f"{one.id}-fee-{n}",
            one.id,
            net,
            name=description,
            tax_amount=tax_on(net) if one.taxed else 0,
            applied_taxes=_applied(
                "lago_fee_id", f"{one.id}-fee-{n}", one.taxed, net, one.currency, None
            ),
            currency=one.currency,
            taxes_rate=13.0 if one.taxed else 0.0,
            external_customer_id=_id(one.customer),
        )
        for n, (description, net) in enumerate(one.lines)
    ]
    draft = one.status == "draft"
    status = {"draft": "draft", "void": "voided"}.get(one.status, "finalized")
    is_paid = one.paid + one.outside >= one.due
    made = lago_invoice(
        one.id,
        number=one.id.upper(),
        issuing_date=one.day.isoformat(),
        fees=fees,
        customer=_customer(one.customer),
        applied_taxes=_applied(
            "lago_invoice_id", one.id, one.taxed, one.net, one.currency, one.net
        ),
        status=status,
        payment_status="succeeded" if is_paid and not draft else "pending",
        credit_notes=sum(part for _, part in one.credits),
        prepaid=one.prepaid + one.granted,
        offset=sum(note.off for note in one.standing_notes),
        credits=[
            lago_credit(
                f"{one.id}-credit-{n}",
                one.id,
                part,
                type="credit_note",
                item=note.id,
                code=note.id.upper(),
                name=note.id.upper(),
                currency=one.currency,
            )
            for n, (note, part) in enumerate(one.credits)
        ],
        paid=one.paid,
        currency=one.currency,
        voided_at=f"{one.void.isoformat()}T16:30:00Z" if one.void else None,
    )
    made["prepaid_granted_credit_amount_cents"] = one.granted
    made["prepaid_purchased_credit_amount_cents"] = one.prepaid
    if one.dispute_lost:
        made["payment_dispute_lost_at"] = f"{one.dispute_lost.isoformat()}T16:30:00Z"
    return made


def _lago_payment(money: Money, made: dict[str, Json], billing: Billing) -> Json:
    first, *others = money.parts
    one = billing.find(first)
    return lago_payment(
        money.id,
        first,
        made[first]["number"],
        money.amount,
        created_at=f"{money.day.isoformat()}T16:30:00Z",
        provider_payment_id=None if money.by_hand else f"pi_{money.id}",
        external_customer_id=_id(one.customer),
        type="manual" if money.by_hand else "provider",
        reference="cheque" if money.by_hand else None,
        payment_status="failed" if money.failed else "succeeded",
        currency=one.currency,
        request=f"request-{money.id}" if others else None,
        others=[(each, made[each]["number"]) for each in others],
    )


def _loose_payment(paid: Loose) -> Json:
    made = lago_payment(
        paid.id,
        paid.names or "",
        paid.names or "",
        paid.amount,
        created_at=f"{paid.day.isoformat()}T16:30:00Z",
        provider_payment_id=f"pi_{paid.id}",
        external_customer_id=_id(paid.customer),
        currency=paid.currency,
    )
    return made if paid.names else {**made, "invoice_ids": [], "invoice_numbers": []}


def _lago_note(note: Note, invoice: Json) -> Json:
    one = note.invoice
    return lago_credit_note(
        note.id,
        invoice,
        number=note.id.upper(),
        issuing_date=note.day.isoformat(),
        items=[(f"{note.id}-item", invoice["fees"][0], note.net)],
        applied_taxes=_applied(
            "lago_credit_note_id", note.id, one.taxed, note.net, one.currency, note.net
        ),
        refund=note.back,
        offset=note.off,
        used=note.used,
        taxes_rate=13.0 if one.taxed else 0.0,
    )
