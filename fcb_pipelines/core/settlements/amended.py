"""Settlements without an id at their source: their amount there, or the day, may move after they were written.

Money from outside of the source, customer credit, a write-off: the source tells their sum, not their parts.
The entry in the ledger stays; a correction of it (`…:off_stripe:correction:1`) has the difference, and what
the books have of the settlement is the sum of both. Where the source gives no day of their own, the entry's
day counts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState, MoveState, settled_under
from fcb_pipelines.core.refs import (
    Suffix,
    base_of,
    is_correction,
    original_of,
    suffixed,
    takes_back,
    without,
)

# The day of such a settlement is that of its document, or of a payment beside it.
_UNDATED = (
    Suffix.BALANCE,
    Suffix.CREDIT_NOTES,
    Suffix.GRANTED,
    Suffix.MARKED_PAID,
    Suffix.OFF_STRIPE,
    Suffix.OUT_OF_BAND,
    Suffix.OVERPAID,
    Suffix.PREPAID,
)


def amendments(ledger_state: Mapping[str, LedgerState]) -> dict[str, list[LedgerSettlement]]:
    """The posted corrections of each settlement, and their reversals, by the ref of the settlement."""
    found: dict[str, list[LedgerSettlement]] = defaultdict(list)
    for row in ledger_state.values():
        entry = row.settlement
        if entry is None or not is_correction(entry.ref) or entry.settlement.is_allocation:
            continue
        if entry.state is MoveState.POSTED:
            found[base_of(entry.ref)].append(entry)
    return found


def amended(entry: LedgerSettlement, more: Sequence[LedgerSettlement]) -> Settlement:
    """A settlement as the books have it: its entry, over the amount with its corrections."""
    if not more:
        return entry.settlement
    amount = entry.settlement.amount + sum(each.settlement.amount for each in more)
    return replace(entry.settlement, amount=amount)


def made_of(
    entry: LedgerSettlement, more: Mapping[str, Sequence[LedgerSettlement]]
) -> tuple[LedgerSettlement, ...]:
    """The corrections that are reversed with an entry: those of the settlement that are not reversed yet.

    None are where the entry took the settlement back: it returns as it was first booked. `more` are the
    corrections of each settlement, from `amendments`.
    """
    if takes_back(entry.ref):
        return ()
    own = more.get(original_of(entry.ref), ())
    refs = {each.ref for each in own}
    return tuple(
        each
        for each in own
        if not takes_back(each.ref) and suffixed(each.ref, Suffix.UNDONE) not in refs
    )


def on_its_day(settlement: Settlement, ledger_state: Mapping[str, LedgerState]) -> Settlement:
    """The settlement on the day of its entry, where its source gives it no day of its own."""
    ref = without(settlement.ref, Suffix.RECOVERY)
    entry = settled_under(settlement.ref, ledger_state)
    if entry is None or all(without(ref, suffix) == ref for suffix in _UNDATED):
        return settlement
    return replace(settlement, date=entry.settlement.date) if entry.is_as_written else settlement
