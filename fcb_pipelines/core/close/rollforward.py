"""The receivable rolled forward: opening, what the month booked on it, closing, and what is open.

All of our posted entries count, whichever month their document is of, by their own date. So a month opens
with what the one before closed with, and an entry of May on an invoice of April stands in May.

The ledger's residuals are the witness: what is open now, less what was booked after the month's end, must
be what the entries come to. Where a document differs, it is settled by an entry that is not ours; such an
entry has no date here and counts with its document.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.close.booked import Booked, Document
from fcb_pipelines.core.close.report_shapes import ByHand, Movement, RollForward
from fcb_pipelines.core.codes import ExceptionCode, Method
from fcb_pipelines.core.periods import first_day, following

LABELS: Mapping[str, str] = {
    Document.INVOICES: "Invoices",
    Document.CREDIT_NOTES: "Credit notes",
    Document.CORRECTIONS: "Corrections",
    Method.PAYMENT: "Payments, less refunds of credit notes",
    Method.PAYMENT_FAILURE: "Payments that failed later",
    Method.OFF_PLATFORM: "Payments outside of the source",
    Method.CUSTOMER_BALANCE: "Customer balance drawn, less topped up",
    Method.OVERPAYMENT: "Overpayments credited to the customer",
    Method.PREPAID_CREDIT: "Prepaid credit used",
    Method.GRANTED_CREDIT: "Granted credit used",
    Method.CREDIT_NOTE: "Credit notes matched with invoices",
    Method.PENDING_REFUND: "Refunds booked before their credit note",
    Method.WRITE_OFF: "Written off",
    Method.RECOVERY: "Written off, and paid after all",
}
"""The lines of a roll-forward in their order: documents, and every method that touches the receivable."""

# A document that is listed for one of these may be settled by an entry of a person: its remedy says so.
SETTLED_BY_HAND = frozenset(
    {
        ExceptionCode.CREDIT_NOTE_WAITS,
        ExceptionCode.DISPUTE_LOST,
        ExceptionCode.EDITED_IN_LEDGER,
        ExceptionCode.MISSING_AT_SOURCE,
        ExceptionCode.OFF_STRIPE_PAYMENT,
        ExceptionCode.OVERPAID,
        ExceptionCode.REFUND_WITHOUT_CREDIT_NOTE,
        ExceptionCode.SETTLEMENT_PERIOD_LOCKED,
        ExceptionCode.SETTLEMENT_TAKEN_BACK,
        ExceptionCode.SETTLEMENT_UNSUPPORTED,
        ExceptionCode.SOURCE_CHANGED,
        ExceptionCode.UNCOLLECTIBLE,
        ExceptionCode.VOIDED_AFTER_POSTING,
    }
)

Key = tuple[str, str]

_DOCUMENTS = frozenset(Document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One document with everything booked on it, as it stands at the end of a month.

    `open` is what the ledger has open of it, minor units in the receivable's sign; `off` is the part of
    that which our entries do not explain. `date` is the document's; None where no document of ours
    is in the books by then (credit on account, a shared receipt), `since` the first entry's.
    """

    of: str
    number: str
    partner: str
    currency: str
    date: dt.date | None
    since: dt.date
    is_credit: bool
    open: int
    off: int


def groups(entries: Sequence[Booked], period: str) -> tuple[Group, ...]:
    """Each document in the books by the end of the month, with what is open of it then.

    `entries` are those of all months, each once.
    """
    after = first_day(following(period))
    own: dict[Key, list[Booked]] = defaultdict(list)
    for each in entries:
        own[each.of, each.currency].append(each)
    begun = {key for key, found in own.items() if _first(found).date < after}
    off, moved = _off(own, begun)
    rows = []
    for key, found in own.items():
        until = [each for each in found if each.date < after]
        if not until:
            continue
        first = _first(found)
        documents = [each for each in until if each.part in _DOCUMENTS]
        rows.append(
            Group(
                of=key[0],
                number=first.number,
                partner=first.partner,
                currency=key[1],
                date=first.date if documents else None,
                since=min(each.date for each in until),
                is_credit=sum(each.amount for each in documents) < 0,
                open=sum(each.amount for each in until) + moved[key] + off[key],
                off=off[key],
            )
        )
    return tuple(rows)


def roll_forward(
    entries: Sequence[Booked],
    period: str,
    listed: Collection[str],
    at_end: Sequence[Group] | None = None,
) -> list[RollForward]:
    """The receivable of each currency through the month.

    `entries` are those of all months, each once; `listed` are the documents with an exception of
    `SETTLED_BY_HAND`; `at_end` are the month's groups, where they are known already.
    """
    begin, after = first_day(period), first_day(following(period))
    until = [each for each in entries if each.date < after]
    at_end = groups(entries, period) if at_end is None else at_end
    return [
        _rolled(
            currency,
            begin,
            [each for each in until if each.currency == currency],
            [group for group in at_end if group.currency == currency],
            listed,
        )
        for currency in sorted({each.currency for each in until})
    ]


def _rolled(
    currency: str,
    begin: dt.date,
    entries: Sequence[Booked],
    at_end: Sequence[Group],
    listed: Collection[str],
) -> RollForward:
    opening = sum(each.amount for each in entries if each.date < begin)
    movements = _movements(each for each in entries if each.date >= begin)
    differing = sorted(
        (_by_hand(group, listed) for group in at_end if group.off),
        key=lambda row: (-abs(row["amount"]), row["ref"]),
    )
    by_hand = sum(row["amount"] for row in differing if row["explained"])
    return {
        "currency": currency,
        "opening": opening,
        "movements": movements,
        "closing": opening + sum(row["amount"] for row in movements),
        "by_hand": by_hand,
        "unexplained": sum(row["amount"] for row in differing) - by_hand,
        "open": sum(group.open for group in at_end),
        "differing": differing,
    }


def _by_hand(group: Group, listed: Collection[str]) -> ByHand:
    # An entry of a person's can only have settled it: open beyond our entries is never explained.
    settled = group.off > 0 if group.is_credit else group.off < 0
    return {
        "ref": group.of,
        "number": group.number,
        "partner": group.partner,
        "amount": group.off,
        "explained": settled and group.of in listed,
    }


def _movements(entries: Iterable[Booked]) -> list[Movement]:
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for each in entries:
        counts[each.part] += 1
        sums[each.part] += each.amount
    return [
        {"part": str(part), "label": label, "count": counts[part], "amount": sums[part]}
        for part, label in LABELS.items()
        if counts[part]
    ]


def _first(entries: Sequence[Booked]) -> Booked:
    """The document among them, else the earliest of what settles it."""
    documents = [each for each in entries if each.part in _DOCUMENTS]
    return min(documents or entries, key=lambda each: (each.date, each.ref))


def _off(
    own: Mapping[Key, Sequence[Booked]], begun: Collection[Key]
) -> tuple[Counter[Key], Counter[Key]]:
    """What the ledger has open of each document beyond its entries, and what is matched between two.

    A payment whose rest a person matched with another document of the customer makes no difference:
    no entry is another, only the two are open by so much less.
    """
    off: Counter[Key] = Counter()
    moved: Counter[Key] = Counter()
    left: Counter[tuple[Key, str]] = Counter()
    spare: dict[Key, list[tuple[Key, str]]] = defaultdict(list)
    for key in sorted(begun):
        off[key] = sum(each.open - each.amount for each in own[key])
        for each in own[key]:
            if each.elsewhere:
                spare[each.partner, each.currency].append((key, each.ref))
                left[key, each.ref] += each.open
    for key in sorted(begun):
        for rest in spare[_first(own[key]).partner, key[1]]:
            used = _nearer(off[key], left[rest])
            off[key] -= used
            moved[key] += used
            moved[rest[0]] -= used
            left[rest] -= used
    return off, moved


def _nearer(amount: int, limit: int) -> int:
    """The amount, no further from zero than the limit; zero where they have different signs."""
    return min(amount, limit, key=abs) if amount * limit > 0 else 0
