"""Joins the objects of Stripe that belong to a document into its body, once, when the lists are read.

Refunds, disputes and failed payments name a payment and no invoice; a credit note names its invoice.
With them in its body a document's facts depend on that body alone, and its hash changes when a refund
appears.
"""

from collections.abc import Iterable, Mapping

from fcb_pipelines.core.facts.arithmetic import UNREADABLE
from fcb_pipelines.core.facts.bodies import Groups, Json, grouped, objects_in, part_of
from fcb_pipelines.core.facts.stripe.parts import payment_key, reference_id

# The evidence of a dispute holds papers of the customer, which the books do not need.
_NO_EVIDENCE = ("evidence", "evidence_details")

# An invoice's fields about its customer; a credit note has only the id.
_BILLED_TO = (
    "customer_name",
    "customer_email",
    "customer_address",
    "customer_tax_ids",
    "customer_tax_exempt",
)
# A void invoice voids its credit notes too: they need these fields of it.
_VOID_FIELDS = ("status", "status_transitions")


class Related:
    """The joins over whole lists. Empty parts are left out of a document's body.

    A document of an odd shape is joined as far as it can be read: its facts report it. `problems` name
    the objects whose document can't be told, so that one of the documents lacks them.
    """

    def __init__(
        self,
        invoices: Iterable[Json] = (),
        notes: Iterable[Json] = (),
        refunds: Iterable[Json] = (),
        disputes: Iterable[Json] = (),
        failures: Iterable[Json] = (),
    ) -> None:
        invoices, notes, refunds = tuple(invoices), tuple(notes), tuple(refunds)
        disputes, failures = tuple(disputes), tuple(failures)
        self._lines = {
            each["id"]: objects_in(part_of(each, "lines").get("data")) for each in invoices
        }
        self._billed_to = {
            each["id"]: {name: each.get(name) for name in _BILLED_TO} for each in invoices
        }
        self._void = {
            each["id"]: {name: each.get(name) for name in _VOID_FIELDS}
            for each in invoices
            if each.get("status") == "void"
        }
        self._refunds = {refund["id"]: refund for refund in refunds}
        self.problems = tuple(
            f"{each['id']}: its {name} can't be read"
            for each, name in (
                *((note, "invoice") for note in notes),
                *((each, "payment_intent") for each in (*refunds, *disputes)),
                *((each, "charge") for each in (*refunds, *disputes)),
                *((each, "source") for each in failures),
            )
            if not _is_reference(each, name, required=name in ("invoice", "source"))
        )
        self._notes = grouped((_reference(note.get("invoice")), note) for note in notes)
        self._naming = grouped((name, note) for note in notes for name in _refunds_named(note))
        self._refunds_of = _by_payment(refunds)
        self._disputes_of = _by_payment(map(without_evidence, disputes))
        self._failures_of = _by_payment(_failure(each) for each in failures)
        self._paying = grouped(
            (_key(payment), payment) for invoice in invoices for payment in _payments(invoice)
        )

    def of_invoice(self, invoice: Json) -> dict[str, list[Json]]:
        """The invoice's credit notes, and the refunds, disputes and failures of its payments.

        Where several invoices share a payment, its refunds and disputes belong only to the invoice
        that it paid first. A refund comes with the credit notes of other invoices that name it.
        """
        own = _payments(invoice)
        paid_by = list(dict.fromkeys(_key(payment) for payment in own))
        ids = {payment.get("id") for payment in own}
        first = [key for key in paid_by if self._first_to_pay(key) in {None, *ids}]
        refunds = _all(self._refunds_of, first)
        naming = _all(self._naming, [refund["id"] for refund in refunds])
        parts = {
            "credit_notes": self._notes[invoice["id"]],
            "refunds": refunds,
            "refunding_notes": [
                note for note in naming if _reference(note.get("invoice")) != invoice["id"]
            ],
            "disputes": _all(self._disputes_of, first),
            "failures": _all(self._failures_of, paid_by),
            "shared_payments": [
                each for each in _all(self._paying, paid_by) if each["id"] not in ids
            ],
        }
        return {name: _in_order(found) for name, found in parts.items() if found}

    def _first_to_pay(self, key: str | None) -> str | None:
        """The id of the earliest paid invoice payment with this key; None where no list has one."""
        paying = [each for each in self._paying.get(key, ()) if _was_made(each)]
        first = min(paying, key=_place, default=None)
        return first["id"] if first else None

    def of_note(self, note: Json) -> dict[str, list[Json]]:
        """The refunds that a credit note names; its invoice's customer, lines in short, and void if any."""
        named = _refunds_named(note)
        invoice = _reference(note.get("invoice")) or ""
        lines = self._lines.get(invoice) or ()
        billed_to = self._billed_to.get(invoice)
        parts: dict[str, list[Json]] = {
            "refunds": _in_order(self._refunds[i] for i in named if i in self._refunds),
            "invoice_lines": [
                {"id": line.get("id"), "description": line.get("description")} for line in lines
            ],
            "billed_to": [billed_to] if billed_to else [],
            "void_invoice": [self._void[invoice]] if invoice in self._void else [],
        }
        return {name: found for name, found in parts.items() if found}


def without_evidence(dispute: Json) -> Json:
    """A dispute without the papers of the customer."""
    return {name: value for name, value in dispute.items() if name not in _NO_EVIDENCE}


def _was_made(payment: Json) -> bool:
    return bool(part_of(payment, "status_transitions").get("paid_at"))


def _refunds_named(note: Json) -> list[str | None]:
    return [_reference(each.get("refund")) for each in objects_in(note.get("refunds"))]


def _is_reference(each: Json, name: str, *, required: bool) -> bool:
    try:
        found = reference_id(each[name])
    except UNREADABLE:
        return False
    return found is not None or not required


def _reference(value: object) -> str | None:
    """The id of a reference; None for an unreadable one, which facts or `problems` report."""
    try:
        return reference_id(value)
    except UNREADABLE:
        return None


def _failure(transaction: Json) -> Json:
    """A failure in short: its time, amount, charge and payment intent."""
    charge = transaction.get("source")
    intent = charge.get("payment_intent") if isinstance(charge, Mapping) else None
    return {
        **{name: transaction.get(name) for name in ("id", "created", "amount", "currency")},
        "charge": _reference(charge),
        "payment_intent": _reference(intent),
    }


def _payments(invoice: Json) -> list[Json]:
    found = objects_in(part_of(invoice, "payments").get("data"))
    return [each for each in found if isinstance(each.get("id"), str)]


def _key(payment: Json) -> str | None:
    """The key of a payment; None for an unreadable one, which its own document's facts report."""
    try:
        return payment_key(payment)
    except UNREADABLE:
        return None


def _by_payment(objects: Iterable[Json]) -> Groups:
    """The objects by payment intent and by charge, since an invoice's payment names one of the two."""
    return grouped(
        (name, each)
        for each in objects
        for name in {_reference(each.get("payment_intent")), _reference(each.get("charge"))}
        if name
    )


def _all(groups: Mapping[str | None, list[Json]], keys: Iterable[str | None]) -> list[Json]:
    found = (each for key in keys if key is not None for each in groups.get(key, ()))
    return list({each["id"]: each for each in found}.values())


def _in_order(found: Iterable[Json]) -> list[Json]:
    return sorted(found, key=_place)


def _place(each: Json) -> tuple[int, str]:
    created = each.get("created")
    return created if isinstance(created, int) else 0, str(each.get("id"))
