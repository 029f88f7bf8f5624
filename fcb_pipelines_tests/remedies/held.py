"""The reasons of a hold, each with its remedy carried out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from fcb_pipelines.core.codes import Reason
from fcb_pipelines_tests.histories.model import Invoice
from fcb_pipelines_tests.histories.sync import Json
from fcb_pipelines_tests.remedies.little import DAY, Little, without
from fcb_pipelines_tests.remedies.table import row
from fcb_pipelines_tests.source_shapes import stripe_tax_rate

APRIL = date(2026, 4, 10)


def setting(name: str, value: object) -> object:
    """Set one field of the document."""

    def edit(document: Json) -> None:
        document[name] = value

    return edit


def a_cent_more(invoice: Json) -> None:
    """One line has a cent more than the rest of the invoice knows of."""
    invoice["lines"]["data"][0]["amount"] += 1


def more_tax(invoice: Json) -> None:
    """Five cents more tax were billed than the rate gives."""
    line = invoice["lines"]["data"][0]
    for tax in (line["taxes"][0], invoice["total_taxes"][0]):
        tax["amount"] += 5
    for name in ("total", "amount_due", "amount_remaining"):
        invoice[name] += 5


def other_rate(invoice: Json) -> None:
    """It names a tax rate of 14 %."""
    line = invoice["lines"]["data"][0]
    for tax in (line["taxes"][0], invoice["total_taxes"][0]):
        tax["amount"] += 100
        tax["tax_rate_details"] = {"tax_rate": "txr_14"}
    for name in ("total", "amount_due", "amount_remaining"):
        invoice[name] += 100


def issued_anew(w: Little, one: Invoice, *, day: date = DAY) -> None:
    """Voided at its source, and issued once more as it should be."""
    one.status, one.void = "void", day
    again = w.sell(day=day)
    w.run()
    assert w.told(w.ref(again)) == set()
    assert w.ledger.read_moves([w.ref(again)])


@row(Reason.UNKNOWN_STATUS, "the source has a word that this version does not know")
def unknown_status(w: Little) -> Iterator[str]:
    one = w.sell()
    w.edit(one, setting("status", "paused"))
    w.run()
    yield w.ref(one)
    w.as_it_was(one)


@row(Reason.MISSING_AT_SOURCE, "NexaCloud names an id that is not there")
def missing_at_source(w: Little) -> Iterator[str]:
    one = w.sell()
    w.edit_copy(one, lambda copy: replace(copy, source_id="in_X", claims=w.ref(one) + "X"))
    w.run()
    yield w.copy_ref(one)
    w.as_it_was(one)


@row(Reason.MISSING_AT_SOURCE, "the document stands in the books and its source gives it again")
def missing_and_found(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run()
    one.lost = True
    w.run()
    yield w.ref(one)
    one.lost = False


@row(Reason.UNREACHABLE, "the source does not answer for it", "fcb sync")
def unreachable(w: Little) -> Iterator[str]:
    one = w.sell()
    one.lost = True
    w.silent.add(one.id)
    w.run()
    yield w.copy_ref(one)
    one.lost = False
    w.silent.clear()
    w.command("fcb sync")


@row(Reason.MISSING_IN_NEXACLOUD, "NexaCloud has no copy of it")
def missing_in_nexacloud(w: Little) -> Iterator[str]:
    one = w.sell(copied=False)
    w.run()
    yield w.ref(one)
    one.copied = True


@row(Reason.PAYMENT_WITHOUT_INVOICE, "Lago lists its invoice again")
def payment_and_its_invoice(w: Little) -> Iterator[str]:
    one = w.sell(side="lago")
    one.lost = True
    w.run()
    yield w.payment_ref(one)
    one.lost = False


@row(Reason.PAYMENT_WITHOUT_INVOICE, "a person recorded it", stays=True)
def payment_by_hand(w: Little) -> Iterator[str]:
    one = w.sell(side="lago")
    one.lost = True
    w.run()
    yield w.payment_ref(one)
    w.by_hand(("111321", 11300), ("112110", -11300))


@row(Reason.INVOICE_HELD, "the invoice of the credit note is held")
def invoice_held(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    note = w.credit(one, off=1130)
    w.edit(one, setting("status", "paused"))
    w.run()
    yield w.ref(note)
    w.as_it_was(one)


@row(Reason.DUPLICATE_CLAIM, "a second row of NexaCloud claims it")
def duplicate_claim(w: Little) -> Iterator[str]:
    w.sell()
    w.run()
    (copy,) = w.copies
    facts = replace(copy.facts, ref="nexacloud:twice")
    w.more_copies.append(
        replace(copy, invoice_id="twice", facts=facts, created_at=copy.created_at.replace(month=4))
    )
    w.run()
    yield "nexacloud:twice"
    w.more_copies.clear()


@row(Reason.NO_SOURCE_ID, "the row of NexaCloud names nothing")
def no_source_id(w: Little) -> Iterator[str]:
    one = w.sell()
    w.edit_copy(one, lambda copy: replace(copy, source_id=None, claims=None))
    w.run()
    yield w.copy_ref(one)
    w.as_it_was(one)


@row(Reason.LINES_DO_NOT_SUM, "a line is a cent too high, and it is voided and issued anew")
def lines_do_not_sum(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.edit(one, a_cent_more)
    w.run()
    yield w.ref(one)
    issued_anew(w, one)


@row(Reason.UNREADABLE, "a field holds what no invoice can have, and the source mends it")
def unreadable(w: Little) -> Iterator[str]:
    one = w.sell()
    w.edit(one, setting("total", "a lot"))
    w.run()
    yield w.ref(one)
    w.as_it_was(one)


@row(Reason.TREATMENT_UNKNOWN, "billing credits were used, and it was posted by hand", stays=True)
def treatment_unknown(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.edit(
        one,
        setting(
            "total_pretax_credit_amounts", [{"amount": 500, "type": "credit_balance_transaction"}]
        ),
    )
    w.run()
    yield w.ref(one)
    w.post_by_hand(one)


@row(
    Reason.CURRENCY_NEEDS_REVIEW,
    "it is in a currency that Stripe contradicts itself about",
    stays=True,
)
def currency_needs_review(w: Little) -> Iterator[str]:
    one = w.sell(currency="UGX", paid=False)
    w.run()
    yield w.ref(one)
    w.post_by_hand(one)


@row(Reason.CURRENCY_UNSUPPORTED, "the books have no such currency", "fcb sync")
def currency_unsupported(w: Little) -> Iterator[str]:
    one = w.sell(currency="NOK")
    w.run()
    yield w.ref(one)
    w.write("1970-01-01 commodity NOK")
    w.command("fcb sync")


@row(Reason.TAX_UNKNOWN, "no configured tax has its rate", "fcb sync")
def tax_unknown(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.more_rates = [stripe_tax_rate("txr_14", percentage=14.0)]
    w.edit(one, other_rate)
    w.run()
    yield w.ref(one)
    (hst,) = (tax for tax in w.settings.taxes if tax.key == "hst_13")
    new = hst.model_copy(update={"key": "hst_14_on", "percentage": hst.percentage + 1})
    w.configure(w.settings.model_copy(update={"taxes": (*w.settings.taxes, new)}))
    w.command("fcb sync")


@row(Reason.TAX_MISMATCH, "five cents too much were billed, and it is voided and issued anew")
def tax_mismatch(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.edit(one, more_tax)
    w.run()
    yield w.ref(one)
    issued_anew(w, one)


@row(Reason.PERIOD_LOCKED, "the period is unlocked")
def period_locked(w: Little) -> Iterator[str]:
    one = w.sell(day=APRIL)
    w.lock(date(2026, 4, 30))
    w.run()
    yield w.ref(one)
    w.take_out("lock_date")


@row(Reason.PERIOD_LOCKED, "it is voided and issued in an open period")
def period_locked_anew(w: Little) -> Iterator[str]:
    one = w.sell(day=APRIL, paid=False)
    w.lock(date(2026, 4, 30))
    w.run()
    yield w.ref(one)
    issued_anew(w, one)


@row(Reason.EDITED_IN_LEDGER, "a person edited the draft, and undoes it")
def edited_draft(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run(post=False)
    w.change_entry(w.ref(one), lambda text: text.replace('description: "', 'description: "Edited '))
    w.run(post=False)
    yield w.ref(one)
    w.undo()


@row(Reason.EDITED_IN_LEDGER, "a person removed the draft", "fcb ledger release REF")
def removed_draft(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run(post=False)
    w.change_entry(w.ref(one), without)
    w.run(post=False)
    yield w.ref(one)
    w.command("fcb ledger release REF")


@row(Reason.EDITED_IN_LEDGER, "an edited draft is to be written anew", "fcb ledger release REF")
def edited_draft_anew(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run(post=False)
    w.change_entry(w.ref(one), lambda text: text.replace('description: "', 'description: "Edited '))
    w.run(post=False)
    yield w.ref(one)
    w.undo()
    w.change_entry(w.ref(one), without)
    w.run(post=False)
    w.command("fcb ledger release REF")


@row(Reason.AFTER_OPEN_PERIOD, "its month opens")
def after_open_period(w: Little) -> Iterator[str]:
    one = w.sell(day=date(2026, 6, 3))
    w.run()
    yield w.ref(one)
    w.configure(w.settings.model_copy(update={"as_of": date(2026, 6, 30)}))


@row(Reason.FULLY_DISCOUNTED, "the company shows gross and discount")
def fully_discounted(w: Little) -> Iterator[str]:
    one = w.sell(paid=False, taxed=False)
    w.edit(one, all_off)
    w.run()
    yield w.ref(one)
    w.policies(fully_discounted="post")


def all_off(invoice: Json) -> None:
    """All of it is discounted."""
    amount = invoice["lines"]["data"][0]["amount"]
    invoice["lines"]["data"][0]["discount_amounts"] = [{"amount": amount, "discount": "di_1"}]
    invoice["total_discount_amounts"] = [{"amount": amount, "discount": "di_1"}]
    for name in (
        "total",
        "total_excluding_tax",
        "subtotal_excluding_tax",
        "amount_due",
        "amount_remaining",
    ):
        invoice[name] = 0
    invoice["status"] = "paid"
