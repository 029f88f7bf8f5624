"""The exceptions beside a disposition, each with its remedy carried out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from fcb_pipelines.core.codes import ExceptionCode as Told
from fcb_pipelines.defs.ledger.correcting import planned, write
from fcb_pipelines_tests.histories.model import Refund
from fcb_pipelines_tests.histories.sync import Json, _Built
from fcb_pipelines_tests.remedies.held import APRIL, setting
from fcb_pipelines_tests.remedies.little import BEGIN, DAY, Little, without
from fcb_pipelines_tests.remedies.table import row

BEFORE = BEGIN - timedelta(days=20)


def another_description(invoice: Json) -> None:
    """The line says something else."""
    invoice["lines"]["data"][0]["description"] = "Odoo ERP Hosting - Renamed"


@row(Told.SOURCE_CHANGED, "it became cheaper after it was posted", "fcb ledger correct REF")
def cheaper(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    one.lines = [(one.lines[0][0], 9000)]
    w.run()
    yield w.ref(one)
    w.command("fcb ledger correct REF")


@row(
    Told.SOURCE_CHANGED, "it is of another day", "fcb ledger correct REF", stays=True,
    fails=("dates_as_intended",),
)  # fmt: skip
def another_day(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    one.day += timedelta(days=1)
    w.run()
    yield w.ref(one)
    w.command("fcb ledger correct REF")


@row(Told.SOURCE_CHANGED, "a line has another description", "fcb ledger correct REF")
def relabelled(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    w.edit(one, another_description)
    w.run()
    yield w.ref(one)
    w.command("fcb ledger correct REF")


@row(
    Told.SOURCE_CHANGED, "it has another number", "fcb ledger correct REF", stays=True,
    fails=("read_back_equals_intent",),
)  # fmt: skip
def renumbered(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    w.edit(one, setting("number", "NC-9"))
    w.run()
    yield w.ref(one)
    w.command("fcb ledger correct REF")


@row(Told.SOURCE_CHANGED, "it had another number, and has the old one again")
def renumbered_back(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    w.edit(one, setting("number", "NC-9"))
    w.run()
    yield w.ref(one)
    w.as_it_was(one)


@row(
    Told.SOURCE_CHANGED, "its payment is of another day", "fcb ledger correct REF", stays=True,
    fails=("dates_as_intended",),
)  # fmt: skip
def paid_on_another_day(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run()
    one.money[0].day += timedelta(days=1)
    w.run()
    yield w.ref(one)
    w.command("fcb ledger correct REF")


@row(Told.SETTINGS_CHANGED, "its family has another account now", stays=True)
def settings_changed(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run()
    first, *others = w.settings.families
    account = first.account.model_copy(update={"code": w.settings.accounts.other.code})
    families = (first.model_copy(update={"account": account}), *others)
    w.configure(w.settings.model_copy(update={"families": families}))
    w.run()
    yield w.ref(one)


@row(Told.EDITED_IN_LEDGER, "a person edited the posted move, and undoes it")
def edited(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run()
    w.change_entry(w.ref(one), lambda text: text.replace('description: "', 'description: "Edited '))
    w.run()
    yield w.ref(one)
    w.undo()


@row(Told.EDITED_IN_LEDGER, "a person removed the posted move", "fcb ledger release REF")
def removed(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    w.change_entry(w.ref(one), without)
    w.run()
    yield w.ref(one)
    w.command("fcb ledger release REF")


@row(
    Told.EDITED_IN_LEDGER,
    "a person removed its payment, whose id is released",
    "fcb ledger release REF",
)
def payment_removed(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run()
    entry = w.settlement_of(one)
    w.change_entry(entry, without)
    w.run()
    yield w.ref(one)
    # REF is the id that `fcb status` shows beside the difference: the payment's own.
    w.about = entry
    w.command("fcb ledger release REF")
    w.about = w.ref(one)


@row(Told.VOIDED_AFTER_POSTING, "its source voided it", "fcb ledger correct REF")
def voided(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    one.status, one.void = "void", DAY + timedelta(days=3)
    w.run()
    yield w.ref(one)
    w.command("fcb ledger correct REF")


@row(Told.NEXACLOUD_DIFFERS, "the copy has another total")
def copy_differs(w: Little) -> Iterator[str]:
    one = w.sell()
    w.edit_copy(one, lambda copy: replace(copy, facts=replace(copy.facts, total=1)))
    w.run()
    yield w.ref(one)
    w.as_it_was(one)


@row(Told.NEXACLOUD_ITEMS_MISSING, "the copy has no items")
def copy_without_items(w: Little) -> Iterator[str]:
    one = w.sell()
    w.edit_copy(one, lambda copy: replace(copy, facts=replace(copy.facts, lines=())))
    w.run()
    yield w.ref(one)
    w.as_it_was(one)


@row(Told.UNITEMISED, "neither side has lines, and it was reclassified by hand", stays=True)
def unitemised(w: Little) -> Iterator[str]:
    one = w.sell(taxed=False)
    w.edit(one, lambda invoice: invoice["lines"].update(data=[]))
    w.edit_copy(one, lambda copy: replace(copy, facts=replace(copy.facts, lines=())))
    w.run()
    yield w.ref(one)
    w.by_hand((w.settings.accounts.unitemised.code, one.total), ("411310", -one.total))


@row(Told.OFF_STRIPE_PAYMENT, "it was paid outside, and the company settles such")
def outside(w: Little) -> Iterator[str]:
    one = w.sell(paid=False, outside=11300, outside_day=DAY)
    w.run()
    yield w.ref(one)
    w.policies(off_platform_payment="settle")


@row(Told.OFF_STRIPE_PAYMENT, "it was paid outside, and a person recorded it", stays=True)
def outside_by_hand(w: Little) -> Iterator[str]:
    one = w.sell(paid=False, outside=11300, outside_day=DAY)
    w.run()
    yield w.ref(one)
    w.by_hand(("111321", 11300), ("112110", -11300))


@row(Told.SETTLEMENT_PERIOD_LOCKED, "the payment's period is unlocked", "fcb sync")
def payment_locked(w: Little) -> Iterator[str]:
    one = w.sell(day=APRIL)
    w.lock(date(2026, 4, 30), "payments")
    w.run()
    yield w.ref(one)
    w.take_out("lock_date")
    w.command("fcb sync")


@row(
    Told.SETTLEMENT_UNSUPPORTED,
    "it used a credit note, and its source does not say which",
    stays=True,
)
def note_that_nobody_has(w: Little) -> Iterator[str]:
    other = w.sell(side="lago")
    note = w.credit(other, balance=1130)
    one = w.sell(side="lago", day=DAY + timedelta(days=9), credits=[(note, 1130)])
    note.used = 1130
    w.edit(one, setting("credits", []))
    w.run()
    yield w.ref(one)
    w.by_hand(("215500", 1130), ("112110", -1130))


@row(Told.SETTLEMENT_TAKEN_BACK, "Lago no longer has the payment", "fcb ledger correct REF")
def taken_back(w: Little) -> Iterator[str]:
    one = w.sell(side="lago")
    w.run()
    one.money.clear()
    w.run()
    yield w.ref(one)
    w.command("fcb ledger correct REF")


@row(
    Told.TAKEN_BACK_TWICE,
    "a note was posted while its invoice was corrected",
    "fcb ledger correct REF",
)
def taken_back_twice(w: Little) -> Iterator[str]:
    one = w.sell(side="lago", paid=False)
    w.run()
    one.status, one.void = "void", DAY + timedelta(days=9)
    w.run()
    plans = planned([w.ref(one)], _Built(w), w._reader())  # type: ignore[arg-type]
    one.status, one.void = "open", None
    note = w.credit(one, 10000, off=11300)
    w.run()
    write(plans, w._reader())
    one.status, one.void, note.off = "void", DAY + timedelta(days=9), 0
    w.run()
    yield w.ref(note)
    w.command("fcb ledger correct REF")


@row(Told.CASH_WITHOUT_DOCUMENT, "the document is held, and mended")
def cash_of_a_held_one(w: Little) -> Iterator[str]:
    one = w.sell(copied=False)
    w.run()
    yield w.ref(one)
    one.copied = True


@row(Told.CASH_WITHOUT_DOCUMENT, "a person recorded it", stays=True)
def cash_by_hand(w: Little) -> Iterator[str]:
    one = w.sell(copied=False)
    w.run()
    yield w.ref(one)
    w.by_hand(("111321", 11300), ("112110", -11300))


@row(
    Told.OPENING_DOCUMENT,
    "a payment of before the cutover's document was matched by hand",
    stays=True,
)
def opening(w: Little) -> Iterator[str]:
    w.policies(opening_payment="settle")
    one = w.sell(day=BEFORE, paid=False)
    w.pay(one)
    w.run()
    yield w.ref(one)
    w.by_hand(("112110", 11300), ("411310", -11300))


@row(Told.CREDIT_WITHOUT_ORIGIN, "a goodwill was drawn, and entered by hand", stays=True)
def goodwill(w: Little) -> Iterator[str]:
    one = w.sell(balance=5000)
    w.run()
    yield w.ref(one)
    w.by_hand(("411310", 5000), ("215500", -5000))


@row(
    Told.CURRENCY_UNSUPPORTED,
    "a payment for before the cutover is in a currency that the books lack",
    "fcb sync",
)
def opening_currency(w: Little) -> Iterator[str]:
    w.policies(opening_payment="settle")
    one = w.sell(day=BEFORE, paid=False, currency="NOK")
    w.pay(one)
    w.run()
    yield w.ref(one)
    w.write("1970-01-01 commodity NOK")
    w.command("fcb sync")


@row(
    Told.ACCOUNT_MISSING,
    "the books lack the account of promotional credits",
    "fcb ledger setup",
    "fcb sync",
)
def account_missing(w: Little) -> Iterator[str]:
    one = w.sell(side="lago", granted=500)
    w.take_account("551300")
    w.run()
    yield w.ref(one)
    w.command("fcb ledger setup")
    w.command("fcb sync")


@row(Told.MISSING_AT_SOURCE, "its source lost it, and gives it again")
def lost(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run()
    one.lost = True
    w.run()
    yield w.ref(one)
    one.lost = False


@row(Told.MISSING_AT_SOURCE, "it was never billed, and a person reversed it", stays=True)
def never_billed(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run()
    one.lost = True
    w.run()
    yield w.ref(one)
    w.by_hand(("411310", one.total), ("112110", -one.total))


@row(Told.UNREACHABLE, "its source does not answer for it", "fcb sync")
def silent(w: Little) -> Iterator[str]:
    one = w.sell()
    w.run()
    one.lost = True
    w.silent.add(one.id)
    w.run()
    yield w.ref(one)
    one.lost = False
    w.silent.clear()
    w.command("fcb sync")


@row(Told.CREDIT_NOTE_WAITS, "its invoice is a draft still", "fcb sync")
def note_waits(w: Little) -> Iterator[str]:
    one = w.sell(day=APRIL, paid=False)
    note = w.credit(one, off=1130, days=30)
    w.run(post=False)
    w.post_month("2026-05")
    yield w.ref(note)
    w.post_month("2026-04")
    w.command("fcb sync")


@row(Told.PAYMENT_FAILED, "the bank took the payment back, and it is collected anew")
def payment_failed(w: Little) -> Iterator[str]:
    one = w.sell()
    one.money[0].failed, one.money[0].told = DAY + timedelta(days=4), "canceled"
    w.run()
    yield w.ref(one)
    w.pay(one, day=DAY + timedelta(days=8))


@row(Told.REFUND_WITHOUT_CREDIT_NOTE, "the note is issued")
def refund(w: Little) -> Iterator[str]:
    one = w.sell()
    given = Refund(id="re_1", day=DAY + timedelta(days=4), amount=1130)
    one.money[0].refunds.append(given)
    w.run()
    yield w.ref(one)
    w.credit(one, refunds=[(given, 1130)])
    given.named = 1130


@row(Told.UNCOLLECTIBLE, "the company writes such off")
def uncollectible(w: Little) -> Iterator[str]:
    one = w.sell(paid=False, status="uncollectible", given_up=DAY + timedelta(days=20))
    w.run()
    yield w.ref(one)
    w.policies(uncollectible="write_off")


@row(Told.UNCOLLECTIBLE, "a person wrote it off", stays=True)
def written_off_by_hand(w: Little) -> Iterator[str]:
    one = w.sell(paid=False, status="uncollectible", given_up=DAY + timedelta(days=20))
    w.run()
    yield w.ref(one)
    w.by_hand(("551100", 11300), ("112110", -11300))


@row(Told.DISPUTED, "the dispute is answered and won")
def disputed(w: Little) -> Iterator[str]:
    one = w.sell()
    money = one.money[0]
    money.dispute, money.disputed = "open", DAY + timedelta(days=4)
    w.run()
    yield w.ref(one)
    money.dispute, money.won = "won", DAY + timedelta(days=9)


@row(Told.DISPUTE_LOST, "the company books such losses")
def dispute_lost(w: Little) -> Iterator[str]:
    one = w.sell()
    one.money[0].dispute, one.money[0].disputed = "lost", DAY + timedelta(days=4)
    w.run()
    yield w.ref(one)
    w.policies(lost_dispute="loss")


@row(Told.DISPUTE_LOST, "a person booked the loss", stays=True)
def loss_by_hand(w: Little) -> Iterator[str]:
    one = w.sell()
    one.money[0].dispute, one.money[0].disputed = "lost", DAY + timedelta(days=4)
    w.run()
    yield w.ref(one)
    w.by_hand(("551200", 11300), ("111321", -11300))


@row(Told.OVERPAID, "the next invoice draws the excess", stays=True)
def overpaid(w: Little) -> Iterator[str]:
    one = w.sell(paid=False, excess=500)
    w.pay(one, one.remaining + 500)
    w.run()
    yield w.ref(one)
    following = w.sell(day=DAY + timedelta(days=9), balance=500)
    w.run()
    assert w.told(w.ref(following)) == set()


@row(Told.NOT_WRITTEN, "a run ended before the payment was written", "fcb sync")
def not_written(w: Little) -> Iterator[str]:
    one = w.sell()
    settle = w.ledger.settle
    w.ledger.settle = lambda settlements: ()  # type: ignore[method-assign]
    w.run()
    yield w.ref(one)
    w.ledger.settle = settle  # type: ignore[method-assign]
    w.command("fcb sync")


@row(Told.TAX_MISMATCH, "the ledger's tax has another rate")
def tax_refused(w: Little) -> Iterator[str]:
    one = w.sell()
    w.refuse_once(w.ref(one), Told.TAX_MISMATCH)
    w.run()
    yield w.ref(one)
    w.mend_ledger()


@row(Told.REFUSED_BY_LEDGER, "the ledger would not take it", "fcb sync")
def refused(w: Little) -> Iterator[str]:
    one = w.sell()
    w.refuse_once(w.ref(one), Told.REFUSED_BY_LEDGER)
    w.run()
    yield w.ref(one)
    w.mend_ledger()
    w.command("fcb sync")


@row(Told.STALE_DRAFT, "its source voided it while it was a draft, and a person deletes the draft")
def stale_draft(w: Little) -> Iterator[str]:
    one = w.sell(paid=False)
    w.run(post=False)
    one.status, one.void = "void", DAY
    w.run(post=False)
    yield w.ref(one)
    w.change_entry(w.ref(one), without)
