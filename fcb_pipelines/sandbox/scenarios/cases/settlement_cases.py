"""Rules S1-S5 and S7-S9, D1, D2 and D4: payments of every kind, and what happens after posting."""

from fcb_pipelines.sandbox.scenarios.cases import customers
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoPaying, lago_sale, shared_payment
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Dates, Paying, sale
from fcb_pipelines.sandbox.scenarios.cases.items import (
    HST_ON,
    backup,
    booked,
    hosting,
    line_taxes,
    managed,
    unix,
)
from fcb_pipelines.sandbox.scenarios.cases.notes import dispute, failure
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Booked, Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Copied, Scenario

_OFF = Outcome(exceptions=("off_stripe_payment",))
_FAILED = Outcome(exceptions=("payment_failed",), settled=0)
_OVERPAID = Outcome(exceptions=("overpaid",), settled=11300)


def write(scenario: Scenario) -> None:
    """Write every case of these rules."""
    _payments(scenario)
    _overpayments(scenario)
    _off_stripe(scenario)
    _shared(scenario)
    _failures(scenario)
    _no_longer_told(scenario)
    _uncollectible(scenario)
    _disputes(scenario)
    _after_posting(scenario)
    _locked(scenario)


def _payments(scenario: Scenario) -> None:
    sale(
        scenario, "S1-1", "NexaCloud calls it paid; Stripe's payment is still open",
        customers.ON, "2025-07-02", [hosting(3300)], copied=Copied(status="paid"),
        payments=[Paying(at="2025-07-02", amount=3729, status="open")],
        outcome=Outcome(exceptions=("nexacloud_differs",)),
    )  # fmt: skip
    lago_sale(
        scenario, "S1-2", "Lago: one payment failed, one is pending",
        customers.ON, "2025-07-02", [hosting(3400)],
        payments=[
            LagoPaying(at="2025-07-02 15:00", amount=3842, status="failed"),
            LagoPaying(at="2025-07-03 15:00", amount=3842, status="pending"),
        ],
    )  # fmt: skip
    rest = [Paying(at="2025-08-12", amount=7300)] if scenario.later else []
    sale(
        scenario, "S2-1", "Partly paid, the rest in August",
        customers.ON, "2025-07-03", [hosting(10000)],
        payments=[Paying(at="2025-07-04", amount=4000), *rest],
    )  # fmt: skip
    sale(
        scenario, "S2-2", "Paid in three parts over two months",
        customers.ON, "2025-06-24", [managed(10000)],
        payments=[
            Paying(at="2025-06-24 13:00", amount=4000),
            Paying(at="2025-07-08", amount=4000),
            Paying(at="2025-07-22", amount=3300),
        ],
    )  # fmt: skip
    lago_sale(
        scenario, "S2-3", "Lago: partly paid", customers.ON, "2025-07-04", [hosting(5000)],
        payments=[LagoPaying(at="2025-07-07", amount=2000)],
    )  # fmt: skip


def _overpayments(scenario: Scenario) -> None:
    sale(
        scenario, "S3-1", "Overpaid: Stripe credits the excess to the customer",
        customers.ON, "2025-07-07", [hosting(10000)], overpaid=3700,
        payments=[Paying(at="2025-07-07 15:00", amount=15000)], outcome=_OVERPAID,
    )  # fmt: skip
    sale(
        scenario, "S3-2", "Paid twice, and Stripe says nothing of it",
        customers.ON, "2025-07-08", [hosting(10000)],
        payments=[
            Paying(at="2025-07-08 15:00", amount=11300),
            Paying(at="2025-07-09", amount=11300),
        ],
        outcome=_OVERPAID,
    )  # fmt: skip
    lago_sale(
        scenario, "S3-3", "Lago: paid twice", customers.ON, "2025-07-09", [hosting(10000)],
        payments=[
            LagoPaying(at="2025-07-09 15:00", amount=11300),
            LagoPaying(at="2025-07-10", amount=11300),
        ],
        outcome=_OVERPAID,
    )  # fmt: skip


def _off_stripe(scenario: Scenario) -> None:
    sale(
        scenario, "S4-1", "Marked as paid outside of Stripe",
        customers.ON, "2025-07-10", [hosting(10000)], off_stripe=11300, outcome=_OFF,
    )  # fmt: skip
    sale(
        scenario, "S4-2", "A payment record: money that never passed through Stripe",
        customers.ON, "2025-07-10", [managed(10000)], off_stripe=11300,
        payments=[Paying(at="2025-07-11", amount=11300, by="record")], outcome=_OFF,
    )  # fmt: skip
    lago_sale(
        scenario, "S4-3", "Lago: paid by cheque", customers.ON, "2025-07-11", [hosting(10000)],
        payments=[LagoPaying(at="2025-07-14", amount=11300, type="manual")], outcome=_OFF,
    )  # fmt: skip
    sale(
        scenario, "S4-4", "Part by card, part outside of Stripe",
        customers.ON, "2025-07-14", [hosting(10000)], off_stripe=6300,
        payments=[
            Paying(at="2025-07-14 15:00", amount=5000),
            Paying(at="2025-07-15", amount=6300, by="record"),
        ],
        outcome=_OFF,
    )  # fmt: skip

    lago_sale(
        scenario, "S4-5", "Lago: marked as paid, and by nothing that it knows",
        customers.ON, "2025-07-16", [hosting(10000)], payment_status="succeeded", outcome=_OFF,
    )  # fmt: skip
    beside = lago_sale(
        scenario, "S4-6", "Lago: charges in advance, of fees that were paid beside it",
        customers.ON, "2025-07-17", [hosting(4800)], payment_status="succeeded",
        invoice_type="advance_charges", outcome=_OFF,
    )  # fmt: skip
    beside.invoice |= {"total_paid_amount_cents": 5424, "total_due_amount_cents": 0}


def _shared(scenario: Scenario) -> None:
    for n, day in ((1, "2025-04-28"), (2, "2025-05-28")):
        sale(
            scenario, f"S5-{n}", "One payment intent for an invoice of April and one of May",
            customers.BC, day, [hosting(10000 * n)],
            payments=[Paying(at="2025-06-05", amount=11200 * n, key="S5-shared")],
        )  # fmt: skip
    first, second = (
        lago_sale(
            scenario, f"S5-{n}", "Lago: one payment for an invoice of April and one of May",
            customers.SK, day, [hosting(10000 * (n - 2))], shared=11100 * (n - 2),
        )
        for n, day in ((3, "2025-04-30"), (4, "2025-05-30"))
    )  # fmt: skip
    shared_payment(scenario, "S5-lago", "2025-06-06", 33300, [first, second])
    sale(
        scenario, "S5-5", "Its payment comes to pay another invoice in August too",
        customers.BC, "2025-06-10", [hosting(10000)],
        payments=[Paying(at="2025-06-11", amount=11200, key="S5-later")],
    )  # fmt: skip
    rest = [Paying(at="2025-08-05", amount=5600, key="S5-later")] if scenario.later else []
    sale(
        scenario, "S5-6", "Open, until the rest of another invoice's payment pays it",
        customers.BC, "2025-07-10", [hosting(5000)], payments=rest,
    )  # fmt: skip


def _failures(scenario: Scenario) -> None:
    sale(
        scenario, "S7-1", "A bank debit confirmed, and taken back a week later",
        customers.ON, "2025-05-16", [hosting(10000)],
        payments=[
            Paying(at="2025-05-20", amount=11300, status="canceled", canceled_at="2025-05-27")
        ],
        outcome=_FAILED,
    )  # fmt: skip
    failed = sale(
        scenario, "S7-2", "Taken back by the bank: only Stripe's balance says so",
        customers.ON, "2025-06-18", [managed(10000)],
        payments=[Paying(at="2025-06-20", amount=11300, by="charge")], outcome=_FAILED,
    )  # fmt: skip
    failure(scenario, failed, "2025-06-27")
    debit = sale(
        scenario, "S7-6", "The same of a payment intent, whose charge Stripe's balance names",
        customers.ON, "2025-06-19", [managed(11000)],
        payments=[Paying(at="2025-06-20", amount=12430)], outcome=_FAILED,
    )  # fmt: skip
    failure(scenario, debit, "2025-06-30")
    back = {"status": "canceled", "canceled_at": "2025-08-08"} if scenario.later else {}
    sale(
        scenario, "S7-3", "Paid when it was posted, taken back in August",
        customers.ON, "2025-07-15", [backup(10000)],
        payments=[Paying(at="2025-07-17", amount=11300, **back)],
        outcome=_FAILED if scenario.later else None,
    )  # fmt: skip
    for n, day in ((4, "2025-05-19"), (5, "2025-06-19")):
        sale(
            scenario, f"S7-{n}", "One bank debit for an invoice of May and one of June, taken back",
            customers.BC, day, [hosting(3000 * n)],
            payments=[
                Paying(at="2025-06-23", amount=3360 * n, key="S7-shared", status="canceled",
                       canceled_at="2025-07-02")
            ],
            outcome=_FAILED,
        )  # fmt: skip


def _no_longer_told(scenario: Scenario) -> None:
    taken_back = Outcome(exceptions=("settlement_taken_back",), settled=3616)
    paid = lago_sale(
        scenario, "S7-7", "Lago: paid when it was posted; in August Lago says that it failed",
        customers.ON, "2025-07-18", [backup(3200)], outcome=taken_back if scenario.later else None,
        payments=[
            LagoPaying(
                at="2025-07-21 15:00", amount=3616,
                status="failed" if scenario.later else "succeeded",
            )
        ],
    )  # fmt: skip
    if scenario.later:
        scenario.settle(
            paid.ref, "2025-07-21", "payment", 3616, entry=paid.payment_ref(0),
            withdrawn="settlement_taken_back",
        )  # fmt: skip


def _uncollectible(scenario: Scenario) -> None:
    given_up = Outcome(exceptions=("uncollectible",))
    sale(
        scenario, "S8-1", "Given up: it stays in the receivable and is listed",
        customers.ON, "2025-04-22", [hosting(6000)], status="uncollectible",
        marked_uncollectible_at=unix("2025-06-30"), outcome=given_up,
    )  # fmt: skip
    sale(
        scenario, "S8-2", "Given up, and paid after all",
        customers.ON, "2025-04-23", [hosting(7000)], marked_uncollectible_at=unix("2025-06-30"),
        payments=[Paying(at="2025-07-18", amount=7910)],
    )  # fmt: skip
    paid = [Paying(at="2025-08-11", amount=9040)] if scenario.later else []
    sale(
        scenario, "S8-3", "Given up, and paid in August",
        customers.ON, "2025-04-24", [hosting(8000)], marked_uncollectible_at=unix("2025-06-30"),
        status="paid" if scenario.later else "uncollectible", payments=paid,
        outcome=None if scenario.later else given_up,
    )  # fmt: skip


def _disputes(scenario: Scenario) -> None:
    lost = Outcome(exceptions=("dispute_lost",))
    disputes = (
        ("S9-1", "Disputed, and lost in August", "lost" if scenario.later else "needs_response",
         lost if scenario.later else Outcome(exceptions=("disputed",))),
        ("S9-2", "A dispute lost: no entry by default", "lost", lost),
        ("S9-3", "A dispute won: nothing to list", "won", None),
    )  # fmt: skip
    for n, (case, what, status, outcome) in enumerate(disputes):
        paid = sale(
            scenario, case, what, customers.ON, f"2025-06-{9 + n:02}", [hosting(4000 + 1000 * n)],
            payments=[Paying(at=f"2025-06-{9 + n:02} 15:00", amount=4520 + 1130 * n)],
            outcome=outcome,
        )  # fmt: skip
        dispute(scenario, paid, f"2025-07-{9 + n:02}", status=status)


def _after_posting(scenario: Scenario) -> None:
    voided = Outcome(
        reason="void_at_source", exceptions=("voided_after_posting",), posted=_lines(4400)
    )
    sale(
        scenario, "D1-1", "Posted, and voided at Stripe in August",
        customers.ON, "2025-07-16", [hosting(4400)],
        status="void" if scenario.later else None,
        voided_at=unix("2025-08-12") if scenario.later else None,
        outcome=voided if scenario.later else None,
    )  # fmt: skip
    lago_sale(
        scenario, "D1-2", "Posted, and voided at Lago in August",
        customers.ON, "2025-07-17", [hosting(4400)],
        status="voided" if scenario.later else "finalized",
        voided_at="2025-08-13T14:00:00Z" if scenario.later else None,
        outcome=voided if scenario.later else None,
    )  # fmt: skip
    changed = Outcome(exceptions=("source_changed",), posted=_lines(4600))
    sale(
        scenario, "D2-1", "Posted, and changed at its source in August: the move stays",
        customers.ON, "2025-07-18", [hosting(4700 if scenario.later else 4600)],
        outcome=changed if scenario.later else None,
    )  # fmt: skip


def _lines(net: int) -> tuple[Booked, ...]:
    """The posted lines of an invoice of Ontario over `net`."""
    items = [hosting(net)]
    return booked(items, line_taxes(items, [HST_ON]))


def _locked(scenario: Scenario) -> None:
    sale(
        scenario, "D4-1", "Dated in a period that the ledger has locked",
        customers.ON, "2025-03-05", [hosting(6600)],
        payments=[Paying(at="2025-03-12", amount=7458)],
        outcome=Outcome(reason="period_locked", exceptions=("cash_without_document",)),
    )  # fmt: skip
    sale(
        scenario, "D4-2", "Its payment lies in the locked period: the document posts",
        customers.ON, "2025-03-12", [hosting(6700)],
        dates=Dates(finalized="2025-03-07", effective="2025-03-12"),
        payments=[Paying(at="2025-03-08", amount=7571)],
        outcome=Outcome(exceptions=("settlement_period_locked",), settled=0),
    )  # fmt: skip
