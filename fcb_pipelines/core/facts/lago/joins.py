"""Joins the objects of Lago that belong to a document, once, when the lists are read.

A fee, a payment and a note name their invoice. An invoice names the notes that it used; a note does
not name the invoices on which it was used.
"""

from collections.abc import Iterable, Sequence

from fcb_pipelines.core.facts.bodies import Json, grouped

# The fields of a note that the invoice needs against which it was set off.
_OF_NOTE = (
    "lago_id", "lago_invoice_id", "number", "issuing_date", "offset_amount_cents", "created_at",
)  # fmt: skip
# The fields of an invoice that a credit note used on it needs.
_OF_INVOICE = ("lago_id", "number", "issuing_date", "credits", "created_at")


class Related:
    """The joins over whole lists, by lago_id, in the order of the lists."""

    def __init__(
        self,
        invoices: Iterable[Json] = (),
        fees: Iterable[Json] = (),
        payments: Iterable[Json] = (),
        notes: Iterable[Json] = (),
    ) -> None:
        self._fees = grouped((fee.get("lago_invoice_id"), fee) for fee in fees)
        self._payments = grouped(
            (invoice, each) for each in payments for invoice in each.get("invoice_ids") or ()
        )
        self._set_off = grouped(
            (note.get("lago_invoice_id"), _in_short(note, _OF_NOTE))
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
    items = [credit.get("item") or {} for credit in invoice.get("credits") or ()]
    return {item["lago_item_id"] for item in items if item.get("type") == "credit_note"}
