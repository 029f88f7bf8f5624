"""The functions of the gates over cash. The gate table (core/close/gates.py) has the statement each proves."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from fcb_pipelines.core.cash.balance import BalanceRow, PayoutRow
from fcb_pipelines.core.cash.clearing import ClearingRow, ClearingState
from fcb_pipelines.core.cash.journal import CashDelta, JournalRow
from fcb_pipelines.core.ledger.cash import LedgerStatement, OutstandingItem
from fcb_pipelines.core.money import by_currency
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.proof.gate import Finding, Outcome, failing, warning


def balance_ties_out(rows: Iterable[BalanceRow], faults: Sequence[str]) -> Finding:
    """Fail where opening and transactions are not the reported balance, or one is not placed exactly once.

    `faults` say, in words, what keeps the rows from being whole: a month that is not built, a list that is
    not whole, a transaction that is not placed exactly once. A difference of a balance that changed while
    it was read warns alone: the next sync reads it again.
    """
    found = [*faults]
    unsure: list[str] = []
    for row in rows:
        if row.difference:
            said = (
                f"{row.source} {row.currency}: opening {money(row.opening, row.currency)} and "
                f"transactions of {money(row.moved, row.currency)} are not the reported "
                f"{money(row.reported, row.currency)}: {money(row.difference, row.currency)} too much"
            )
            (found if row.is_sure else unsure).append(said)
    if found or not unsure:
        return failing([*found, *unsure])
    return Finding(outcome=Outcome.WARN, count=len(unsure), faults=tuple(unsure))


def every_payout_adds_up(rows: Iterable[PayoutRow]) -> Finding:
    """Fail where a payout is not the sum of its transactions, or one of them is not where it belongs."""
    return failing([f"{row.id}: {fault}" for row in rows for fault in row.faults])


def every_settlement_reached_the_balance(rows: Iterable[ClearingRow], last: str) -> Finding:
    """Fail where a settlement and its transactions differ at the end of the `last` month; warn of the others.

    What is under way, or waits for its settlement, is listed with its age, the oldest first.
    """
    now = sorted((row for row in rows if row.period == last), key=lambda row: (-row.age, row.key))
    differing = [row for row in now if row.state is ClearingState.DIFFERS]
    shown = differing + [row for row in now if row.state is not ClearingState.DIFFERS]
    outcome = Outcome.FAIL if differing else Outcome.WARN if shown else Outcome.PASS
    return Finding(
        outcome=outcome,
        count=len(shown),
        faults=tuple(map(_told, shown)),
        amounts=by_currency((row.currency, row.open) for row in shown),
    )


def outstanding_is_explained(
    rows: Iterable[ClearingRow], outstanding: Mapping[str, Sequence[OutstandingItem]]
) -> Finding:
    """Fail where the outstanding account holds another amount of a key than is listed, at a month's end.

    `outstanding` has what the ledger has open, by month. An open line that is not ours is explained by nothing.
    """
    listed: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        listed[row.period, row.key, row.currency] += row.open
    held: Counter[tuple[str, str, str]] = Counter()
    faults = []
    for period, items in sorted(outstanding.items()):
        for item in items:
            if item.meets is None:
                faults.append(
                    f"{period}: {item.entry} of {item.date}, not ours, has "
                    f"{money(item.residual, item.currency)} open"
                )
            else:
                held[period, item.meets, item.currency] += item.residual
    for place in sorted(listed.keys() | held.keys()):
        period, key, currency = place
        if period in outstanding and listed[place] != held[place]:
            faults.append(
                f"{period}: {key} has {money(held[place], currency)} open in the ledger, "
                f"{money(listed[place], currency)} is listed"
            )
    return failing(faults)


def cash_equals_intent(deltas: Iterable[CashDelta]) -> Finding:
    """Fail where an entry in the books is not what its transaction makes, naming it and what differs."""
    return failing([f"{row.ref}: {row.side}: {row.detail}" for row in deltas])


def journal_has_the_balance(rows: Iterable[JournalRow]) -> Finding:
    """Fail where a journal has another balance than its transactions make; warn where some are not posted yet."""
    differing, waiting = [], []
    for row in rows:
        if row.difference:
            differing.append(
                f"{row.date}: the journal has {money(row.held, row.currency)}, its transactions make "
                f"{money(row.expected - row.waiting, row.currency)}: "
                f"{money(row.difference, row.currency)} too much"
            )
        elif row.entries_waiting:
            waiting.append(
                f"{row.date}: {row.entries_waiting} entries of {money(row.waiting, row.currency)} "
                "are not posted yet"
            )
    return failing([*differing, *waiting]) if differing else warning(waiting)


def statements_are_valid(statements: Iterable[LedgerStatement]) -> Finding:
    """Fail where the ledger does not call a statement complete and joined, or a person changed one."""
    faults = []
    for one in statements:
        stated = one.statement
        if not one.is_valid:
            faults.append(
                f"{one.ref} ({stated.name}): its entries do not lead from "
                f"{money(stated.opening, stated.currency)} to {money(stated.closing, stated.currency)}, "
                "or it does not open where the one before it closed"
            )
        elif stated.content_hash != one.stored_hash:
            faults.append(f"{one.ref} ({stated.name}): it is not as it was written")
    return failing(faults)


def _told(row: ClearingRow) -> str:
    sides = f"settled {money(row.settled, row.currency)}, moved {money(row.moved, row.currency)}"
    of = f" of {row.document}" if row.document else ""
    return f"{row.key}{of}: {row.state.value}, {row.age} days: {sides}"
