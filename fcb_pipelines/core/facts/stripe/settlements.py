"""Settlements of a Stripe document, only those that Stripe itself confirms (rules S1-S9, B9)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fcb_pipelines.core.codes import ExceptionCode, Method, System
from fcb_pipelines.core.facts.arithmetic import in_currency, in_order
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.model import SettlementFacts
from fcb_pipelines.core.facts.stripe.balance import balance_applied, balance_debt
from fcb_pipelines.core.facts.stripe.disputes import came_back_on, is_lost, taking, withdrawn_on
from fcb_pipelines.core.facts.stripe.parts import (
    Amounts,
    amount_paid,
    listed,
    payment_key,
    payments_of,
    reference_id,
    was_paid_once,
)
from fcb_pipelines.core.facts.stripe.refunds import is_of_one_note, is_unnamed, succeeded
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.refs import Suffix, part_ref, source_ref, suffixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The settlements of a document by date, with the exceptions that follow from Stripe's objects.

    `readable`: every payment could be read. `withdrawn`: the refs of settlements that Stripe withdrew,
    each with its day.
    """

    settlements: tuple[SettlementFacts, ...]
    remarks: tuple[ExceptionCode, ...] = ()
    withdrawn: tuple[tuple[str, date], ...] = ()
    readable: bool = True


class SettlementReader:
    """Reads the settlements of one document out of its body."""

    def __init__(
        self, body: Json, *, ref: str, account: str, timezone: str, issued: date, amounts: Amounts
    ) -> None:
        self.body = body
        self.ref = ref
        self.account = account
        self.timezone = timezone
        self.issued = issued
        self.amounts = amounts
        document = body.get("invoice") or body["credit_note"]
        self.document = document
        self.currency = amounts.currency

    def of_invoice(self, total: int) -> Settled:
        """The settlements of an invoice: payments, failures, balance, notes, refunds, disputes, write-off.

        A payment counts when its status is paid and it has a paid_at. Customer balance counts from
        finalisation, money from outside Stripe from the day the invoice was marked paid.
        """
        made, cut_off = payments_of(self.document)
        paid = [payment for payment in made if payment["status"] == "paid"]
        dated = [payment for payment in paid if payment["status_transitions"]["paid_at"]]
        returned = [payment for payment in made if was_paid_once(payment)]
        found = [
            # A payment without a date makes the document unreadable; its money is reported anyway.
            *(self._payment(each) for each in (*paid, *returned)),
            *self._failures(dated, returned),
            *self._balance(),
            *self._notes_applied(),
        ]
        found += self._outside(found, total)
        found += self._overpaid(found, total)
        failed = any(each.method is Method.PAYMENT_FAILURE for each in found)
        is_open = sum(each.amount for each in in_currency(found, self.currency)) < total
        overpaid = any(each.method is Method.OVERPAYMENT for each in found)
        refunds, disputes = self._refunds(), taking(self.body)
        write_off = self._write_off(found, total)
        remarks = {
            ExceptionCode.PAYMENT_FAILED: failed and is_open,
            ExceptionCode.OVERPAID: overpaid,
            ExceptionCode.REFUND_WITHOUT_CREDIT_NOTE: any(
                is_unnamed(self.body, each) for each in succeeded(self.body)
            ),
            ExceptionCode.DISPUTED: any(not is_lost(each) for each in disputes),
            ExceptionCode.DISPUTE_LOST: any(is_lost(each) for each in disputes),
            ExceptionCode.UNCOLLECTIBLE: self.document["status"] == "uncollectible",
        }
        found += [*refunds, *map(self._chargeback, filter(is_lost, disputes)), *write_off]
        return Settled(
            settlements=in_order(found),
            remarks=tuple(code for code, raised in remarks.items() if raised),
            withdrawn=tuple(self._withdrawn()),
            readable=len(dated) == len(paid) and not cut_off,
        )

    def of_note(self) -> Settled:
        """The uses of a credit note: applied to its invoice, refunded, or credited; the rest stays open."""
        note = self.document
        if note["status"] == "void":
            return Settled(settlements=())
        whole = self.amounts(note.get("post_payment_amount"))
        outside = self.amounts(note.get("out_of_band_amount"))
        given = listed(note.get("refunds"))
        refunds = [found for each in given for found in self._note_refund(each)]
        named = sum(self.amounts(each["amount_refunded"]) for each in given)
        credited = whole - named - outside if note.get("customer_balance_transaction") else 0
        found = [*self._applied(note), *refunds]
        if credited:
            found.append(self._own(Suffix.BALANCE, Method.CUSTOMER_BALANCE, None, credited))
        if outside:
            found.append(self._own(Suffix.OUT_OF_BAND, Method.OFF_PLATFORM, None, outside))
        return Settled(settlements=in_order(found), withdrawn=tuple(self._withdrawn()))

    def _payment(self, payment: Json) -> SettlementFacts:
        # A payment record reports money that never passed through Stripe.
        outside = payment["payment"]["type"] == "payment_record"
        paid_at = payment["status_transitions"]["paid_at"]
        key = payment_key(payment)
        others = [
            each
            for each in self.body.get("shared_payments") or ()
            if payment_key(each) == key and each["status_transitions"]["paid_at"]
        ]
        own = [each for each in self.document["payments"]["data"] if payment_key(each) == key]
        parts = [each for each in (*own, *others) if amount_paid(each)]
        amounts = self.amounts.of(payment)
        # Money is of one currency: parts in two are no shares of one receipt.
        shared = bool(others) and len({amounts.of(each).currency for each in parts}) == 1
        return SettlementFacts(
            ref=self._ref(payment["id"]),
            document=self.ref,
            method=Method.OFF_PLATFORM if outside else Method.PAYMENT,
            date=local_date(paid_at, self.timezone) if paid_at else self.issued,
            amount=amounts(amount_paid(payment)),
            currency=amounts.currency,
            payment_id=key,
            drawn_on=self._ref(str(key)) if shared else None,
            receipt=sum(amounts(amount_paid(part)) for part in parts) if shared else None,
            shares=tuple(self._ref(each["id"]) for each in others if shared),
        )

    def _failures(
        self, paid: Sequence[Json], returned: Sequence[Json]
    ) -> Iterable[SettlementFacts]:
        """S7: confirmed payments that failed later, each on the day of its failure."""
        for payment in returned:
            instant = payment["status_transitions"]["canceled_at"]
            yield self._failure(payment, instant, amount_paid(payment))
        for failure in self.body.get("failures") or ():
            for payment in paid:
                if payment_key(payment) in (failure["charge"], failure["payment_intent"]):
                    # The amount may be in the account's currency, or of the whole shared payment.
                    own = amount_paid(payment)
                    if failure.get("currency") in (None, payment["currency"]):
                        own = min(own, abs(failure["amount"]))
                    yield self._failure(payment, failure["created"], own)

    def _failure(self, payment: Json, instant: int, amount: int) -> SettlementFacts:
        ref, amounts = self._ref(payment["id"]), self.amounts.of(payment)
        return SettlementFacts(
            ref=suffixed(ref, Suffix.FAILED),
            document=self.ref,
            method=Method.PAYMENT_FAILURE,
            date=local_date(instant, self.timezone),
            amount=-amounts(amount),
            currency=amounts.currency,
            payment_id=payment_key(payment),
            undoes=ref,
        )

    def _balance(self) -> Iterable[SettlementFacts]:
        # With a void Stripe gives back what it applied.
        applied = balance_applied(self.document, self.amounts)
        if applied and self.document["status"] != "void":
            instant = self.document["status_transitions"]["finalized_at"]
            used = self._own(Suffix.BALANCE, Method.CUSTOMER_BALANCE, instant, applied)
            yield replace(used, debt=balance_debt(self.document, self.amounts))

    def _notes_applied(self) -> Iterable[SettlementFacts]:
        for note in self.body.get("credit_notes") or ():
            if note["status"] != "void":
                yield from self._applied(note)

    def _applied(self, note: Json) -> Iterable[SettlementFacts]:
        """The amount of a note applied to its invoice; invoice and note give the same settlement."""
        amounts = self.amounts.of(note)
        amount = amounts(note.get("pre_payment_amount"))
        if amount:
            invoice, own = self._ref(reference_id(note["invoice"])), self._ref(note["id"])
            yield SettlementFacts(
                ref=part_ref(own, reference_id(note["invoice"])),
                document=invoice,
                method=Method.CREDIT_NOTE,
                date=local_date(note["effective_at"] or note["created"], self.timezone),
                amount=amount,
                currency=amounts.currency,
                payment_id=note["number"],
                drawn_on=own,
            )

    def _outside(self, found: Sequence[SettlementFacts], total: int) -> Iterable[SettlementFacts]:
        """S4: money from outside Stripe: reported as such, or paid without any payment that explains it."""
        own = in_currency(found, self.currency)
        recorded = sum(each.amount for each in own if each.method is Method.OFF_PLATFORM)
        reported = self.amounts(self.document.get("amount_paid_off_stripe")) - recorded
        # A failed payment no longer counts as paid, even where the invoice still says so.
        settled = sum(each.amount for each in own if each.method is not Method.PAYMENT_FAILURE)
        unexplained = total - settled - self.amounts(self.document["amount_remaining"])
        # A settlement in another currency explains it, and nobody says how much of it.
        outside = max(reported, unexplained) if len(own) == len(found) else reported
        if outside > 0 and self.document["status"] in ("open", "paid", "uncollectible"):
            instant = self.document["status_transitions"]["paid_at"]
            yield self._own(Suffix.OFF_STRIPE, Method.OFF_PLATFORM, instant, outside)

    def _overpaid(self, found: Sequence[SettlementFacts], total: int) -> Iterable[SettlementFacts]:
        """S3: the excess of a payment that Stripe credits to the customer."""
        excess = sum(each.amount for each in in_currency(found, self.currency)) - total
        credited = min(excess, self.amounts(self.document.get("amount_overpaid")))
        if credited > 0:
            instant = self.document["status_transitions"]["paid_at"]
            yield self._own(Suffix.OVERPAID, Method.OVERPAYMENT, instant, -credited)

    def _refunds(self) -> list[SettlementFacts]:
        """S6: refunds, as cash only, since tax can't be reduced without a credit note.

        A refund of one credit note belongs to the note. It is listed here with amount 0, since it may
        have been posted before its note came.
        """
        return [
            self._refund(
                each,
                Method.REFUND,
                0 if is_of_one_note(self.body, each) else -self.amounts.of(each)(each["amount"]),
            )
            for each in succeeded(self.body)
        ]

    def _note_refund(self, named: Json) -> Iterable[SettlementFacts]:
        """A refund that a note names, once it has succeeded.

        A refund of this note alone is its payment. The cash of any other is in refunds pending, even
        where the note came first, and the note takes its part from there.
        """
        if named.get("type") == "payment_record_refund":
            record = reference_id((named["payment_record_refund"] or {}).get("refund_group")) or "?"
            amount = self.amounts(named["amount_refunded"])
            own = self._own(Suffix.RECORD, Method.OFF_PLATFORM, None, amount)
            yield replace(own, ref=part_ref(own.ref, record))
            return
        wanted = reference_id(named.get("refund"))
        for refund in succeeded(self.body):
            if refund["id"] != wanted:
                continue
            amount = self.amounts.of(refund)(named["amount_refunded"])
            found = self._refund(refund, Method.PAYMENT, amount)
            if named["amount_refunded"] == refund["amount"]:
                yield found
            else:
                yield replace(
                    found,
                    ref=part_ref(found.ref, self.document["id"]),
                    method=Method.PENDING_REFUND,
                    date=max(found.date, self.issued),
                )

    def _refund(self, refund: Json, method: Method, amount: int) -> SettlementFacts:
        return SettlementFacts(
            ref=self._ref(refund["id"]),
            document=self.ref,
            method=method,
            date=local_date(refund["created"], self.timezone),
            amount=amount,
            currency=self.amounts.of(refund).currency,
            payment_id=refund["id"],
        )

    def _withdrawn(self) -> Iterable[tuple[str, date]]:
        """S13: failed refunds and won disputes, each with the day on which the money came back."""
        for refund in self.body.get("refunds") or ():
            came_back = refund.get("failure_balance_transaction")
            if refund["status"] in ("failed", "canceled") and isinstance(came_back, Mapping):
                yield self._ref(refund["id"]), local_date(came_back["created"], self.timezone)
        for dispute in self.body.get("disputes") or ():
            if instant := came_back_on(dispute):
                yield self._ref(dispute["id"]), local_date(instant, self.timezone)

    def _chargeback(self, dispute: Json) -> SettlementFacts:
        """S9: the money of a lost dispute, dated on the day on which Stripe withdrew it."""
        amounts = self.amounts.of(dispute)
        return SettlementFacts(
            ref=self._ref(dispute["id"]),
            document=self.ref,
            method=Method.CHARGEBACK,
            date=local_date(withdrawn_on(dispute), self.timezone),
            amount=-amounts(dispute["amount"]),
            currency=amounts.currency,
            payment_id=dispute["id"],
        )

    def _write_off(self, found: Sequence[SettlementFacts], total: int) -> Iterable[SettlementFacts]:
        """S8: a write-off of the amount open when marked uncollectible, and recoveries by later payments."""
        transitions = self.document["status_transitions"]
        given_up = transitions.get("marked_uncollectible_at")
        if not given_up or self.document["status"] not in ("uncollectible", "paid"):
            return
        day = local_date(given_up, self.timezone)
        # A payment of the same day may have come later: it does not reduce the write-off.
        later = {
            self._ref(each["id"])
            for each in (self.document.get("payments") or {"data": ()})["data"]
            if (each["status_transitions"]["paid_at"] or 0) > given_up
        }
        before = [each for each in found if each.date <= day and each.ref not in later]
        still_open = total - sum(each.amount for each in before)
        if still_open <= 0 or len(in_currency(before, self.currency)) < len(before):
            # Of a debt that was settled in another currency nobody says how much was open.
            return
        yield self._own(Suffix.WRITE_OFF, Method.WRITE_OFF, given_up, still_open)
        after = [each for each in in_currency(found, self.currency) if each not in before]
        for settled in in_order(after):
            back = min(still_open, settled.amount)
            if back:
                still_open -= back
                yield replace(
                    self._own(Suffix.RECOVERY, Method.RECOVERY, None, -back),
                    ref=suffixed(settled.ref, Suffix.RECOVERY),
                    date=settled.date,
                )

    def _own(
        self, suffix: Suffix, method: Method, instant: int | None, amount: int
    ) -> SettlementFacts:
        return SettlementFacts(
            ref=suffixed(self.ref, suffix),
            document=self.ref,
            method=method,
            date=local_date(instant, self.timezone) if instant else self.issued,
            amount=amount,
            currency=self.currency,
        )

    def _ref(self, source_id: str | None) -> str:
        return source_ref(System.STRIPE, self.account, source_id)
