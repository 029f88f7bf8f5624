"""What only one billing source knows, as pure functions.

    STRIPE.facts({"invoice": ...}, owner="acct_1", timezone="America/Toronto")   # InvoiceFacts
    claimed_ref("in_1", [(STRIPE, "acct_1"), (LAGO, "nexacloud")])               # "stripe:acct_1:in_1"

Nothing else in the rules tells one source from another, but for the fields that bear Stripe's name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines.core.refs import source_ref


class ReadsFacts(Protocol):
    """Tells what a body says. Never raises for a bad document: that is the facts' `problem`."""

    def __call__(self, body: Json, *, owner: str, timezone: str) -> InvoiceFacts:
        """The facts of one of `owner`'s documents, its dates in `timezone`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """How one billing source's documents, customers and ids are read.

    `name` is the source in asset keys and refs. `customer_of` gives the source's customer that a
    NexaCloud user is, from the user's id and row (None where NexaCloud has no such user). `claimed`
    gives the source's own id that a text in NexaCloud's `stripe_invoice_id` names. Both are None
    where there is none.
    """

    name: str
    facts: ReadsFacts
    customer_of: Callable[[str, User | None], str | None]
    claimed: Callable[[str], str | None]

    def customers(self, users: Mapping[str, User]) -> frozenset[str]:
        """The source's customers that these NexaCloud users are; the users come by id."""
        named = (self.customer_of(key, user) for key, user in users.items())
        return frozenset(customer for customer in named if customer)


def claimed_ref(named: str | None, sources: Iterable[tuple[SourceRules, str]]) -> str | None:
    """The ref of the source document that NexaCloud names, or None where it names none of these.

    `sources` come each with the owner of its documents; the first that knows the text has it.
    """
    text = (named or "").strip()
    for rules, owner in sources:
        own = rules.claimed(text)
        if own:
            return source_ref(rules.name, owner, own)
    return None
