"""Cash in a source's balance, as a ledger holds it: entries, statements and balances.

The journal of a balance (Stripe's) is a bank account in the ledger. Its account is `cash.accounts.balance`
for the company's currency, that of `cash.balances` for any other; an entry moves it by `amount`.

    113.00 paid by a customer, of which Stripe keeps 3.30 and 0.43 of tax on it
        CashEntry(ref="stripe:acct_1:txn_1", kind=CashKind.CHARGE, currency="CAD", amount=10927, lines=(
            CashLine(account="111321", amount=-11300, meets="stripe:acct_1:inpay_7", label="pi_7"),
            CashLine(account="551400", amount=330, label="charge: stripe_fee"),
            CashLine(account="118310", amount=43, label="charge: tax")))
        posted:     debit  111320  109.27     the balance
                    credit 111321  113.00     meets the debit of the payment's own entry there
                    debit  551400    3.30
                    debit  118310    0.43

Amounts are signed, in minor units of their currency: debit > 0.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.digests import Digested, Form, all_but
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.refs import Suffix, suffixed, without


@dataclass(frozen=True, slots=True, kw_only=True)
class CashLine:
    """One line against the balance: `amount` on the configured account code `account`, in the entry's currency.

    `meets` is the matching key of a line on the outstanding account (`matching_key`). The ledger keeps
    it with the line and gives it back as it was written, whether the line is matched or not.

    `original` is the amount in `original_currency` where the line stands in another currency on its
    account (C8): USD 100.00 paid and settled as CAD 136.50 is `amount` -13650 and `original` -10000. It has
    the sign of `amount`; both are None where the currencies are the same. What the ledger's own rate
    makes different is an exchange difference of the ledger, never of the receivable.
    """

    account: str
    amount: int
    label: str
    meets: str | None = None
    original: int | None = None
    original_currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashEntry(Digested):
    """One intended entry in the journal of a balance: one transaction, or a sum of other services' (C6).

    `ref` is the transaction's own identity and becomes the ledger's external id. `date` is the day of the
    transaction in the company's timezone, `booked_on` the day of the entry: the same, or the first open
    day where that one is locked (C10). A ledger writes the entry on `booked_on` and keeps `date` beside it.

    `amount` moves the account of the balance, `lines` the others: all together are zero. `amount` may be
    zero. `narration` is for people and has the transaction's id (txn_…). An entry has no partner.
    """

    ref: str
    kind: CashKind
    date: date
    booked_on: dt.date
    currency: str
    amount: int
    lines: tuple[CashLine, ...]
    narration: str

    @property
    def content_hash(self) -> str:
        """Digest (64 hex digits) of every field, `date` and `booked_on` included."""
        return self.digest_in(_CONTENT)

    @property
    def is_balanced(self) -> bool:
        """Whether amount and lines add up to zero."""
        return self.amount + sum(line.amount for line in self.lines) == 0

    def booked(self, day: dt.date) -> "CashEntry":
        """The same entry, booked on this day."""
        return self if day == self.booked_on else replace(self, booked_on=day)


_CONTENT = Form({CashEntry: all_but(CashEntry), CashLine: all_but(CashLine)})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """A line of an entry that is not wholly matched: its key, and the open part in the line's own currency.

    The part has the sign of the line; the currency is `original_currency` where the line has one.
    """

    meets: str
    currency: str
    residual: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCash:
    """One of our cash entries as the ledger holds it now.

    `entry` is the entry as a CashEntry: a person's change of an account, an amount, a label or a day shows
    as another content hash than `stored_hash`, which was kept when it was written. Lines come in the order
    they were written in. `statement` is the ref of the statement that holds it, or the ledger's own name of
    one that a person made; `open` are its lines with a key that are not wholly matched.
    """

    ref: str
    entry_id: str
    state: MoveState
    entry: CashEntry
    stored_hash: str | None
    statement: str | None = None
    open: tuple[OpenLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CashStatement(Digested):
    """One statement of a balance: the entries of a payout (they come to zero), or those of a month that no
    payout claims (C3).

    `ref` is the payout's identity (po_…), or that of the month; `name` is its label. `date` is its last day, or that
    of the statement before it where that is later.
    `opening` and `closing` are minor units of `currency`; `closing` is `opening` and the amounts of
    its `entries` (refs, in the order of their days). Each opens where the one before it in the same currency closed.
    """

    ref: str
    name: str
    date: date
    currency: str
    opening: int
    closing: int
    entries: tuple[str, ...]

    @property
    def content_hash(self) -> str:
        """Digest (64 hex digits) of every field."""
        return self.digest_in(_STATEMENT)


_STATEMENT = Form({CashStatement: all_but(CashStatement)})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatement:
    """One of our statements as the ledger holds it now.

    `statement` has the entries and balances that the ledger itself gives. `is_valid`: the ledger calls
    it complete (its entries come to its closing) and joined to the one before it.
    """

    ref: str
    statement_id: str
    statement: CashStatement
    is_valid: bool
    stored_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashBalance:
    """The balance of a journal's bank account at the end of a day: minor units of `currency`, debit > 0."""

    currency: str
    date: date
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingItem:
    """One line of the outstanding account that was open at the end of a day.

    `ref` is the external id of its settlement, receipt or cash entry, None for an entry that is not ours;
    `entry` is the entry as the ledger prints it. `residual` is the open part in minor units of the
    line's `currency`, debit > 0: a payment that has not reached the balance is above zero.
    `meets` is its matching key, None for an entry that is not ours.
    """

    ref: str | None
    entry: str
    date: date
    currency: str
    residual: int
    meets: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingAt:
    """One open line of the outstanding account, and the month at whose end it was open."""

    period: str
    item: OutstandingItem


# What a settlement's reversal adds to its ref: both meet the same transactions.
_REVERSALS = (Suffix.UNDONE, Suffix.FAILED)


def matching_key(ref: str) -> str:
    """The key under which the lines of a settlement and of its transactions are matched on the outstanding account.

    It is the ref of the settlement (or shared receipt) without the suffix of its reversal, so that a payment,
    its failure and both their transactions are one group, which comes to zero once all of them are there.
    """
    for suffix in _REVERSALS:
        ref = without(ref, suffix)
    return ref


def refs_of_key(key: str) -> tuple[str, ...]:
    """Every ref of which this is the matching key: of the settlement, its reversals, and those of them."""
    refs = [key]
    for suffix in reversed(_REVERSALS):
        refs += [suffixed(ref, suffix) for ref in refs]
    return tuple(refs)


def adds_up(statement: CashStatement, entries: Iterable[CashEntry]) -> bool:
    """Whether the entries of a statement lead from its opening to its closing balance."""
    amounts = {entry.ref: entry.amount for entry in entries}
    found = [amounts[ref] for ref in statement.entries if ref in amounts]
    return (
        len(found) == len(statement.entries) and statement.opening + sum(found) == statement.closing
    )
