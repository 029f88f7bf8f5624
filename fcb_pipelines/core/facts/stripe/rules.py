"""The rules of Stripe as a billing source."""

from collections.abc import Mapping

from fcb_pipelines.core.codes import System
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines.core.facts.source import SourceRules
from fcb_pipelines.core.facts.stripe.cash import StripeCash
from fcb_pipelines.core.facts.stripe.documents import document_facts
from fcb_pipelines.core.facts.subscription import SubscriptionRules, stripe_subscription


def _facts(body: Json, *, owner: str, timezone: str) -> InvoiceFacts:
    return document_facts(body, account=owner, timezone=timezone)


def _customer_of(user_id: str, user: User | None) -> str | None:
    """The Stripe customer, which NexaCloud keeps on its user."""
    return user.customer_at_stripe if user else None


def _claimed(text: str) -> str | None:
    """Stripe's own id, in_…, as NexaCloud writes it."""
    return text if text.startswith("in_") else None


def _subscription_at(subscription: str, named: str | None) -> str | None:
    """Stripe's own id, sub_…, as the service names it."""
    return named if named and named.startswith("sub_") else None


def _billed(body: Json) -> str | None:
    """The subscription of an invoice, sub_…; of anything else in its place, and of a credit note, none."""
    found: object = body
    for name in ("invoice", "parent", "subscription_details", "subscription"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return (
        found if isinstance(found, str) and found.startswith("sub_") and found.isascii() else None
    )


def _cash(owner: str, timezone: str) -> StripeCash:
    return StripeCash(account=owner, timezone=timezone)


STRIPE = SourceRules(
    name=System.STRIPE.value,
    facts=_facts,
    customer_of=_customer_of,
    claimed=_claimed,
    subscriptions=SubscriptionRules(
        facts=stripe_subscription, at_source=_subscription_at, billed=_billed
    ),
    cash=_cash,
)
