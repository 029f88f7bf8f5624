"""Invoices and credit notes of Stripe as facts (API 2026-10-28.endive).

A body is `{"invoice": …, "tax_rates": […], …}` or `{"credit_note": …, "tax_rates": […], …}` from
`connectors.stripe.source`: lines complete, payments expanded, with its notes, refunds, disputes and
failures joined in (`core.facts.stripe.joins`). Nothing here raises for a bad document: a document that
can't be read or does not add up has a `problem` (`core.codes.Reason`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.codes import Kind, Reason, Status, System
from fcb_pipelines.core.facts.arithmetic import (
    UNREADABLE,
    as_credit_note,
    in_currency,
    spread_discount,
    spread_taxes,
    unreadable,
)
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, TaxFacts
from fcb_pipelines.core.facts.stripe.balance import balance_applied
from fcb_pipelines.core.facts.stripe.parts import (
    Amounts,
    RawAmounts,
    bill_to_of,
    billed_taxes,
    due_on,
    is_collecting,
    listed,
    metadata_of,
    payments_of,
    reference_id,
)
from fcb_pipelines.core.facts.stripe.settlements import Settled, SettlementReader
from fcb_pipelines.core.money import InexactAmount
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.refs import source_ref

_STATUS = {status.value: status for status in Status if status is not Status.UNKNOWN}
_EXEMPT = ("exempt", "reverse")
_NOTE_STATUS = {"issued": Status.OPEN, "void": Status.VOID}


def document_facts(body: Json, *, account: str, timezone: str) -> InvoiceFacts:
    """The facts of one Stripe document; never raises for a bad one.

    `account` is the Stripe account (`acct_…`) of the identity, `timezone` the company's, in which
    instants become dates. A body that can't be read has status UNKNOWN and problem `unreadable`.
    """
    kind = Kind.CREDIT_NOTE if "credit_note" in body else Kind.INVOICE
    document = body.get(kind.value)
    source_id = document.get("id") if isinstance(document, Mapping) else None
    source_id = source_id if isinstance(source_id, str) else "?"
    ref = source_ref(System.STRIPE, account, source_id)
    if not isinstance(document, Mapping):
        return unreadable(System.STRIPE, ref, kind)
    currency = str(document.get("currency"))
    for amounts in (Amounts(currency), RawAmounts(currency)):
        reader = _Reader(body, ref=ref, account=account, timezone=timezone, amounts=amounts)
        try:
            facts = reader.read(kind, document)
        except InexactAmount:
            continue
        except UNREADABLE:
            return unreadable(System.STRIPE, ref, kind, _billed(document))
        return as_credit_note(facts) if kind is Kind.INVOICE and facts.total < 0 else facts
    return unreadable(System.STRIPE, ref, kind, _billed(document))


class _Reader:
    """Reads one document; raises one of UNREADABLE where its shape breaks the contract of the API."""

    def __init__(
        self, body: Json, *, ref: str, account: str, timezone: str, amounts: Amounts
    ) -> None:
        self.body = body
        self.ref = ref
        self.account = account
        self.timezone = timezone
        self.amounts = amounts

    def read(self, kind: Kind, document: Json) -> InvoiceFacts:
        by_id = {rate["id"]: rate for rate in self.body.get("tax_rates") or ()}
        if kind is Kind.CREDIT_NOTE:
            return self._credit_note(document, by_id)
        return self._invoice(document, by_id)

    def _invoice(self, invoice: Json, rates: Mapping[str, Json]) -> InvoiceFacts:
        total = self.amounts(invoice["total"])
        taxes = billed_taxes(invoice.get("total_taxes"), rates, self.amounts)
        lines = self._lines(invoice, rates)
        discount = self._sum(invoice.get("total_discount_amounts"))
        shipping = self._shipping(invoice)
        lines, sums = self._checked(lines, taxes, discount, shipping, total)
        status = _STATUS.get(invoice["status"] or "", Status.UNKNOWN)
        day = None if status is Status.DRAFT else self._issued(invoice)
        settled = (
            replace(self._received(invoice, total), readable=status is Status.DRAFT)
            if day is None
            else self._settlements(day).of_invoice(total)
        )
        tax = sum(each.amount for each in taxes)
        problems = (
            self.amounts.problem,
            None if settled.readable else Reason.UNREADABLE,
            _untreated(invoice),
            Reason.LINES_DO_NOT_SUM if invoice["lines"]["has_more"] else None,
            _unknown_rate(taxes),
            sums,
        )
        return InvoiceFacts(
            side=System.STRIPE,
            ref=self.ref,
            kind=Kind.INVOICE,
            number=invoice.get("number") or "",
            status=status,
            status_at_source=str(invoice["status"]),
            currency=str(invoice["currency"]).upper(),
            date=day,
            net=total - tax,
            tax=tax,
            total=total,
            paid=self.amounts(invoice["amount_due"])
            - self.amounts(invoice["amount_remaining"])
            + balance_applied(invoice, self.amounts),
            customer=reference_id(invoice.get("customer")),
            customer_account=reference_id(invoice.get("customer_account")),
            lines=lines,
            taxes=taxes,
            settlements=settled.settlements,
            remarks=settled.remarks,
            withdrawn=settled.withdrawn,
            voided_on=self._voided(invoice["status_transitions"]["voided_at"]),
            bill_to=bill_to_of(invoice),
            livemode=invoice["livemode"],
            tax_exempt=invoice.get("customer_tax_exempt") in _EXEMPT,
            discount=discount,
            shipping=shipping,
            problem=next(filter(None, problems), None),
            metadata=metadata_of(invoice),
            due=due_on(invoice, self.timezone),
            collecting=is_collecting(invoice),
        )

    def _credit_note(self, note: Json, rates: Mapping[str, Json]) -> InvoiceFacts:
        total = self.amounts(note["total"])
        taxes = billed_taxes(note.get("total_taxes"), rates, self.amounts)
        sold = {each["id"]: each["description"] for each in self.body.get("invoice_lines") or ()}
        billed_to: Json = next(iter(self.body.get("billed_to") or ()), {})
        lines = tuple(self._note_line(line, rates, sold) for line in note["lines"]["data"])
        day = self._date(note["effective_at"] or note["created"])
        settled = self._settlements(day).of_note()
        discount = self.amounts(note["discount_amount"])
        shipping = self._shipping(note)
        lines, sums = self._checked(lines, taxes, discount, shipping, total)
        tax = sum(each.amount for each in taxes)
        status, voided_at = _NOTE_STATUS.get(note["status"], Status.UNKNOWN), note.get("voided_at")
        void: Json | None = next(iter(self.body.get("void_invoice") or ()), None)
        if void:
            # The void of the invoice voids its credit note as well.
            status = Status.VOID
            voided_at = voided_at or void["status_transitions"]["voided_at"]
        problems = (
            self.amounts.problem,
            _untreated(note),
            Reason.LINES_DO_NOT_SUM if note["lines"]["has_more"] else None,
            _unknown_rate(taxes),
            sums,
        )
        return InvoiceFacts(
            side=System.STRIPE,
            ref=self.ref,
            kind=Kind.CREDIT_NOTE,
            number=note["number"],
            status=status,
            status_at_source=note["status"],
            currency=str(note["currency"]).upper(),
            date=day,
            net=total - tax,
            tax=tax,
            total=total,
            paid=sum(
                each.amount for each in in_currency(settled.settlements, self.amounts.currency)
            ),
            customer=reference_id(note["customer"]),
            customer_account=reference_id(note.get("customer_account")),
            lines=lines,
            taxes=taxes,
            settlements=settled.settlements,
            withdrawn=settled.withdrawn,
            credits=source_ref(System.STRIPE, self.account, reference_id(note["invoice"])),
            voided_on=self._voided(voided_at),
            bill_to=bill_to_of(billed_to),
            livemode=note["livemode"],
            tax_exempt=billed_to.get("customer_tax_exempt") in _EXEMPT,
            discount=discount,
            shipping=shipping,
            problem=next(filter(None, problems), None),
            metadata=metadata_of(note),
        )

    def _date(self, instant: int) -> date:
        return local_date(instant, self.timezone)

    def _voided(self, instant: int | None) -> date | None:
        return self._date(instant) if instant else None

    def _settlements(self, issued: date) -> SettlementReader:
        return SettlementReader(
            self.body,
            ref=self.ref,
            account=self.account,
            timezone=self.timezone,
            issued=issued,
            amounts=self.amounts,
        )

    def _received(self, invoice: Json, total: int) -> Settled:
        """Of an invoice that has no day or is no sale yet: the money that moved, each on its own day (S11)."""
        made, _ = payments_of(invoice)
        if not any(payment["status_transitions"]["paid_at"] for payment in made):
            return Settled(settlements=())
        found = self._settlements(date.min).of_invoice(total).settlements
        moved = (each for each in found if each.method.is_cash and each.date > date.min)
        return Settled(settlements=tuple(moved))

    def _issued(self, invoice: Json) -> date | None:
        instant = invoice["effective_at"] or invoice["status_transitions"]["finalized_at"]
        return self._date(instant) if instant else None

    def _sum(self, amounts: Sequence[Json] | None) -> int:
        return sum(self.amounts(each["amount"]) for each in listed(amounts))

    def _lines(self, invoice: Json, rates: Mapping[str, Json]) -> tuple[LineFacts, ...]:
        lines = tuple(self._line(line, rates) for line in invoice["lines"]["data"])
        discount = self._sum(invoice.get("total_discount_amounts"))
        on_lines = sum(line.discount for line in lines)
        return spread_discount(discount, lines) if discount and lines and not on_lines else lines

    def _line(self, line: Json, rates: Mapping[str, Json]) -> LineFacts:
        taxes = billed_taxes(line.get("taxes"), rates, self.amounts)
        discount = self._sum(line.get("discount_amounts"))
        included = sum(tax.amount for tax in taxes if tax.inclusive)
        net = self.amounts(line["amount"]) - discount - included
        quantity = next(filter(None, (line.get("quantity_decimal"), line["quantity"])), 1)
        return LineFacts(
            key=line["id"],
            description=line["description"] or "",
            quantity=Decimal(quantity),
            net=net,
            gross=net + discount,
            discount=discount,
            unit_amount=self.amounts.major((line.get("pricing") or {}).get("unit_amount_decimal")),
            taxes=taxes,
            service_start=self._date(line["period"]["start"]),
            service_end=self._date(line["period"]["end"]),
            proration=_proration(line),
        )

    def _note_line(
        self, line: Json, rates: Mapping[str, Json], sold: Mapping[str, str | None]
    ) -> LineFacts:
        taxes = billed_taxes(line.get("taxes"), rates, self.amounts)
        discount = self.amounts(line["discount_amount"])
        included = sum(tax.amount for tax in taxes if tax.inclusive)
        net = self.amounts(line["amount"]) - discount - included
        return LineFacts(
            key=line["id"],
            description=line["description"] or "",
            quantity=Decimal(line["quantity"] or 1),
            net=net,
            gross=net + discount,
            discount=discount,
            unit_amount=self.amounts.major(line["unit_amount_decimal"]),
            taxes=taxes,
            reverses=_reversed(reference_id(line.get("invoice_line_item")), sold),
        )

    def _shipping(self, document: Json) -> int:
        """Shipping before tax. Its taxes are part of the document's total_taxes."""
        cost = document.get("shipping_cost") or {}
        return self.amounts(cost.get("amount_total")) - self.amounts(cost.get("amount_tax"))

    def _checked(
        self,
        lines: tuple[LineFacts, ...],
        taxes: Sequence[TaxFacts],
        discount: int,
        shipping: int,
        total: int,
    ) -> tuple[tuple[LineFacts, ...], Reason | None]:
        """The lines with their taxes, and a reason where they break rule B1.

        B1: lines less discounts plus taxes plus shipping are the total, to the unit.
        """
        if lines and not shipping:
            lines, problem = spread_taxes(lines, taxes)
            if problem:
                return lines, problem
        net = sum(line.net for line in lines) + shipping
        tax = sum(each.amount for each in taxes)
        unitemised = not lines and not shipping
        if unitemised or (net + tax == total and discount == sum(line.discount for line in lines)):
            return lines, None
        return lines, Reason.LINES_DO_NOT_SUM


def _billed(document: Json) -> str | None:
    """The customer of an unreadable document, or the account in its place; None where not given."""
    found = (document.get("customer"), document.get("customer_account"))
    ids = (one.get("id") if isinstance(one, Mapping) else one for one in found)
    return next((one for one in ids if one and isinstance(one, str)), None)


def _reversed(line: str | None, sold: Mapping[str, str | None]) -> str | None:
    """The description of the invoice line that a note's line credits.

    A custom line of a note names none: the description is known only where the invoice sold one thing.
    """
    if line is not None:
        return sold.get(line)
    whole = set(sold.values())
    return whole.pop() if len(whole) == 1 else None


def _unknown_rate(taxes: Sequence[TaxFacts]) -> Reason | None:
    """A reason where a billed tax came without its rate object, so its type is unknown."""
    unknown = any(tax.type == "unknown" for tax in taxes)
    return Reason.UNREADABLE if unknown else None


def _untreated(document: Json) -> Reason | None:
    """A reason where billing credits reduced the base: no rule treats them as discount or liability yet."""
    credits = document.get("total_pretax_credit_amounts", document.get("pretax_credit_amounts"))
    used = any(each["type"] != "discount" for each in credits or ())
    return Reason.TREATMENT_UNKNOWN if used else None


def _proration(line: Json) -> bool:
    parent = line.get("parent") or {}
    details = parent.get("invoice_item_details") or parent.get("subscription_item_details") or {}
    return bool(details.get("proration"))
