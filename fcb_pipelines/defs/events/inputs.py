"""What events are made of, read from the frames of a built month."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.codes import EventType, Verdict
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.company.services import Invoicing, Subscription
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.events.payments import (
    Sold,
    is_of_another_service,
    last_of_payment,
    payment_events,
)
from fcb_pipelines.core.events.subscriptions import last_of_life, subscription_events
from fcb_pipelines.core.events.usage import usage_events
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.subscription import SubscriptionFacts
from fcb_pipelines.core.refs import id_within, subscription_ref
from fcb_pipelines.defs.gates.inputs import gate_results
from fcb_pipelines.defs.metering.inputs import Metering
from fcb_pipelines.defs.metering.invoices import links_of
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.gating import require
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.sources.registry import registered, subscription_refs

OF_SUBSCRIPTIONS = frozenset(
    {EventType.SUBSCRIPTION_TERMINATED, EventType.SUBSCRIPTION_REACTIVATED}
)
_TABLES = {
    **{table: ["nexacloud", table] for table in ("subscriptions", *keys.SERVICE_TABLES)},
    "plan_catalog": keys.PLAN_CATALOG.path,
    "intake_subscriptions": keys.INTAKE_SUBSCRIPTIONS.path,
}


def wants_subscriptions() -> bool:
    """Whether any service is told of subscriptions that end or live again."""
    return any(OF_SUBSCRIPTIONS & {*one.types} for one in current().told.values())


@dataclass(frozen=True)
class Facts:
    """The verified facts of one month, as events need them."""

    period: str
    frames: FrameStore
    evidence: EvidenceStore
    is_open_month: bool

    @property
    def told(self) -> Mapping[str, EventSettings]:
        """The services that are told anything."""
        return current().told

    def subjects(self) -> list[str]:
        """Everything of which an event might be called for."""
        documents = [one.facts.ref for one in self.sold]
        return [*documents, *(subscription_ref(one.service, one.id) for one in self._subscribed)]

    def called_for(self, told: Iterable[Event], today: date) -> tuple[Event, ...]:
        """The events that the facts call for, beside those already `told` (in order)."""
        told, zone = tuple(told), current().timezone
        return (
            *payment_events(
                self.sold, last_of_payment(told), self.told, today=today, timezone=zone
            ),
            *usage_events(
                self._metering.usage,
                self._metering.subscriptions,
                self._metering.plans,
                self.told,
                today=today,
                timezone=zone,
            ),
            *subscription_events(
                self._subscribed,
                self._at_source,
                last_of_life(told),
                self.told,
                today=today,
                timezone=zone,
            ),
        )

    @cached_property
    def sold(self) -> tuple[Sold, ...]:
        """The month's verified invoices of the services that are told, with whom they were sold to.

        Those of the posted service are to be posted; another service's are read from the evidence. The
        open month has also what is not paid of the other services' earlier months, which nobody rebuilds.
        """
        this = self._month
        require(gate_results([GATES["population_adds_up"]], this))
        posted = {row.ref for row in this.dispositions if row.verdict is Verdict.POST}
        links = links_of(self._claims, self._index)
        own = [
            facts
            for facts in this.facts
            if facts.ref in posted and facts.ref in links and self._is_posted(links[facts.ref])
        ]
        others = self._of_others(links)
        return tuple(
            self._sold(links[facts.ref], facts)
            for facts in (*own, *others)
            if links[facts.ref].service in self.told
        )

    def _sold(self, link: Invoicing, facts: InvoiceFacts) -> Sold:
        named = (link.service, link.subscription_id or "")
        subscription = self._metering.subscriptions.get(named)
        return Sold(
            service=link.service,
            facts=facts,
            customer=link.customer,
            subscription=link.subscription_id,
            deployment_id=subscription.deployment_id if subscription else None,
        )

    def _of_others(self, links: Mapping[str, Invoicing]) -> Iterator[InvoiceFacts]:
        of = {one.service: one for one in registered(current())}
        for row in self._index:
            link = links.get(row.ref)
            if link is None or self._is_posted(link):
                continue
            if not is_of_another_service(row, self.period, is_open_month=self.is_open_month):
                continue
            one = next(of[service] for service in of if id_within(row.ref, service) is not None)
            yield one.facts(self.evidence.get(one.name, row.body_hash or ""))

    def _is_posted(self, link: Invoicing) -> bool:
        return link.service == current().service

    @cached_property
    def _month(self) -> Month:
        return FrameReport(self.frames).built_month(self.period)

    @property
    def _claims(self) -> dict[str, pd.DataFrame]:
        """NexaCloud's invoices of the month, and what links those of all other services."""
        own = {name: self._month.frames[name] for name in month.COPIES}
        linking = ("service_invoices", "intake_subscriptions")
        return {**own, **{name: self._tables[name] for name in linking}}

    @cached_property
    def _index(self) -> tuple[IndexRow, ...]:
        """Every document of the sources."""
        read = (self.frames.read(keys.source_key(name, "index").path) for name in keys.SOURCES)
        return tuple(row for one in read if one is not None for row in to_rows(one, IndexRow))

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        read = {name: self.frames.read(path) for name, path in _TABLES.items()}
        read["usage"] = self.frames.read(keys.USAGE.path, self.period)
        return {name: pd.DataFrame() if one is None else one for name, one in read.items()}

    @cached_property
    def _metering(self) -> Metering:
        return Metering(self._tables)

    @cached_property
    def _subscribed(self) -> tuple[Subscription, ...]:
        """The subscriptions of the services that are told of them; none where the sources are unknown."""
        frame = self.frames.read(keys.EVENT_SUBSCRIPTIONS.path)
        if frame is None or frame.attrs.get("problem"):
            return ()
        own = {key for key, one in self.told.items() if OF_SUBSCRIPTIONS & {*one.types}}
        return tuple(one for one in self._metering.subscriptions.values() if one.service in own)

    @cached_property
    def _at_source(self) -> dict[tuple[str, str], list[SubscriptionFacts]]:
        """The sources' subscriptions of each service's own, by service and id."""
        frame = self.frames.read(keys.EVENT_SUBSCRIPTIONS.path)
        known = {
            one.ref: one for one in (() if frame is None else to_rows(frame, SubscriptionFacts))
        }
        found: dict[tuple[str, str], list[SubscriptionFacts]] = {}
        for one in self._subscribed:
            at_source = [known[ref] for ref in subscription_refs(one) if ref in known]
            if at_source:
                found[one.service, one.id] = at_source
        return found
