"""Rule S6: credit notes and refunds, with and without each other."""

from dataclasses import replace

from fcb_pipelines.sandbox.scenarios.cases import customers as people
from fcb_pipelines.sandbox.scenarios.cases.at_lago import LagoPaying, lago_sale
from fcb_pipelines.sandbox.scenarios.cases.at_stripe import Paying, StripeSale, sale
from fcb_pipelines.sandbox.scenarios.cases.items import hosting, unix
from fcb_pipelines.sandbox.scenarios.cases.notes import credit_of_note, lago_note, note, refund
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Outcome
from fcb_pipelines.sandbox.scenarios.cases.scenario import Book


def write(book: Book) -> None:
    """Every case of this rule."""
    _refunded(book)
    _unpaid(book)
    _shared(book)
    _credited(book)
    _mixed(book)
    _lago(book)


def _billed(book: Book, case: str, what: str, day: str, **more: object) -> StripeSale:
    """100.00 of hosting and its tax in Ontario."""
    return sale(book, case, what, people.ON, day, [hosting(10000)], **more)  # type: ignore[arg-type]


def _paid(book: Book, case: str, what: str, day: str, **more: object) -> StripeSale:
    """The same, paid at once."""
    payments = [Paying(at=f"{day} 12:05", amount=11300)]
    return _billed(book, case, what, day, payments=payments, **more)


def _refunded(book: Book) -> None:
    one = _paid(book, "S6-1", "Paid, then refunded with a credit note", "2025-05-05")
    back = refund(book, one, "2025-06-10", 3390)
    note(
        book, "S6-1-CN1", "Credit note, and the refund as an outbound payment", one,
        "2025-06-10", [hosting(3000)], before=0, refunds=[back],
    )  # fmt: skip
    alone_in_part = Outcome(exceptions=("refund_without_credit_note",))
    alone = None if book.later else alone_in_part
    two = _paid(
        book, "S6-2", "Refunded without a credit note, which came in August", "2025-05-06",
        outcome=alone,
    )  # fmt: skip
    cash = refund(book, two, "2025-06-11", 2260)
    book.settle(two.ref, "2025-06-11", "refund", -2260)
    if book.later:
        note(
            book, "S6-2-CN1", "The credit note of a refund that was booked before it", two,
            "2025-08-06", [hosting(2000)], before=0, refunds=[replace(cash, booked="2025-08-06")],
        )  # fmt: skip
    nine = _paid(book, "S6-9", "Paid, and a refund under way", "2025-06-02")
    pending = refund(
        book, nine, "2025-07-29", 1130, status="succeeded" if book.later else "pending"
    )
    note(
        book, "S6-9-CN1", "Its refund arrived only in August", nine, "2025-07-29",
        [hosting(1000)], before=0, refunds=[pending],
    )  # fmt: skip
    fifteen = _paid(book, "S6-15", "Posted and paid; refunded and credited in August", "2025-07-21")
    if book.later:
        later = refund(book, fifteen, "2025-08-14", 11300)
        note(
            book, "S6-15-CN1", "A refund and a credit note of an invoice posted before", fifteen,
            "2025-08-14", [hosting(10000)], before=0, refunds=[later],
        )  # fmt: skip
    sixteen = _paid(
        book, "S6-16", "Refunded, and a credit note says only of a part of what", "2025-06-05",
        outcome=alone_in_part,
    )  # fmt: skip
    part = refund(book, sixteen, "2025-06-20", 5650)
    book.settle(sixteen.ref, "2025-06-20", "refund", -5650)
    note(
        book, "S6-16-CN1", "Takes its part from refunds pending", sixteen, "2025-07-03",
        [hosting(3000)], before=0, refunds=[replace(part, amount=3390, booked="2025-07-03")],
    )  # fmt: skip
    seventeen = _paid(book, "S6-17", "One refund that two credit notes share", "2025-06-06")
    shared = refund(book, seventeen, "2025-07-04", 3390)
    book.settle(seventeen.ref, "2025-07-04", "refund", -3390)
    for n, day in ((1, "2025-06-30"), (2, "2025-07-07")):
        note(
            book, f"S6-17-CN{n}", "Its share of the refund", seventeen, day, [hosting(1000 * n)],
            before=0,
            refunds=[replace(shared, amount=1130 * n, booked=max(day, "2025-07-04"))],
        )  # fmt: skip


def _shared(book: Book) -> None:
    """One payment of two invoices, and one refund of it that a note of each names."""
    one, two = (
        _billed(
            book, f"S6-{n}", "Paid together with another invoice, refunded together", day,
            payments=[Paying(at=f"2025-06-10 15:{n}", amount=11300, key="S6-shared")],
        )
        for n, day in ((18, "2025-05-26"), (19, "2025-06-09"))
    )  # fmt: skip
    cash = refund(book, one, "2025-07-08", 3390)
    book.settle(one.ref, "2025-07-08", "refund", -3390)
    for n, of in ((1, one), (2, two)):
        part = replace(cash, amount=1130 * n, booked="2025-07-09")
        note(
            book, f"{of.case}-CN1", "Its share of the refund", of, "2025-07-09",
            [hosting(1000 * n)], before=0, refunds=[part],
        )  # fmt: skip


def _unpaid(book: Book) -> None:
    three = _billed(
        book, "S6-3", "Open, and partly credited before payment", "2025-05-12",
        outcome=Outcome(settled=3390),
    )  # fmt: skip
    note(
        book, "S6-3-CN1", "Taken off the open invoice", three, "2025-05-20", [hosting(3000)],
    )  # fmt: skip
    four = _billed(
        book, "S6-4", "Open, and wholly credited", "2025-05-13",
        outcome=Outcome(settled=11300, settled_as="reversed"),
    )  # fmt: skip
    note(
        book, "S6-4-CN1", "Takes the whole invoice back", four, "2025-06-03", [hosting(10000)],
    )  # fmt: skip
    seven = _billed(book, "S6-7", "Its credit note was voided", "2025-05-21")
    note(
        book, "S6-7-CN1", "Voided: nothing comes of it", seven, "2025-05-26", [hosting(3000)],
        voided="2025-05-27",
    )  # fmt: skip

    twenty = _billed(
        book, "S6-20", "Partly credited, then void", "2025-05-27", status="void",
        voided_at=unix("2025-05-29"), outcome=Outcome(reason="void_at_source"),
    )  # fmt: skip
    note(
        book, "S6-20-CN1", "Void with its invoice", twenty, "2025-05-28", [hosting(3000)],
        outcome=Outcome(reason="void_at_source"),
    )  # fmt: skip


def _credited(book: Book) -> None:
    five = _paid(book, "S6-5", "Paid, then credited to the customer's balance", "2025-05-14")
    note(
        book, "S6-5-CN1", "Credited to the balance", five, "2025-06-04", [hosting(3000)],
        before=0, credited=3390,
    )  # fmt: skip
    eight = _paid(book, "S6-8", "Paid, and given back outside of Stripe", "2025-05-22")
    note(
        book, "S6-8-CN1", "Given back outside of Stripe: no entry", eight, "2025-06-05",
        [hosting(3000)], before=0, out_of_band=3390,
        outcome=Outcome(exceptions=("off_stripe_payment",)),
    )  # fmt: skip


def _mixed(book: Book) -> None:
    six = _billed(
        book, "S6-6", "Partly paid, then wholly credited", "2025-05-15",
        payments=[Paying(at="2025-05-15 12:05", amount=5000)], outcome=Outcome(settled=11300),
    )  # fmt: skip
    back = refund(book, six, "2025-06-06", 5000)
    note(
        book, "S6-6-CN1", "Mixed: what was open is taken off, what was paid is refunded", six,
        "2025-06-06", [hosting(10000)], before=6300, refunds=[back],
    )  # fmt: skip


def _lago(book: Book) -> None:
    ten = lago_sale(
        book, "S6-10", "Lago: paid, then refunded with a credit note", people.ON, "2025-05-06",
        [hosting(10000)], payments=[LagoPaying(at="2025-05-06 15:00", amount=11300)],
    )  # fmt: skip
    lago_note(
        book, "S6-10-CN1", "Lago: refunded", ten, "2025-06-12", [hosting(3000)], refunded=3390,
    )  # fmt: skip
    eleven = lago_sale(
        book, "S6-11", "Lago: paid, then credited for later invoices", people.ON, "2025-05-07",
        [hosting(10000)], payments=[LagoPaying(at="2025-05-07 15:00", amount=11300)],
    )  # fmt: skip
    lago_note(
        book, "S6-11-CN1", "Lago: partly used, the rest stays open on the note", eleven,
        "2025-06-13", [hosting(5000)], used=2260,
    )  # fmt: skip
    lago_sale(
        book, "S6-12", "Lago: wholly settled by a credit note of another invoice", people.ON,
        "2025-07-01", [hosting(2000)], noted=2260,
        credits=[credit_of_note("S6-11-CN1", "S6-12", 2260)],
        outcome=Outcome(settled_as="reversed"),
    )  # fmt: skip
    thirteen = lago_sale(
        book, "S6-13", "Lago: open, and partly set off by its own credit note", people.ON,
        "2025-05-08", [hosting(10000)], offset=3390,
    )  # fmt: skip
    lago_note(
        book, "S6-13-CN1", "Lago: set off against its own invoice", thirteen, "2025-06-16",
        [hosting(3000)], offset=3390,
    )  # fmt: skip
    fourteen = lago_sale(
        book, "S6-14", "Lago: paid; one credit note refunds, one is voided", people.ON,
        "2025-05-09", [hosting(10000)],
        payments=[LagoPaying(at="2025-05-09 15:00", amount=11300)],
    )  # fmt: skip
    lago_note(
        book, "S6-14-CN1", "Lago: its refund has not gone through", fourteen, "2025-06-17",
        [hosting(1000)], refunded=1130, refund_status="pending",
    )  # fmt: skip
    lago_note(
        book, "S6-14-CN2", "Lago: its credit was voided before any use", fourteen, "2025-06-18",
        [hosting(500)], voided="2025-06-19",
    )  # fmt: skip
