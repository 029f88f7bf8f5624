"""Which cash entries are written now, on which day, and how those in the books differ from the intent (C10, D3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.ledger.books import first_open_day
from fcb_pipelines.core.ledger.cash import CashEntry, LedgerCash
from fcb_pipelines.core.ledger.moves import RELEASED, MoveState, Seen


class CashDrift(StrEnum):
    """How an entry in the books differs from the intent.

    SOURCE: the intent is another than was written. LEDGER: a person changed the entry. REMOVED: a person
    removed it, cancelled it or set it back to draft. One that is gone is written again only once it was
    released; one that is still there keeps its external id, so a release of it has no effect before a
    person posts it again or deletes it. WITHDRAWN: no transaction has the entry any more.
    """

    SOURCE = "source"
    LEDGER = "ledger"
    REMOVED = "removed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashPlan:
    """The entries to give to the ledger, and those that were moved or differ.

    `write` has the new entries, on the days they are booked on, and those whose lines are still open: the
    ledger matches them and writes nothing. `late` are the refs of entries booked on another day than
    their own (C10). `drift` has the differences by ref; such an entry is left as it is.
    """

    write: tuple[CashEntry, ...]
    late: tuple[str, ...]
    drift: tuple[tuple[str, CashDrift], ...]


def plan_cash(
    entries: Iterable[CashEntry],
    ledger_state: Mapping[str, LedgerCash],
    seen: Mapping[str, Seen],
    lock: date | None,
) -> CashPlan:
    """The plan for these intended entries, given what the ledger holds and what was read back before.

    `lock` is the last locked day. An entry in the books keeps its day, whatever is locked now.
    """
    write: list[CashEntry] = []
    late: list[str] = []
    drift: list[tuple[str, CashDrift]] = []
    for entry in entries:
        now = ledger_state.get(entry.ref)
        if now is None or now.state is not MoveState.POSTED:
            if _was_removed(now, seen.get(entry.ref)):
                drift.append((entry.ref, CashDrift.REMOVED))
                continue
            booked = entry.booked(first_open_day(entry.date, lock))
            write.append(booked)
        else:
            sides = drift_of(entry, now)
            drift += [(entry.ref, side) for side in sides]
            booked = now.entry
            if now.open and not sides:
                write.append(entry.booked(now.entry.booked_on))
        if booked.booked_on != entry.date:
            late.append(entry.ref)
    return CashPlan(write=tuple(write), late=tuple(late), drift=tuple(drift))


def drift_of(entry: CashEntry, now: LedgerCash) -> Sequence[CashDrift]:
    """The differences of an entry in the books from the intent and from what was written, by three hashes.

    The day on which it is booked is the ledger's own answer: a later lock changes no intent.
    """
    if now.stored_hash is None:
        return (CashDrift.LEDGER,)
    sides = []
    if now.entry.content_hash != now.stored_hash:
        sides.append(CashDrift.LEDGER)
    elif entry.booked(now.entry.booked_on).content_hash != now.stored_hash:
        sides.append(CashDrift.SOURCE)
    return tuple(sides)


def counted(
    entries: Iterable[CashEntry], plan: CashPlan, held: Mapping[str, LedgerCash]
) -> list[CashEntry]:
    """The entries as they count on the outstanding account: those in the books as these have them.

    One that waits for a run that posts is in no books yet; one that was taken out is missed there.
    """
    waiting = {entry.ref for entry in plan.write if entry.ref not in held}
    posted = {ref: one.entry for ref, one in held.items() if one.state is MoveState.POSTED}
    return [posted.get(entry.ref, entry) for entry in entries if entry.ref not in waiting]


def _was_removed(now: LedgerCash | None, seen: Seen | None) -> bool:
    """Whether a person took the entry out. A cancelled one has its external id: the ledger would write nothing."""
    if now is not None:
        return True
    return seen is not None and seen.state != RELEASED
