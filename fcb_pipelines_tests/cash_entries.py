"""Cash entries and statements for tests, the books that hold them, and what these must then say.

Like `documents`: the factories give complete, consistent values, `expected_cash` is worked out from the
values alone, with the accounts written out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from fcb_pipelines.connectors.ledger import CashLedger, Ledger
from fcb_pipelines.core.codes import CashKind, Method
from fcb_pipelines.core.company.settings import (
    Account,
    BalanceJournal,
    CashSettings,
    Journal,
    Settings,
)
from fcb_pipelines.core.ledger.cash import CashEntry, CashLine, CashStatement, matching_key
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.refs import Suffix, suffixed
from fcb_pipelines_tests.documents import DAY, SETTINGS

CASH_SETTINGS: Settings = SETTINGS.model_copy(
    update={
        "cash": CashSettings(
            balances=(
                BalanceJournal(
                    currency="USD",
                    journal=Journal(code="NCUSD", name="NexaCloud Stripe USD"),
                    account=Account(code="111325", name="NexaCloud Stripe Balance USD"),
                ),
            )
        )
    }
)
"""The packaged configuration with cash on, and with a balance in USD."""

BALANCES = {"CAD": "111320", "USD": "111325"}
OUTSTANDING, FEES, FEE_TAX, TRANSIT, PENDING = "111321", "551400", "118310", "111323", "215540"


class Books(Ledger, CashLedger, Protocol):
    """A ledger that also holds cash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashCase:
    """One ledger under test, set up with `CASH_SETTINGS`, and what a person may do in it.

    `lock` locks it up to and including a date. `edit` changes something of the posted cash entry with this
    ref, as far as the ledger lets a person. `by_hand` posts a person's own entry on a day that debits the
    balance in CAD by so many minor units and credits the outstanding account.
    """

    ledger: Books
    lock: Callable[[date], None]
    edit: Callable[[str], None]
    by_hand: Callable[[date, int], None]


def cash_ref(name: str) -> str:
    """The ref of an object of the Stripe account that keeps the balance."""
    return f"stripe:acct_nexacloud:{name}"


def a_cash_line(
    amount: int,
    account: str = PENDING,
    *,
    label: str = "pi_1",
    meets: str | None = None,
    original: int | None = None,
    original_currency: str | None = None,
) -> CashLine:
    """A line of `amount` minor units, debit > 0."""
    return CashLine(
        account=account,
        amount=amount,
        label=label,
        meets=meets,
        original=original,
        original_currency=original_currency,
    )


def a_cash_entry(
    name: str = "txn_1",
    *lines: CashLine,
    kind: CashKind = CashKind.CHARGE,
    day: date = DAY,
    booked_on: date | None = None,
    currency: str = "CAD",
    narration: str | None = None,
) -> CashEntry:
    """A balanced entry of these lines: the balance moves by what they lack of zero."""
    return CashEntry(
        ref=cash_ref(name),
        kind=kind,
        date=day,
        booked_on=booked_on or day,
        currency=currency,
        amount=-sum(line.amount for line in lines),
        lines=lines,
        narration=f"{kind} {name}" if narration is None else narration,
    )


def fees(fee: int = 330, tax: int = 43) -> tuple[CashLine, ...]:
    """What the source keeps of a charge, and the tax on it."""
    return (
        a_cash_line(fee, FEES, label="charge: stripe_fee"),
        a_cash_line(tax, FEE_TAX, label="charge: tax"),
    )


def met(settlement: Settlement, *, amount: int | None = None, rate: int | None = None) -> CashLine:
    """The line that meets a settlement: wholly, or `amount` of it, signed like the settlement's own line.

    `rate`: settled in CAD at so many hundredths of the settlement's own currency.
    """
    own = settlement.kind.sign * settlement.amount if amount is None else amount
    return a_cash_line(
        -own if rate is None else -own * rate // 100,
        OUTSTANDING,
        label=settlement.memo,
        meets=matching_key(settlement.drawn_on if settlement.receipt else settlement.ref),
        original=None if rate is None else -own,
        original_currency=None if rate is None else settlement.currency,
    )


def a_charge(
    settlement: Settlement,
    name: str = "txn_1",
    *,
    day: date | None = None,
    booked_on: date | None = None,
) -> CashEntry:
    """The transaction by which a payment reached the balance, less its fee and the tax on that."""
    return a_cash_entry(
        name,
        met(settlement),
        *fees(),
        day=day or settlement.date,
        booked_on=booked_on,
        currency=settlement.currency,
    )


def a_payout(amount: int, name: str = "txn_po_1", *, day: date = DAY) -> CashEntry:
    """A transfer of the balance to the bank, minor units above zero."""
    line = a_cash_line(amount, TRANSIT, label=name)
    return a_cash_entry(name, line, kind=CashKind.PAYOUT, day=day)


def a_statement(
    entries: Sequence[CashEntry],
    name: str = "po_1",
    *,
    opening: int = 0,
    closing: int | None = None,
    day: date | None = None,
    currency: str = "CAD",
) -> CashStatement:
    """The statement of these entries, by default of the day of the last."""
    moved = sum(entry.amount for entry in entries)
    return CashStatement(
        ref=cash_ref(name),
        name=name,
        date=day or max(entry.booked_on for entry in entries),
        currency=currency,
        opening=opening,
        closing=opening + moved if closing is None else closing,
        entries=tuple(entry.ref for entry in entries),
    )


def taken_back(payment: Settlement, day: date) -> Settlement:
    """The failure of a payment, dated on this day."""
    return replace(
        payment,
        ref=suffixed(payment.ref, Suffix.FAILED),
        method=Method.PAYMENT_FAILURE,
        date=day,
        amount=-payment.amount,
        undoes=payment.ref,
    )


def expected_cash(entries: Iterable[CashEntry]) -> dict[tuple[str, str], int]:
    """(account code, currency) -> balance of these entries in minor units, debit > 0; no zeros."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        found[BALANCES[entry.currency], entry.currency] += entry.amount
        for line in entry.lines:
            currency = line.original_currency or entry.currency
            amount = line.amount if line.original is None else line.original
            found[line.account, currency] += amount
    return {key: balance for key, balance in found.items() if balance}


def with_cash(
    balances: dict[tuple[str, str], int], entries: Iterable[CashEntry]
) -> dict[tuple[str, str], int]:
    """A trial balance with these cash entries in it."""
    found = Counter(balances)
    found.update(expected_cash(entries))
    return {key: balance for key, balance in found.items() if balance}
