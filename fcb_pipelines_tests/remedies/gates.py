"""The gates, each with its remedy carried out.

A row yields what the gate finds in the state in which it does not pass, then what it finds once the remedy was
carried out. What only a bug can bring about is put into the month while it is built.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fcb_pipelines.connectors.nexacloud.contracts import breaches
from fcb_pipelines.connectors.store.readback_log import Observation
from fcb_pipelines.core.cash.balance import balance_rows, payout_rows, to_explain
from fcb_pipelines.core.cash.clearing import clearing
from fcb_pipelines.core.cash.entries import entries_of, place
from fcb_pipelines.core.cash.gates import (
    balance_ties_out,
    cash_equals_intent,
    every_payout_adds_up,
    every_settlement_reached_the_balance,
    journal_has_the_balance,
    outstanding_is_explained,
    statements_are_valid,
)
from fcb_pipelines.core.cash.journal import JournalRow, cash_deltas
from fcb_pipelines.core.cash.plan import plan_cash
from fcb_pipelines.core.company.services import MeteringSettings
from fcb_pipelines.core.documents.rows import DocumentRow
from fcb_pipelines.core.events.proof import subscriptions_are_known
from fcb_pipelines.core.facts.cash import ReportedBalance
from fcb_pipelines.core.ledger.cash import CashEntry, LedgerCash, OutstandingItem
from fcb_pipelines.core.ledger.moves import MoveState, Seen
from fcb_pipelines.core.metering.gates import (
    flip_readiness,
    no_empty_subscription,
    nothing_leaks,
    one_row_each,
    unexplained,
    usage_is_clean,
)
from fcb_pipelines.core.proof.amount_rows import credit_has_an_origin
from fcb_pipelines.core.proof.gate import Finding, GateResult, Outcome, failing, warning
from fcb_pipelines.core.proof.gates import (
    listing_complete,
    nexacloud_agrees,
    nothing_is_held,
    revenue_in_other,
    tax_as_expected,
    unitemised_lines,
)
from fcb_pipelines.core.proof.partners import shared_email
from fcb_pipelines.core.proof.tax_witness import Address, witness
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines_tests.connectors.nexacloud.test_contracts import a_frame
from fcb_pipelines_tests.core.cash.test_proof import CLAIMED, KNOWN, PAID
from fcb_pipelines_tests.core.cash.values import a_scope, a_transaction
from fcb_pipelines_tests.core.cash.values import settings as with_cash
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import an_invoice
from fcb_pipelines_tests.metering import MAY, a_delta
from fcb_pipelines_tests.remedies.little import END, Little
from fcb_pipelines_tests.test_gates_name_their_faults import FAULTS, NOT_VALID

Found = Finding | GateResult
Steps = Callable[[Little], Iterator[Found]]
AGAIN = "fcb sync --period M"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One way in which a gate does not pass, and what its remedy leads to: `after`."""

    gate: str
    state: str
    steps: Steps
    runs: tuple[str, ...] = ()
    after: Outcome = Outcome.PASS

    @property
    def sentence(self) -> str:
        """The name of its test."""
        return f"{self.gate}: {self.state}"


GATE_ROWS: list[GateRow] = []


def gate(
    name: str, state: str, *runs: str, after: Outcome = Outcome.PASS
) -> Callable[[Steps], Steps]:
    """Put a function into the table."""

    def made(steps: Steps) -> Steps:
        GATE_ROWS.append(GateRow(gate=name, state=state, steps=steps, runs=runs, after=after))
        return steps

    return made


def fault(name: str) -> Finding:
    """The smallest input that makes a gate fail."""
    return FAULTS[name][0]()


# --- the extracts -----------------------------------------------------------------------------------


@gate("extracts_meet_contract", "a value is no number, and the row is corrected", "fcb sync")
def extracts(w: Little) -> Iterator[Found]:
    yield fault("extracts_meet_contract")
    w.command("fcb sync")
    yield failing([str(each) for each in breaches("invoices", a_frame("invoices"))])


def unlisted(side: str) -> Steps:
    """A document exists and is not in the list, once."""

    def steps(w: Little) -> Iterator[Found]:
        one = w.sell(side=side)
        w.unlisted.add(one.id)
        w.extract()
        yield listing_complete(w.index, None)
        w.unlisted.clear()
        w.command("fcb sync")
        yield listing_complete(w.index, None)

    return steps


def never_listed(side: str) -> Steps:
    """A document that its source never lists is taken out of NexaCloud."""

    def steps(w: Little) -> Iterator[Found]:
        one = w.sell(side=side)
        w.unlisted.add(one.id)
        w.extract()
        w.extract()
        yield listing_complete(w.index, None)
        one.copied = False
        w.extract()
        yield listing_complete(w.index, None)

    return steps


for _side in ("stripe", "lago"):
    gate(f"{_side}_listing_complete", "a page shifted while it was read", "fcb sync")(
        unlisted(_side)
    )
    gate(f"{_side}_listing_complete", "its source keeps one out of its list")(never_listed(_side))


# --- a month ----------------------------------------------------------------------------------------


def stopped(name: str, change: Callable[[Month], None], *runs: str) -> None:
    """A month whose rows are wrong is stopped, and is right when it is built again."""

    def steps(w: Little) -> Iterator[Found]:
        w.sell()
        yield w.stopped_by(name, change)
        for each in runs:
            w.command(each)
        yield w.stopped_by(name, None)

    gate(name, "a bug made rows of it that are wrong", *runs)(steps)


def rows_with(**changes: object) -> Callable[[Month], None]:
    """Every row of the documents has these fields."""

    def change(this: Month) -> None:
        rows: list[DocumentRow] = list(this.document_rows)
        vars(this)["document_rows"] = tuple(replace(each, **changes) for each in rows)  # type: ignore[arg-type]

    return change


def one_less(this: Month) -> None:
    """A disposition is gone."""
    vars(this)["dispositions"] = this.dispositions[1:]


def twice(this: Month) -> None:
    """Every row is there twice."""
    vars(this)["document_rows"] = (*this.document_rows, *this.document_rows)


def another_total(this: Month) -> None:
    """A disposition has another total than its document."""
    first, *others = this.dispositions
    vars(this)["dispositions"] = (replace(first, total=first.total + 1), *others)


stopped("population_adds_up", one_less, AGAIN)
stopped("external_ids_unique", twice, AGAIN)
stopped("documents_balance", rows_with(net=9999), AGAIN)
stopped("documents_match_dispositions", another_total, AGAIN)
stopped("document_rules_hold", rows_with(account="999999"), AGAIN)


@gate("read_back_equals_intent", "a person edited a move, and undoes it")
def edited(w: Little) -> Iterator[Found]:
    one = w.sell()
    w.run()
    w.change_entry(w.ref(one), lambda text: text.replace('description: "', 'description: "Edited '))
    w.run()
    yield w.gate("read_back_equals_intent")
    w.undo()
    w.run()
    yield w.gate("read_back_equals_intent")


@gate("dates_as_intended", "a person dated a payment otherwise, and undoes it")
def redated(w: Little) -> Iterator[Found]:
    one = w.sell()
    w.run()
    w.change_entry(w.settlement_of(one), lambda text: text.replace("2026-05-04 *", "2026-05-05 *"))
    w.run()
    yield w.gate("dates_as_intended")
    w.undo()
    w.run()
    yield w.gate("dates_as_intended")


@gate("residuals_match_source", "a payment was not written", "fcb sync")
def unpaid(w: Little) -> Iterator[Found]:
    w.sell()
    settle = w.ledger.settle
    w.ledger.settle = lambda settlements: ()  # type: ignore[method-assign]
    w.run()
    yield w.gate("residuals_match_source")
    w.ledger.settle = settle  # type: ignore[method-assign]
    w.command("fcb sync")
    yield w.gate("residuals_match_source")


@gate("revenue_in_other", "no family has a keyword of it, and one gets it")
def no_family(w: Little) -> Iterator[Found]:
    one = w.sell()
    one.lines = [("Domain", 10000)]
    w.run()
    yield revenue_in_other(w.rows())
    first, *others = w.settings.families
    first = first.model_copy(update={"keywords": (*first.keywords, "Domain")})
    w.configure(w.settings.model_copy(update={"families": (first, *others)}))
    w.run()
    yield revenue_in_other(w.rows())


@gate("unitemised_lines", "it was reclassified by hand", after=Outcome.WARN)
def unitemised(w: Little) -> Iterator[Found]:
    one = w.sell(taxed=False)
    w.edit(one, lambda invoice: invoice["lines"].update(data=[]))
    w.edit_copy(one, lambda copy: replace(copy, facts=replace(copy.facts, lines=())))
    w.run()
    yield unitemised_lines(w.rows())
    w.by_hand((w.settings.accounts.unitemised.code, one.total), ("411310", -one.total))
    w.run()
    yield unitemised_lines(w.rows())


@gate("shared_email", "two companies have one email, and each gets its own")
def one_email(w: Little) -> Iterator[Found]:
    w.sell(customer="ada")
    w.sell(customer="bob")
    w.emails["user-bob"] = "ada@example.test"
    w.run()
    yield shared_email(w.linked)
    w.emails["user-bob"] = "bob@bob.example"
    w.change_partner("user-bob", "ada@example.test", "bob@bob.example")
    w.run()
    yield shared_email(w.linked)


@gate("shared_email", "two accounts are of one company, and their partners are merged")
def one_company(w: Little) -> Iterator[Found]:
    w.sell(customer="ada")
    w.sell(customer="bob")
    w.emails["user-bob"] = "ada@example.test"
    w.run()
    yield shared_email(w.linked)
    w.merge_partners("user-bob", "user-ada")
    w.companies["user-bob"] = "Ada Inc."
    w.run()
    yield shared_email(w.linked)


@gate("nothing_is_held", "a document is held, and what holds it is mended")
def held(w: Little) -> Iterator[Found]:
    one = w.sell(copied=False)
    w.run()
    yield nothing_is_held([*w.dispositions.values()], END)
    one.copied = True
    w.run()
    yield nothing_is_held([*w.dispositions.values()], END)


@gate("nexacloud_agrees_with_source", "a copy differs, and is corrected")
def differs(w: Little) -> Iterator[Found]:
    one = w.sell()
    w.edit_copy(one, lambda copy: replace(copy, facts=replace(copy.facts, total=1)))
    w.run()
    yield nexacloud_agrees(w.months["2026-05"].agreements)
    w.as_it_was(one)
    w.run()
    yield nexacloud_agrees(w.months["2026-05"].agreements)


@gate("tax_as_expected", "the address is another province's; the next invoice has the right one")
def another_province(w: Little) -> Iterator[Found]:
    yield fault("tax_as_expected")
    ontario = Address(country="CA", state="ON", taken_from="document")
    yield tax_as_expected([witness(an_invoice(), ontario, None, SETTINGS)])


# --- all months -------------------------------------------------------------------------------------


@gate("completeness", "a month was never built", AGAIN)
def not_built(w: Little) -> Iterator[Found]:
    w.sell()
    w.run()
    del w.months["2026-05"]
    w._prove()
    yield w.gate("completeness")
    w.command(AGAIN)
    yield w.gate("completeness")


@gate("receivable_ties_out", "a person paid it in the books, and takes that out", "fcb sync")
def paid_by_hand(w: Little) -> Iterator[Found]:
    one = w.sell(paid=False)
    w.run()
    w.by_hand(("111321", 11300), ("112110", -11300), settles=w.ref(one))
    w.run()
    yield w.gate("receivable_ties_out")
    w.take_out('"by hand"')
    w.command("fcb sync")
    yield w.gate("receivable_ties_out")


@gate("credit_is_explained", "a person recorded a payment that ours are too, and reverses it")
def credit_by_hand(w: Little) -> Iterator[Found]:
    w.sell()
    w.run()
    (move,) = w.ledger.read_moves()
    w.by_hand(("111321", 11300), ("112110", -11300), partner=move.document.partner)
    w.run()
    yield w.gate("credit_is_explained")
    w.by_hand(("111321", -11300), ("112110", 11300), partner=move.document.partner)
    w.run()
    yield w.gate("credit_is_explained")


@gate(
    "nothing_is_lost", "a payment is gone that no built month tells of", AGAIN, after=Outcome.WARN
)
def lost(w: Little) -> Iterator[Found]:
    one = w.sell()
    w.run()
    w.change_entry(w.settlement_of(one), lambda text: "")
    w._prove()
    yield w.gate("nothing_is_lost")
    w.command(AGAIN)
    yield w.gate("nothing_is_lost")


@gate("cash_without_document", "its document is held, and mended")
def cash(w: Little) -> Iterator[Found]:
    one = w.sell(copied=False)
    w.run()
    yield w.gate("cash_without_document")
    one.copied = True
    w.run()
    yield w.gate("cash_without_document")


@gate("credit_has_an_origin", "a goodwill was entered by hand", after=Outcome.WARN)
def goodwill(w: Little) -> Iterator[Found]:
    w.sell(balance=5000)
    w.run()
    yield credit_has_an_origin(w.drawn())
    w.by_hand(("411310", 5000), ("215500", -5000))
    w.run()
    yield credit_has_an_origin(w.drawn())


# --- the dual run -----------------------------------------------------------------------------------


@gate("services_meet_contract", "a usage is no number, and the row is corrected", "fcb sync")
def services(w: Little) -> Iterator[Found]:
    yield fault("services_meet_contract")
    w.command("fcb sync")
    yield warning([str(each) for each in breaches("usage_records", a_frame("usage_records"))])


@gate("usage_is_clean", "a reading can't be read, and the service corrects it")
def usage(w: Little) -> Iterator[Found]:
    yield fault("usage_is_clean")
    yield usage_is_clean([])


@gate("one_row_each_subscription", "a subscription has no row", AGAIN)
def no_row(w: Little) -> Iterator[Found]:
    yield fault("one_row_each_subscription")
    w.command(AGAIN)
    yield one_row_each([a_delta(subscription_id="s1")], [(a_delta().service, "s1")])


@gate("no_empty_subscription", "a row is of no subscription", AGAIN)
def no_subscription(w: Little) -> Iterator[Found]:
    yield fault("no_empty_subscription")
    w.command(AGAIN)
    yield no_empty_subscription([a_delta()])


@gate("unexplained_deltas_within_ceiling", "the invoice is corrected")
def no_cause(w: Little) -> Iterator[Found]:
    yield fault("unexplained_deltas_within_ceiling")
    yield unexplained([a_delta()], MeteringSettings())


@gate("flip_readiness", "the cycle is over, and its row matches")
def not_ready(w: Little) -> Iterator[Found]:
    yield fault("flip_readiness")
    yield flip_readiness([a_delta()], MAY, date(2027, 1, 1))


@gate("nothing_leaks", "what was used is invoiced")
def leak(w: Little) -> Iterator[Found]:
    yield fault("nothing_leaks")
    yield nothing_leaks([])


# --- what services are told -------------------------------------------------------------------------


@gate("subscriptions_are_known", "the key gets the right that it lacked", "fcb sync")
def unknown_subscriptions(w: Little) -> Iterator[Found]:
    yield fault("subscriptions_are_known")
    w.command("fcb sync")
    yield subscriptions_are_known(None, [])


DROP = 'fcb events drop ID --reason "…"'


@gate(
    "events_delivered", "the receiver is mended, and the event sent again", "fcb events replay ID"
)
def dead_event(w: Little) -> Iterator[Found]:
    w.told_to_services.answer = 500
    w.told_to_services.rounds(9)
    yield w.told_to_services.gate()
    w.told_to_services.answer = 204
    w.command("fcb events replay ID")
    w.told_to_services.deliver()
    yield w.told_to_services.gate()


@gate("events_delivered", "the service shall never get the event", DROP)
def unwanted_event(w: Little) -> Iterator[Found]:
    w.told_to_services.answer = 410
    w.told_to_services.deliver()
    yield w.told_to_services.gate()
    w.command(DROP)
    yield w.told_to_services.gate()


@gate("events_delivered", "nobody sent anything for two days", "fcb events deliver")
def late_event(w: Little) -> Iterator[Found]:
    w.told_to_services.now += timedelta(days=2)
    yield w.told_to_services.gate()
    w.command("fcb events deliver")
    yield w.told_to_services.gate()


# --- cash -------------------------------------------------------------------------------------------


@gate("stripe_balance_ties_out", "a transaction's month was not read", AGAIN)
def not_read(w: Little) -> Iterator[Found]:
    yield fault("stripe_balance_ties_out")
    w.command(AGAIN)
    rows = [a_transaction()]
    reported = ReportedBalance(
        currency="CAD", available=10927, pending=0, newest=rows[0].created, at_newest=("txn_1",)
    )
    placed = place(rows, a_scope(PAID), with_cash())
    yield balance_ties_out(balance_rows("stripe", rows, placed, [reported], with_cash()), ())


@gate("every_payout_adds_up", "a transaction of it is in no month yet", AGAIN)
def in_no_month(w: Little) -> Iterator[Found]:
    yield every_payout_adds_up(payout_rows([CLAIMED], KNOWN[1:], with_cash()))
    w.command(AGAIN)
    yield every_payout_adds_up(payout_rows([CLAIMED], KNOWN, with_cash()))


@gate("every_settlement_reached_the_balance", "its charge comes a day later")
def on_its_way(w: Little) -> Iterator[Found]:
    yield fault("every_settlement_reached_the_balance")
    entries = entries_of(place([a_transaction()], a_scope(PAID), with_cash()))
    rows = clearing([PAID], entries, {MAY: END}, {})
    yield every_settlement_reached_the_balance(rows, MAY)


@gate("outstanding_is_explained", "an entry was not written", "fcb sync")
def not_written(w: Little) -> Iterator[Found]:
    # The charge is placed, so nothing is listed as open; the ledger does not have it yet.
    open_line = OutstandingItem(
        ref=PAID.ref, entry="1", date=PAID.date, currency="CAD", residual=11300, meets=PAID.key
    )
    yield outstanding_is_explained((), {MAY: [open_line]})
    w.command("fcb sync")
    yield outstanding_is_explained((), {MAY: []})


@gate("every_transaction_is_explained", "the customer is billed for it", after=Outcome.WARN)
def explained(w: Little) -> Iterator[Found]:
    yield fault("every_transaction_is_explained")
    # A charge of another that nobody billed stays listed.
    rows = [a_transaction(), a_transaction(2, paid_by=("pi_8",))]
    yield warning(to_explain(place(rows, a_scope(PAID), with_cash())))


def compared(books: Mapping[str, LedgerCash], seen: Mapping[str, Seen]) -> Finding:
    """The gate over the one entry as these books have it."""
    plan = plan_cash(ENTRIES, books, seen, None)
    written = {one.ref: one for one in map(in_books, plan.write)}
    again = plan_cash(ENTRIES, {**books, **written}, seen, None)
    return cash_equals_intent(cash_deltas(ENTRIES, {**books, **written}, again, {MAY}))


def in_books(entry: CashEntry) -> LedgerCash:
    """An entry as it was written."""
    return LedgerCash(
        ref=entry.ref,
        entry_id="1",
        state=MoveState.POSTED,
        entry=entry,
        stored_hash=entry.content_hash,
    )


ENTRIES = entries_of(place([a_transaction()], a_scope(PAID), with_cash()))


@gate("cash_equals_intent", "an entry was edited, and the edit is undone")
def edited_cash(w: Little) -> Iterator[Found]:
    now = in_books(ENTRIES[0])
    yield compared({now.ref: replace(now, entry=replace(now.entry, narration="edited"))}, {})
    yield compared({now.ref: now}, {})


@gate("cash_equals_intent", "an entry was deleted by mistake", "fcb ledger release REF")
def deleted_cash(w: Little) -> Iterator[Found]:
    now = in_books(ENTRIES[0])
    known = Observation(
        ref=now.ref, kind="settlement", state="posted", content_hash=now.stored_hash
    )
    w.log.append("books", [known], run_id="1")
    w.about = now.ref

    def seen() -> dict[str, Seen]:
        return {ref: one.seen for ref, one in w.log.latest("books", [now.ref]).items()}

    # Cancelled it still has its id: a release alone would change nothing.
    yield compared({now.ref: replace(now, state=MoveState.CANCELLED)}, seen())
    w.command("fcb ledger release REF")
    assert compared({now.ref: replace(now, state=MoveState.CANCELLED)}, seen()).count
    yield compared({}, seen())


@gate("journal_has_the_balance", "somebody booked on the account, and takes it off")
def booked_by_hand(w: Little) -> Iterator[Found]:
    yield fault("journal_has_the_balance")
    row = JournalRow(currency="CAD", date=END, expected=10927, held=10927)
    yield journal_has_the_balance([row])


@gate("statements_are_valid", "a line was taken out of it, and is put back")
def a_line_put_back(w: Little) -> Iterator[Found]:
    yield fault("statements_are_valid")
    good = replace(NOT_VALID, is_valid=True, stored_hash=NOT_VALID.statement.content_hash)
    yield statements_are_valid([good])
