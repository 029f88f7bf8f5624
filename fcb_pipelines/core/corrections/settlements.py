"""Corrections of settlements: one that its source withdrew is reversed, a changed amount gets the difference (S7, D2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.books import first_open_day
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState, MoveState, settled_under
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.refs import Suffix, correction_number, correction_ref, suffixed
from fcb_pipelines.core.settlements.amended import amended, amendments
from fcb_pipelines.core.settlements.routes import through_outstanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """The difference of one settlement. `write` is its entry, None where no command may write it.

    `why` describes it, or says what else mends it.
    """

    why: str
    write: Settlement | None = None


def plan_amendments(
    settlements: Iterable[Settlement],
    days: Mapping[str, date],
    ledger_state: Mapping[str, LedgerState],
    settings: Settings,
    entry_lock: date | None,
) -> tuple[Amendment, ...]:
    """The differences of the intended settlements that the ledger has with another amount.

    `days` are the days at the source, by ref: the difference is dated there, or on the first open day. One
    that takes amount back reverses the entry that has as much.

    A write-off of 113.00 of which a credit note leaves 56.50 gets a correction over -56.50.
    """
    corrections = amendments(ledger_state)
    found = []
    for settlement in settlements:
        entry = settled_under(settlement.ref, ledger_state)
        more = corrections.get(settlement.ref, [])
        if entry is None or entry.state is not MoveState.POSTED:
            continue
        if amended(entry, more).amount != settlement.amount:
            day = first_open_day(days.get(settlement.ref, settlement.date), entry_lock)
            found.append(_amendment(settlement, entry, more, settings, day))
    return tuple(found)


def can_undo(entry: LedgerSettlement) -> bool:
    """Whether a settlement can be reversed: an allocation of a note can't, a part of a receipt can."""
    is_money = not entry.settlement.is_allocation or entry.settlement.receipt is not None
    return is_money and entry.state is MoveState.POSTED


def reversal(entry: LedgerSettlement, day: date) -> Settlement:
    """The reversal of an entry that its source no longer confirms, not before the entry's own day."""
    settled = entry.settlement
    failed = settled.method is Method.PAYMENT
    return Settlement(
        ref=suffixed(entry.ref, Suffix.UNDONE),
        document=settled.document,
        kind=settled.kind,
        partner=settled.partner,
        method=Method.PAYMENT_FAILURE if failed else settled.method,
        date=max(day, settled.date),
        amount=-settled.amount,
        currency=settled.currency,
        memo=settled.memo,
        undoes=entry.ref,
    )


def _amendment(
    settlement: Settlement,
    entry: LedgerSettlement,
    more: Sequence[LedgerSettlement],
    settings: Settings,
    day: date,
) -> Amendment:
    booked = amended(entry, more)
    both = (
        f"{settlement.ref} is over {money(settlement.amount, settlement.currency)} at its source and "
        f"{money(booked.amount, booked.currency)} in the ledger"
    )
    if not all(each.is_as_written for each in (entry, *more)):
        return Amendment(why=f"{both}: it was edited in the ledger, undo the edit first")
    alike = (settlement.currency, settlement.kind, settlement.method) == (
        booked.currency,
        booked.kind,
        booked.method,
    )
    by_id = settlement.is_allocation or booked.is_allocation
    if not alike or by_id or through_outstanding(settlement.method, settings):
        return Amendment(why=f"{both}: enter the difference by hand, it stays listed")
    amount = settlement.amount - booked.amount
    number = max((correction_number(each.ref) for each in more), default=0) + 1
    taken_back = [e for e in (*more, entry) if e.settlement.amount * amount < 0]
    enough = [e for e in taken_back if abs(e.settlement.amount) >= abs(amount)]
    undoes = next((each.ref for each in enough or taken_back), None)
    return Amendment(
        why=f"{both}: {money(amount, settlement.currency)} is written on {day.isoformat()}",
        write=replace(
            settlement,
            ref=correction_ref(settlement.ref, number),
            date=day,
            amount=amount,
            undoes=undoes,
        ),
    )
