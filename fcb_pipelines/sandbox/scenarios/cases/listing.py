"""The amounts of each edge case that are listed instead of booked, and their sums by currency.

Cash is never skipped (S11): money that the source confirms of an unposted document is listed. Nothing
here asks the pipeline.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fcb_pipelines.sandbox.scenarios.cases.outcomes import (
    BOOKS_BEGIN,
    Entry,
    Member,
    booked_entries,
)

OPENING = "opening_document"
_CASH = frozenset({"payment", "payment_failure", "off_platform", "refund", "chargeback"})
_CREDIT = frozenset({"customer_balance", "prepaid_credit"})
_WAITS = "settlement_period_locked"
_WITHOUT_ORIGIN = "credit_without_origin"
_MADE_UP = frozenset({"test_mode", "draft_at_source"})


def listed(member: Member, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The listed amounts of one document: cash, revenue, tax, credit, in this order and by entry."""
    rows = [
        _row("cash", each.ref, each.day, amount, why)
        for each, amount, why in sorted(_unbooked(member, entries), key=lambda row: row[0].ref)
    ]
    day = member.day.isoformat() if member.day else None
    why = _why_not_posted(member)
    rows += [
        _row(what, member.ref, day, amount, why)
        for what, amount in zip(("revenue", "tax"), _left_out(member), strict=True)
        if amount
    ]
    if _WITHOUT_ORIGIN in member.outcome.exceptions:
        rows += [
            _row("credit", each.ref, each.day, -each.amount, _WITHOUT_ORIGIN)
            for each in entries
            if each.method in _CREDIT and each.amount > 0
        ]
    return rows


def amounts(
    members: Iterable[Member], entries: Mapping[str, Sequence[Entry]]
) -> dict[str, dict[str, dict[str, int]]]:
    """The sums at the sources, posted and listed, by currency and measure (revenue, tax, cash)."""
    sums: dict[str, dict[str, Counter[str]]] = {}

    def add(member: Member, what: str, **parts: int) -> None:
        counted = sums.setdefault(member.currency, {}).setdefault(what, Counter())
        for part, amount in parts.items():
            counted[part] += amount

    for each in members:
        own = entries.get(each.ref, ())
        lines = each.posted_lines
        for what, billed, posted, left in (
            ("revenue", each.billed[0], sum(line.net for line in lines), _left_out(each)[0]),
            ("tax", each.billed[1], sum(line.tax for line in lines), _left_out(each)[1]),
        ):
            add(each, what, source=each.sign * billed, posted=each.sign * posted, listed=left)
        for entry in booked_entries(each, own):
            if entry.method in _CASH:
                amount = each.sign * entry.amount
                add(each, "cash", source=0 if entry.withdrawn else amount, posted=amount)
        for entry, amount, why in _unbooked(each, own):
            if why == OPENING:
                # It is part of a receipt that is booked with another document.
                add(each, "cash", source=amount, posted=amount)
            else:
                add(each, "cash", source=0 if entry.withdrawn else amount, listed=amount)
    return {
        currency: {
            what: {part: counted[part] for part in ("source", "posted", "listed")}
            for what, counted in sorted(of_currency.items())
            if any(counted.values())
        }
        for currency, of_currency in sorted(sums.items())
    }


def _row(what: str, entry: str, day: str | None, amount: int, why: str | None) -> dict[str, Any]:
    return {"what": what, "entry": entry, "date": day, "amount": amount, "why": why}


def _unbooked(member: Member, entries: Sequence[Entry]) -> Iterator[tuple[Entry, int, str]]:
    """The listed money of each entry, signed; reversed where it is booked and was withdrawn."""
    for each in entries:
        why = _why_not_booked(member, each)
        if why is not None:
            yield each, (-1 if each.withdrawn else 1) * member.sign * each.amount, why


def _why_not_booked(member: Member, entry: Entry) -> str | None:
    """The code under which an entry's money is listed; None if it is booked or of former books."""
    if entry.method not in _CASH or member.outcome.reason in _MADE_UP:
        return None
    before = member.day is not None and member.day.isoformat() < BOOKS_BEGIN
    if before and entry.day < BOOKS_BEGIN:
        return None
    if not member.is_posted:
        return member.outcome.cash
    waits = _WAITS in member.outcome.exceptions
    return entry.withdrawn or entry.why or (_WAITS if waits else None)


def _why_not_posted(member: Member) -> str | None:
    """The code under which revenue and tax that differ from the source are listed."""
    if member.disposition == "hold":
        return member.outcome.reason
    codes = ("voided_after_posting", "source_changed")
    return next((code for code in codes if code in member.outcome.exceptions), None)


def _left_out(member: Member) -> tuple[int, int]:
    """Revenue and tax billed by the source and not posted, signed."""
    (net, tax), lines = member.billed, member.posted_lines
    return (
        member.sign * (net - sum(line.net for line in lines)),
        member.sign * (tax - sum(line.tax for line in lines)),
    )
