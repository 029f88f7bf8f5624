"""Edge cases that Stripe billed: invoices with payments, copies and outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.money import Wire
from fcb_pipelines.sandbox.scenarios.builders.authored import ACCOUNT
from fcb_pipelines.sandbox.scenarios.builders.objects import stripe_address
from fcb_pipelines.sandbox.scenarios.builders.provinces import billed_in
from fcb_pipelines.sandbox.scenarios.builders.sales import Customer, Rate, stripe_id
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import (
    Json,
    stripe_invoice,
    stripe_invoice_payment,
    stripe_line,
    stripe_tax,
)
from fcb_pipelines.sandbox.scenarios.cases.items import (
    Item,
    at,
    booked,
    line_taxes,
    month_of,
    unix,
    wired,
)
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Member, Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Copied, CopyOf, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Paying:
    """One payment of an invoice.

    `by` is intent, charge or record; payments with one `key` are one payment of several invoices. With
    `canceled_at` it was paid first and reversed then.
    """

    at: str
    amount: int
    by: str = "intent"
    key: str | None = None
    status: str = "paid"
    canceled_at: str | None = None


@dataclass(slots=True, kw_only=True)
class StripeSale:
    """An invoice at Stripe. Credit notes may still change `invoice` after it is written."""

    case: str
    who: Customer
    items: tuple[Item, ...]
    rates: tuple[Rate, ...]
    currency: str
    copied: bool = True
    invoice: Json = field(default_factory=dict)
    payments: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The invoice's id (`in_…`)."""
        return stripe_id("in", f"edge/{self.case}", 24)

    @property
    def ref(self) -> str:
        """The document's ref."""
        return f"stripe:{ACCOUNT}:{self.id}"

    @property
    def partner(self) -> str:
        """The billing account: NexaCloud's user, or Stripe's customer where NexaCloud has no copy."""
        return (
            f"nexacloud:{self.who.user_id}"
            if self.copied
            else f"stripe:{ACCOUNT}:{self.who.stripe_id}"
        )

    def payment_ref(self, n: int) -> str:
        """The ref of its n-th payment."""
        return f"stripe:{ACCOUNT}:{stripe_id('inpay', f'edge/{self.case}/{n}')}"

    def wire(self, amount: int) -> int:
        """The amount as Stripe sends it."""
        return wired(amount, self.currency, Wire.STRIPE)

    def billed(self, amounts: Sequence[int], base: int) -> list[Json]:
        """The taxes of the invoice or a line of it, one amount a rate."""
        return [
            stripe_tax(
                self.wire(amount),
                self.wire(base),
                rate.id,
                inclusive=rate.inclusive,
                reason="standard_rated" if rate.percentage else "zero_rated",
            )
            for rate, amount in zip(self.rates, amounts, strict=True)
        ]

    @property
    def intent(self) -> str | None:
        """The payment intent of its first payment, if it has one."""
        intent: str | None = self.payments[0]["payment"].get("payment_intent")
        return intent

    @property
    def charge(self) -> str:
        """The charge of its first payment."""
        return str(self.payments[0]["payment"].get("charge") or f"ch_{str(self.intent)[3:]}")

    def copy_of(self) -> CopyOf:
        """The content of NexaCloud's copy, at the time of the call."""
        one, scale = self.invoice, self.wire(1)
        minus = -1 if one["total"] < 0 else 1
        applied = (one["ending_balance"] or 0) - one["starting_balance"]
        settled = one["amount_due"] - one["amount_remaining"] + applied
        tax = sum(each["amount"] for each in one["total_taxes"])
        return CopyOf(
            key=self.case,
            user=self.who.user_id,
            named=self.id,
            number=one["number"],
            currency=self.currency,
            status=one["status"],
            net=(one["total"] - tax) // scale,
            tax=tax // scale,
            due=one["amount_due"] // scale,
            paid=minus * settled // scale,
            lines=tuple((item.description, item.quantity, item.net) for item in self.items),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The moments of an invoice that differ from its issue."""

    created: str | None = None
    finalized: str | None = None
    effective: str | None = None


COPIED = Copied()
OFF_STRIPE = "off_stripe_payment"


def sale(
    scenario: Scenario,
    case: str,
    what: str,
    who: Customer,
    issued: str | None,
    items: Sequence[Item],
    *,
    rates: Sequence[Rate] | None = None,
    taxes: Sequence[int] | None = None,
    taxed_lines: bool = True,
    currency: str = "CAD",
    status: str | None = None,
    dates: Dates | None = None,
    payments: Sequence[Paying] = (),
    balance: tuple[int, int] = (0, 0),
    shipping: int = 0,
    off_stripe: int = 0,
    number: str | None = None,
    metadata: Mapping[str, str] | None = None,
    copied: Copied | None = COPIED,
    outcome: Outcome | None = None,
    **more: Any,
) -> StripeSale:
    """Write one invoice, its payments, its copy (`copied` None: none) and its outcome; return it.

    `issued` is the expected accounting date, None for a draft. Without `status` the invoice is paid or
    open as its payments have it. `rates` are those of the customer's province unless given, `taxes` the
    amounts billed by rate, `balance` the customer's balance before and after, `off_stripe` the amount
    paid outside of Stripe.
    """
    dates = dates or Dates()
    if rates is None:
        local = issued is not None and who.country == "CA"
        rates = billed_in(who.state, at(issued or "").date()) if local else ()
    sold = StripeSale(
        case=case,
        who=who,
        items=tuple(items),
        rates=tuple(rates),
        currency=currency,
        copied=scenario.owns(copied),
    )
    everything = [*items, *_shipped(shipping)]
    shares = line_taxes(everything, rates, taxes)
    net, tax = sum(item.net for item in everything), sum(sum(each) for each in shares)
    base = sum(item.base for item in everything)
    confirmed = [each for each in payments if each.status == "paid"]
    paid = sum(each.amount for each in confirmed)
    due = max(0, net + tax - (balance[1] - balance[0])) if net + tax > 0 else 0
    cleared = min(due, max(paid, off_stripe + _through_stripe(confirmed)))
    status = status or ("paid" if cleared >= due else "open")
    finalized = dates.finalized or issued or "2025-07-30"
    last = max((each.at for each in confirmed), default=finalized)
    sold.invoice = stripe_invoice(
        sold.id,
        number=None if status == "draft" else number or f"EC-{case}",
        status=status,
        customer=who.stripe_id,
        customer_name=who.name,
        customer_email=who.billing_email or who.email,
        address=stripe_address(who),
        currency=currency.lower(),
        lines=[
            _line(sold, n, item, [each[n] for each in shares] if taxed_lines else None, finalized)
            for n, item in enumerate(items)
        ],
        created=unix(dates.created) if dates.created else unix(finalized) - 3600,
        finalized_at=None if status == "draft" else unix(finalized),
        effective_at=unix(dates.effective) if dates.effective else None,
        paid_at=unix(last) if status == "paid" else None,
        total_taxes=sold.billed([sum(each) for each in shares], base),
        discounts=_discounts(sold),
        amount_paid=sold.wire(cleared),
        off_stripe=sold.wire(off_stripe),
        starting_balance=sold.wire(balance[0]),
        ending_balance=None if status == "draft" else sold.wire(balance[1]),
        shipping=_shipping(sold.wire(shipping)) if shipping else None,
        metadata={"case": f"EC-{case}", **(metadata or {})},
        **more,
    )
    sold.payments = [_payment(sold, n, each) for n, each in enumerate(payments)]
    scenario.put("stripe/invoices", sold.invoice)
    scenario.put("stripe/invoice_payments", *sold.payments)
    if copied is not None:
        scenario.copy(sold.copy_of, copied)
    sign = -1 if net + tax < 0 else 1
    _settle(scenario, sold, payments)
    applied = sign * (balance[1] - balance[0])
    scenario.settle(sold.ref, finalized, "customer_balance", applied, entry=f"{sold.ref}:balance")
    scenario.settle(sold.ref, last, "overpayment", -more.get("overpaid", 0))
    beside = off_stripe - sum(each.amount for each in confirmed if each.by == "record")
    scenario.settle(
        sold.ref, last, "off_platform", beside, entry=f"{sold.ref}:off_stripe", why=OFF_STRIPE
    )
    placed = issued if status != "draft" else None
    settled = _through_stripe(confirmed)
    scenario.expect(
        Member(
            case=f"EC-{case}",
            what=what,
            ref=sold.ref,
            number=sold.invoice["number"] or "",
            kind="invoice" if sign > 0 else "credit_note",
            day=at(placed).date() if placed else None,
            period=scenario.period(placed),
            partner=sold.partner,
            currency=currency,
            net=sign * net,
            tax=sign * tax,
            lines=booked(
                [replace(item, net=sign * item.net) for item in everything],
                [[sign * each for each in share] for share in shares],
            ),
            confirmed=sign * (settled + balance[1] - balance[0]),
            outcome=outcome or Outcome(),
        )
    )
    return sold


def _settle(scenario: Scenario, sold: StripeSale, payments: Sequence[Paying]) -> None:
    """Write the entries of the payments. A reversed one stays booked, and its failure with it."""
    for n, each in enumerate(payments):
        own = sold.payment_ref(n)
        if each.by == "record":
            scenario.settle(
                sold.ref, each.at, "off_platform", each.amount, entry=own, why=OFF_STRIPE
            )
        elif each.status == "paid" or each.canceled_at:
            scenario.settle(sold.ref, each.at, "payment", each.amount, entry=own)
        if each.canceled_at:
            failed = f"{own}:failed"
            scenario.settle(
                sold.ref, each.canceled_at, "payment_failure", -each.amount, entry=failed
            )


def _through_stripe(payments: Sequence[Paying]) -> int:
    return sum(each.amount for each in payments if each.by != "record")


def _shipped(amount: int) -> list[Item]:
    return [Item(description="Shipping", family="other", net=amount)] if amount else []


def _shipping(amount: int) -> Json:
    """Shipping before tax; its tax is part of the invoice's."""
    return {
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "shipping_rate": None,
        "taxes": [],
    }


def _discounts(sold: StripeSale) -> list[tuple[int, str]]:
    whole = sum(item.discount for item in sold.items)
    return [(sold.wire(whole), _discount_id(sold))] if whole else []


def _discount_id(sold: StripeSale) -> str:
    return stripe_id("di", f"edge/{sold.case}")


def _line(sold: StripeSale, n: int, item: Item, taxes: list[int] | None, made: str) -> Json:
    first, following = month_of(made)
    billed = sold.billed(taxes, item.net) if taxes is not None and not item.untaxed else []
    included = sum(each["amount"] for each in billed if each["tax_behavior"] == "inclusive")
    gross = sold.wire(item.net + item.discount) + included
    return stripe_line(
        stripe_id("il", f"edge/{sold.case}/{n}"),
        sold.id,
        item.description,
        gross,
        period_start=unix(first),
        period_end=unix(following),
        currency=sold.currency.lower(),
        quantity=item.quantity,
        unit_amount_decimal=f"{Decimal(item.unit).scaleb(2).normalize():f}" if item.unit else None,
        taxes=billed,
        discount_amounts=[(sold.wire(item.discount), _discount_id(sold))] if item.discount else [],
        proration=item.proration,
        price=stripe_id("price", item.description),
        product=stripe_id("prod", item.family, 14),
    )


def _payment(sold: StripeSale, n: int, paying: Paying) -> Json:
    key = f"edge/{paying.key or f'{sold.case}/{n}'}"
    return stripe_invoice_payment(
        stripe_id("inpay", f"edge/{sold.case}/{n}"),
        sold.id,
        sold.wire(paying.amount),
        paid_at=unix(paying.at),
        canceled_at=unix(paying.canceled_at) if paying.canceled_at else None,
        status="canceled" if paying.canceled_at else paying.status,
        currency=sold.currency.lower(),
        payment_intent=stripe_id("pi", key) if paying.by == "intent" else None,
        charge=stripe_id("py", key) if paying.by == "charge" else None,
        payment_record=stripe_id("prec", key) if paying.by == "record" else None,
    )
