"""The gate table: one row for every gate.

The asset checks, the assets that write, the status and the close report all read this table. A new gate
is one row here and one function. defs/gates/inputs.py reads each input from the frames.
"""

from collections.abc import Iterable

from fcb_pipelines.core.close.cash_gates import OF_CASH, balance_gate
from fcb_pipelines.core.events.proof import events_delivered, subscriptions_are_known
from fcb_pipelines.core.metering.gates import (
    flip_readiness,
    no_empty_subscription,
    nothing_leaks,
    one_row_each_subscription,
    unexplained,
    usage_is_clean,
)
from fcb_pipelines.core.proof.amount_rows import (
    cash_without_document,
    credit_has_an_origin,
    nothing_is_lost,
)
from fcb_pipelines.core.proof.completeness import completeness_gate
from fcb_pipelines.core.proof.gate import Gate, Scope, failing, warning
from fcb_pipelines.core.proof.gates import (
    dates_as_intended,
    document_rules_hold,
    documents_balance,
    documents_match_dispositions,
    external_ids_unique,
    listing_complete,
    nexacloud_agrees,
    nothing_is_held,
    population_adds_up,
    read_back_equals_intent,
    residuals_match_source,
    revenue_in_other,
    tax_as_expected,
    unitemised_lines,
)
from fcb_pipelines.core.proof.partners import shared_email
from fcb_pipelines.core.proof.receivable import receivable_gate

_REBUILD = "Rebuild the month: `fcb sync --period M`."
_OUR_BUG = "Rebuild the month, `fcb sync --period M`; where it comes again, report it: it is a bug of the dual run."


def listing_gate(source: str) -> Gate:
    """The gate over the list of documents of one source, by its name (`stripe`)."""
    return Gate(
        name=f"{source}_listing_complete",
        scope=Scope.EXTRACT,
        blocking=True,
        seen_on=(f"{source}/index",),
        inputs=(f"{source}_index", f"{source}_index_problem"),
        finds=listing_complete,
        proves=f"Every page of {source.capitalize()}'s list was read once and none is missing.",
        recovery="Rerun `fcb sync`, which lists in full. What is named again its source keeps out of its list, or nobody can tell whose it is: ask the source, or take its id out of NexaCloud until it is listed.",
    )


_OF_NEXACLOUD = (
    Gate(
        name="extracts_meet_contract", scope=Scope.EXTRACT, blocking=True,
        seen_on=("nexacloud/users", "nexacloud/invoices", "nexacloud/invoice_items"),
        inputs=("extract_breaches",), finds=failing,
        proves="Every NexaCloud extract that the books are made of has the columns, types and keys we rely on.",
        recovery="Correct the named row in NexaCloud; where all rows of a column are named, the schema may have changed; then `fcb sync`.",
    ),
)  # fmt: skip

_OF_THE_BOOKS = (
    Gate(
        name="population_adds_up", scope=Scope.MONTH, blocking=True,
        seen_on=("reconciliation/dispositions",),
        inputs=("members", "dispositions"), finds=population_adds_up,
        proves="Population = post + skip + hold: every member has one disposition.",
        recovery=_REBUILD,
    ),
    Gate(
        name="external_ids_unique", scope=Scope.MONTH, blocking=True,
        seen_on=("ledger/documents",),
        inputs=("document_rows",), finds=external_ids_unique,
        proves="No document is intended twice.",
        recovery=_REBUILD,
    ),
    Gate(
        name="documents_balance", scope=Scope.MONTH, blocking=True,
        seen_on=("ledger/documents",),
        inputs=("document_rows",), finds=documents_balance,
        proves="Every document's lines and taxes are what was billed, to the minor unit.",
        recovery=_REBUILD,
    ),
    Gate(
        name="documents_match_dispositions", scope=Scope.MONTH, blocking=True,
        seen_on=("ledger/documents",),
        inputs=("documents", "dispositions", "owed"), finds=documents_match_dispositions,
        proves="The documents are those to be posted; their totals agree, and so does what their settlements leave open.",
        recovery=_REBUILD,
    ),
    Gate(
        name="document_rules_hold", scope=Scope.MONTH, blocking=True,
        seen_on=("ledger/documents",),
        inputs=("documents", "standing", "settings", "books", "period"), finds=document_rules_hold,
        proves="Accounts, taxes, dates, locks and drafts of every row about to be written are lawful.",
        recovery="Rebuild the month: `fcb sync --period M`. Where it comes again, the document should have been held: report it.",
    ),
    Gate(
        name="read_back_equals_intent", scope=Scope.MONTH, blocking=False,
        seen_on=("reconciliation/ledger_deltas",),
        inputs=("ledger_deltas",), finds=read_back_equals_intent,
        proves="The ledger holds every document and settlement as intended.",
        recovery="`fcb status` names the documents and which side moved.",
    ),
    Gate(
        name="dates_as_intended", scope=Scope.MONTH, blocking=False,
        seen_on=("reconciliation/ledger_deltas",),
        inputs=("ledger_deltas",), finds=dates_as_intended,
        proves="Every document and settlement has its own date in the ledger.",
        recovery="`fcb status` names the document: where the ledger or a person re-dated it, give it its own date again (Odoo moves a date out of a locked period); where its source has another date now, see `source_changed`.",
    ),
    Gate(
        name="residuals_match_source", scope=Scope.MONTH, blocking=False,
        seen_on=("reconciliation/ledger_deltas",),
        inputs=("ledger_deltas",), finds=residuals_match_source,
        proves="The amount open in the ledger is the amount owed at the source.",
        recovery="`fcb status` names the documents; `fcb sync` settles what is missing.",
    ),
    Gate(
        name="revenue_in_other", scope=Scope.MONTH, blocking=False,
        seen_on=("ledger/documents",),
        inputs=("document_rows",), finds=revenue_in_other,
        proves="No revenue is without a configured family.",
        recovery="Add a keyword to the families, or accept the account.",
    ),
    Gate(
        name="unitemised_lines", scope=Scope.MONTH, blocking=False,
        seen_on=("ledger/documents",),
        inputs=("document_rows",), finds=unitemised_lines,
        proves="Every document has lines.",
        recovery="Reclassify the unitemised revenue by hand; it stays listed.",
    ),
    Gate(
        name="shared_email", scope=Scope.MONTH, blocking=False,
        seen_on=("ledger/partners",),
        inputs=("partners",), finds=shared_email,
        proves="No email joins two companies: each account and ledger partner that bears one has it to itself.",
        recovery="One company: merge its partners in the ledger (the links follow) and give its accounts one company name. Several: leave them apart, or give each its own email in NexaCloud and in the ledger.",
    ),
    Gate(
        name="nothing_is_held", scope=Scope.MONTH, blocking=False,
        seen_on=("reconciliation/dispositions",),
        inputs=("dispositions", "today"), finds=nothing_is_held,
        proves="No document is held.",
        recovery="`fcb status` lists each with its reason and what mends it.",
    ),
    Gate(
        name="nexacloud_agrees_with_source", scope=Scope.MONTH, blocking=False,
        seen_on=("reconciliation/agreements",),
        inputs=("agreements",), finds=nexacloud_agrees,
        proves="NexaCloud's copies agree with their sources.",
        recovery="Correct the copies in NexaCloud; the books follow the source.",
    ),
    Gate(
        name="tax_as_expected", scope=Scope.MONTH, blocking=False,
        seen_on=("reconciliation/tax_witness",),
        inputs=("tax_witness",), finds=tax_as_expected,
        proves="The tax billed is what address and date lead one to expect.",
        recovery="Correct the address or the tax at the source for what is billed next; `reconciliation/tax_witness` and the close report list each document.",
    ),
    Gate(
        name="completeness", scope=Scope.ALL, blocking=True,
        seen_on=("reconciliation/completeness",),
        inputs=("completeness",), finds=completeness_gate,
        proves="Over all months and unplaced, every member has exactly one disposition.",
        recovery="Build the months named: `fcb sync --period M`.",
    ),
    Gate(
        name="receivable_ties_out", scope=Scope.ALL, blocking=True,
        seen_on=("reconciliation/receivable",),
        inputs=("receivable", "orphans"), finds=receivable_gate,
        proves="Source receivable = ledger receivable + receivable not posted, each listed.",
        recovery="`fcb status` names each document or move: what its source says is owed, what the ledger has open and what is not posted. Mend the side that is wrong, then `fcb sync`.",
    ),
    Gate(
        name="credit_is_explained", scope=Scope.ALL, blocking=False,
        seen_on=("reconciliation/receivable",),
        inputs=("foreign_credits",), finds=warning,
        proves="No partner of ours has an open credit in an entry that is not ours.",
        recovery="`fcb status` names each entry: match it in the ledger with what it pays or refund it; a payment that the source reports as well is recorded twice, and the one by hand is reversed.",
    ),
    Gate(
        name="nothing_is_lost", scope=Scope.ALL, blocking=True,
        seen_on=("reconciliation/amounts",),
        inputs=("amounts",), finds=nothing_is_lost,
        proves="Revenue, tax and cash at the sources since the books began = the amounts posted + the amounts listed.",
        recovery="`fcb status` lists each amount; one that nothing lists is a fault of the books or of the run: rebuild its month with `fcb sync --period M`.",
    ),
    Gate(
        name="cash_without_document", scope=Scope.ALL, blocking=False,
        seen_on=("reconciliation/amounts",),
        inputs=("amounts",), finds=cash_without_document,
        proves="No money that a source confirms is of a document that is not posted.",
        recovery="`fcb status` lists each: record it by hand, or mend what keeps its document out.",
    ),
    Gate(
        name="credit_has_an_origin", scope=Scope.ALL, blocking=False,
        seen_on=("reconciliation/amounts",),
        inputs=("amounts",), finds=credit_has_an_origin,
        proves="No customer drew more credit than the books have seen them get.",
        recovery="Ask the source where the credit came from and enter that by hand; `fcb status` names each draw, and goes on doing so.",
    ),
    Gate(
        name="services_meet_contract", scope=Scope.EXTRACT, blocking=False,
        seen_on=("metering/plan_catalog",),
        inputs=("service_breaches",), finds=warning,
        proves="The tables that the dual run reads have the columns, types and metrics we rely on.",
        recovery="What is named here is not measured, and what depends on it is a failed row: correct the row, the view or the configuration, then `fcb sync`.",
    ),
    Gate(
        name="usage_is_clean", scope=Scope.MONTH, blocking=False,
        seen_on=("metering/usage",),
        inputs=("usage",), finds=usage_is_clean,
        proves="Every usage window came once, in time, and overlaps no other.",
        recovery="Correct the records at the service; a window counts once, an overlap counts twice.",
    ),
    Gate(
        name="one_row_each_subscription", scope=Scope.MONTH, blocking=False,
        seen_on=("metering/deltas",),
        inputs=("metering_deltas", "invoiced", "usage", "period"), finds=one_row_each_subscription,
        proves="Every subscription-period with an invoice or usage has exactly one row.",
        recovery=_OUR_BUG,
    ),
    Gate(
        name="no_empty_subscription", scope=Scope.MONTH, blocking=False,
        seen_on=("metering/deltas",),
        inputs=("metering_deltas",), finds=no_empty_subscription,
        proves="No row is of an empty subscription; a one-off is one document, compared with nothing.",
        recovery=_OUR_BUG,
    ),
    Gate(
        name="unexplained_deltas_within_ceiling", scope=Scope.MONTH, blocking=False,
        seen_on=("metering/deltas",),
        inputs=("metering_deltas", "metering_settings"), finds=unexplained,
        proves="Deltas that no cause explains stay within the configured ceiling.",
        recovery="The close report lists each with its arithmetic: correct the plan, the usage or the invoice.",
    ),
    Gate(
        name="flip_readiness", scope=Scope.MONTH, blocking=False,
        seen_on=("metering/deltas",),
        inputs=("metering_deltas", "period", "today"), finds=flip_readiness,
        proves="The cycle is over, and every row of it matches or is explained.",
        recovery="Go on measuring: the rows named speak against billing from the engine.",
    ),
    Gate(
        name="nothing_leaks", scope=Scope.ALL, blocking=False,
        seen_on=("metering/leaks",),
        inputs=("leaks",), finds=nothing_leaks,
        proves="Nothing that was used, runs or is subscribed to is left out of the invoices.",
        recovery="`fcb status` names the first, `metering/leaks` lists each with what it is worth: invoice it or end it.",
    ),
    Gate(
        name="subscriptions_are_known", scope=Scope.EXTRACT, blocking=False,
        seen_on=("events/subscriptions",),
        inputs=("subscriptions_problem", "source_subscriptions"), finds=subscriptions_are_known,
        proves="Every source that is asked for subscriptions listed them, each in a form we know.",
        recovery="As long as one is unknown nobody is told that a subscription ended. Give the key read rights on subscriptions, or leave the subscription events out of `events.types`; then `fcb sync`.",
    ),
    Gate(
        name="events_delivered", scope=Scope.ALL, blocking=False,
        seen_on=("events/deliveries",),
        inputs=("deliveries",), finds=events_delivered,
        proves="No event is dead, and none has waited for more than a day.",
        recovery="`fcb events show ID` has each try and its answer. Mend the receiver, then `fcb events replay ID`; what it shall never get, `fcb events drop ID --reason \"…\"`. Where nothing was tried, turn the sensor `deliver_events` on, or `fcb events deliver`.",
    ),
)  # fmt: skip


def gates_of(sources: Iterable[str], balances: Iterable[str] = ()) -> tuple[Gate, ...]:
    """Every gate with these billing sources, in the order of the status.

    `balances` are those of them that keep a balance, where cash is on; without one no gate is over cash.
    """
    books = (*_OF_NEXACLOUD, *map(listing_gate, sources), *_OF_THE_BOOKS)
    kept = tuple(map(balance_gate, balances))
    return (*books, *kept, *OF_CASH) if kept else books


# With the packaged sources, cash included; a further one adds the gate over its own list.
GATES = {gate.name: gate for gate in gates_of(("stripe", "lago"), ("stripe",))}

OF_A_MONTH = tuple(gate for gate in GATES.values() if gate.scope is Scope.MONTH)
BEFORE_A_WRITE = tuple(gate for gate in OF_A_MONTH if gate.blocking)
