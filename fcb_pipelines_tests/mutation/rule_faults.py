"""Faults in the rules: the one function that knows a case is replaced by one that gets it wrong."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.connectors.beancount import settling as beancount_settling
from fcb_pipelines.core import money
from fcb_pipelines.core.codes import Method, Status
from fcb_pipelines.core.dispositions import decide as dispositions
from fcb_pipelines.core.dispositions import opening
from fcb_pipelines.core.documents import build, taxes
from fcb_pipelines.core.documents import rules as document_rules
from fcb_pipelines.core.facts import model as facts
from fcb_pipelines.core.facts.lago import documents as lago_facts
from fcb_pipelines.core.facts.lago import settlements as lago_settlements
from fcb_pipelines.core.facts.stripe import documents as stripe_facts
from fcb_pipelines.core.facts.stripe.settlements import SettlementReader
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.proof import tax_witness
from fcb_pipelines.core.settlements import intended
from fcb_pipelines.core.settlements import plan as writing
from fcb_pipelines_tests.mutation.fault import EXPECTED, RUN, Fault, Layer

MARCH, APRIL, MAY, JUNE, JULY = (f"2025-0{number}" for number in range(3, 8))
HELD, RULES, TAX, COPIES = (
    "nothing_is_held",
    "document_rules_hold",
    "tax_as_expected",
    "nexacloud_agrees_with_source",
)
Seed = Callable[[pytest.MonkeyPatch], None]


def _instead(claimant: Any, name: str, wrong: Any) -> Seed:
    return lambda patch: patch.setattr(claimant, name, wrong)


def _after(claimant: Any, name: str, change: Callable[..., Any]) -> Seed:
    """The right function's answer, changed: `change` takes it and what the function was given."""
    right = getattr(claimant, name)

    def wrong(*given: Any, **named: Any) -> Any:
        return change(right(*given, **named), *given)

    return lambda patch: patch.setattr(claimant, name, wrong)


def _all(*seeds: Seed) -> Seed:
    def seed(patch: pytest.MonkeyPatch) -> None:
        for each in seeds:
            each(patch)

    return seed


def _none(*_: Any) -> tuple[()]:
    return ()


def _utc(instant: Any, _: str) -> Any:
    return local_date(instant, "UTC")


def _never(*codes: str) -> Callable[..., Any]:
    return lambda reason, *_: None if reason in codes else reason


def _not_held(code: str) -> Callable[..., Any]:
    return lambda held, *_: None if held is not None and held.reason == code else held


def _posted_too(method: Method) -> Seed:
    """Settlements of this method are booked whatever the policy says, wherever that is asked."""

    def wrong(answer: bool, settled: facts.SettlementFacts, _: Any) -> bool:
        return answer or settled.method is method

    return _all(*(_after(asked, "posts", wrong) for asked in (writing, intended, opening)))


def _one_lump(billed: Any, *_: Any) -> Any:
    if len(billed) < 2:
        return billed
    return (replace(billed[0], amount=sum(tax.amount for tax in billed)),)


def _by_rate(billed: Any, configured: Any, _: Any) -> Any:
    return next((tax for tax in configured if tax.percentage == billed.percentage), None)


def _unpaid_too(self: SettlementReader, total: int) -> Any:
    self.document = deepcopy(self.document)
    for payment in (self.document.get("payments") or {"data": ()})["data"]:
        payment["status"] = "paid"
        payment["status_transitions"]["paid_at"] = self.document["status_transitions"][
            "finalized_at"
        ]
        payment["amount_paid"] = payment["amount_paid"] or payment["amount_requested"]
    return _OF_INVOICE(self, total)


_OF_INVOICE = SettlementReader.of_invoice
_ROUTE = beancount_settling.route_of


def _of_cash(method: Method, settings: Any) -> Any:
    return _ROUTE(Method.OFF_PLATFORM if method is Method.PAYMENT else method, settings)


def _elsewhere(found: Any, *_: Any) -> Any:
    other = "stripe:acct_1NexaCloudToronto:in_yMRLqXkHGqJsSTM3aLlz2505"
    return [replace(one, document=other) for one in found]


def _as(method: Method) -> Callable[..., Any]:
    return lambda found, *_: [replace(one, method=method) for one in found]


def _prepaid_as_cash(found: Any, *_: Any) -> Any:
    settlements, problem = found
    cash = {Method.PREPAID_CREDIT: Method.PAYMENT}
    return tuple(replace(s, method=cash.get(s.method, s.method)) for s in settlements), problem


def _first_only(found: Any, *_: Any) -> Any:
    paid = [one for one in found.settlements if one.method is Method.PAYMENT]
    kept = tuple(one for one in found.settlements if one not in paid[1:])
    return replace(found, settlements=kept)


def _on_issue(found: Any, reader: Any, *_: Any) -> Any:
    return replace(found, date=reader.issued)


def _fault(name: str, case: str, month: str, seed: Seed, *trips: str) -> Fault:
    return Fault(
        name=name, case=case, layer=Layer.RULES, month=month, seed=seed, trips=frozenset(trips)
    )


def _tax_resolved(wrong: Any) -> Seed:
    claimants = (taxes, build, tax_witness)
    return _all(*(_instead(claimant, "resolve", wrong) for claimant in claimants))


RULE_FAULTS = (
    _fault("Dates in UTC", "A1", MARCH, _instead(stripe_facts, "local_date", _utc), EXPECTED),
    _fault("The draft's day instead of the printed date", "A1", APRIL, _instead(stripe_facts._Reader, "_issued", lambda self, invoice: self._date(invoice["created"])), EXPECTED),
    _fault("Cash on the document's date", "A2", APRIL, _after(SettlementReader, "_payment", _on_issue), EXPECTED),
    _fault("A void posted", "A3", MAY, _instead(stripe_facts, "_STATUS", {**stripe_facts._STATUS, "void": Status.PAID}), EXPECTED),
    _fault("An unknown status posted", "A3", MAY, _instead(stripe_facts, "_STATUS", type("Open", (dict,), {"get": lambda self, key, _: dict.get(self, key, Status.OPEN)})(stripe_facts._STATUS)), EXPECTED),
    _fault("Test mode posted", "A4", MAY, _after(dispositions, "_skip", _never("test_mode")), EXPECTED),
    _fault("What no NexaCloud row owns posted", "A6", JUNE, _after(dispositions, "_hold", _not_held("missing_in_nexacloud")), EXPECTED),
    _fault("Every billing account the same", "A9", APRIL, _instead(dispositions.Case, "partner", property(lambda self: "nexacloud:11e7b164-cc93-57c1-8210-eddf66b93e25")), EXPECTED),
    _fault("The total taken from a line too many", "B1", MARCH, _after(stripe_facts._Reader, "_lines", lambda lines, *_: (*lines, *lines[:1])), HELD),
    _fault("Lago's total after its credits as the total", "B1", MAY, _after(lago_facts._Reader, "_amount", lambda amount, reader, field: reader._minor(reader.document["total_amount_cents"]) if field == "sub_total_including_taxes_amount_cents" else amount), HELD),
    _fault("Unitemised revenue called hosting", "B2", MARCH, _instead(build, "UNITEMISED", "hosting"), EXPECTED),
    _fault("Nothing sold, posted", "B4", MARCH, _after(dispositions, "_skip", _never("zero_amount")), EXPECTED),
    _fault("A negative invoice posted as an invoice", "B5", APRIL, _instead(stripe_facts, "turned", lambda told: told), RULES),
    _fault("A line that takes back counted as a sale", "B6", APRIL, _after(stripe_facts._Reader, "_line", lambda line, *_: replace(line, net=abs(line.net), gross=abs(line.gross))), HELD),
    _fault("A discount not taken", "B7", APRIL, _instead(stripe_facts._Reader, "_sum", lambda self, amounts: 0), HELD),
    _fault("A price that includes the tax taken for net", "B7", APRIL, _after(stripe_facts, "billed_taxes", lambda billed, *_: tuple(replace(tax, inclusive=False) for tax in billed)), HELD),
    _fault("Customer balance not counted", "B9", APRIL, _instead(SettlementReader, "_balance", _none), EXPECTED),
    _fault("Customer balance as cash", "B9", APRIL, _after(SettlementReader, "_balance", _as(Method.PAYMENT)), EXPECTED),
    _fault("Yen with two decimals on Stripe's wire", "B10", APRIL, _instead(money, "_WIRE_OVERRIDES", {**money._WIRE_OVERRIDES, money.Wire.STRIPE: {**money._WIRE_OVERRIDES[money.Wire.STRIPE], "JPY": 2}}), EXPECTED),
    _fault("Yen with two decimals everywhere", "B10", APRIL, _instead(money, "_ISO", {**money._ISO, "JPY": 2}), COPIES),
    _fault("A currency that the ledger lacks posted", "B10", APRIL, _after(dispositions, "_hold", _not_held("currency_unsupported")), RULES),
    _fault("Wallet credit as cash", "B11", MAY, _after(lago_settlements.SettlementReader, "of_invoice", _prepaid_as_cash), EXPECTED),
    _fault("Every line hosting", "T1", MAY, _instead(build, "family_of", lambda *_: "hosting"), EXPECTED),
    _fault("Tax off its rate posted", "T2", MAY, _instead(build, "mismatches", _none), RULES),
    _fault("Tax off its rate posted, the gate no wiser", "T2", MAY, _all(*(_instead(claimant, "mismatches", _none) for claimant in (build, document_rules, taxes))), EXPECTED),
    _fault("Tax chosen by its rate alone", "T3", JUNE, _tax_resolved(_by_rate), TAX),
    _fault("Two taxes as one lump", "T3", MARCH, _after(build, "_document_taxes", _one_lump), HELD),
    _fault("A credit note on the wrong account", "T5", APRIL, _instead(stripe_facts, "_reversed", lambda *_: "Managed"), EXPECTED),
    _fault("A payment that is under way counted", "S1", JULY, _instead(SettlementReader, "of_invoice", _unpaid_too), EXPECTED),
    _fault("Only the first payment counted", "S2", JULY, _after(SettlementReader, "of_invoice", _first_only), EXPECTED),
    _fault("An overpayment not credited", "S3", JULY, _instead(SettlementReader, "_overpaid", _none), EXPECTED),
    _fault("Money from outside of Stripe settled against the policy", "S4", JULY, _posted_too(Method.OFF_PLATFORM), EXPECTED),
    _fault("A connector that books cards as money from outside", "S4", APRIL, _instead(beancount_settling, "route_of", _of_cash), "read_back_equals_intent"),
    _fault("A credit note allocated to the wrong invoice", "S6", MAY, _after(SettlementReader, "_applied", _elsewhere), EXPECTED),
    _fault("A refund without a credit note taken off the payment", "S6", MAY, _after(SettlementReader, "_refunds", _as(Method.PAYMENT)), EXPECTED),
    _fault("A late failure not seen", "S7", MAY, _instead(SettlementReader, "_failures", _none), EXPECTED),
    _fault("A given up invoice written off against the policy", "S8", APRIL, _posted_too(Method.WRITE_OFF), EXPECTED),
    _fault("A lost dispute booked against the policy", "S9", JUNE, _posted_too(Method.CHARGEBACK), EXPECTED),
    _fault("Credit notes counted like invoices in every sum", "B5", JULY, _instead(facts.Kind, "sign", property(lambda self: 1)), EXPECTED),
    _fault("A locked period written to", "D4", MARCH, _instead(dispositions, "_held_by_ledger", lambda *_: None), RULES),
    _fault("A settlement written to a locked period", "D4", MARCH, _instead(writing, "obstacle", lambda *_: None), RUN),
)  # fmt: skip
