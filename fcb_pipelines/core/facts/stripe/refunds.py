"""Which of Stripe's refunds went through, and which credit notes name them (S6).

`body` is a document's, with the refunds and the notes that were joined into it.
"""

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.stripe.parts import reference_id


def succeeded(body: Json) -> list[Json]:
    """The refunds that went through."""
    return [each for each in body.get("refunds") or () if each["status"] == "succeeded"]


def is_of_one_note(body: Json, refund: Json) -> bool:
    """Whether one credit note names a refund, and all of it."""
    return _named(body, refund) == [refund["amount"]]


def is_unnamed(body: Json, refund: Json) -> bool:
    """Whether no credit note says of what a part of a refund is."""
    return sum(_named(body, refund)) < int(refund["amount"])


def _named(body: Json, refund: Json) -> list[int]:
    """What each credit note names of a refund, in the wire's units.

    A refund of a payment of several invoices may be named by the notes of others, too.
    """
    notes = (*(body.get("credit_notes") or ()), *(body.get("refunding_notes") or ()))
    issued = [note for note in notes if note["status"] != "void"]
    named = (each for note in issued for each in note.get("refunds") or ())
    return [
        each["amount_refunded"]
        for each in named
        if reference_id(each.get("refund")) == refund["id"]
    ]
