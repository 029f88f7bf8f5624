"""What a ledger says of itself: what it can hold, what it lacks, what setup found or made."""

from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.codes import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPart:
    """Something that the ledger lacks, and how to get it.

    `taxes` are the configured tax keys that can't be posted without it; None: nothing can be; none of
    them: only what needs this very part, as a currency without rates. `methods` are the settlements
    that can't be.
    """

    what: str
    name: str
    remedy: str
    taxes: tuple[str, ...] | None = None
    methods: tuple[Method, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether the books are not ready without it."""
        return self.taxes is None or bool(self.taxes) or bool(self.methods)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDescription:
    """The ledger as found: who it is, what it can hold, and what is missing.

    `identity` names this very set of books (two databases never share it). `currencies` are those
    that can be posted, `rates_since` the first day with a rate of each that needs one.
    `invoice_lock` is the
    latest date on which no sales document may be written, `entry_lock` the same for payments and
    other entries.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStep:
    """One thing that setup looked at: `found`, `made`, or (dry run) `would make`."""

    what: str
    name: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalanceRow:
    """The balance of one account in one currency over our posted entries, minor units, debit > 0."""

    account: str
    currency: str
    balance: int
