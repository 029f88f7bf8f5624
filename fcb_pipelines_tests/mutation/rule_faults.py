"""Faults in the rules: the function that knows a case is replaced by one that gets it wrong."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from fcb_pipelines.connectors.beancount import chart as beancount_chart
from fcb_pipelines.connectors.beancount import settling as beancount_settling
from fcb_pipelines.core import money, periods
from fcb_pipelines.core.codes import Kind, Method, Status, Verdict
from fcb_pipelines.core.dispositions import case, decide
from fcb_pipelines.core.documents import build, families, taxes
from fcb_pipelines.core.facts import arithmetic
from fcb_pipelines.core.facts.lago import documents as lago
from fcb_pipelines.core.facts.lago.settlements import SettlementReader as LagoSettlements
from fcb_pipelines.core.facts.model import SettlementFacts
from fcb_pipelines.core.facts.stripe import balance, parts
from fcb_pipelines.core.facts.stripe import documents as stripe
from fcb_pipelines.core.facts.stripe.settlements import SettlementReader
from fcb_pipelines.core.settlements import plan, policy
from fcb_pipelines_tests.mutation.fault import EXPECTED, RUN, Fault, Layer
from fcb_pipelines_tests.mutation.seams import (
    Seed,
    after,
    all_of,
    before,
    in_a_copy,
    instead,
    value,
)

MARCH, APRIL, MAY, JUNE, JULY = (f"2025-0{number}" for number in range(3, 8))
HELD, RULES, TAX, COPIES = (
    "nothing_is_held",
    "document_rules_hold",
    "tax_as_expected",
    "nexacloud_agrees_with_source",
)
ELSEWHERE = "stripe:acct_1NexaCloudToronto:in_yMRLqXkHGqJsSTM3aLlz2505"


def _none(*_: Any) -> tuple[()]:
    return ()


def _utc(instant: Any, _: str) -> Any:
    return periods.local_date(instant, "UTC")


# What a source's reader is given.


def _billed(change: Callable[[Any], None]) -> Seed:
    """Every invoice that Stripe gives, changed before it is read."""
    return before(stripe.document_facts, in_a_copy("invoice", change))


def _drafted_on(invoice: Any) -> None:
    invoice["effective_at"] = invoice["created"]


def _first_line_twice(invoice: Any) -> None:
    lines = invoice["lines"]["data"]
    lines[:0] = lines[:1]


def _every_line_a_sale(invoice: Any) -> None:
    for line in invoice["lines"]["data"]:
        line["amount"] = abs(line["amount"])


def _no_discount(invoice: Any) -> None:
    invoice["total_discount_amounts"] = []
    for line in invoice["lines"]["data"]:
        line["discount_amounts"] = []


def _not_overpaid(invoice: Any) -> None:
    invoice["amount_overpaid"] = None


def _total_after_credits(invoice: Any) -> None:
    invoice["sub_total_including_taxes_amount_cents"] = invoice["total_amount_cents"]


def _under_way_paid(reader: SettlementReader, total: int) -> Any:
    reader.document = deepcopy(reader.document)
    for payment in (reader.document.get("payments") or {"data": ()})["data"]:
        payment["status"] = "paid"
        payment["status_transitions"]["paid_at"] = reader.document["status_transitions"][
            "finalized_at"
        ]
        payment["amount_paid"] = payment["amount_paid"] or payment["amount_requested"]
    return _OF_INVOICE(reader, total)


_OF_INVOICE = SettlementReader.of_invoice


# What it answers.


def _status(old: Status, new: Status) -> Seed:
    """Documents of one status are told with another, as long as they could be read."""
    return after(
        stripe.document_facts,
        lambda facts, *_: (
            replace(facts, status=new) if facts.status is old and not facts.problem else facts
        ),
    )


def _note_of_managed(facts: Any, *_: Any) -> Any:
    if not facts.credits:
        return facts
    return replace(facts, lines=tuple(replace(one, reverses="Managed") for one in facts.lines))


def _settled(
    change: Callable[[SettlementFacts, Any], SettlementFacts | None],
) -> Callable[..., Any]:
    """Each settlement of a document otherwise; one that becomes None is left out."""

    def wrong(settled: Any, reader: Any, *_: Any) -> Any:
        changed = (change(one, reader) for one in settled.settlements)
        return replace(settled, settlements=tuple(one for one in changed if one is not None))

    return wrong


def _otherwise(of: Method, /, **other: Any) -> Callable[..., Any]:
    return _settled(lambda one, _: replace(one, **other) if one.method is of else one)


def _on_issue(one: SettlementFacts, reader: Any) -> SettlementFacts:
    return replace(one, date=reader.issued) if one.method is Method.PAYMENT else one


def _no_failure(settled: Any, *given: Any) -> Any:
    kept = _settled(lambda one, _: None if one.method is Method.PAYMENT_FAILURE else one)
    remarks = tuple(code for code in settled.remarks if code != "payment_failed")
    return replace(kept(settled, *given), remarks=remarks)


def _first_only(settled: Any, *_: Any) -> Any:
    paid = [one for one in settled.settlements if one.method is Method.PAYMENT]
    kept = tuple(one for one in settled.settlements if one not in paid[1:])
    return replace(settled, settlements=kept)


def _prepaid_as_cash(found: Any, *_: Any) -> Any:
    settlements, problem = found
    cash = {Method.PREPAID_CREDIT: Method.PAYMENT}
    return tuple(replace(s, method=cash.get(s.method, s.method)) for s in settlements), problem


# What is made of it.


def _posted_though(*reasons: str) -> Seed:
    """What would be skipped or held for one of these reasons is posted."""
    return after(
        decide.decide,
        lambda row, *_: (
            replace(row, verdict=Verdict.POST, reason=None, detail="")
            if row.reason in reasons
            else row
        ),
    )


def _posted_too(method: Method) -> Seed:
    """Settlements of this method are booked whatever the policy says, wherever that is asked."""
    return after(policy.posts, lambda answer, settled, _: answer or settled.method is method)


def _one_lump(facts: Any) -> Any:
    if len(facts.taxes) < 2:
        return facts
    whole = sum(tax.amount for tax in facts.taxes)
    return replace(facts, taxes=(replace(facts.taxes[0], amount=whole),))


def _by_rate(billed: Any, configured: Any, _: Any) -> Any:
    return next((tax for tax in configured if tax.percentage == billed.percentage), None)


def _two_decimals(right: Callable[..., int]) -> Callable[..., int]:
    def wrong(currency: str, wire: Any = money.Wire.STRIPE) -> int:
        given = (currency, wire) if right is _WIRE else (currency,)
        return 2 if currency.upper() == "JPY" and wire is money.Wire.STRIPE else right(*given)

    return wrong


_WIRE, _ROUTE = money.wire_exponent, beancount_chart.route_of


def _of_cash(method: Method, settings: Any) -> Any:
    return _ROUTE(Method.OFF_PLATFORM if method is Method.PAYMENT else method, settings)


def fault(name: str, case: str, month: str, seed: Seed, *trips: str) -> Fault:
    """One fault of a rule, the month in which it is tried, and the gates of which one must fail."""
    return Fault(
        name=name, case=case, layer=Layer.RULES, month=month, seed=seed, trips=frozenset(trips)
    )


RULE_FAULTS = (
    fault("Dates in UTC", "A1", MARCH, instead(periods.local_date, _utc, only_in=stripe), EXPECTED),
    fault("The draft's day instead of the printed date", "A1", APRIL, _billed(_drafted_on), EXPECTED),
    fault("Cash on the document's date", "A2", APRIL, after(SettlementReader.of_invoice, _settled(_on_issue)), EXPECTED),
    fault("A void posted", "A3", MAY, _status(Status.VOID, Status.PAID), EXPECTED),
    fault("An unknown status posted", "A3", MAY, _status(Status.UNKNOWN, Status.OPEN), EXPECTED),
    fault("Test mode posted", "A4", MAY, _posted_though("test_mode"), EXPECTED),
    fault("What no NexaCloud row owns posted", "A6", JUNE, _posted_though("missing_in_nexacloud"), EXPECTED),
    fault("Every billing account the same", "A9", APRIL, value(case.Case, "partner", property(lambda self: "nexacloud:11e7b164-cc93-57c1-8210-eddf66b93e25")), EXPECTED),
    fault("The total taken from a line too many", "B1", MARCH, _billed(_first_line_twice), HELD),
    fault("Lago's total after its credits as the total", "B1", MAY, before(lago.document_facts, in_a_copy("invoice", _total_after_credits)), HELD),
    fault("Unitemised revenue called hosting", "B2", MARCH, value(build, "UNITEMISED", "hosting"), EXPECTED),
    fault("Nothing sold, posted", "B4", MARCH, _posted_though("zero_amount"), EXPECTED),
    fault("A negative invoice posted as an invoice", "B5", APRIL, instead(arithmetic.turned, lambda facts: facts), RULES),
    fault("A line that takes back counted as a sale", "B6", APRIL, _billed(_every_line_a_sale), HELD),
    fault("A discount not taken", "B7", APRIL, _billed(_no_discount), HELD),
    fault("A price that includes the tax taken for net", "B7", APRIL, after(parts.billed_taxes, lambda billed, *_: tuple(replace(tax, inclusive=False) for tax in billed)), HELD),
    fault("Customer balance not counted", "B9", APRIL, instead(balance.balance_applied, lambda *_: 0), EXPECTED),
    fault("Customer balance as cash", "B9", APRIL, after(SettlementReader.of_invoice, _otherwise(Method.CUSTOMER_BALANCE, method=Method.PAYMENT)), EXPECTED),
    fault("Yen with two decimals on Stripe's wire", "B10", APRIL, instead(money.wire_exponent, _two_decimals(money.wire_exponent)), EXPECTED),
    fault("Yen with two decimals everywhere", "B10", APRIL, instead(money.exponent, _two_decimals(money.exponent)), COPIES),
    fault("A currency that the ledger lacks posted", "B10", APRIL, _posted_though("currency_unsupported"), RULES),
    fault("Wallet credit as cash", "B11", MAY, after(LagoSettlements.of_invoice, _prepaid_as_cash), EXPECTED),
    fault("Every line hosting", "T1", MAY, instead(families.family_of, lambda *_: "hosting"), EXPECTED),
    fault("Tax off its rate posted", "T2", MAY, instead(taxes.mismatches, _none, only_in=build), RULES),
    fault("Tax off its rate posted, the gate no wiser", "T2", MAY, instead(taxes.mismatches, _none), EXPECTED),
    fault("Tax chosen by its rate alone", "T3", JUNE, instead(taxes.resolve, _by_rate), TAX),
    fault("Two taxes as one lump", "T3", MARCH, before(build.intended_document, _one_lump), HELD),
    fault("A credit note on the wrong account", "T5", APRIL, after(stripe.document_facts, _note_of_managed), EXPECTED),
    fault("A payment that is under way counted", "S1", JULY, instead(SettlementReader.of_invoice, _under_way_paid), EXPECTED),
    fault("Only the first payment counted", "S2", JULY, after(SettlementReader.of_invoice, _first_only), EXPECTED),
    fault("An overpayment not credited", "S3", JULY, _billed(_not_overpaid), EXPECTED),
    fault("Money from outside of Stripe settled against the policy", "S4", JULY, _posted_too(Method.OFF_PLATFORM), EXPECTED),
    fault("A connector that books cards as money from outside", "S4", APRIL, instead(beancount_chart.route_of, _of_cash, only_in=beancount_settling), "read_back_equals_intent"),
    fault("A credit note allocated to the wrong invoice", "S6", MAY, all_of(*(after(told, _otherwise(Method.CREDIT_NOTE, document=ELSEWHERE)) for told in (SettlementReader.of_invoice, SettlementReader.of_note))), EXPECTED),
    fault("A refund without a credit note taken off the payment", "S6", MAY, after(SettlementReader.of_invoice, _otherwise(Method.REFUND, method=Method.PAYMENT)), EXPECTED),
    fault("A late failure not seen", "S7", MAY, after(SettlementReader.of_invoice, _no_failure), EXPECTED),
    fault("A given up invoice written off against the policy", "S8", APRIL, _posted_too(Method.WRITE_OFF), EXPECTED),
    fault("A lost dispute booked against the policy", "S9", JUNE, _posted_too(Method.CHARGEBACK), EXPECTED),
    fault("Credit notes counted like invoices in every sum", "B5", JULY, value(Kind, "sign", property(lambda self: 1)), EXPECTED),
    fault("A locked period written to", "D4", MARCH, _posted_though("period_locked"), RULES),
    fault("A settlement written to a locked period", "D4", MARCH, instead(plan.obstacle, lambda *_: None), RUN),
)  # fmt: skip
