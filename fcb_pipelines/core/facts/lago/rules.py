"""The rules of Lago as a billing source."""

from fcb_pipelines.core.codes import System
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.lago.documents import document_facts
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines.core.facts.source import SourceRules
from fcb_pipelines.core.facts.subscription import SubscriptionRules, lago_subscription
from fcb_pipelines.core.refs import id_within


def _facts(body: Json, *, owner: str, timezone: str) -> InvoiceFacts:
    return document_facts(body, organization=owner, timezone=timezone)


def _customer_of(user_id: str, user: User | None) -> str | None:
    """The NexaCloud user's id, which is the external id of the Lago customer."""
    return user_id


def _claimed(text: str) -> str | None:
    """Lago's own id, which NexaCloud writes after `lago:`."""
    return id_within(text, System.LAGO)


def _subscription_at(subscription: str, named: str | None) -> str | None:
    """Lago's external id: the service's own, or the one that it names after `lago:`."""
    return id_within(named, System.LAGO) if named else subscription


LAGO = SourceRules(
    name=System.LAGO.value,
    facts=_facts,
    customer_of=_customer_of,
    claimed=_claimed,
    subscriptions=SubscriptionRules(facts=lago_subscription, at_source=_subscription_at),
)
