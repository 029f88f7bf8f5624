"""The index: one row for each document a source has, and for each id NexaCloud names in vain."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fcb_pipelines.core.facts import InvoiceFacts, Kind, Side, Status
from fcb_pipelines.core.periods import period_of


class Answer(StrEnum):
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
    the evidence; rows that the source does not have carry none of the document's fields.
    """

    ref: str
    source_id: str
    origin: Origin
    answer: Answer
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

    @property
    def found(self) -> bool:
        """Whether the source has the document."""
        return self.answer in (Answer.LISTED, Answer.ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What counts as NexaCloud's at a source that serves several products (rule A6).

    `customers` are the source's customer ids that NexaCloud users name, `claimed` the document refs
    that NexaCloud invoices name, `metadata_key` the key that marks a document as NexaCloud's. A
    document that names nobody can't be another product's for sure: it is in scope, and held there.
    """

    customers: frozenset[str]
    claimed: frozenset[str]
    metadata_key: str

    def includes(self, facts: InvoiceFacts) -> bool:
        """Whether a document is NexaCloud's."""
        return (
            facts.payer in self.customers
            or _nobodys(facts)
            or facts.ref in self.claimed
            or facts.credits in self.claimed
            or any(key == self.metadata_key for key, _ in facts.metadata)
        )


def _nobodys(facts: InvoiceFacts) -> bool:
    """Whether nothing says whose a document is; a credit note is its invoice's."""
    return facts.payer is None and facts.credits is None


def source_ref(side: Side, owner: str, source_id: str) -> str:
    """The identity of a document: `stripe:<account>:<id>`, `lago:<organization>:<id>`."""
    return f"{side}:{owner}:{source_id}"


def found_row(
    facts: InvoiceFacts,
    *,
    source_id: str,
    origin: Origin,
    answer: Answer,
    body_hash: str,
    scope: Scope,
    first_period: str,
    last_period: str,
) -> IndexRow:
    """The index row of a document that the source has."""
    period = period_of(facts.date) if facts.date else None
    in_range = period is not None and first_period <= period <= last_period
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
        period=period if in_range else None,
        customer=facts.payer,
        currency=facts.currency,
        total=facts.total if facts.kind is Kind.INVOICE else -facts.total,
        body_hash=body_hash,
    )


def absent_row(ref: str, source_id: str, answer: Answer, detail: str) -> IndexRow:
    """The index row of an id that NexaCloud names and the source did not give."""
    return IndexRow(
        ref=ref,
        source_id=source_id,
        origin=Origin.INVOICE,
        answer=answer,
        in_scope=True,
        claimed=True,
        detail=detail,
    )


def named_but_not_listed(claimed: Collection[str], listed: Iterable[str], prefix: str) -> list[str]:
    """The claimed refs of this source (`prefix`, e.g. `stripe:acct_1:`) that the list lacks."""
    return sorted({ref for ref in claimed if ref.startswith(prefix)} - set(listed))


def stripe_customers(users: Iterable[Mapping[Any, Any]]) -> frozenset[str]:
    """The Stripe customers that NexaCloud users name."""
    return frozenset(
        str(user["stripe_customer_id"]) for user in users if user["stripe_customer_id"]
    )


def lago_customers(users: Iterable[Mapping[Any, Any]]) -> frozenset[str]:
    """The Lago customers that NexaCloud users are: their external id is the user's id."""
    return frozenset(str(user["id"]) for user in users)
