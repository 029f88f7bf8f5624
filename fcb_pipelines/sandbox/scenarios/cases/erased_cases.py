"""Rule A13: a posted document is reported for ever, whoever erases or loses it.

NexaCloud erases an account in August, with its user and the rows of its invoices.
"""

from fcb_pipelines.sandbox.scenarios.cases import customers
from fcb_pipelines.sandbox.scenarios.cases.at_lago import lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Paying, StripeSale, sale
from fcb_pipelines.sandbox.scenarios.cases.items import (
    HST_ON,
    booked,
    hosting,
    line_taxes,
    managed,
    unix,
)
from fcb_pipelines.sandbox.scenarios.cases.notes import note, refund
from fcb_pipelines.sandbox.scenarios.cases.outcomes import FORGOTTEN, Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Copied, Scenario

_ERASED = Copied(erased=True)
_LOST = "missing_at_source"


def write(scenario: Scenario) -> None:
    """Write every case of this rule."""
    _erased(scenario)
    _lost(scenario)


def _erased(scenario: Scenario) -> None:
    kept = Outcome(reason=FORGOTTEN) if scenario.later else None
    paid = sale(
        scenario, "A13-1", "Posted and paid; NexaCloud has erased its customer since", customers.ERASED,
        "2025-06-10", [hosting(10000)], payments=[Paying(at="2025-06-10 12:05", amount=11300)],
        copied=_ERASED, outcome=kept,
    )  # fmt: skip
    if scenario.later:
        back = refund(scenario, paid, "2025-08-13", 11300)
        note(
            scenario, "A13-1-CN1", "Refunded after the erasure: told, and posted", paid, "2025-08-13",
            [hosting(10000)], before=0, refunds=[back], outcome=kept,
        )  # fmt: skip
    items = [managed(2000)]
    sale(
        scenario, "A13-2", "Posted, erased, and voided after that", customers.ERASED, "2025-07-16", items,
        status="void" if scenario.later else None, copied=_ERASED,
        voided_at=unix("2025-08-14") if scenario.later else None,
        outcome=Outcome(
            reason="void_at_source", exceptions=("voided_after_posting",),
            posted=booked(items, line_taxes(items, [HST_ON])),
        )
        if scenario.later
        else None,
    )  # fmt: skip
    lago_sale(
        scenario, "A13-3", "Lago: posted, erased, and still owed", customers.ERASED, "2025-07-17",
        [hosting(4000)], copied=_ERASED, outcome=kept,
    )  # fmt: skip
    if scenario.later:
        sale(
            scenario, "A13-5", "Billed to the erased customer afterwards: nobody owns it",
            customers.ERASED, "2025-08-19", [hosting(3000)], copied=None,
            outcome=Outcome(reason="missing_in_nexacloud"),
        )  # fmt: skip


def _lost(scenario: Scenario) -> None:
    items = [hosting(2900)]
    lost = Outcome(
        reason=_LOST, exceptions=(_LOST,), posted=booked(items, line_taxes(items, [HST_ON])),
        lost=True,
    )  # fmt: skip
    sold = sale(
        scenario, "A13-4", "Posted and paid; Stripe has it no longer in August", customers.ON,
        "2025-07-18", items, payments=[Paying(at="2025-07-18 12:05", amount=3277)],
        outcome=lost if scenario.later else None,
    )  # fmt: skip
    if scenario.later:
        _remove(scenario, sold)


def _remove(scenario: Scenario, sold: StripeSale) -> None:
    """Remove an invoice and its payments from Stripe."""
    scenario.sources["stripe/invoices"].remove(sold.invoice)
    for each in sold.payments:
        scenario.sources["stripe/invoice_payments"].remove(each)
    scenario.withdraw(sold.ref, _LOST)
