"""Rules A1-A11: dates, statuses, scope and identity."""

from dataclasses import replace

from fcb_pipelines.sandbox.scenarios.builders.sales import stripe_id, uuid_of
from fcb_pipelines.sandbox.scenarios.builders.stripe_cash_shapes import stripe_balance_transaction
from fcb_pipelines.sandbox.scenarios.cases import customers
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoPaying, lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Dates, Paying, sale
from fcb_pipelines.sandbox.scenarios.cases.items import backup, hosting, managed, unix
from fcb_pipelines.sandbox.scenarios.cases.notes import note
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Copied, Scenario


def write(scenario: Scenario) -> None:
    """Write every case of these rules."""
    _dates(scenario)
    _statuses(scenario)
    _scope(scenario)
    _claims(scenario)
    _parties(scenario)


def _dates(scenario: Scenario) -> None:
    late = sale(
        scenario, "A1-1", "Finalised on 31 March at 23:30 in Toronto: April in UTC, March here",
        customers.ON, "2025-03-31 23:30", [hosting(21450)],
        dates=Dates(created="2025-03-20"), payments=[Paying(at="2025-04-01", amount=24239)],
    )  # fmt: skip
    late.invoice["effective_at"] = None
    sale(
        scenario, "A1-2", "Finalised in May, effective in April: the printed date counts",
        customers.ON, "2025-04-15", [managed(8000)],
        dates=Dates(finalized="2025-05-02", effective="2025-04-15"),
        payments=[Paying(at="2025-05-02 15:00", amount=9040)],
    )  # fmt: skip
    lago_sale(
        scenario, "A1-3", "Lago's issuing date is local already, though made on 1 June in UTC",
        customers.ON, "2025-05-31", [hosting(10000)], created="2025-05-31 23:10",
        payments=[LagoPaying(at="2025-06-02", amount=11300)],
    )  # fmt: skip
    for n, moment in ((4, "2025-05-31 23:59:59"), (5, "2025-06-01 00:00:00")):
        sale(
            scenario, f"A1-{n}", "A second to midnight is May, midnight is June", customers.ON, moment,
            [hosting(1900 + n)], payments=[Paying(at="2025-06-03", amount=2148 + n)],
        )  # fmt: skip
    sale(
        scenario, "A2-1", "Issued in April, paid in May",
        customers.ON, "2025-04-20", [hosting(15000)],
        payments=[Paying(at="2025-05-03", amount=16950)],
    )  # fmt: skip
    if scenario.later:
        sale(
            scenario, "A2-2", "Issued and paid in August",
            customers.ON, "2025-08-05", [hosting(15000)],
            payments=[Paying(at="2025-08-05 12:10", amount=16950)], copied=Copied(late=True),
        )  # fmt: skip


def _statuses(scenario: Scenario) -> None:
    sale(scenario, "A3-1", "Open and owed", customers.ON, "2025-05-06", [managed(4000)])
    if scenario.later:
        sale(
            scenario, "A3-2", "A draft of July, finalised in August",
            customers.ON, "2025-08-02", [hosting(3000)], dates=Dates(created="2025-07-28"),
        )  # fmt: skip
    else:
        sale(
            scenario, "A3-2", "A draft", customers.ON, None, [hosting(3000)], status="draft",
            dates=Dates(created="2025-07-28"), outcome=Outcome(reason="draft_at_source"),
            rates=(),
        )  # fmt: skip
    sale(
        scenario, "A3-3", "Voided before it was ever posted; NexaCloud calls it paid",
        customers.ON, "2025-05-07", [hosting(5000)], status="void",
        voided_at=unix("2025-05-08"), copied=Copied(status="paid"),
        outcome=Outcome(reason="void_at_source", exceptions=("nexacloud_differs",)),
    )  # fmt: skip
    sale(
        scenario, "A3-4", "A status that no version knows", customers.ON, "2025-05-09", [hosting(5100)],
        status="in_review",
        outcome=Outcome(reason="unknown_status", exceptions=("nexacloud_differs",)),
        copied=Copied(status="open"),
    )  # fmt: skip
    for n, status in ((5, "pending"), (6, "failed")):
        lago_sale(
            scenario, f"A3-{n}", f"Lago: {status}, not issued yet", customers.ON, "2025-05-10",
            [hosting(5200)], status=status, payment_status="pending",
            outcome=Outcome(reason="draft_at_source"),
        )  # fmt: skip
    lago_sale(
        scenario, "A3-7", "Lago: voided", customers.ON, "2025-05-12", [hosting(5300)], status="voided",
        payment_status="pending", voided_at="2025-05-13T14:00:00Z",
        outcome=Outcome(reason="void_at_source"),
    )  # fmt: skip
    lago_sale(
        scenario, "A3-8", "Lago: a status that no version knows", customers.ON, "2025-05-14",
        [hosting(5400)], status="archived", payment_status="pending",
        outcome=Outcome(reason="unknown_status", exceptions=("nexacloud_differs",)),
    )  # fmt: skip
    scenario.row_without_document(
        "A3-9", "Lago is still generating it: hidden, so it does not exist yet", customers.ON,
        f"lago:{uuid_of('edge/lago/A3-9')}", "missing_at_source", net=5500, tax=715,
    )  # fmt: skip
    sale(
        scenario, "A4-1", "Made in test mode", customers.ON, "2025-05-15", [hosting(9900)],
        livemode=False, outcome=Outcome(reason="test_mode"),
    )  # fmt: skip
    sale(
        scenario, "A4-2", "Dated before the first period", customers.ON, "2025-02-27", [hosting(9800)],
        payments=[Paying(at="2025-02-27 13:00", amount=11074)],
        outcome=Outcome(reason="before_cutover"),
    )  # fmt: skip


def _scope(scenario: Scenario) -> None:
    scenario.row_without_document(
        "A5-1", "NexaCloud names a Stripe invoice that does not exist", customers.ON,
        stripe_id("in", "edge/A5-1"), "missing_at_source", net=6100, tax=793,
    )  # fmt: skip
    scenario.row_without_document(
        "A5-2", "NexaCloud names a Lago invoice that does not exist", customers.ON,
        f"lago:{uuid_of('edge/lago/A5-2')}", "missing_at_source", net=6200, tax=806,
    )  # fmt: skip
    unmapped = Outcome(reason="missing_in_nexacloud")
    sale(
        scenario, "A6-1", "Billed to a NexaCloud customer, copied only a month later",
        customers.AB, "2025-06-03", [hosting(7000)],
        payments=[Paying(at="2025-06-03 12:05", amount=7350)], copied=Copied(late=True),
        outcome=None
        if scenario.later
        else Outcome(reason="missing_in_nexacloud", exceptions=("cash_without_document",)),
    )  # fmt: skip
    sale(
        scenario, "A6-2", "NexaCloud's by its metadata, of a customer that no user names",
        customers.MARKED, "2025-06-04", [hosting(7100)], copied=None, outcome=unmapped,
        metadata={"nexacloud_user_id": customers.MARKED.user_id},
    )  # fmt: skip
    lago_sale(
        scenario, "A6-3", "Lago billed a NexaCloud user, and NexaCloud has no copy",
        customers.AB, "2025-06-05", [hosting(7200)], copied=None, outcome=unmapped,
    )  # fmt: skip
    credited = sale(
        scenario, "A6-4", "Unmapped as well, and credited since",
        customers.AB, "2025-06-06", [hosting(7300)], copied=None, outcome=unmapped,
    )  # fmt: skip
    note(
        scenario, "A6-4-CN1", "A credit note of an invoice that is held for want of an owner",
        credited, "2025-06-09", [hosting(1000)],
        outcome=unmapped,
    )  # fmt: skip
    lago_sale(
        scenario, "A6-7", "Lago made it anew of a voided one, and NexaCloud has no copy", customers.AB,
        "2025-06-09", [hosting(7400)], copied=None,
        payments=[LagoPaying(at="2025-06-10", amount=7770)],
        outcome=Outcome(reason="missing_in_nexacloud", exceptions=("cash_without_document",)),
    )  # fmt: skip
    apart = len(scenario.members)
    sale(scenario, "A6-5", "Another product's, at Stripe", customers.STRANGER, "2025-06-10",
         [hosting(9000)], copied=None)  # fmt: skip
    lago_sale(scenario, "A6-6", "Another product's, at Lago", customers.STRANGER, "2025-06-10",
              [hosting(9000)], copied=None)  # fmt: skip
    scenario.exclude(apart)
    nobody = sale(
        scenario, "A6-8", "Of no customer, and no copy says whose it is: held, and nobody's", customers.AB,
        "2025-06-10", [hosting(9100)], copied=None,
        outcome=replace(unmapped, detail="no customer is on the document"),
    )  # fmt: skip
    nobody.invoice["customer"] = None
    scenario.members[-1] = replace(scenario.members[-1], partner=nobody.ref)


def _claims(scenario: Scenario) -> None:
    claimed = sale(
        scenario, "A7-1", "Claimed by two NexaCloud invoices: it posts once",
        customers.ON, "2025-06-11", [managed(6000)],
        payments=[Paying(at="2025-06-11 12:05", amount=6780)],
    )  # fmt: skip
    scenario.row_without_document(
        "A7-2", "The later of two claims on one document", customers.ON, claimed.id,
        "duplicate_claim", net=6000, tax=780, period="2025-06",
    )  # fmt: skip
    collected = lago_sale(
        scenario, "A8-1", "Lago's document, collected through Stripe: one revenue",
        customers.ON, "2025-06-12", [hosting(11000)],
        payments=[LagoPaying(at="2025-06-12 15:00", amount=12430)],
    )  # fmt: skip
    scenario.put(
        "stripe/balance_transactions",
        stripe_balance_transaction(
            stripe_id("txn", "edge/A8-1"), 12430, type="charge",
            source=stripe_id("ch", "edge/A8-1/0"), created=unix("2025-06-12 15:00"), fee=390,
            description=f"Payment of {collected.invoice['number']} collected for Lago",
        ),
    )  # fmt: skip


def _parties(scenario: Scenario) -> None:
    for n, who in ((1, customers.TWIN), (2, customers.OTHER_TWIN)):
        sale(
            scenario, f"A9-{n}", "Two accounts with one email: a partner each", who,
            f"2025-06-{12 + n}", [hosting(3000)],
            payments=[Paying(at=f"2025-06-{12 + n} 12:05", amount=3390)],
        )  # fmt: skip
    sale(
        scenario, "A9-3", "Its user is deleted: the partner is the invoice's snapshot",
        customers.DELETED, "2025-06-16", [hosting(3100)],
        payments=[Paying(at="2025-06-16 12:05", amount=3503)],
        outcome=Outcome(exceptions=("nexacloud_differs",)),
    )  # fmt: skip
    renamed = sale(
        scenario, "A9-4", "Renamed since: the document shows the old name",
        customers.RENAMED, "2025-06-17", [hosting(3200)],
        payments=[Paying(at="2025-06-17 12:05", amount=3616)],
    )  # fmt: skip
    renamed.invoice["customer_name"] = "Old Name Ltd."
    erased = sale(
        scenario, "A9-5", "Its customer is deleted at Stripe", customers.AB, "2025-06-18", [hosting(3300)],
        payments=[Paying(at="2025-06-18 12:07", amount=3465)],
    )  # fmt: skip
    erased.invoice["customer"] = {
        "id": customers.AB.stripe_id, "object": "customer", "deleted": True,
    }  # fmt: skip
    nobody = sale(
        scenario, "A9-6", "Stripe names no customer; NexaCloud's copy says whose it is", customers.AB,
        "2025-06-18", [hosting(3400)], payments=[Paying(at="2025-06-18 12:08", amount=3570)],
        outcome=Outcome(exceptions=("nexacloud_differs",)),
    )  # fmt: skip
    nobody.invoice["customer"] = None
    for n in (1, 2):
        sale(
            scenario, f"A10-{n}", "Two invoices with one number: identity is the id", customers.ON,
            f"2025-06-{17 + n}", [backup(1500 * n)], number="EC-A10-1",
            payments=[Paying(at=f"2025-06-{17 + n} 12:05", amount=1695 * n)],
        )  # fmt: skip
    scenario.row_without_document(
        "A11-1", "A NexaCloud invoice that names no document", customers.ON, None,
        "no_source_id", net=8100, tax=1053,
    )  # fmt: skip
    scenario.row_without_document(
        "A11-2", "A NexaCloud invoice that names a document of an unknown kind", customers.ON,
        "qb_10023", "no_source_id", net=8200, tax=1066,
    )  # fmt: skip
