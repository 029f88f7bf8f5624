"""Rules S11-S13: cash of unposted documents, credit without origin, corrections by the source's day."""

from fcb_pipelines.sandbox.scenarios.cases import customers
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoPaying, lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Dates, Paying, sale
from fcb_pipelines.sandbox.scenarios.cases.items import (
    HST_ON,
    LUMP_QC,
    booked,
    hosting,
    line_taxes,
    managed,
)
from fcb_pipelines.sandbox.scenarios.cases.notes import dispute, refund
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Scenario

_CASH = ("cash_without_document",)
_BEFORE = Outcome(reason="before_cutover", exceptions=_CASH)
_TAKEN_BACK = "settlement_taken_back"


def write(scenario: Scenario) -> None:
    """Write every case of these rules."""
    _of_before(scenario)
    _not_posted(scenario)
    _voided_paid(scenario)
    _credit(scenario)
    _by_the_sources_day(scenario)


def _of_before(scenario: Scenario) -> None:
    sale(
        scenario, "S11-1", "Of before the books began, paid in May: the money is listed", customers.ON,
        "2025-02-21", [hosting(10000)], payments=[Paying(at="2025-05-13", amount=11300)],
        outcome=_BEFORE,
    )  # fmt: skip
    two = sale(
        scenario, "S11-2", "Paid before the books began, refunded in May without a note", customers.ON,
        "2025-02-21", [hosting(11000)], payments=[Paying(at="2025-02-24", amount=12430)],
        outcome=_BEFORE,
    )  # fmt: skip
    back = refund(scenario, two, "2025-05-15", 3000)
    scenario.settle(two.ref, back.day, "refund", -3000, entry=back.ref)
    opening = "opening_document"
    for n, day, outcome in (
        (3, "2025-02-24", Outcome(reason="before_cutover", exceptions=(opening,), cash=opening)),
        (4, "2025-05-12", None),
    ):
        sale(
            scenario, f"S11-{n}", "One payment for an invoice of before the books began and a later one",
            customers.ON, day, [hosting(1000 * (n - 2))], outcome=outcome,
            payments=[Paying(at="2025-05-16", amount=1130 * (n - 2), key="S11-shared")],
        )  # fmt: skip
    sale(
        scenario, "S11-5", "Printed in February, finalised and paid in March", customers.ON,
        "2025-02-28", [hosting(4100)], payments=[Paying(at="2025-03-13", amount=4633)],
        dates=Dates(finalized="2025-03-12", effective="2025-02-28"), outcome=_BEFORE,
    )  # fmt: skip
    sale(
        scenario, "S11-6", "A bank debit of before the books began fails in them", customers.ON,
        "2025-02-25", [managed(4200)], outcome=_BEFORE,
        payments=[
            Paying(at="2025-02-26", amount=4746, status="canceled", canceled_at="2025-03-14")
        ],
    )  # fmt: skip
    seven = sale(
        scenario, "S11-7", "Paid before the books began, and the dispute of it lost in them", customers.ON,
        "2025-02-26", [managed(4300)], payments=[Paying(at="2025-02-27", amount=4859)],
        outcome=_BEFORE,
    )  # fmt: skip
    dispute(scenario, seven, "2025-05-20", status="lost")


def _not_posted(scenario: Scenario) -> None:
    sale(
        scenario, "S11-8", "Held for its tax, and paid", customers.QC, "2025-05-14", [hosting(3900)],
        rates=(LUMP_QC,), payments=[Paying(at="2025-05-15", amount=4484)],
        outcome=Outcome(reason="tax_unknown", exceptions=_CASH),
    )  # fmt: skip
    lago_sale(
        scenario, "S11-9", "Lago: paid, and voided without a note: the money is with us", customers.ON,
        "2025-05-15", [hosting(5000)], status="voided", payment_status="succeeded",
        voided_at="2025-05-21T14:00:00Z", payments=[LagoPaying(at="2025-05-16", amount=5650)],
        outcome=Outcome(reason="void_at_source", exceptions=_CASH),
    )  # fmt: skip


def _voided_paid(scenario: Scenario) -> None:
    items = [hosting(20000)]
    lago_sale(
        scenario, "S11-10", "Lago: partly paid and posted, voided in August: the money stays booked",
        customers.ON, "2025-07-15", items, payments=[LagoPaying(at="2025-07-16", amount=10000)],
        payment_status="pending", status="voided" if scenario.later else "finalized",
        voided_at="2025-08-15T14:00:00Z" if scenario.later else None,
        outcome=Outcome(
            reason="void_at_source",
            exceptions=("voided_after_posting",),
            posted=booked(items, line_taxes(items, [HST_ON])),
        )
        if scenario.later
        else None,
    )  # fmt: skip


def _credit(scenario: Scenario) -> None:
    unknown = Outcome(exceptions=("credit_without_origin",))
    lago_sale(
        scenario, "S12-1", "Lago: paid by credits that were given away", customers.ON, "2025-06-10",
        [hosting(10000)], prepaid=11300, granted=11300,
    )  # fmt: skip
    lago_sale(
        scenario, "S12-2", "Lago: credits partly given away, partly bought in no posted top-up",
        customers.ON, "2025-06-11", [hosting(10000)], prepaid=8000, granted=3000,
        payments=[LagoPaying(at="2025-06-11 15:00", amount=3300)], outcome=unknown,
    )  # fmt: skip
    sale(
        scenario, "S12-3", "Customer balance that was given by hand: nobody knows why", customers.GOODWILL,
        "2025-06-12", [hosting(10000)], balance=(-4000, 0),
        payments=[Paying(at="2025-06-12 12:05", amount=7300)], outcome=unknown,
    )  # fmt: skip


def _by_the_sources_day(scenario: Scenario) -> None:
    won = sale(
        scenario, "S13-1", "A dispute lost, and won on appeal in August", customers.ON, "2025-06-16",
        [hosting(4800)], payments=[Paying(at="2025-06-16 15:00", amount=5424)],
        outcome=None if scenario.later else Outcome(exceptions=("dispute_lost",)),
    )  # fmt: skip
    dispute(
        scenario, won, "2025-07-15", status="won" if scenario.later else "lost",
        won_at="2025-08-12" if scenario.later else None,
    )  # fmt: skip
    alone, withdrawn = "refund_without_credit_note", (_TAKEN_BACK,)
    paid = sale(
        scenario, "S13-2", "Refunded in July; the money came back in August", customers.ON, "2025-07-14",
        [hosting(5200)], payments=[Paying(at="2025-07-14 15:00", amount=5876)],
        outcome=Outcome(exceptions=withdrawn if scenario.later else (alone,)),
    )  # fmt: skip
    back = refund(
        scenario, paid, "2025-07-24", 2260, failed_at="2025-08-07" if scenario.later else None
    )
    scenario.settle(
        paid.ref, back.day, "refund", -2260, entry=back.ref,
        withdrawn=_TAKEN_BACK if scenario.later else None,
    )  # fmt: skip
