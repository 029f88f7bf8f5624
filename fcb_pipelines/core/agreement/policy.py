"""The field policy: for every field of a document, the authoritative side and the compared ones.

source     authoritative: the document is posted as Stripe or Lago bills it
nexacloud  compared: a difference is listed, and never changes the posted document; or ignored
ledger     compared: the read-back must equal the intended document; or ignored

The last two columns alone decide which fields are compared: `core.agreement.compare` reads the one for
NexaCloud's copies, `core.proof` the one for the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from fcb_pipelines.core.codes import System


class Policy(StrEnum):
    """The use of a side's value of a field.

    BY_LINK: compared, and any link of the ledger's partner counts as the intended one.
    """

    AUTHORITATIVE = "authoritative"
    COMPARED = "compared"
    BY_LINK = "by link"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPolicy:
    """One field's policy on each side, and why."""

    field: str
    source: Policy
    nexacloud: Policy
    ledger: Policy
    why: str


_A, _C, _I, _L = Policy.AUTHORITATIVE, Policy.COMPARED, Policy.IGNORED, Policy.BY_LINK

FIELD_POLICIES: dict[str, FieldPolicy] = {
    field: FieldPolicy(field=field, source=source, nexacloud=nexacloud, ledger=ledger, why=why)
    for field, source, nexacloud, ledger, why in (
        ("ref", _A, _I, _C, "The reference on the record, which Odoo keeps apart from its external id."),
        ("kind", _A, _C, _C, "A negative invoice is a credit note everywhere."),
        ("number", _A, _C, _C, "A label for people; identity is the source id."),
        ("status", _A, _C, _I, "NexaCloud has called a void paid; the ledger has states of its own."),
        ("date", _A, _I, _C, "NexaCloud's created_at is the day of its sync; Odoo re-dates silently."),
        ("currency", _A, _C, _C, "An amount without its currency is no amount."),
        ("net", _A, _C, _C, "Revenue, as billed."),
        ("tax", _A, _C, _C, "Tax, as billed, to the minor unit."),
        ("total", _A, _C, _C, "What the customer owes, as billed."),
        ("paid", _A, _C, _C, "Only the source confirms a payment; the ledger shows it as its residual."),
        ("lines", _A, _C, _C, "How many lines; NexaCloud may have none at all and that is listed apart."),
        ("line.description", _A, _C, _C, "It decides the family, so it is compared to the letter."),
        ("line.quantity", _A, _C, _C, "Shown on the document; the amount is the truth."),
        ("line.unit_price", _I, _I, _C, "Derived so that quantity times price is the amount exactly."),
        ("line.net", _A, _C, _C, "The line's amount after discount."),
        ("line.account", _I, _I, _C, "Configuration decides it; the ledger must have it."),
        ("line.taxes", _A, _I, _C, "NexaCloud keeps no tax a line."),
        ("taxes", _A, _I, _C, "NexaCloud keeps one tax amount, compared as tax."),
        ("partner", _A, _C, _L, "Whose document it is: the customer at the source and NexaCloud's user."),
        ("nexacloud_invoice_id", _I, _A, _C, "Only NexaCloud knows its own id."),
        ("stripe_invoice_id", _A, _I, _C, "It is the source's identity, kept on the move."),
        ("settlement.ref", _A, _I, _C, "The same reference, on the entry of a settlement."),
        ("settlement.amount", _A, _I, _C, "NexaCloud's amount_due is stamped by its sync."),
        ("settlement.date", _A, _I, _C, "NexaCloud's paid_at is stamped by its sync."),
        ("settlement.currency", _A, _I, _C, "An amount without its currency is no amount."),
        ("settlement.memo", _A, _I, _C, "The source's payment id, as it stands on a bank statement."),
        ("settlement.method", _A, _I, _C, "It decides the journal and the accounts."),
        ("settlement.document", _A, _I, _C, "The document that it settles."),
        ("settlement.partner", _A, _I, _L, "The document's own partner."),
        ("settlement.drawn_on", _A, _I, _C, "The credit note or the receipt that it draws on, if any."),
        ("settlement.undoes", _A, _I, _C, "The settlement that it reverses, if any."),
        ("settlement.reconciled", _I, _I, _C, "Only the ledger matches; money that settles must be matched with its own document."),
        ("settlement.state", _I, _I, _C, "An entry on account (S11) must be posted."),
    )
}  # fmt: skip


def compared_with(side: Literal[System.NEXACLOUD, System.LEDGER]) -> Mapping[str, Policy]:
    """The fields to compare with NexaCloud's copies or with the ledger, each with its policy."""
    ledger = side is System.LEDGER
    return {
        field: policy
        for field, row in FIELD_POLICIES.items()
        if (policy := row.ledger if ledger else row.nexacloud) is _C or policy is _L
    }
