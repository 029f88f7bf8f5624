"""Cash as text of the books, and the checks before it is written."""

from collections.abc import Iterable, Sequence
from datetime import date

from fcb_pipelines.connectors.beancount.cash import CashRecords
from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.beancount.checks import assert_currency, assert_open
from fcb_pipelines.connectors.beancount.entries import text
from fcb_pipelines.connectors.beancount.loading import journal
from fcb_pipelines.connectors.beancount.text import (
    balance_text,
    cash_text,
    statement_rows,
    statement_text,
)
from fcb_pipelines.connectors.failures import ContractBreach, Refusal
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.ledger.cash import CashBalance, CashEntry, CashLine, CashStatement


def refused(entries: Iterable[CashEntry]) -> tuple[Refusal, ...]:
    """The entries that Beancount can't hold, and why."""
    return tuple(
        Refusal(ref=entry.ref, code=ExceptionCode.REFUSED_BY_LEDGER, detail=fault)
        for entry in entries
        for fault in list(filter(None, map(_fault, entry.lines)))[:1]
    )


def add_cash(entries: Sequence[CashEntry], cash: CashRecords, changes: Changes) -> None:
    """Add to `changes` the entries that the books do not have.

    A balance that we stated of a later day was of before them: its assertion is removed, and stated anew by
    the next `state_balances`. Raises NotPrepared or NotAllowed.
    """
    first: dict[str, date] = {}
    for entry in entries:
        if entry.ref in cash.records.cash:
            continue
        tried = f"booking {entry.ref}"
        balance = cash.account(tried, entry.currency)
        for currency in {entry.currency, *filter(None, map(_original, entry.lines))}:
            assert_currency(tried, currency, cash.records)
        assert_open(tried, entry.booked_on, "payments", cash.records)
        names = [cash.records.chart.name(line.account) for line in entry.lines]
        changes.append(
            journal(entry.booked_on), cash_text(entry, balance=balance, line_accounts=names)
        )
        if entry.amount:
            before = first.get(entry.currency, entry.booked_on)
            first[entry.currency] = min(before, entry.booked_on)
    for currency, day in first.items():
        for stale in cash.assertions(currency):
            if stale.date > day:
                changes.remove(cash.records.place(stale))


def annotate_entries(
    statements: Sequence[CashStatement], cash: CashRecords, changes: Changes
) -> None:
    """Add to `changes` the link and line number of the entries of statements that the books do not have.

    Raises ContractBreach for an entry that is not in the books, is of another currency, or is in another
    statement.
    """
    taken: dict[str, str] = {}
    for statement in statements:
        if statement.ref in cash.records.statements:
            continue
        tried = f"stating {statement.ref}"
        for number, ref in enumerate(statement.entries, 1):
            entry = cash.records.cash.get(ref)
            if entry is None:
                raise ContractBreach(tried, f"its entry {ref} is not in the books")
            if cash.entry(ref).currency != statement.currency:
                raise ContractBreach(tried, f"its entry {ref} is not in {statement.currency}")
            holder = text(entry.meta, "statement")
            if taken.setdefault(ref, holder or statement.ref) != statement.ref:
                raise ContractBreach(tried, f"its entry {ref} is in {taken[ref]}")
            if not holder:
                link, rows = statement_rows(statement, number)
                changes.annotate(cash.records.place(entry), link, rows)


def add_statements(
    statements: Sequence[CashStatement], cash: CashRecords, changes: Changes
) -> None:
    """Add to `changes` the statements that the books do not have; their entries name them already."""
    for statement in statements:
        if statement.ref not in cash.records.statements:
            balance = cash.account(f"stating {statement.ref}", statement.currency)
            changes.append(journal(statement.date), statement_text(statement, balance=balance))


def add_balances(balances: Sequence[CashBalance], cash: CashRecords, changes: Changes) -> None:
    """Add to `changes` the assertion of each of these balances, in place of one of another amount."""
    for stated in to_state(balances, cash):
        before = cash.asserted(stated)
        if before is not None:
            changes.remove(cash.records.place(before))
        balance = cash.account(f"stating the balance of {stated.date}", stated.currency)
        changes.append(journal(stated.date), balance_text(stated, balance=balance))


def to_state(balances: Sequence[CashBalance], cash: CashRecords) -> tuple[CashBalance, ...]:
    """Those that the books have and do not assert yet, each once. `cash` is of the whole books."""
    return tuple(
        stated
        for stated in dict.fromkeys(balances)
        if cash.is_provable(stated) and not cash.is_proved(stated)
    )


def _original(line: CashLine) -> str | None:
    return line.original_currency


def _fault(line: CashLine) -> str | None:
    """Why Beancount can't hold a line in another currency: a price is above zero and of something."""
    if line.original is None:
        return None
    if line.amount * line.original < 0:
        return f"a line of {line.amount} is {line.original} in {line.original_currency}"
    if line.amount and not line.original:
        return f"a line of {line.amount} is nothing in {line.original_currency}"
    return None
