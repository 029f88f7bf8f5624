"""Intended entries of the ledger: documents, settlements and partners.

A `LedgerDocument` is complete: accounts and taxes are resolved, amounts are integer minor units and
positive for invoices and credit notes alike (the kind gives the sign). Its content hash covers every
field that a read-back can return, so the intent and a read-back compare by hash. Settlements have an
external id and a hash of their own: a new payment leaves the hash of its invoice as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.digests import Digested, Form, all_but
from fcb_pipelines.core.money import spread


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One line: `net` minor units on income account `account`; `taxes` are configured tax keys.

    `quantity` times `unit_price` (major units) always equals `net` exactly. `tax` is the line's share
    of the billed taxes, minor units: derived, for reporting, not hashed.
    """

    description: str
    quantity: Decimal
    unit_price: Decimal
    net: int
    account: str
    family: str
    taxes: tuple[str, ...]
    tax: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTax:
    """One tax of the document as billed: configured tax key, base and amount in minor units."""

    key: str
    base: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDocument(Digested):
    """One intended invoice or credit note.

    `ref` is the source identity and becomes the ledger's external id; `partner` is the key of a
    billing account (`core.documents.partners`); `number` is the label printed on the document.
    `reverses` is the ref of the invoice that a credit note credits, `source_hash` the digest of the
    document as billed; neither is part of the content hash.
    """

    ref: str
    kind: Kind
    number: str
    date: date
    currency: str
    partner: str
    lines: tuple[DocumentLine, ...]
    taxes: tuple[DocumentTax, ...]
    nexacloud_invoice_id: str | None = None
    stripe_invoice_id: str | None = None
    reverses: str | None = None
    source_hash: str | None = None

    @property
    def net(self) -> int:
        """Sum of the lines, minor units."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """Sum of the billed taxes, minor units."""
        return sum(tax.amount for tax in self.taxes)

    @property
    def total(self) -> int:
        """Net and tax as billed to the customer, minor units."""
        return self.net + self.tax

    @property
    def tax_keys(self) -> frozenset[str]:
        """Every configured tax on the document or a line of it."""
        on_lines = {key for line in self.lines for key in line.taxes}
        return frozenset(on_lines | {tax.key for tax in self.taxes})

    @property
    def content_hash(self) -> str:
        """Digest (64 hex digits) of every hashed field of the document."""
        return self.digest_in(_CONTENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement(Digested):
    """One intended settlement of one document, in the journal of its method's route (`core.settlements.routes`).

    `amount` is subtracted from the document's residual, minor units; a negative one raises it. `memo`
    is the source's payment id (pi_…), as on the bank statement.

    With `drawn_on` it is an allocation: no money moves, and `amount` of that entry is matched to the
    document. `drawn_on` is a posted credit note of ours, or (with `receipt`, its whole amount) a
    receipt that several documents share, written by the first that draws on it. `undoes` is the
    settlement that this one reverses: the two are matched, and the document is open again.

    `on_account`: its document is part of the opening balance and no move of ours. The settlement stays
    open on the partner's receivable, or beside it, and would settle the document were it ever posted.
    """

    ref: str
    document: str
    kind: Kind
    partner: str
    method: Method
    date: date
    amount: int
    currency: str
    memo: str
    drawn_on: str | None = None
    receipt: int | None = None
    undoes: str | None = None
    on_account: bool = False

    @property
    def content_hash(self) -> str:
        """Digest (64 hex digits) of every hashed field of the settlement."""
        return self.digest_in(_CONTENT)

    @property
    def is_allocation(self) -> bool:
        """Whether it only matches an existing entry and makes none of its own."""
        return self.drawn_on is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """One billing account of NexaCloud with the fields that its ledger partner should have.

    `key` is its first link; every link (service:…:id) becomes an external id of the one partner.
    `company` is the company it names, None for a person; `name` is the partner's name in the ledger.
    """

    key: str
    links: tuple[str, ...]
    name: str
    email: str | None
    street: str | None = None
    city: str | None = None
    zip: str | None = None
    state: str | None = None
    country: str | None = None
    vat: str | None = None
    stripe_customer_id: str | None = None
    company: str | None = None


def taxes_on(lines: Iterable[DocumentLine], amounts: Mapping[str, int]) -> tuple[DocumentTax, ...]:
    """Taxes of these amounts (minor units by key), each with the net of its lines as base, sorted by key."""
    lines = tuple(lines)
    return tuple(
        DocumentTax(
            key=key, base=sum(line.net for line in lines if key in line.taxes), amount=amount
        )
        for key, amount in sorted(amounts.items())
    )


def with_tax_shares(
    lines: Sequence[DocumentLine], taxes: Iterable[DocumentTax]
) -> tuple[DocumentLine, ...]:
    """The lines, each with its share of the taxes on it, spread by largest remainder."""
    shares = [0] * len(lines)
    for tax in taxes:
        weights = [line.net if tax.key in line.taxes else 0 for line in lines]
        for index, share in enumerate(spread(tax.amount, weights) if weights else ()):
            shares[index] += share
    return tuple(replace(line, tax=share) for line, share in zip(lines, shares, strict=True))


_CONTENT = Form(
    {
        LedgerDocument: all_but(LedgerDocument, "reverses", "source_hash"),
        DocumentLine: all_but(DocumentLine, "tax", "family"),
        Settlement: all_but(Settlement, "on_account"),
    },
    # An entry without these fields is hashed as if the fields did not exist.
    where_known=("drawn_on", "receipt", "undoes"),
)
