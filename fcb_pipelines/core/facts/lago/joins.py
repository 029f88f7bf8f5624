"""Joins the objects of Lago that belong to a document, once, when the lists are read.

A fee, a payment and a note name their invoice. An invoice names the notes that it used; a note does
not name the invoices on which it was used. A confirmed payment of an invoice that no list has is a body
of its own: cash is never skipped (S11).
"""

from collections.abc import Iterable, Sequence

from fcb_pipelines.core.facts.bodies import Json, grouped, objects_in, part_of

# The fields of a note that the invoice needs against which it was set off.
_OF_NOTE = (
    "lago_id", "lago_invoice_id", "number", "issuing_date", "offset_amount_cents", "currency",
    "created_at",
)  # fmt: skip
# The fields of an invoice that a credit note used on it needs.
_OF_INVOICE = ("lago_id", "number", "issuing_date", "credits", "created_at")


class Related:
    """The joins over whole lists, by lago_id, in the order of the lists.

    A document of an odd shape is joined as far as it can be read: its facts report it. `problems` name
    the payments and notes whose invoice can't be told, so that one of the invoices lacks them.
    `payments_without_invoice` are the confirmed ones that name no invoice or an unlisted one, each with
    its listed invoices.
    """

    def __init__(
        self,
        invoices: Iterable[Json] = (),
        fees: Iterable[Json] = (),
        payments: Iterable[Json] = (),
        notes: Iterable[Json] = (),
    ) -> None:
        invoices, payments, notes = tuple(invoices), tuple(payments), tuple(notes)
        listed = {each["lago_id"] for each in invoices}
        self.problems = (
            *(
                f"{each['lago_id']}: its invoice_ids can't be read"
                for each in payments
                if _ids(each) is None
            ),
            *(
                f"{each['lago_id']}: its lago_invoice_id can't be read"
                for each in notes
                if not isinstance(each.get("lago_invoice_id"), str)
            ),
        )
        # A fee that names no invoice is missing in the sum of one.
        self._fees = grouped((_text(fee.get("lago_invoice_id")), fee) for fee in fees)
        self._payments = grouped(
            (invoice, each) for each in payments for invoice in _ids(each) or ()
        )
        named = ((each, _ids(each)) for each in payments if _may_be_confirmed(each))
        self.payments_without_invoice = tuple(
            (each, [one for one in ids if one in listed])
            for each, ids in named
            if ids is not None and not (ids and listed.issuperset(ids))
        )
        self._set_off = grouped(
            (_text(note.get("lago_invoice_id")), _in_short(note, _OF_NOTE))
            for note in notes
            if note.get("offset_amount_cents")
        )
        self._applied_on = grouped(
            (note, _in_short(each, _OF_INVOICE)) for each in invoices for note in _notes_used(each)
        )

    def fees_of(self, invoice: str) -> list[Json]:
        """The fees of an invoice."""
        return self._fees.get(invoice, [])

    def payments_of(self, invoice: str) -> list[Json]:
        """The payments of an invoice, shared ones included."""
        return self._payments.get(invoice, [])

    def set_off_against(self, invoice: str) -> list[Json]:
        """The credit notes set off against an invoice, in short."""
        return self._set_off.get(invoice, [])

    def used_on(self, note: str) -> list[Json]:
        """The finalised invoices on which a credit note was used, in short."""
        return self._applied_on.get(note, [])


def _in_short(each: Json, names: Sequence[str]) -> Json:
    return {name: each.get(name) for name in names}


def _notes_used(invoice: Json) -> set[str]:
    """The credit notes that a finalised invoice used."""
    if invoice.get("status") != "finalized":
        return set()
    items = [part_of(credit, "item") for credit in objects_in(invoice.get("credits"))]
    used = (_text(item.get("lago_item_id")) for item in items if item.get("type") == "credit_note")
    return {note for note in used if note}


def _ids(payment: Json) -> list[str] | None:
    """The invoices that a payment names; None where they can't be read."""
    found = payment.get("invoice_ids")
    known = isinstance(found, list) and all(isinstance(each, str) for each in found)
    return found if known else None


def _may_be_confirmed(payment: Json) -> bool:
    """Whether a payment is confirmed, or does not say so in a word: its facts report that."""
    status = payment.get("payment_status")
    return not isinstance(status, str) or status in ("", "succeeded")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
