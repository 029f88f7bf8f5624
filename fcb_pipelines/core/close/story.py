"""One document as a story: what each side says of it, the rule that placed it, and what happened, in order of time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from fcb_pipelines.core.agreement.compare import disagreements
from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.shapes import Document, QueueRow
from fcb_pipelines.core.codes import Reason, System, Verdict
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.corrections import by_base
from fcb_pipelines.core.ledger.moves import LedgerMove

_AS_BILLED = "To be posted exactly as it was billed."


class StorySide(TypedDict):
    """What one side says of the document; `evidence` is the name of the body that it is read from.

    Amounts are minor units of `currency`, `paid` what that side calls settled.
    """

    side: str
    ref: str
    number: str
    date: str | None
    status: str
    currency: str
    net: int
    tax: int
    total: int
    paid: int
    evidence: str | None


class StoryEvent(TypedDict):
    """Something that happened; `entry` is its external id, `ledger_id` the id of its record in the ledger,
    `ledger_number` the ledger's own name of a posted move (empty where it has none).

    `at` is a day, or the moment (UTC) of a person's decision; `amount` is in minor units of the document's currency.
    """

    at: str
    side: str
    what: str
    amount: int | None
    entry: str
    ledger_id: str | None
    ledger_number: str


class StoryDifference(TypedDict):
    """One field in which a side differs: NexaCloud's copy from its source, or the ledger from the intent."""

    side: str
    entry: str
    field: str
    expected: str | None
    actual: str | None


class DocumentStory(TypedDict):
    """The story of one document; `document` is as in the status, `exceptions` as in the queue."""

    document: Document
    rule: str
    sides: list[StorySide]
    events: list[StoryEvent]
    differences: list[StoryDifference]
    exceptions: list[QueueRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a document besides its month: its index row, NexaCloud's copy, what people decided."""

    index: IndexRow | None = None
    copy: InvoiceFacts | None = None
    decisions: Sequence[Decision] = ()


def document_story(
    document: Document, month: MonthStatus, told: Told, exceptions: Iterable[QueueRow]
) -> DocumentStory:
    """The story of one document of this month; `exceptions` are the rows of the queue."""
    ref = document["ref"]
    facts = month.facts().get(ref)
    body = told.index.body_hash if told.index else None
    sides = [_side(facts, body)] if facts else []
    sides += [_side(told.copy, None)] if told.copy else []
    copied = (row for row in disagreements(month.agreements()) if row.ref == ref)
    differences: list[StoryDifference] = [
        {"side": System.NEXACLOUD.value, "entry": row.other_ref, "field": row.field,
         "expected": row.expected, "actual": row.actual}
        for row in copied
    ]  # fmt: skip
    differences += [
        {"side": System.LEDGER.value, "entry": row.entry, "field": row.field,
         "expected": row.expected, "actual": row.actual}
        for row in month.deltas
        if row.ref == ref
    ]  # fmt: skip
    events = [
        *(_at_source(facts) if facts else ()),
        *_in_ledger(ref, month),
        *_decided(ref, told.decisions),
    ]
    return {
        "document": document,
        "rule": _rule(document),
        "sides": sides,
        "events": sorted(events, key=lambda event: event["at"]),
        "differences": differences,
        "exceptions": [row for row in exceptions if row["ref"] == ref],
    }


def called(name: str, numbers: Mapping[str, str]) -> tuple[str, ...]:
    """The refs of the documents of this name, by `numbers` of each ref: the ref itself, else all with the number."""
    if name in numbers:
        return (name,)
    return tuple(sorted(ref for ref, number in numbers.items() if number and number == name))


def _rule(document: Document) -> str:
    if not document["reason"]:
        return _AS_BILLED
    reason = Reason.of(document["reason"])
    detail = f" {document['detail']}." if document["detail"] else ""
    remedy = "" if document["disposition"] == Verdict.POST else f" {reason.remedy}"
    return f"{reason.meaning}{detail}{remedy}"


def _side(facts: InvoiceFacts, body: str | None) -> StorySide:
    return {
        "side": facts.side,
        "ref": facts.ref,
        "number": facts.number,
        "date": facts.date.isoformat() if facts.date else None,
        "status": facts.status_at_source or facts.status.value,
        "currency": facts.currency,
        "net": facts.net,
        "tax": facts.tax,
        "total": facts.total,
        "paid": facts.paid,
        "evidence": body,
    }


def _at_source(facts: InvoiceFacts) -> Iterable[StoryEvent]:
    if facts.date:
        yield _event(facts.date.isoformat(), facts.side, "billed", facts.total, facts.ref)
    for one in facts.settlements:
        what = one.method.value
        yield _event(one.date.isoformat(), facts.side, what, one.amount, one.ref)
    for ref, day in facts.withdrawn:
        yield _event(day.isoformat(), facts.side, "withdrawn", None, ref)
    if facts.voided_on:
        yield _event(facts.voided_on.isoformat(), facts.side, "voided", None, facts.ref)


def _in_ledger(ref: str, month: MonthStatus) -> Iterable[StoryEvent]:
    side = System.LEDGER.value
    own: list[LedgerMove] = [month.moves[ref]] if ref in month.moves else []
    for move in (*own, *by_base(month.moves.values()).get(ref, ())):
        what = f"{move.document.kind}, {move.state}"
        day = move.accounting_date.isoformat()
        found = (move.ref, move.move_id, move.ledger_number)
        yield _event(day, side, what, move.document.total, *found)
    for one in month.settlements:
        settled = one.settlement
        if settled.document == ref:
            matched = "reconciled" if one.is_reconciled else "not wholly reconciled"
            what = f"{settled.method}, {one.state}, {matched}"
            day = settled.date.isoformat()
            yield _event(day, side, what, settled.amount, one.ref, one.move_id)


def _decided(ref: str, decisions: Iterable[Decision]) -> Iterable[StoryEvent]:
    for one in decisions:
        if one.ref == ref:
            at = one.at.isoformat(timespec="seconds")
            yield _event(at, one.by, _what(one), None, one.ref)


def _what(decision: Decision) -> str:
    if decision.withdraws:
        return f"{decision.code}: withdrawn"
    if decision.is_approval:
        return f"approved to be posted{f', {decision.note}' if decision.note else ''}"
    until = f" until {decision.until}" if decision.until else ""
    return f"{decision.code}: acknowledged{until}, {decision.note}"


def _event(
    at: str,
    side: str,
    what: str,
    amount: int | None,
    entry: str,
    ledger_id: str | None = None,
    ledger_number: str = "",
) -> StoryEvent:
    return {
        "at": at,
        "side": side,
        "what": what,
        "amount": amount,
        "entry": entry,
        "ledger_id": ledger_id,
        "ledger_number": ledger_number,
    }
