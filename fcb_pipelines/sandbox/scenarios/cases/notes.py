"""Credit notes, refunds and disputes of the edge cases, with their effect on the invoice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.sandbox.scenarios.builders.authored import ACCOUNT, ORGANIZATION
from fcb_pipelines.sandbox.scenarios.builders.lago_note_shapes import lago_credit, lago_credit_note
from fcb_pipelines.sandbox.scenarios.builders.sales import stripe_id, uuid_of
from fcb_pipelines.sandbox.scenarios.builders.stripe_cash_shapes import stripe_balance_transaction
from fcb_pipelines.sandbox.scenarios.builders.stripe_money_shapes import (
    stripe_credit_note,
    stripe_credit_note_line,
    stripe_dispute,
    stripe_note_refund,
    stripe_refund,
)
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoSale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import OFF_STRIPE, StripeSale
from fcb_pipelines.sandbox.scenarios.cases.items import Item, at, booked, instant, line_taxes, unix
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Booked, Member, Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """A refund at Stripe: its id, its day and amount, and whether it succeeded.

    `booked` is the day of its credit note, where the refund was booked before the note.
    """

    id: str
    day: str
    amount: int
    succeeded: bool
    booked: str | None = None

    @property
    def ref(self) -> str:
        """The refund's ref."""
        return f"stripe:{ACCOUNT}:{self.id}"


def refund(
    scenario: Scenario,
    of: StripeSale,
    when: str,
    amount: int,
    *,
    status: str = "succeeded",
    failed_at: str | None = None,
) -> Refunded:
    """Write a refund of the invoice's first payment; with `failed_at` it failed on that day."""
    key = stripe_id("re", f"edge/{of.case}/{when}")
    made = stripe_refund(
        key,
        of.wire(amount),
        created=unix(when),
        status="failed" if failed_at else status,
        currency=of.currency.lower(),
        metadata={"case": f"EC-{of.case}"},
        charge=of.charge,
        payment_intent=of.intent,
    )
    if failed_at:
        back = stripe_balance_transaction(
            stripe_id("txn", f"edge/{of.case}/refund failed"),
            of.wire(amount),
            type="refund_failure",
            source=key,
            created=unix(failed_at),
            description=f"Refund failure of {of.charge}",
        )
        made |= {
            "failure_balance_transaction": back["id"],
            "failure_reason": "expired_or_canceled_card",
        }
        scenario.put("stripe/balance_transactions", back)
        status = "failed"
    scenario.put("stripe/refunds", made)
    return Refunded(id=key, day=when, amount=amount, succeeded=status == "succeeded")


def dispute(
    scenario: Scenario, of: StripeSale, when: str, *, status: str, won_at: str | None = None
) -> None:
    """Write a dispute of the invoice's first payment; the money is withdrawn on its first day.

    With `won_at` Stripe returns it on that day. A lost dispute is listed with its amount.
    """
    amount = of.payments[0]["amount_paid"]
    key = stripe_id("dp", f"edge/{of.case}")
    moved = [
        stripe_balance_transaction(
            stripe_id("txn", f"edge/{of.case}"),
            -amount,
            type="adjustment",
            source=key,
            created=unix(when),
            fee=1500,
            description=f"Chargeback withdrawal for {of.charge}",
        )
    ]
    if won_at:
        moved.append(
            stripe_balance_transaction(
                stripe_id("txn", f"edge/{of.case}/won"),
                amount,
                type="adjustment",
                source=key,
                created=unix(won_at),
                description=f"Chargeback reversal for {of.charge}",
            )
        )
    lost = f"stripe:{ACCOUNT}:{key}"
    scenario.settle(
        of.ref,
        when,
        "chargeback",
        -amount if status == "lost" else 0,
        entry=lost,
        why="dispute_lost",
    )
    scenario.put(
        "stripe/disputes",
        stripe_dispute(
            key,
            amount,
            created=unix(when),
            status=status,
            balance_transactions=moved,
            metadata={"case": f"EC-{of.case}"},
            charge=of.charge,
            payment_intent=of.intent,
        ),
    )
    scenario.put("stripe/balance_transactions", *moved)


def failure(scenario: Scenario, of: StripeSale, when: str) -> None:
    """Write the bank's reversal of the invoice's first payment, which only Stripe's balance shows."""
    own = f"{of.payment_ref(0)}:failed"
    scenario.settle(of.ref, when, "payment_failure", -of.payments[0]["amount_paid"], entry=own)
    scenario.put(
        "stripe/balance_transactions",
        stripe_balance_transaction(
            stripe_id("txn", f"edge/failure/{of.case}"),
            -of.payments[0]["amount_paid"],
            type="payment_failure_refund",
            source={"id": of.charge, "object": "charge", "payment_intent": of.intent},
            created=unix(when),
            description="Payment failure refund",
        ),
    )


def note(
    scenario: Scenario,
    case: str,
    what: str,
    of: StripeSale,
    day: str,
    items: Sequence[Item],
    *,
    before: int | None = None,
    refunds: Sequence[Refunded] = (),
    credited: int = 0,
    out_of_band: int | None = None,
    voided: str | None = None,
    metadata: Mapping[str, str] | None = None,
    outcome: Outcome | None = None,
) -> Json:
    """Write a credit note of a Stripe invoice, at the invoice's rates.

    `before` is the part that reduces the open invoice (by default all of it). The rest is refunded,
    `credited` to the customer's balance, or returned `out_of_band`.
    """
    shares = line_taxes(items, of.rates)
    net, tax = sum(item.net for item in items), sum(sum(each) for each in shares)
    billed = of.invoice["lines"]["data"]
    pre = net + tax if before is None else before
    key = stripe_id("cn", f"edge/{case}")
    made = stripe_credit_note(
        key,
        of.id,
        number=f"EC-{case}",
        customer=of.who.stripe_id,
        lines=[
            stripe_credit_note_line(
                stripe_id("cnli", f"edge/{case}/{n}"),
                item.description,
                of.wire(item.net),
                taxes=of.billed([share[n] for share in shares], item.net),
                invoice_line_item=None if item.reverses is None else billed[item.reverses]["id"],
            )
            for n, item in enumerate(items)
        ],
        created=unix(day),
        total_taxes=of.billed([sum(each) for each in shares], net),
        pre_payment=of.wire(pre),
        refunds=[stripe_note_refund(each.id, of.wire(each.amount)) for each in refunds],
        customer_balance_transaction=stripe_id("cbtxn", f"edge/{case}") if credited else None,
        out_of_band=None if out_of_band is None else of.wire(out_of_band),
        status="void" if voided else "issued",
        voided_at=unix(voided) if voided else None,
        currency=of.currency.lower(),
        livemode=of.invoice["livemode"],
        reason="order_change",
        metadata={"case": f"EC-{case}", **(metadata or {})},
    )
    scenario.put("stripe/credit_notes", made)
    own = f"stripe:{ACCOUNT}:{key}"
    if not voided:
        _taken_off(of.invoice, made)
        scenario.settle(of.ref, day, "credit_note", pre)
        scenario.settle(own, day, "customer_balance", credited)
        beside = f"{own}:out_of_band"
        scenario.settle(own, day, "off_platform", out_of_band or 0, entry=beside, why=OFF_STRIPE)
        for each in refunds:
            method, amount = "pending_refund" if each.booked else "payment", each.amount
            if each.succeeded:
                scenario.settle(own, each.booked or each.day, method, amount, entry=each.ref)
    confirmed = pre + credited + sum(each.amount for each in refunds if each.succeeded)
    outcome = outcome or Outcome(reason="void_at_source" if voided else None)
    scenario.expect(
        _member(scenario, case, what, of, own, day, booked(items, shares), confirmed, outcome)
    )
    return made


def _taken_off(invoice: Json, made: Json) -> None:
    """Reduce the invoice by its credit note; one with nothing left to pay is paid."""
    pre = made["pre_payment_amount"]
    invoice["pre_payment_credit_notes_amount"] += pre
    invoice["post_payment_credit_notes_amount"] += made["post_payment_amount"]
    invoice["amount_due"] -= pre
    invoice["amount_remaining"] -= pre
    if pre and not invoice["amount_remaining"]:
        invoice["status"] = "paid"
        invoice["status_transitions"]["paid_at"] = made["created"]


def lago_note(
    scenario: Scenario,
    case: str,
    what: str,
    of: LagoSale,
    day: str,
    items: Sequence[Item],
    *,
    refunded: int = 0,
    refund_status: str = "succeeded",
    offset: int = 0,
    used: int = 0,
    voided: str | None = None,
    outcome: Outcome | None = None,
) -> None:
    """Write a credit note of a Lago invoice, at the invoice's rates.

    The part that is neither `refunded` nor set off against its invoice (`offset`) is the customer's
    credit, of which `used` went into later invoices (`lago_sale(noted=…)`).
    """
    shares = line_taxes(items, of.rates)
    net = sum(item.net for item in items)
    key = note_id(case)
    fees = of.invoice["fees"]
    scenario.put(
        "lago/credit_notes",
        lago_credit_note(
            key,
            of.invoice,
            number=f"EC-{case}",
            issuing_date=day,
            items=[
                (uuid_of(f"edge/{case}/item/{n}"), fees[item.reverses or 0], of.wire(item.net))
                for n, item in enumerate(items)
            ],
            applied_taxes=of.applied(
                "lago_credit_note_id", key, [sum(each) for each in shares], net
            ),
            refund=of.wire(refunded),
            refund_status=refund_status if refunded else None,
            offset=of.wire(offset),
            used=of.wire(used),
            taxes_rate=float(sum(rate.percentage for rate in of.rates)),
            voided_at=instant(voided) if voided else None,
            created_at=instant(day),
            description=f"EC-{case}",
        ),
    )
    own = f"lago:{ORGANIZATION}:{key}"
    succeeded = refunded if refund_status == "succeeded" else 0
    scenario.settle(of.ref, day, "credit_note", offset)
    scenario.settle(own, day, "payment", succeeded, entry=f"{own}:refund")
    confirmed = offset + used + succeeded
    outcome = outcome or Outcome(reason="void_at_source" if voided else None)
    scenario.expect(
        _member(scenario, case, what, of, own, day, booked(items, shares), confirmed, outcome)
    )


def _member(
    scenario: Scenario,
    case: str,
    what: str,
    of: StripeSale | LagoSale,
    ref: str,
    day: str,
    lines: tuple[Booked, ...],
    confirmed: int,
    outcome: Outcome,
) -> Member:
    """The credit note as a member of the population, with its invoice's customer and currency."""
    return Member(
        case=f"EC-{case}",
        what=what,
        ref=ref,
        number=f"EC-{case}",
        kind="credit_note",
        day=at(day).date(),
        period=scenario.period(day),
        partner=of.partner,
        currency=of.currency,
        net=sum(line.net for line in lines),
        tax=sum(line.tax for line in lines),
        lines=lines,
        confirmed=confirmed,
        outcome=outcome,
    )


def note_id(case: str) -> str:
    """The lago_id of a case's credit note."""
    return uuid_of(f"edge/lago note/{case}")


def credit_of_note(case: str, used_on: str, amount: int) -> Json:
    """The credit on a Lago invoice that comes from the credit note of `case`."""
    return lago_credit(
        uuid_of(f"edge/credit/{used_on}"),
        uuid_of(f"edge/lago/{used_on}"),
        amount,
        type="credit_note",
        item=note_id(case),
        code=f"EC-{case}",
        name=f"EC-{case}",
    )
