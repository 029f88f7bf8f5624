"""The description of a ledger: its identity, limits, missing parts, setup steps and trial balance."""

from dataclasses import dataclass, field
from datetime import date

from fcb_pipelines.core.codes import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPart:
    """A part that the ledger lacks, with the remedy.

    `taxes` are the configured tax keys that can't be posted without it. None means that no document
    can be posted; an empty tuple that only documents needing this part can't, as with a currency
    without rates. `methods` are the settlement methods that can't be posted without it. `cash`: no cash
    entry can be posted without it, and everything else can (`taxes` is empty then).
    """

    what: str
    name: str
    remedy: str
    taxes: tuple[str, ...] | None = None
    methods: tuple[Method, ...] = ()
    cash: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether posting is blocked, wholly or for some taxes, methods or cash."""
        return self.taxes is None or bool(self.taxes) or bool(self.methods) or self.cash


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDescription:
    """The ledger as found: its identity, its limits and its missing parts.

    `identity` names this set of books (two databases never share it). `currencies` are those that can
    be posted, `rates_since` the first day with a rate for each that needs one. `invoice_lock` is the
    latest date on which no sales document may be written, `entry_lock` the same for payments and other
    entries. `tracking`: the ledger notes every change of ours in a log of its own beside the entries.
    """

    adapter: str
    identity: str
    version: str
    company: str
    company_currency: str
    currencies: tuple[str, ...]
    invoice_lock: date | None
    entry_lock: date | None
    missing: tuple[MissingPart, ...]
    rates_since: tuple[tuple[str, date], ...] = ()
    tracking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStep:
    """One part that setup checked; `outcome` is `found`, `made`, (dry run) `would make`, or why not."""

    what: str
    name: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalanceRow:
    """The balance of one account in one currency over our posted entries, minor units, debit > 0.

    `name` is what the ledger calls the account, and no part of what the balance is: two ledgers that agree
    may call it otherwise.
    """

    account: str
    currency: str
    balance: int
    name: str = field(default="", compare=False)
