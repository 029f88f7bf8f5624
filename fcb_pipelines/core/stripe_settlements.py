"""Settlements of a Stripe invoice: only what Stripe itself confirms (rules S1, S4, B9)."""

from datetime import date

from fcb_pipelines.core.billed import in_order
from fcb_pipelines.core.facts import Method, SettlementFacts, Side
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.stripe_parts import Amounts, Json, reference_id


def balance_applied(invoice: Json, amounts: Amounts) -> int:
    """What the customer balance took off the total, minor units.

    Below zero where the invoice collected an older debt of the balance on top of its own total.
    """
    ending = invoice.get("ending_balance")
    if ending is None:
        return 0
    return amounts(ending) - amounts(invoice["starting_balance"])


def confirmed(
    invoice: Json, *, ref: str, account: str, timezone: str, issued: date, amounts: Amounts
) -> tuple[tuple[SettlementFacts, ...], bool]:
    """The confirmed settlements by date, and whether all of Stripe's payments could be read.

    A payment counts when its status is paid and it has a paid_at. Customer balance counts from
    finalisation, money from outside Stripe from the day the invoice was marked paid.
    """
    payments = invoice.get("payments") or {"data": (), "has_more": False}
    paid = [payment for payment in payments["data"] if payment["status"] == "paid"]
    dated = [payment for payment in paid if payment["status_transitions"]["paid_at"]]
    currency = str(invoice["currency"]).upper()
    found = [_payment(each, ref, account, timezone, amounts) for each in dated]
    recorded = sum(each.amount for each in found if each.method is Method.OFF_PLATFORM)
    transitions = invoice["status_transitions"]

    def own(what: str, method: Method, instant: int | None, amount: int) -> SettlementFacts:
        return SettlementFacts(
            ref=f"{ref}:{what}",
            document=ref,
            method=method,
            date=local_date(instant, timezone) if instant else issued,
            amount=amount,
            currency=currency,
        )

    applied = balance_applied(invoice, amounts)
    if applied:
        instant = transitions["finalized_at"]
        found.append(own("balance", Method.CUSTOMER_BALANCE, instant, applied))
    outside = amounts(invoice.get("amount_paid_off_stripe")) - recorded
    if outside > 0:
        instant = transitions["paid_at"]
        found.append(own("off_stripe", Method.OFF_PLATFORM, instant, outside))
    return in_order(found), len(dated) == len(paid) and not payments["has_more"]


def _payment(
    payment: Json, ref: str, account: str, timezone: str, amounts: Amounts
) -> SettlementFacts:
    made = payment["payment"]
    # A payment record reports money that never passed through Stripe.
    outside = made["type"] == "payment_record"
    return SettlementFacts(
        ref=f"{Side.STRIPE}:{account}:{payment['id']}",
        document=ref,
        method=Method.OFF_PLATFORM if outside else Method.PAYMENT,
        date=local_date(payment["status_transitions"]["paid_at"], timezone),
        amount=amounts(payment["amount_paid"]),
        currency=str(payment["currency"]).upper(),
        payment_id=reference_id(made[made["type"]]),
    )
