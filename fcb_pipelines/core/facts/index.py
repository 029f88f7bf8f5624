"""The index: one row for each document a source has, and for each id NexaCloud names in vain."""

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
    """How the source answered for a document."""

    LISTED = "listed"
    ASKED = "asked"
    DOES_NOT_EXIST = "does_not_exist"
    UNREACHABLE = "unreachable"


class Origin(StrEnum):
    """Which of the source's objects a document is: a negative invoice is still an invoice."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """One document of one source, enough to place it and to see whether it changed.

    `period` is None where the document has no date or its month is out of range. `body_hash` names
    the evidence; rows that the source does not have carry none of the document's fields. `credits` is
    the ref of the invoice that a credit note is of. `in_ledger`: a move of ours stands under the ref,
    so it belongs to the population whoever forgets it (A13), in the month where the ledger has it.
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

    @property
    def is_member(self) -> bool:
        """Whether the document belongs to the population under its own ref."""
        return (self.found and self.in_scope) or self.is_lost

    @property
    def is_lost(self) -> bool:
        """Whether it stands in the books, in a month of theirs, and its source does not give it."""
        return self.in_ledger and not self.found and self.period is not None

    @property
    def found(self) -> bool:
        """Whether the source has the document."""
        return self.answer in (Lookup.LISTED, Lookup.ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What counts as NexaCloud's at a source that serves several products (rule A6).

    `customers` are the source's customer ids that NexaCloud users name, `claimed` the document refs
    that NexaCloud invoices name, `metadata_key` the key that marks a document as NexaCloud's. A
    document that names nobody can't be another product's for sure: it is in scope, and held there.
    `standing` are our moves by ref: what is in the books was NexaCloud's, whatever it has erased since.
    """

    customers: frozenset[str]
    claimed: frozenset[str]
    metadata_key: str
    our_moves: Mapping[str, ListedMove] = field(default_factory=dict)

    def includes(self, facts: InvoiceFacts) -> bool:
        """Whether a document is NexaCloud's."""
        return (
            facts.payer in self.customers
            or _nobodys(facts)
            or facts.ref in self.claimed
            or facts.credits in self.claimed
            or facts.ref in self.our_moves
            or facts.credits in self.our_moves
            or any(key == self.metadata_key for key, _ in facts.metadata)
        )

    def with_known(self, documents: Iterable[InvoiceFacts]) -> "Scope":
        """The scope with the customers that only documents can tell.

        Of a forgotten one the books hold documents and NexaCloud none (A13): what it is billed later is
        not of another product of the company. An account that a source bills in a customer's place is
        NexaCloud's where NexaCloud names one of its documents: users name customers alone.
        """
        documents = tuple(documents)
        claimed = {one.payer for one in documents if one.ref in self.claimed}
        ledger_state = {
            one.payer
            for one in documents
            if one.ref in self.our_moves and one.ref not in self.claimed and not one.credits
        }
        accounts = {
            one.payer for one in documents if one.ref in self.claimed and one.customer is None
        }
        known = (ledger_state - claimed) | accounts
        return replace(self, customers=self.customers | {each for each in known if each})


def _nobodys(facts: InvoiceFacts) -> bool:
    """Whether nothing says whose a document is; a credit note is its invoice's."""
    return facts.payer is None and facts.credits is None


def found_row(
    facts: InvoiceFacts,
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
    return IndexRow(
        ref=facts.ref,
        source_id=source_id,
        origin=origin,
        answer=answer,
        in_scope=scope.includes(facts),
        claimed=facts.ref in scope.claimed,
        number=facts.number,
        status=facts.status,
        date=facts.date,
        period=period,
        customer=facts.payer,
        currency=facts.currency,
        total=facts.kind.sign * facts.total,
        body_hash=body_hash,
        credits=facts.credits,
        in_ledger=move is not None,
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
    """The index row of an id that NexaCloud names, or that the books hold, and the source did not give."""
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
    """The refs of this source (`service`, e.g. `stripe:acct_1`) that are named and the list lacks."""
    return sorted({ref for ref in named if id_within(ref, service) is not None} - set(listed))


def _in_range(day: dt.date | None, first_period: str, last_period: str) -> str | None:
    period = period_of(day) if day else None
    return period if period and first_period <= period <= last_period else None
