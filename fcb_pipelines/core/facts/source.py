"""The rules of one billing source, as pure functions.

    STRIPE.facts({"invoice": ...}, owner="acct_1", timezone="America/Toronto")   # InvoiceFacts
    claimed_ref("in_1", [(STRIPE, "acct_1"), (LAGO, "nexacloud")])               # "stripe:acct_1:in_1"

No other rule depends on the source, except the fields named after Stripe.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout, ReportedBalance
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines.core.facts.subscription import SubscriptionRules
from fcb_pipelines.core.refs import source_ref


class ReadsFacts(Protocol):
    """Reads a body. Never raises for a bad document; its facts have a `problem` instead."""

    def __call__(self, body: Json, *, owner: str, timezone: str) -> InvoiceFacts:
        """The facts of one document of `owner`, with its dates in `timezone`."""
        ...


class ReadsCash(Protocol):
    """Reads the bodies of the balance that a source keeps.

    All raise KeyError or TypeError for a body without an id or an instant; any other fault is its `problem`.
    """

    def transaction(self, body: Json) -> BalanceTransaction:
        """One transaction."""
        ...

    def payout(self, body: Json, claimed: Iterable[Json] | None) -> Payout:
        """One payout, with the transactions that the source lists for it (None: it can't say)."""
        ...

    def balance(
        self, body: Json, newest: Iterable[Json], *, is_sure: bool
    ) -> tuple[ReportedBalance, ...]:
        """The balance in each currency; `newest` are the newest transactions when it was read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """Reads one billing source's documents, customers and ids.

    `name` is the source in asset keys and refs. `customer_of` returns the source's customer id for a
    NexaCloud user, from the user's id and row (None where NexaCloud has no such user). `claimed`
    returns the source's own id from a text in NexaCloud's `stripe_invoice_id`. Both return None where
    there is none. `subscriptions` reads its subscriptions; None where the source tells of none. `cash` makes
    the reader of the balance of one owner in a timezone; None where it keeps none.
    """

    name: str
    facts: ReadsFacts
    customer_of: Callable[[str, User | None], str | None]
    claimed: Callable[[str], str | None]
    subscriptions: SubscriptionRules | None = None
    cash: Callable[[str, str], ReadsCash] | None = None

    def customers(self, users: Mapping[str, User], named: Iterable[str] = ()) -> frozenset[str]:
        """The source's customer ids for these NexaCloud users, who come by id.

        `named` are the ids of users whom NexaCloud's other rows name: it may have erased the user alone.
        """
        found = (self.customer_of(key, users.get(key)) for key in {*users, *named})
        return frozenset(customer for customer in found if customer)


def claimed_ref(named: str | None, sources: Iterable[tuple[SourceRules, str]]) -> str | None:
    """The ref of the source document that NexaCloud names; None where no source recognises the text.

    Each of `sources` comes with the owner of its documents; the first that recognises the text wins.
    """
    text = (named or "").strip()
    for rules, owner in sources:
        own = rules.claimed(text)
        if own:
            return source_ref(rules.name, owner, own)
    return None
