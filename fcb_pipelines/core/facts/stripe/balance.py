"""The customer balance on a Stripe invoice (B9): Stripe's balance is credit below zero, debt above it."""

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.stripe.parts import Amounts


def balance_applied(invoice: Json, amounts: Amounts) -> int:
    """The part of the total that the customer balance paid, minor units.

    Below zero where the invoice collected an older debt on the balance on top of its own total.
    """
    ending = invoice.get("ending_balance")
    if ending is None:
        return 0
    return amounts(ending) - amounts(invoice["starting_balance"])


def balance_debt(invoice: Json, amounts: Amounts) -> int:
    """The part of that which is a new debt on the balance; below zero an old debt collected. Minor units."""
    before, after = (
        max(0, amounts(invoice[field])) for field in ("starting_balance", "ending_balance")
    )
    return after - before
