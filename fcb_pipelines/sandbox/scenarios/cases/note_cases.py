"""Rule S6: credit notes and refunds, with and without each other."""

from dataclasses import replace

from fcb_pipelines.sandbox.scenarios.cases import customers
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoPaying, lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Paying, StripeSale, sale
from fcb_pipelines.sandbox.scenarios.cases.items import hosting, unix
from fcb_pipelines.sandbox.scenarios.cases.notes import credit_of_note, lago_note, note, refund
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Scenario


def write(scenario: Scenario) -> None:
    """Write every case of this rule."""
    _refunded(scenario)
    _unpaid(scenario)
    _shared(scenario)
    _credited(scenario)
    _mixed(scenario)
    _lago(scenario)


def _billed(scenario: Scenario, case: str, what: str, day: str, **more: object) -> StripeSale:
    """An invoice of 100.00 of hosting in Ontario, with tax."""
    return sale(scenario, case, what, customers.ON, day, [hosting(10000)], **more)  # type: ignore[arg-type]


def _paid(scenario: Scenario, case: str, what: str, day: str, **more: object) -> StripeSale:
    """The same invoice, paid at once."""
    payments = [Paying(at=f"{day} 12:05", amount=11300)]
    return _billed(scenario, case, what, day, payments=payments, **more)


def _refunded(scenario: Scenario) -> None:
    one = _paid(scenario, "S6-1", "Paid, then refunded with a credit note", "2025-05-05")
    back = refund(scenario, one, "2025-06-10", 3390)
    note(
        scenario, "S6-1-CN1", "Credit note, and the refund as an outbound payment", one,
        "2025-06-10", [hosting(3000)], before=0, refunds=[back],
    )  # fmt: skip
    alone_in_part = Outcome(exceptions=("refund_without_credit_note",))
    alone = None if scenario.later else alone_in_part
    two = _paid(
        scenario, "S6-2", "Refunded without a credit note, which came in August", "2025-05-06",
        outcome=alone,
    )  # fmt: skip
    cash = refund(scenario, two, "2025-06-11", 2260)
    scenario.settle(two.ref, "2025-06-11", "refund", -2260)
    if scenario.later:
        note(
            scenario, "S6-2-CN1", "The credit note of a refund that was booked before it", two,
            "2025-08-06", [hosting(2000)], before=0, refunds=[replace(cash, booked="2025-08-06")],
        )  # fmt: skip
    nine = _paid(scenario, "S6-9", "Paid, and a refund under way", "2025-06-02")
    pending = refund(
        scenario, nine, "2025-07-29", 1130, status="succeeded" if scenario.later else "pending"
    )
    note(
        scenario, "S6-9-CN1", "Its refund arrived only in August", nine, "2025-07-29",
        [hosting(1000)], before=0, refunds=[pending],
    )  # fmt: skip
    fifteen = _paid(
        scenario, "S6-15", "Posted and paid; refunded and credited in August", "2025-07-21"
    )
    if scenario.later:
        later = refund(scenario, fifteen, "2025-08-14", 11300)
        note(
            scenario, "S6-15-CN1", "A refund and a credit note of an invoice posted before", fifteen,
            "2025-08-14", [hosting(10000)], before=0, refunds=[later],
        )  # fmt: skip
    sixteen = _paid(
        scenario, "S6-16", "Refunded, and a credit note says only of a part of what", "2025-06-05",
        outcome=alone_in_part,
    )  # fmt: skip
    part = refund(scenario, sixteen, "2025-06-20", 5650)
    scenario.settle(sixteen.ref, "2025-06-20", "refund", -5650)
    note(
        scenario, "S6-16-CN1", "Takes its part from refunds pending", sixteen, "2025-07-03",
        [hosting(3000)], before=0, refunds=[replace(part, amount=3390, booked="2025-07-03")],
    )  # fmt: skip
    seventeen = _paid(scenario, "S6-17", "One refund that two credit notes share", "2025-06-06")
    shared = refund(scenario, seventeen, "2025-07-04", 3390)
    scenario.settle(seventeen.ref, "2025-07-04", "refund", -3390)
    for n, day in ((1, "2025-06-30"), (2, "2025-07-07")):
        note(
            scenario, f"S6-17-CN{n}", "Its share of the refund", seventeen, day, [hosting(1000 * n)],
            before=0,
            refunds=[replace(shared, amount=1130 * n, booked=max(day, "2025-07-04"))],
        )  # fmt: skip


def _shared(scenario: Scenario) -> None:
    """One payment of two invoices, and one refund of it, named by a note of each."""
    one, two = (
        _billed(
            scenario, f"S6-{n}", "Paid together with another invoice, refunded together", day,
            payments=[Paying(at=f"2025-06-10 15:{n}", amount=11300, key="S6-shared")],
        )
        for n, day in ((18, "2025-05-26"), (19, "2025-06-09"))
    )  # fmt: skip
    cash = refund(scenario, one, "2025-07-08", 3390)
    scenario.settle(one.ref, "2025-07-08", "refund", -3390)
    for n, of in ((1, one), (2, two)):
        part = replace(cash, amount=1130 * n, booked="2025-07-09")
        note(
            scenario, f"{of.case}-CN1", "Its share of the refund", of, "2025-07-09",
            [hosting(1000 * n)], before=0, refunds=[part],
        )  # fmt: skip


def _unpaid(scenario: Scenario) -> None:
    three = _billed(
        scenario, "S6-3", "Open, and partly credited before payment", "2025-05-12",
        outcome=Outcome(settled=3390),
    )  # fmt: skip
    note(
        scenario, "S6-3-CN1", "Taken off the open invoice", three, "2025-05-20", [hosting(3000)],
    )  # fmt: skip
    four = _billed(
        scenario, "S6-4", "Open, and wholly credited", "2025-05-13",
        outcome=Outcome(settled=11300, settled_as="reversed"),
    )  # fmt: skip
    note(
        scenario, "S6-4-CN1", "Takes the whole invoice back", four, "2025-06-03", [hosting(10000)],
    )  # fmt: skip
    seven = _billed(scenario, "S6-7", "Its credit note was voided", "2025-05-21")
    note(
        scenario, "S6-7-CN1", "Voided: nothing comes of it", seven, "2025-05-26", [hosting(3000)],
        voided="2025-05-27",
    )  # fmt: skip

    twenty = _billed(
        scenario, "S6-20", "Partly credited, then void", "2025-05-27", status="void",
        voided_at=unix("2025-05-29"), outcome=Outcome(reason="void_at_source"),
    )  # fmt: skip
    note(
        scenario, "S6-20-CN1", "Void with its invoice", twenty, "2025-05-28", [hosting(3000)],
        outcome=Outcome(reason="void_at_source"),
    )  # fmt: skip


def _credited(scenario: Scenario) -> None:
    five = _paid(scenario, "S6-5", "Paid, then credited to the customer's balance", "2025-05-14")
    note(
        scenario, "S6-5-CN1", "Credited to the balance", five, "2025-06-04", [hosting(3000)],
        before=0, credited=3390,
    )  # fmt: skip
    eight = _paid(scenario, "S6-8", "Paid, and given back outside of Stripe", "2025-05-22")
    note(
        scenario, "S6-8-CN1", "Given back outside of Stripe: no entry", eight, "2025-06-05",
        [hosting(3000)], before=0, out_of_band=3390,
        outcome=Outcome(exceptions=("off_stripe_payment",)),
    )  # fmt: skip


def _mixed(scenario: Scenario) -> None:
    six = _billed(
        scenario, "S6-6", "Partly paid, then wholly credited", "2025-05-15",
        payments=[Paying(at="2025-05-15 12:05", amount=5000)], outcome=Outcome(settled=11300),
    )  # fmt: skip
    back = refund(scenario, six, "2025-06-06", 5000)
    note(
        scenario, "S6-6-CN1", "Mixed: what was open is taken off, what was paid is refunded", six,
        "2025-06-06", [hosting(10000)], before=6300, refunds=[back],
    )  # fmt: skip


def _lago(scenario: Scenario) -> None:
    ten = lago_sale(
        scenario, "S6-10", "Lago: paid, then refunded with a credit note", customers.ON, "2025-05-06",
        [hosting(10000)], payments=[LagoPaying(at="2025-05-06 15:00", amount=11300)],
    )  # fmt: skip
    lago_note(
        scenario, "S6-10-CN1", "Lago: refunded", ten, "2025-06-12", [hosting(3000)], refunded=3390,
    )  # fmt: skip
    eleven = lago_sale(
        scenario, "S6-11", "Lago: paid, then credited for later invoices", customers.ON, "2025-05-07",
        [hosting(10000)], payments=[LagoPaying(at="2025-05-07 15:00", amount=11300)],
    )  # fmt: skip
    lago_note(
        scenario, "S6-11-CN1", "Lago: partly used, the rest stays open on the note", eleven,
        "2025-06-13", [hosting(5000)], used=2260,
    )  # fmt: skip
    lago_sale(
        scenario, "S6-12", "Lago: wholly settled by a credit note of another invoice", customers.ON,
        "2025-07-01", [hosting(2000)], noted=2260,
        credits=[credit_of_note("S6-11-CN1", "S6-12", 2260)],
        outcome=Outcome(settled_as="reversed"),
    )  # fmt: skip
    thirteen = lago_sale(
        scenario, "S6-13", "Lago: open, and partly set off by its own credit note", customers.ON,
        "2025-05-08", [hosting(10000)], offset=3390,
    )  # fmt: skip
    lago_note(
        scenario, "S6-13-CN1", "Lago: set off against its own invoice", thirteen, "2025-06-16",
        [hosting(3000)], offset=3390,
    )  # fmt: skip
    fourteen = lago_sale(
        scenario, "S6-14", "Lago: paid; one credit note refunds, one is voided", customers.ON,
        "2025-05-09", [hosting(10000)],
        payments=[LagoPaying(at="2025-05-09 15:00", amount=11300)],
    )  # fmt: skip
    lago_note(
        scenario, "S6-14-CN1", "Lago: its refund has not gone through", fourteen, "2025-06-17",
        [hosting(1000)], refunded=1130, refund_status="pending",
    )  # fmt: skip
    lago_note(
        scenario, "S6-14-CN2", "Lago: its credit was voided before any use", fourteen, "2025-06-18",
        [hosting(500)], voided="2025-06-19",
    )  # fmt: skip
