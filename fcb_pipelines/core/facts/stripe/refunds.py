"""Stripe's refunds: those that succeeded, and the credit notes that name them (S6).

`body` is the body of a document with the refunds and notes joined into it.
"""

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.stripe.parts import reference_id


def succeeded(body: Json) -> list[Json]:
    """The refunds that succeeded."""
    return [each for each in body.get("refunds") or () if each["status"] == "succeeded"]


def is_of_one_note(body: Json, refund: Json) -> bool:
    """Whether exactly one credit note names the refund, with its whole amount."""
    return _named(body, refund) == [refund["amount"]]


def is_unnamed(body: Json, refund: Json) -> bool:
    """Whether a part of the refund is on no credit note."""
    return sum(_named(body, refund)) < int(refund["amount"])


def _named(body: Json, refund: Json) -> list[int]:
    """The amount of a refund on each credit note that names it, in Stripe's units.

    The credit notes of other invoices count too where the refunded payment is shared.
    """
    notes = (*(body.get("credit_notes") or ()), *(body.get("refunding_notes") or ()))
    issued = [note for note in notes if note["status"] != "void"]
    named = (each for note in issued for each in note.get("refunds") or ())
    return [
        each["amount_refunded"]
        for each in named
        if reference_id(each.get("refund")) == refund["id"]
    ]
