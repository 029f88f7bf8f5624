"""Rules B12 and B13: credit notes decided with their invoice, and documents that sold nothing."""

from fcb_pipelines.sandbox.scenarios.cases import customers
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoPaying, lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Paying, sale
from fcb_pipelines.sandbox.scenarios.cases.items import HST_ON, booked, hosting, line_taxes, managed
from fcb_pipelines.sandbox.scenarios.cases.notes import lago_note, note, refund
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Booked, Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Scenario

_CASH = ("cash_without_document",)
_VOID = Outcome(reason="void_at_source", exceptions=_CASH)


def write(scenario: Scenario) -> None:
    """Write every case of these rules."""
    _held(scenario)
    _voided_before(scenario)
    _voided_after(scenario)
    _sold_nothing(scenario)
    _opening(scenario)
    _zero_totals(scenario)


def _waits_for(case: str, reason: str, *exceptions: str) -> Outcome:
    """The outcome of a note that is held because its invoice is."""
    return Outcome(
        reason="invoice_held",
        exceptions=exceptions,
        detail=f"its invoice EC-{case} is held: {reason}",
    )


def _held(scenario: Scenario) -> None:
    unknown = "treatment_unknown"
    topped_up = lago_sale(
        scenario, "B12-1", "A wallet top-up, paid: held, and its money listed",
        customers.ON, "2025-05-06", [hosting(7700, description="Prepaid credits")], rates=(),
        invoice_type="credit", payments=[LagoPaying(at="2025-05-06 15:00", amount=7700)],
        outcome=Outcome(reason=unknown, exceptions=_CASH),
    )  # fmt: skip
    lago_note(
        scenario, "B12-1-CN1", "Gives part of the top-up back: held with it, and its money listed too",
        topped_up, "2025-05-20", [hosting(2500)], refunded=2500,
        outcome=_waits_for("B12-1", unknown, *_CASH),
    )  # fmt: skip
    self_billed = lago_sale(
        scenario, "B12-2", "Self-billed, and credited since", customers.ON, "2025-05-07", [hosting(6150)],
        self_billed=True, outcome=Outcome(reason=unknown),
    )  # fmt: skip
    lago_note(
        scenario, "B12-2-CN1", "Of a self-billed invoice: no sale, so nothing to take back on its own",
        self_billed, "2025-05-21", [hosting(1550)], outcome=_waits_for("B12-2", unknown),
    )  # fmt: skip
    credits = sale(
        scenario, "B12-3", "Stripe billing credits, partly credited before payment",
        customers.ON, "2025-05-08", [hosting(5350)], outcome=Outcome(reason=unknown),
    )  # fmt: skip
    credits.invoice["total_pretax_credit_amounts"] = [
        {
            "amount": 1200,
            "credit_balance_transaction": "cbtxn_edgeB123",
            "discount": None,
            "type": "credit_balance_transaction",
        }
    ]
    note(
        scenario, "B12-3-CN1", "Waits for the invoice that its billing credits hold",
        credits, "2025-05-22", [hosting(1100)], outcome=_waits_for("B12-3", unknown),
    )  # fmt: skip


def _voided_before(scenario: Scenario) -> None:
    paid = lago_sale(
        scenario, "B12-4", "Paid, then voided with a credit note before it was ever posted",
        customers.ON, "2025-05-12", [hosting(8400)], status="voided", payment_status="succeeded",
        voided_at="2025-05-23T14:00:00Z", outcome=_VOID,
        payments=[LagoPaying(at="2025-05-13", amount=9492)],
    )  # fmt: skip
    lago_note(
        scenario, "B12-4-CN1", "Skipped with its invoice; what came and what went is listed",
        paid, "2025-05-23", [hosting(8400)], refunded=9492, outcome=_VOID,
    )  # fmt: skip


def _voided_after(scenario: Scenario) -> None:
    voided_at = "2025-08-14T14:00:00Z" if scenario.later else None
    status = "voided" if scenario.later else "finalized"
    whole = lago_sale(
        scenario, "B12-5", "Posted and paid; voided in August with a note that refunds all of it",
        customers.ON, "2025-07-08", [hosting(8600)], status=status, payment_status="succeeded",
        payments=[LagoPaying(at="2025-07-09", amount=9718)], voided_at=voided_at,
    )  # fmt: skip
    if scenario.later:
        lago_note(
            scenario, "B12-5-CN1", "Takes the revenue back once, for the void as well",
            whole, "2025-08-14", [hosting(8600)], refunded=9718,
        )  # fmt: skip
    part = lago_sale(
        scenario, "B12-6", "Posted, credited in part, then voided in August",
        customers.ON, "2025-07-10", [hosting(9000)], offset=3390, status=status,
        payment_status="pending", voided_at=voided_at,
        outcome=_voided(9000, noted=3000) if scenario.later else None,
    )  # fmt: skip
    lago_note(
        scenario, "B12-6-CN1", "Stands: what corrects the void deducts it", part, "2025-07-11",
        [hosting(3000)], offset=3390,
    )  # fmt: skip
    corrected = lago_sale(
        scenario, "B12-7", "Posted, voided in August and corrected; a note that comes then is skipped",
        customers.ON, "2025-07-14", [hosting(9100)], status=status, payment_status="pending", voided_at=voided_at,
        outcome=_voided(9100) if scenario.later else None,
    )  # fmt: skip
    if scenario.corrected:
        lago_note(
            scenario, "B12-7-CN1", "Comes after the correction: it would take back twice", corrected,
            "2025-08-29", [hosting(9100)], outcome=Outcome(reason="reversed_already"),
        )  # fmt: skip


def _voided(net: int, *, noted: int = 0) -> Outcome:
    """The outcome of an invoice posted over `net` and void now, of which notes reverse `noted`."""
    _, taken = (line_taxes([hosting(each)], [HST_ON])[0][0] for each in (net, noted))
    return Outcome(
        reason="void_at_source",
        exceptions=("voided_after_posting",),
        posted=_posted(net),
        noted=(noted, taken),
        settled=noted + taken,
    )


def _posted(net: int) -> tuple[Booked, ...]:
    items = [hosting(net)]
    return booked(items, line_taxes(items, [HST_ON]))


def _sold_nothing(scenario: Scenario) -> None:
    tried = sale(
        scenario, "B12-8", "Made in test mode, and credited there", customers.ON, "2025-05-14",
        [hosting(4300)], livemode=False, outcome=Outcome(reason="test_mode"),
    )  # fmt: skip
    note(
        scenario, "B12-8-CN1", "A note of test mode", tried, "2025-05-15", [hosting(4300)],
        outcome=Outcome(reason="test_mode"),
    )  # fmt: skip
    failed = lago_sale(
        scenario, "B12-9", "Lago: not issued, since its taxes failed", customers.ON, "2025-05-15",
        [hosting(4400)], status="failed", payment_status="pending",
        outcome=Outcome(reason="draft_at_source"),
    )  # fmt: skip
    lago_note(
        scenario, "B12-9-CN1", "Takes nothing back: its invoice was never issued", failed,
        "2025-05-16", [hosting(1000)],
        outcome=Outcome(
            reason="invoice_skipped", detail="its invoice EC-B12-9 is skipped: draft_at_source"
        ),
    )  # fmt: skip
    apart = len(scenario.members)
    other = sale(
        scenario, "B12-10", "Another product's", customers.STRANGER, "2025-05-19", [hosting(4500)],
        copied=None,
    )  # fmt: skip
    scenario.exclude(apart)
    note(
        scenario, "B12-10-CN1", "Marked as NexaCloud's by hand, of an invoice that is not", other,
        "2025-05-20", [hosting(4500)], outcome=Outcome(reason="invoice_skipped"),
        metadata={"nexacloud_user_id": customers.STRANGER.user_id},
    )  # fmt: skip


def _opening(scenario: Scenario) -> None:
    before = Outcome(reason="before_cutover")
    paid = sale(
        scenario, "B12-11", "Of before the books began, and paid then", customers.ON, "2025-02-18",
        [hosting(10000)], payments=[Paying(at="2025-02-19", amount=11300)], outcome=before,
    )  # fmt: skip
    back = refund(scenario, paid, "2025-04-14", 11300)
    note(
        scenario, "B12-11-CN1", "Posts on its own date, with its refund; nothing is open", paid,
        "2025-04-14", [hosting(10000)], before=0, refunds=[back],
    )  # fmt: skip
    owed = sale(
        scenario, "B12-12", "Of before the books began, and open when they did", customers.ON,
        "2025-02-20", [hosting(10000)], outcome=before,
    )  # fmt: skip
    note(
        scenario, "B12-12-CN1", "Posts; what it takes off stays open for a person to match", owed,
        "2025-04-16", [hosting(5000)],
        outcome=Outcome(exceptions=("opening_document",), settled=0, waits=True),
    )  # fmt: skip


def _zero_totals(scenario: Scenario) -> None:
    goodwill = "Odoo ERP Hosting - goodwill for an outage"
    sale(
        scenario, "B13-1", "A taxed sale and an untaxed credit come to nothing: the tax is due",
        customers.ON, "2025-06-12",
        [hosting(10000), hosting(-11300, description=goodwill, untaxed=True)],
        outcome=Outcome(settled_as="paid"),
    )  # fmt: skip
    sale(
        scenario, "B13-2", "Hosting billed, a managed service taken back: it moves between accounts",
        customers.US, "2025-06-13",
        [hosting(10000), managed(-10000, description="Unused time on Managed Odoo - Standard")],
        outcome=Outcome(settled_as="paid"),
    )  # fmt: skip
    sale(
        scenario, "B13-3", "Billed and taken back on the same account: nothing was sold",
        customers.US, "2025-06-13",
        [
            hosting(10000, description="Remaining time on Odoo ERP Hosting - Plus"),
            hosting(-10000, description="Unused time on Odoo ERP Hosting - Standard"),
        ],
        outcome=Outcome(reason="zero_amount"),
    )  # fmt: skip
    sale(
        scenario, "B13-4", "The same goodwill, a dollar less: net below zero, tax above", customers.ON,
        "2025-06-16", [hosting(10000), hosting(-11200, description=goodwill, untaxed=True)],
        payments=[Paying(at="2025-06-16 12:05", amount=100)],
    )  # fmt: skip
