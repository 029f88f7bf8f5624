"""Resources: each opens one connector, from the environment, at the moment it is used.

Nothing is read when the location loads; a missing variable is an error, naming it, of the run that
needs it. Tests replace a resource by one that opens another connector.
"""

from collections.abc import Callable

import dagster as dg
from pydantic import Field

from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.events.deliverer import Deliverer
from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.connectors.intake.handed import HandedStore
from fcb_pipelines.connectors.intake.received import ReceivedStore
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.nexacloud.source import NexaCloudSource
from fcb_pipelines.connectors.sources import Source
from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import FrameStore
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.connectors.store.readback_log import ReadBackLog
from fcb_pipelines.core.close.links import Pages
from fcb_pipelines.defs.runtime import connections, keys
from fcb_pipelines.defs.runtime.frame_io import FrameIOManagerFactory
from fcb_pipelines.defs.sources import registry


class NexaCloudResource(dg.ConfigurableResource[NexaCloudSource]):
    """NexaCloud's Postgres, read only (FCB_NEXACLOUD_DSN)."""

    def open(self) -> NexaCloudSource:
        """The source of the extracts."""
        return connections.nexacloud(environment.read())


class SourceResource(dg.ConfigurableResource[Source]):
    """One billing source, read only, by the variables that its entry names."""

    source: str = Field(description="The source's name.")

    def open(self) -> Source:
        """The source's client."""
        return registry.source(self.source).open(environment.read())


class LedgerResource(dg.ConfigurableResource[Ledger]):
    """The books that FCB_LEDGER names."""

    def open(self) -> Ledger:
        """The ledger, the same object for every asset of the process."""
        return connections.kept_ledger(environment.read(), current())


class ReadBackLogResource(dg.ConfigurableResource[ReadBackLog]):
    """The log of read-backs (FCB_POSTGRES_URL)."""

    def open(self) -> ReadBackLog:
        """The log."""
        return connections.read_back_log(environment.read())


class IntakeResource(dg.ConfigurableResource[ReceivedStore]):
    """What services handed in (FCB_POSTGRES_URL)."""

    def received(self) -> ReceivedStore:
        """Their usage."""
        return connections.received_usage(environment.read())

    def handed(self) -> HandedStore:
        """Their customers and subscriptions."""
        return connections.handed_in(environment.read())


class EventsResource(dg.ConfigurableResource[EventQueue]):
    """The queue of events (FCB_POSTGRES_URL), and the endpoints that the configuration names."""

    def queue(self) -> EventQueue:
        """The queue."""
        return connections.event_queue(environment.read())

    def deliverer(self, run_id: str, say: Callable[[str], None]) -> Deliverer:
        """A round of deliveries; `say` is called with each event that was not taken."""
        return connections.deliverer(environment.read(), current(), run_id, say)


class StoreResource(dg.ConfigurableResource[FrameStore]):
    """Frames, evidence, decisions and reports, at FCB_STORE_URL."""

    def frames(self) -> FrameStore:
        """Frames by asset key and partition."""
        return connections.frames(environment.read())

    def reports(self) -> Place:
        """The folder of the close reports."""
        return connections.reports(environment.read())

    def report_page(self, period: str) -> dg.MetadataValue[str]:
        """Where a person finds the close report of a month: its address, else its file."""
        name = f"{period}.html"
        served = environment.read().report_page(name)
        if served:
            return dg.MetadataValue.url(served)
        return dg.MetadataValue.path(str(self.reports() / name))

    def pages(self) -> Pages:
        """The pages that reports link to."""
        sources = {each.name: each.service for each in registry.registered(current())}
        return connections.pages(environment.read(), sources)

    def decisions(self) -> DecisionStore:
        """What people decided about exceptions."""
        return connections.decisions(environment.read())

    def evidence(self) -> EvidenceStore:
        """The sources' bodies by hash."""
        return connections.evidence(environment.read())


@dg.definitions
def resources() -> dg.Definitions:
    """Every resource, and in-process execution inside a run: months run beside each other."""
    return dg.Definitions(
        resources={
            "nexacloud": NexaCloudResource(),
            **{name: SourceResource(source=name) for name in keys.SOURCES},
            "ledger": LedgerResource(),
            "read_back_log": ReadBackLogResource(),
            "intake": IntakeResource(),
            "events": EventsResource(),
            "store": StoreResource(),
            "io_manager": FrameIOManagerFactory(),
        },
        executor=dg.in_process_executor,
    )
