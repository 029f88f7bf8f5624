"""The index: one row for each document of a source, and for each id that the source did not find."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fcb_pipelines.core.codes import Status
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.moves import ListedMove
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.core.refs import id_within


class Lookup(StrEnum):
    """The source's answer for a document."""

    LISTED = "listed"
    ASKED = "asked"
    DOES_NOT_EXIST = "does_not_exist"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSale:
    """What a document of another service says of its sale; the ids are the service's own.

    `service`, `customer` and `subscription` stand in its metadata; `at_source` is the ref of the
    subscription at its source that it bills.
    """

    service: str | None = None
    customer: str | None = None
    subscription: str | None = None
    at_source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFacts:
    """Of a document's facts what the index needs: a body's facts are made for it once.

    `payer` is the customer that is billed, or the account in its place where there is none; `total` is
    negative for a credit note; `marks` are the names in its metadata.
    """

    ref: str
    number: str
    status: Status
    date: dt.date | None
    currency: str
    total: int
    payer: str | None
    credits: str | None = None
    marks: tuple[str, ...] = ()
    sale: NamedSale | None = None

    @classmethod
    def of(cls, facts: InvoiceFacts, bills: str | None = None) -> "ListedFacts":
        """Those of a document; `bills` is the ref of the subscription at its source that it is of, if any."""
        return cls(
            ref=facts.ref,
            number=facts.number,
            status=facts.status,
            date=facts.date,
            currency=facts.currency,
            total=facts.kind.sign * facts.total,
            payer=facts.payer,
            credits=facts.credits,
            marks=tuple(name for name, _ in facts.metadata),
            sale=_named_sale(facts, bills),
        )


class Origin(StrEnum):
    """The type of the source's object; a negative invoice is still an invoice."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """One document of one source: enough to assign it to a month and to see whether it changed.

    `period` is None where the document has no date or its month is out of range. `body_hash` names
    the evidence; a document that the source did not find has none of the document's fields. `credits`
    is the ref of the invoice that a credit note credits. `in_ledger`: the ledger holds a move of ours
    under the ref, so the document belongs to the population even where NexaCloud or the source has
    erased it (A13), in the ledger's month. `sale` is what a document that is not NexaCloud's says of the
    service that sold it; None where it says nothing.
    """

    ref: str
    source_id: str
    origin: Origin
    answer: Lookup
    in_scope: bool
    claimed: bool
    number: str = ""
    status: Status | None = None
    date: dt.date | None = None
    period: str | None = None
    customer: str | None = None
    currency: str | None = None
    total: int = 0
    body_hash: str | None = None
    detail: str = ""
    credits: str | None = None
    in_ledger: bool = False
    sale: NamedSale | None = None

    @property
    def is_member(self) -> bool:
        """Whether the document belongs to the population under its own ref."""
        return (self.found and self.in_scope) or self.is_lost

    @property
    def is_lost(self) -> bool:
        """Whether the ledger holds it in a month in range and its source did not find it."""
        return self.in_ledger and not self.found and self.period is not None

    @property
    def found(self) -> bool:
        """Whether the source has the document."""
        return self.answer in (Lookup.LISTED, Lookup.ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Decides which documents of a source belong to NexaCloud, where it serves several products (A6).

    `customers` are the source's customer ids of NexaCloud's users, `claimed` the document refs that
    NexaCloud's invoices name, `metadata_key` the key that marks a document as NexaCloud's. A document
    without a customer may belong to NexaCloud: it is in scope, and held. `our_moves` are the ledger's
    moves by ref: a posted document stays in scope even where NexaCloud has erased it since. `with_known`
    adds the customers of these documents.
    """

    customers: frozenset[str]
    claimed: frozenset[str]
    metadata_key: str
    our_moves: Mapping[str, ListedMove] = field(default_factory=dict)

    def includes(self, facts: ListedFacts) -> bool:
        """Whether a document is NexaCloud's."""
        return (
            facts.payer in self.customers
            or _has_no_customer(facts)
            or facts.ref in self.claimed
            or facts.credits in self.claimed
            or facts.ref in self.our_moves
            or facts.credits in self.our_moves
            or self.metadata_key in facts.marks
        )

    def with_known(self, documents: Iterable[ListedFacts]) -> "Scope":
        """The scope with the customers added whom documents show to be NexaCloud's, and no user names.

        A customer is NexaCloud's where NexaCloud names one of its documents or the ledger holds one
        (A13): NexaCloud may have erased the user, emptied its customer id or changed it to another, and
        of an account in a customer's place no user says anything. A credit note counts as its invoice.
        """
        known = {
            one.payer
            for one in documents
            for ref in (one.ref, one.credits)
            if ref in self.claimed or ref in self.our_moves
        }
        return replace(self, customers=self.customers | {each for each in known if each})


def _has_no_customer(facts: ListedFacts) -> bool:
    """Whether a document names no customer; a credit note has that of its invoice."""
    return facts.payer is None and facts.credits is None


def found_row(
    facts: ListedFacts,
    *,
    source_id: str,
    origin: Origin,
    answer: Lookup,
    body_hash: str,
    scope: Scope,
    first_period: str,
    last_period: str,
) -> IndexRow:
    """The index row of a document that the source has."""
    period = _in_range(facts.date, first_period, last_period)
    move = scope.our_moves.get(facts.ref)
    if period is None and move is not None:
        period = _in_range(move.date, first_period, last_period)
    in_scope = scope.includes(facts)
    return IndexRow(
        ref=facts.ref,
        source_id=source_id,
        origin=origin,
        answer=answer,
        in_scope=in_scope,
        claimed=facts.ref in scope.claimed,
        number=facts.number,
        status=facts.status,
        date=facts.date,
        period=period,
        customer=facts.payer,
        currency=facts.currency,
        total=facts.total,
        body_hash=body_hash,
        credits=facts.credits,
        in_ledger=move is not None,
        sale=None if in_scope else facts.sale,
    )


def absent_row(
    ref: str,
    source_id: str,
    answer: Lookup,
    detail: str,
    *,
    scope: Scope,
    first_period: str,
    last_period: str,
) -> IndexRow:
    """The index row of an id that NexaCloud or the ledger names and the source did not find."""
    move = scope.our_moves.get(ref)
    return IndexRow(
        ref=ref,
        source_id=source_id,
        origin=Origin.INVOICE,
        answer=answer,
        in_scope=True,
        claimed=ref in scope.claimed,
        date=move.date if move else None,
        period=_in_range(move.date, first_period, last_period) if move else None,
        detail=detail,
        in_ledger=move is not None,
    )


def named_but_not_listed(named: Collection[str], listed: Iterable[str], service: str) -> list[str]:
    """The named refs of this source (`service`, e.g. `stripe:acct_1`) that are not listed, sorted."""
    return sorted({ref for ref in named if id_within(ref, service) is not None} - set(listed))


def _named_sale(facts: InvoiceFacts, bills: str | None) -> NamedSale | None:
    named = dict(facts.metadata)
    sale = NamedSale(
        service=named.get("service"),
        customer=named.get("customer_id"),
        subscription=named.get("subscription_id"),
        at_source=bills,
    )
    return None if sale == NamedSale() else sale


def _in_range(day: dt.date | None, first_period: str, last_period: str) -> str | None:
    period = period_of(day) if day else None
    return period if period and first_period <= period <= last_period else None
