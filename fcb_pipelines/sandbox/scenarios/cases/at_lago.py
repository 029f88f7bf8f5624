"""Edge cases that Lago billed: invoices with fees, credits and payments."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fcb_pipelines.core.money import Wire, spread, to_major
from fcb_pipelines.sandbox.scenarios.builders.authored import ORGANIZATION
from fcb_pipelines.sandbox.scenarios.builders.lago_shapes import (
    lago_applied_tax,
    lago_fee,
    lago_invoice,
    lago_payment,
)
from fcb_pipelines.sandbox.scenarios.builders.objects import customer_at_lago
from fcb_pipelines.sandbox.scenarios.builders.provinces import billed_in
from fcb_pipelines.sandbox.scenarios.builders.sales import Customer, Rate, stripe_id, uuid_of
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import COPIED, OFF_STRIPE
from fcb_pipelines.sandbox.scenarios.cases.items import (
    Item,
    at,
    booked,
    instant,
    line_taxes,
    month_of,
    wired,
)
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Member, Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Copied, CopyOf, Scenario

_COPIED_AS = {"draft": "draft", "pending": "draft", "failed": "draft", "voided": "void"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LagoPaying:
    """One payment: `type` provider or manual, `status` succeeded, pending or failed."""

    at: str
    amount: int
    type: str = "provider"
    status: str = "succeeded"


@dataclass(slots=True, kw_only=True)
class LagoSale:
    """An invoice at Lago. Credit notes may still change `invoice` after it is written."""

    case: str
    who: Customer
    items: tuple[Item, ...]
    rates: tuple[Rate, ...]
    currency: str
    issued: str
    copied: bool = True
    net: int = 0
    shared: int = 0
    invoice: Json = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The invoice's lago_id."""
        return uuid_of(f"edge/lago/{self.case}")

    @property
    def ref(self) -> str:
        """The document's ref."""
        return f"lago:{ORGANIZATION}:{self.id}"

    @property
    def partner(self) -> str:
        """The billing account: NexaCloud's user, or Lago's customer where NexaCloud has no copy."""
        source = "nexacloud" if self.copied else f"lago:{ORGANIZATION}"
        return f"{source}:{self.who.user_id}"

    def payment_ref(self, n: int) -> str:
        """The ref of its n-th payment."""
        return f"lago:{ORGANIZATION}:{uuid_of(f'edge/{self.case}/payment/{n}')}"

    def wire(self, amount: int) -> int:
        """The amount as Lago sends it."""
        return wired(amount, self.currency, Wire.LAGO)

    def applied(self, owner_key: str, owner: str, amounts: Sequence[int], base: int) -> list[Json]:
        """The taxes of the invoice, a fee or a note (by `owner_key`), one amount a rate."""
        return [
            lago_applied_tax(
                uuid_of(f"edge/{owner}/tax/{rate.id}"),
                owner_key,
                owner,
                self.wire(amount),
                code=rate.lago_code,
                name=f"{rate.name} {rate.jurisdiction}",
                rate=float(rate.percentage),
                base=self.wire(base),
                currency=self.currency,
                created_at=instant(self.issued),
            )
            for rate, amount in zip(self.rates, amounts, strict=True)
        ]

    def copy_of(self) -> CopyOf:
        """The content of NexaCloud's copy, at the time of the call."""
        one, scale = self.invoice, self.wire(1)
        paid = one["payment_status"] == "succeeded"
        status = _COPIED_AS.get(one["status"], "paid" if paid else "open")
        total = one["sub_total_including_taxes_amount_cents"]
        return CopyOf(
            key=self.case,
            user=self.who.user_id,
            named=f"lago:{self.id}",
            number=one["number"],
            currency=self.currency,
            status=status,
            net=(total - one["taxes_amount_cents"]) // scale,
            tax=one["taxes_amount_cents"] // scale,
            due=one["total_due_amount_cents"] // scale,
            paid=(total - one["total_due_amount_cents"]) // scale,
            lines=tuple((item.description, item.quantity, item.net) for item in self.items),
        )


def lago_sale(
    scenario: Scenario,
    case: str,
    what: str,
    who: Customer,
    issued: str,
    items: Sequence[Item],
    *,
    rates: Sequence[Rate] | None = None,
    currency: str = "CAD",
    status: str = "finalized",
    payment_status: str | None = None,
    payments: Sequence[LagoPaying] = (),
    shared: int = 0,
    progressive: int = 0,
    prepaid: int = 0,
    granted: int = 0,
    noted: int = 0,
    offset: int = 0,
    created: str | None = None,
    copied: Copied | None = COPIED,
    outcome: Outcome | None = None,
    **more: Any,
) -> LagoSale:
    """Write one invoice, its payments, its copy (`copied` None: none) and its outcome; return it.

    An item's discount is its share of the coupons. `progressive` is the amount billed by earlier
    invoices. The rest are paid amounts: `prepaid` from the wallet (`granted` of it free), `noted` by
    credit notes of other invoices, `offset` by its own, `shared` by a `shared_payment`.
    """
    if rates is None:
        rates = billed_in(who.state, at(issued).date()) if who.country == "CA" else ()
    sold = LagoSale(
        case=case,
        who=who,
        items=tuple(items),
        rates=tuple(rates),
        currency=currency,
        issued=issued,
        copied=scenario.owns(copied),
        shared=shared,
    )
    cut = spread(progressive, [item.net for item in items])
    sold.items = tuple(
        replace(item, net=item.net - off) for item, off in zip(items, cut, strict=True)
    )
    shares = line_taxes(sold.items, rates)
    sold.net, tax = sum(item.net for item in sold.items), sum(sum(each) for each in shares)
    succeeded = [each for each in payments if each.status == "succeeded"]
    due = sold.net + tax - prepaid - noted - offset
    paid = min(due, sum(each.amount for each in succeeded) + shared)
    payment_status = payment_status or ("succeeded" if paid == due else "pending")
    sold.invoice = lago_invoice(
        sold.id,
        number=f"EC-{case}",
        issuing_date=issued,
        fees=[
            _fee(sold, n, item, before, [each[n] for each in shares])
            for n, (item, before) in enumerate(zip(sold.items, items, strict=True))
        ],
        customer=customer_at_lago(who),
        applied_taxes=sold.applied(
            "lago_invoice_id", sold.id, [sum(each) for each in shares], sold.net
        ),
        status=status,
        payment_status=payment_status,
        coupons=sold.wire(sum(item.discount for item in items)),
        progressive=sold.wire(progressive),
        credit_notes=sold.wire(noted),
        prepaid=sold.wire(prepaid),
        offset=sold.wire(offset),
        paid=sold.wire(paid) if status in ("finalized", "voided") else 0,
        currency=currency,
        created_at=instant(created or issued),
        metadata=[("case", f"EC-{case}")],
        **more,
    )
    scenario.put("lago/invoices", sold.invoice)
    scenario.put("lago/payments", *(_payment(sold, n, each) for n, each in enumerate(payments)))
    if copied is not None:
        scenario.copy(sold.copy_of, copied)
    if prepaid:
        sold.invoice["prepaid_granted_credit_amount_cents"] = sold.wire(granted)
        sold.invoice["prepaid_purchased_credit_amount_cents"] = sold.wire(prepaid - granted)
    for n, each in enumerate(payments):
        if each.status == "succeeded":
            beside = each.type != "provider"
            scenario.settle(
                sold.ref, each.at, "off_platform" if beside else "payment", each.amount,
                entry=sold.payment_ref(n), why=OFF_STRIPE if beside else None,
            )  # fmt: skip
    marked = due - paid if payment_status == "succeeded" and status == "finalized" else 0
    scenario.settle(
        sold.ref, issued, "off_platform", marked, entry=f"{sold.ref}:marked_paid", why=OFF_STRIPE
    )
    scenario.settle(
        sold.ref, issued, "prepaid_credit", prepaid - granted, entry=f"{sold.ref}:prepaid"
    )
    scenario.settle(sold.ref, issued, "granted_credit", granted)
    scenario.settle(sold.ref, issued, "credit_note", noted)
    placed = status not in ("draft", "pending", "failed")
    provided = sum(each.amount for each in succeeded if each.type == "provider")
    scenario.expect(
        Member(
            case=f"EC-{case}",
            what=what,
            ref=sold.ref,
            number=f"EC-{case}",
            kind="invoice",
            day=at(issued).date() if placed else None,
            period=scenario.period(issued) if placed else None,
            partner=sold.partner,
            currency=currency,
            net=sold.net,
            tax=tax,
            lines=booked(sold.items, shares),
            confirmed=provided + shared + prepaid + noted + offset,
            outcome=outcome or Outcome(),
        )
    )
    return sold


def shared_payment(
    scenario: Scenario, key: str, when: str, amount: int, paid: Sequence[LagoSale]
) -> None:
    """Write one payment of several invoices, which names no part of each."""
    first, *others = paid
    own = f"lago:{ORGANIZATION}:{uuid_of(f'edge/{key}')}"
    for each in paid:
        scenario.settle(each.ref, when, "payment", each.shared, entry=f"{own}:{each.id}")
    scenario.put(
        "lago/payments",
        lago_payment(
            uuid_of(f"edge/{key}"),
            first.id,
            first.invoice["number"],
            first.wire(amount),
            created_at=instant(when),
            provider_payment_id=stripe_id("pi", f"edge/{key}"),
            provider_customer_id=first.who.stripe_id,
            external_customer_id=first.who.user_id,
            customer=first.who.lago_id,
            currency=first.currency,
            request=uuid_of(f"edge/{key}/request"),
            others=[(each.id, each.invoice["number"]) for each in others],
        ),
    )


def _fee(sold: LagoSale, n: int, item: Item, before: Item, taxes: Sequence[int]) -> Json:
    """A fee. Its amount is before coupons and progressive billing, its taxes are after them."""
    first, following = month_of(sold.issued)
    key = uuid_of(f"edge/{sold.case}/fee/{n}")
    amount = before.net + item.discount
    return lago_fee(
        key,
        sold.id,
        sold.wire(amount),
        name=item.description,
        code=f"nexa_{item.family}",
        units=f"{item.quantity}.0",
        unit_amount=item.unit or f"{to_major(amount, sold.currency) / item.quantity:.4f}",
        tax_amount=sold.wire(sum(taxes)),
        taxes_rate=float(sum(rate.percentage for rate in sold.rates)),
        applied_taxes=sold.applied("lago_fee_id", key, taxes, item.net),
        currency=sold.currency,
        # A second apart, since lists of fees are in the order of their creation.
        created_at=instant(f"{sold.issued[:10]} 11:00:{n:02}"),
        from_date=instant(first),
        to_date=instant(following),
        customer=sold.who.lago_id,
        external_customer_id=sold.who.user_id,
        precise_coupons=f"{sold.wire(item.discount)}.0",
    )


def _payment(sold: LagoSale, n: int, paying: LagoPaying) -> Json:
    by_provider = paying.type == "provider"
    return lago_payment(
        uuid_of(f"edge/{sold.case}/payment/{n}"),
        sold.id,
        str(sold.invoice["number"]),
        sold.wire(paying.amount),
        created_at=instant(paying.at),
        provider_payment_id=stripe_id("pi", f"edge/{sold.case}/{n}") if by_provider else None,
        provider_customer_id=sold.who.stripe_id if by_provider else None,
        external_customer_id=sold.who.user_id,
        customer=sold.who.lago_id,
        type=paying.type,
        reference=None if by_provider else f"Cheque for {sold.invoice['number']}",
        payment_status=paying.status,
        currency=sold.currency,
    )
