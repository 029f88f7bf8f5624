"""Invoices and credit notes of Lago as facts (API v1).

A body is `{"invoice": …, "fees": […], "payments": […]}`, `{"credit_note": …}` or, of a payment whose
invoice is not listed, `{"payment": …, "listed_invoices": […]}` from `connectors.lago.source`. Nothing here
raises for a bad document: a document that can't be read or does not add up has a `problem`
(`core.codes.Reason`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.codes import Kind, Reason, Status, System
from fcb_pipelines.core.facts.arithmetic import (
    UNREADABLE,
    absorb_rounding,
    absorb_tax_rounding,
    in_currency,
    spread_discount,
    spread_taxes,
    unreadable,
)
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.lago.parts import (
    bill_to_of,
    coupon_weight,
    day_of,
    due_on,
    instant_of,
    is_collecting,
    metadata_of,
    taxed_with,
    unlisted_invoices,
    whole_cents,
    word_of,
)
from fcb_pipelines.core.facts.lago.settlements import SettlementReader
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, TaxFacts
from fcb_pipelines.core.facts.tax_names import province, tax_type
from fcb_pipelines.core.money import Wire, from_wire, spread
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.refs import source_ref

# From this version on coupons are applied before taxes; B1's formula holds.
_COUPONS_BEFORE_TAXES = 3

_STATUS = {
    "draft": Status.DRAFT,
    "pending": Status.DRAFT,
    "failed": Status.DRAFT,
    "generating": Status.DRAFT,
    "voided": Status.VOID,
}


def document_facts(body: Json, *, organization: str, timezone: str) -> InvoiceFacts:
    """The facts of one Lago document; never raises for a bad one.

    `organization` is the name of the Lago organization in the identity, `timezone` the company's,
    for payment instants only: issuing_date is already local. A body that can't be read has status
    UNKNOWN and problem `unreadable`.
    """
    kind = Kind.CREDIT_NOTE if "credit_note" in body else Kind.INVOICE
    document = body.get("payment" if "payment" in body else kind.value)
    source_id = document.get("lago_id") if isinstance(document, Mapping) else None
    source_id = source_id if isinstance(source_id, str) else "?"
    ref = source_ref(System.LAGO, organization, source_id)
    if not isinstance(document, Mapping):
        return unreadable(System.LAGO, ref, kind)
    reader = _Reader(body, ref=ref, organization=organization, timezone=timezone, document=document)
    try:
        if "payment" in body:
            return reader.payment()
        if kind is Kind.CREDIT_NOTE:
            return reader.credit_note()
        return reader.invoice(body.get("fees") or ())
    except UNREADABLE:
        customer = document.get("customer")
        known = (
            customer.get("external_id")
            if isinstance(customer, Mapping)
            else document.get("external_customer_id")
        )
        return unreadable(System.LAGO, ref, kind, known if isinstance(known, str) else None)


class _Reader:
    """Reads one document; raises one of UNREADABLE where its shape breaks the contract of the API."""

    def __init__(
        self, body: Json, *, ref: str, organization: str, timezone: str, document: Json
    ) -> None:
        self.body = body
        self.ref = ref
        self.organization = organization
        self.timezone = timezone
        self.document = document
        self.currency = str(document.get("currency") or document.get("amount_currency")).upper()

    def invoice(self, fees: Sequence[Json]) -> InvoiceFacts:
        invoice = self.document
        total = self._amount("sub_total_including_taxes_amount_cents")
        tax = self._amount("taxes_amount_cents")
        taxes = self._taxes(invoice["applied_taxes"], "fees_amount_cents")
        # Lago rounds each fee, each tax and the document separately from precise amounts.
        taxes = absorb_tax_rounding(taxes, tax)
        lines = self._reduced(tuple(self._line(fee) for fee in fees), fees)
        lines = absorb_rounding(lines, total - tax)
        lines, sums = spread_taxes(lines, taxes) if lines else (lines, None)
        day = date.fromisoformat(invoice["issuing_date"]) if invoice["issuing_date"] else None
        status = _status(invoice)
        # A payment bears its own day.
        reader = self._settlements(day or date.min)
        is_sale = day is not None and status is not Status.DRAFT
        settlements, shared = reader.of_invoice() if is_sale else reader.of_draft()
        problems = (
            _untreated(invoice),
            Reason.UNREADABLE if day is None and status is not Status.DRAFT else None,
            self._formula(fees),
            Reason.LINES_DO_NOT_SUM if sum(t.amount for t in taxes) != tax else None,
            sums,
            shared,
        )
        return InvoiceFacts(
            side=System.LAGO,
            ref=self.ref,
            kind=Kind.INVOICE,
            number=invoice["number"] or "",
            status=status,
            status_at_source=f"{invoice['status']}/{invoice['payment_status']}",
            currency=self.currency,
            date=None if status is Status.DRAFT else day,
            net=total - tax,
            tax=tax,
            total=total,
            paid=total - self._amount("total_due_amount_cents"),
            customer=(invoice.get("customer") or {}).get("external_id"),
            lines=lines,
            taxes=taxes,
            settlements=settlements,
            remarks=reader.remarks() if day else (),
            voided_on=self._day(invoice.get("voided_at")),
            bill_to=bill_to_of(invoice.get("customer") or {}),
            discount=self._amount("coupons_amount_cents"),
            problem=next(filter(None, problems), None),
            metadata=metadata_of(invoice),
            due=due_on(invoice),
            collecting=is_collecting(self.body),
        )

    def credit_note(self) -> InvoiceFacts:
        note = self.document
        total = self._amount("total_amount_cents")
        tax = self._amount("taxes_amount_cents")
        taxes = self._taxes(note.get("applied_taxes"), "base_amount_cents")
        taxes = absorb_tax_rounding(taxes, tax)
        items = note.get("items") or ()
        lines = tuple(self._note_line(item) for item in items)
        adjustment = self._amount("coupons_adjustment_amount_cents")
        if adjustment and lines:
            lines = spread_discount(adjustment, lines)
        # Each item is rounded on its own; the note's own figure before taxes counts.
        if note.get("sub_total_excluding_taxes_amount_cents") in (None, total - tax):
            fees = [self._minor(item["fee"]["amount_cents"]) for item in items]
            lines = absorb_rounding(lines, total - tax, fees)
        lines, sums = (
            spread_taxes(lines, taxes, [taxed_with(item["fee"]) for item in items])
            if lines
            else (lines, None)
        )
        whole = not lines or sum(line.net for line in lines) + tax == total
        day = date.fromisoformat(note["issuing_date"])
        settlements = self._settlements(day).of_note()
        used = sum(each.amount for each in in_currency(settlements, self.currency))
        voided = note["credit_status"] == "voided"
        problems = (
            # The rest of a partly used note is forfeited, and no rule treats that yet.
            Reason.TREATMENT_UNKNOWN if voided and used else None,
            sums,
            None if whole else Reason.LINES_DO_NOT_SUM,
            Reason.LINES_DO_NOT_SUM if sum(t.amount for t in taxes) != tax else None,
        )
        return InvoiceFacts(
            side=System.LAGO,
            ref=self.ref,
            kind=Kind.CREDIT_NOTE,
            number=note["number"] or "",
            status=Status.VOID if voided and not used else Status.OPEN,
            status_at_source=str(note["credit_status"]),
            currency=self.currency,
            date=day,
            net=total - tax,
            tax=tax,
            total=total,
            paid=used,
            customer=(note.get("customer") or {}).get("external_id"),
            lines=lines,
            taxes=taxes,
            bill_to=bill_to_of(note.get("customer") or {}),
            settlements=settlements,
            credits=source_ref(System.LAGO, self.organization, note["lago_invoice_id"]),
            voided_on=self._day(note.get("voided_at")),
            discount=adjustment,
            problem=next(filter(None, problems), None),
        )

    def payment(self) -> InvoiceFacts:
        """A confirmed payment of an invoice that is not listed: cash, and no sale (S11)."""
        payment = self.document
        day = local_date(instant_of(payment["created_at"]), self.timezone)
        word_of(payment, "payment_status")
        settled = self._settlements(day).of_payment()
        return InvoiceFacts(
            side=System.LAGO,
            ref=self.ref,
            kind=Kind.INVOICE,
            number=settled.payment_id or "",
            status=Status.PAID,
            status_at_source=str(payment["payment_status"]),
            currency=self.currency,
            date=day,
            net=0,
            tax=0,
            total=0,
            paid=settled.amount,
            customer=payment.get("external_customer_id"),
            settlements=(settled,),
            problem=Reason.PAYMENT_WITHOUT_INVOICE,
            metadata=(("invoices", unlisted_invoices(self.body)),),
        )

    def _day(self, instant: str | None) -> date | None:
        return local_date(instant_of(instant), self.timezone) if instant else None

    def _amount(self, field: str) -> int:
        cents = self.document.get(field)
        return 0 if cents is None else self._minor(cents)

    def _minor(self, cents: int) -> int:
        return from_wire(whole_cents(cents), self.currency, Wire.LAGO)

    def _taxes(self, taxes: Sequence[Json] | None, base: str) -> tuple[TaxFacts, ...]:
        return tuple(self._tax(tax, base) for tax in taxes or ())

    def _tax(self, tax: Json, base: str) -> TaxFacts:
        percentage = Decimal(str(tax["tax_rate"]))
        by_code = tax_type(tax["tax_code"], percentage)
        known = by_code in {"hst", "gst", "qst", "pst"}
        return TaxFacts(
            type=by_code if known else tax_type(tax["tax_name"], percentage),
            percentage=percentage,
            amount=self._minor(tax["amount_cents"]),
            base=self._minor(tax[base]) if tax.get(base) is not None else None,
            state=province(tax["tax_code"], tax["tax_name"]),
            source_id=tax["tax_code"],
        )

    def _line(self, fee: Json) -> LineFacts:
        amount = self._minor(fee["amount_cents"])
        item = fee["item"]
        unit = fee.get("precise_unit_amount")
        name = item.get("invoice_display_name") or item.get("name")
        return LineFacts(
            key=fee["lago_id"],
            description=fee.get("description") or name or "",
            quantity=Decimal(str(fee["units"] or 1)),
            net=amount,
            gross=amount,
            unit_amount=None if unit is None else Decimal(str(unit)),
            taxes=self._taxes(fee.get("applied_taxes"), "base_amount_cents"),
            service_start=day_of(fee.get("from_date"), self.timezone),
            service_end=day_of(fee.get("to_date"), self.timezone),
        )

    def _note_line(self, item: Json) -> LineFacts:
        return replace(
            self._line(item["fee"]),
            key=item["lago_id"],
            quantity=Decimal(1),
            net=self._minor(item["amount_cents"]),
            gross=self._minor(item["amount_cents"]),
            unit_amount=None,
            taxes=(),
        )

    def _reduced(self, lines: tuple[LineFacts, ...], fees: Sequence[Json]) -> tuple[LineFacts, ...]:
        """The lines after coupons, and after progressive billing by earlier invoices.

        Coupons are spread by Lago's own share of each fee, where it gives any.
        """
        coupons = self._amount("coupons_amount_cents")
        weights = [coupon_weight(fee) for fee in fees]
        if coupons and any(weights):
            lines = tuple(
                replace(line, discount=share, net=line.net - share)
                for line, share in zip(lines, spread(coupons, weights), strict=True)
            )
            coupons = 0
        off = coupons + self._amount("progressive_billing_credit_amount_cents")
        return spread_discount(off, lines) if off and lines else lines

    def _formula(self, fees: Sequence[Json]) -> Reason | None:
        """A reason where fees - progressive - coupons + taxes are not the total (rule B1).

        Versions that apply coupons after taxes are held: the formula does not hold for them.
        """
        billed = self._amount("fees_amount_cents")
        coupons = self._amount("coupons_amount_cents")
        if self.document["version_number"] < _COUPONS_BEFORE_TAXES and (
            coupons or self._amount("prepaid_credit_amount_cents")
        ):
            return Reason.TREATMENT_UNKNOWN
        net = billed - self._amount("progressive_billing_credit_amount_cents") - coupons
        taxed = net + self._amount("taxes_amount_cents")
        lines = sum(self._minor(fee["amount_cents"]) for fee in fees)
        whole = not fees or 2 * abs(lines - billed) <= len(fees)
        if whole and taxed == self._amount("sub_total_including_taxes_amount_cents"):
            return None
        return Reason.LINES_DO_NOT_SUM

    def _settlements(self, issued: date) -> SettlementReader:
        return SettlementReader(
            body=self.body,
            document=self.document,
            ref=self.ref,
            organization=self.organization,
            timezone=self.timezone,
            currency=self.currency,
            issued=issued,
            minor=self._minor,
        )


def _status(invoice: Json) -> Status:
    if invoice["status"] == "finalized":
        return Status.PAID if word_of(invoice, "payment_status") == "succeeded" else Status.OPEN
    return _STATUS.get(invoice["status"], Status.UNKNOWN)


def _untreated(invoice: Json) -> Reason | None:
    """A reason for documents that are no plain sale: a wallet top-up or a self-billed invoice."""
    unusual = invoice["invoice_type"] == "credit" or invoice.get("self_billed")
    return Reason.TREATMENT_UNKNOWN if unusual else None
