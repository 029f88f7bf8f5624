"""Settlements of a Lago document: confirmed payments and applied credits (S1-S6, B11)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.codes import ExceptionCode, Method, Reason, System
from fcb_pipelines.core.facts.arithmetic import in_currency, in_order
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.lago.parts import instant_of, whole_cents, word_of
from fcb_pipelines.core.facts.model import SettlementFacts
from fcb_pipelines.core.money import InexactAmount, Wire, from_wire
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.refs import Suffix, part_ref, source_ref, suffixed


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementReader:
    """Reads the settlements of one document from its body; `minor` converts cents to minor units."""

    body: Json
    document: Json
    ref: str
    organization: str
    timezone: str
    currency: str
    issued: date
    minor: Callable[[int], int]

    def of_invoice(self) -> tuple[tuple[SettlementFacts, ...], Reason | None]:
        """The settlements of an invoice by date; a reason where its part of a shared payment is unclear."""
        found, unclear = self._received()
        if unclear:
            return in_order(found), unclear
        # A void returns the used credits to the wallet.
        if self.document["status"] != "voided":
            found += self._from_wallet()
        found += [*self._credits(), *self._offsets()]
        found += self._marked_paid(found)
        found += self._lost_dispute(found)
        return in_order(found), None

    def of_note(self) -> tuple[SettlementFacts, ...]:
        """The uses of a credit note: refunded, applied to later invoices, set off; the rest stays open."""
        note = self.document
        found = [*self._offset(note)]
        refunded = self._amount("refund_amount_cents")
        if refunded and note.get("refund_status") == "succeeded":
            found.append(self._own(Suffix.REFUND, Method.PAYMENT, refunded))
        for invoice in self.body.get("applied_on") or ():
            for credit in invoice["credits"]:
                if _note_of(credit) == note["lago_id"]:
                    day = date.fromisoformat(invoice["issuing_date"])
                    found.append(self._applied(credit, invoice["lago_id"], day))
        return in_order(found)

    def of_draft(self) -> tuple[tuple[SettlementFacts, ...], Reason | None]:
        """Those of an invoice that has no day or is no sale yet: its confirmed payments (S11)."""
        found, unclear = self._received()
        return in_order(found), unclear

    def of_payment(self) -> SettlementFacts:
        """The payment that the body is, which is its own document; only what no invoice takes is its amount.

        Of one that a listed invoice has a part of the rest is unknown, and the receipt is counted once.
        """
        return self._whole(
            self.document,
            self._amount("amount_cents"),
            is_shared=bool(self.body["listed_invoices"]),
        )

    def remarks(self) -> tuple[ExceptionCode, ...]:
        """The exceptions that follow from Lago's own fields of the invoice."""
        return (ExceptionCode.DISPUTE_LOST,) if self.document.get("payment_dispute_lost_at") else ()

    def _received(self) -> tuple[list[SettlementFacts], Reason | None]:
        """The confirmed payments; a reason where the invoice's part of a shared one is unclear."""
        payments = self.body.get("payments") or ()
        paid = [each for each in payments if word_of(each, "payment_status") == "succeeded"]
        own = [
            each for each in paid if self._currency(each.get("amount_currency")) == self.currency
        ]
        single = [payment for payment in own if len(payment["invoice_ids"]) == 1]
        shared = [payment for payment in own if len(payment["invoice_ids"]) > 1]
        others = [self._other(payment) for payment in paid if payment not in own]
        found = [self._payment(each, self.minor(each["amount_cents"])) for each in single]
        if shared:
            # A payment of several invoices names no parts: this part is the paid amount less the others.
            part = self._amount("total_paid_amount_cents") - sum(each.amount for each in found)
            whole = self.minor(shared[0]["amount_cents"])
            if len(shared) > 1 or others or not 0 < part <= whole:
                # The parts are unknown, but the money was received.
                found += [
                    self._payment(each, 0, self.minor(each["amount_cents"])) for each in shared
                ]
                return [*found, *others], Reason.UNREADABLE
            found.append(self._payment(shared[0], part, whole))
        found += others
        return found, None

    def _from_wallet(self) -> Iterable[SettlementFacts]:
        """S12: bought credits reduce a liability; granted ones were never a liability."""
        used = self._amount("prepaid_credit_amount_cents")
        granted = min(used, self._amount("prepaid_granted_credit_amount_cents"))
        if used - granted:
            yield self._own(Suffix.PREPAID, Method.PREPAID_CREDIT, used - granted)
        if granted:
            yield self._own(Suffix.GRANTED, Method.GRANTED_CREDIT, granted)

    def _credits(self) -> Iterable[SettlementFacts]:
        """Credit notes used on this invoice; the part that Lago assigns to no note is one settlement."""
        whole = self._amount("credit_notes_amount_cents")
        for credit in self.document.get("credits") or ():
            if _note_of(credit):
                whole -= self.minor(credit["amount_cents"])
                yield self._applied(credit, self.document["lago_id"], self.issued)
        if whole:
            yield self._own(Suffix.CREDIT_NOTES, Method.CREDIT_NOTE, whole)

    def _applied(self, credit: Json, invoice: str, day: date) -> SettlementFacts:
        currency = self._currency(credit.get("amount_currency"))
        return SettlementFacts(
            ref=part_ref(self._ref(str(_note_of(credit))), invoice),
            document=self._ref(invoice),
            method=Method.CREDIT_NOTE,
            date=day,
            amount=self._minor_in(currency, credit["amount_cents"]),
            currency=currency,
            drawn_on=self._ref(str(_note_of(credit))),
        )

    def _marked_paid(self, found: Sequence[SettlementFacts]) -> Iterable[SettlementFacts]:
        """S4: an invoice marked as paid without a payment, dated as issued: Lago gives no date for it."""
        if self.document["status"] != "finalized":
            return
        own = in_currency(found, self.currency)
        if len(own) < len(found):
            # A settlement in another currency explains it, and nobody says how much of it.
            return
        settled = sum(each.amount for each in own)
        total = self._amount("sub_total_including_taxes_amount_cents")
        is_paid = self.document["payment_status"] == "succeeded"
        if not is_paid and self.document.get("total_due_amount_cents") is None:
            # Older versions do not report the amount still due.
            return
        left = 0 if is_paid else self._amount("total_due_amount_cents")
        if total - settled > left:
            yield self._own(Suffix.MARKED_PAID, Method.OFF_PLATFORM, total - settled - left)

    def _offsets(self) -> Iterable[SettlementFacts]:
        for note in self.body.get("credit_notes") or ():
            yield from self._offset(note)

    def _offset(self, note: Json) -> Iterable[SettlementFacts]:
        """The amount of a note set off against its invoice; invoice and note give the same settlement."""
        currency = self._currency(note.get("currency"))
        amount = self._minor_in(currency, note.get("offset_amount_cents") or 0)
        if amount:
            own, invoice = self._ref(note["lago_id"]), note["lago_invoice_id"]
            yield SettlementFacts(
                ref=suffixed(part_ref(own, invoice), Suffix.OFFSET),
                document=self._ref(invoice),
                method=Method.CREDIT_NOTE,
                date=date.fromisoformat(note["issuing_date"]),
                amount=amount,
                currency=currency,
                drawn_on=own,
            )

    def _lost_dispute(self, found: Sequence[SettlementFacts]) -> Iterable[SettlementFacts]:
        """S9: a lost dispute over all that Lago had collected by then: Lago gives its date and no amount."""
        lost = self.document.get("payment_dispute_lost_at")
        if not lost:
            return
        day = local_date(instant_of(lost), self.timezone)
        own = in_currency(found, self.currency)
        payments = (each for each in own if each.method is Method.PAYMENT)
        taken = sum(each.amount for each in payments if each.date <= day)
        if taken:
            yield self._own(Suffix.DISPUTE, Method.CHARGEBACK, -taken, day)

    def _other(self, payment: Json) -> SettlementFacts:
        """A payment in another currency than the invoice; of a shared one the part is unknown."""
        currency = self._currency(payment.get("amount_currency"))
        amount = self._minor_in(currency, payment["amount_cents"])
        return self._whole(payment, amount, is_shared=len(payment["invoice_ids"]) > 1)

    def _whole(self, payment: Json, amount: int, *, is_shared: bool) -> SettlementFacts:
        """A payment of this amount; where it is shared, a part of unknown size of its receipt."""
        return self._payment(payment, 0, amount) if is_shared else self._payment(payment, amount)

    def _payment(self, payment: Json, amount: int, receipt: int | None = None) -> SettlementFacts:
        own = self._ref(payment["lago_id"])
        by_hand = payment["type"] == "manual"
        reference = payment.get("provider_payment_id") or payment.get("external_payment_id")
        return SettlementFacts(
            ref=own if receipt is None else part_ref(own, self.document["lago_id"]),
            document=self.ref,
            method=Method.OFF_PLATFORM if by_hand else Method.PAYMENT,
            date=local_date(instant_of(payment["created_at"]), self.timezone),
            amount=amount,
            currency=self._currency(payment.get("amount_currency")),
            payment_id=(payment.get("reference") or None) if by_hand else reference,
            drawn_on=None if receipt is None else own,
            receipt=receipt,
            shares=tuple(
                part_ref(own, invoice)
                for invoice in payment["invoice_ids"]
                if receipt is not None and invoice != self.document["lago_id"]
            ),
        )

    def _own(
        self, suffix: Suffix, method: Method, amount: int, day: date | None = None
    ) -> SettlementFacts:
        return SettlementFacts(
            ref=suffixed(self.ref, suffix),
            document=self.ref,
            method=method,
            date=day or self.issued,
            amount=amount,
            currency=self.currency,
        )

    def _amount(self, field: str) -> int:
        cents = self.document.get(field)
        return 0 if cents is None else self.minor(cents)

    def _currency(self, code: object) -> str:
        """The currency that an object names; without a name it is the document's."""
        return str(code or self.currency).upper()

    def _minor_in(self, currency: str, cents: int) -> int:
        """Minor units of a currency; of another than the document's, which is not posted, also as they are."""
        if currency == self.currency:
            return self.minor(cents)
        try:
            return from_wire(whole_cents(cents), currency, Wire.LAGO)
        except InexactAmount:
            return cents

    def _ref(self, lago_id: str | None) -> str:
        if not lago_id:
            raise TypeError("a payment or a note without an id")
        return source_ref(System.LAGO, self.organization, lago_id)


def _note_of(credit: Json) -> str | None:
    """The credit note that a credit on an invoice comes from; None for coupons and earlier bills."""
    item = credit.get("item") or {}
    return item.get("lago_item_id") if item.get("type") == "credit_note" else None
