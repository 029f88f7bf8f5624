"""What a Stripe invoice did with the customer's balance (B9): below zero it is credit, above it debt."""

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.stripe.parts import Amounts


def balance_applied(invoice: Json, amounts: Amounts) -> int:
    """What the customer balance took off the total, minor units.

    Below zero where the invoice collected an older debt of the balance on top of its own total.
    """
    ending = invoice.get("ending_balance")
    if ending is None:
        return 0
    return amounts(ending) - amounts(invoice["starting_balance"])


def balance_debt(invoice: Json, amounts: Amounts) -> int:
    """What of that is a debt left on the balance, or (below zero) one collected from it: no credit."""
    before, after = (
        max(0, amounts(invoice[field])) for field in ("starting_balance", "ending_balance")
    )
    return after - before
