"""The connectors that environment and configuration choose; `defs.sources.registry` has those of the sources."""

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from fcb_pipelines.config.environment import Environment, EnvironmentProblem
from fcb_pipelines.connectors.events.deliverer import Deliverer
from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.connectors.events.sender import Endpoint, Sender
from fcb_pipelines.connectors.events.signing import Secret
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.intake.handed import HandedStore
from fcb_pipelines.connectors.intake.received import ReceivedStore
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.connectors.ledger import CashLedger, Ledger
from fcb_pipelines.connectors.nexacloud.source import NexaCloudSource
from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import FrameStore
from fcb_pipelines.connectors.store.places import Place, place_of
from fcb_pipelines.connectors.store.readback_log import ReadBackLog
from fcb_pipelines.core.close.links import Pages
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.digests import digest
from fcb_pipelines.defs.sources import registry


def frames(found: Environment) -> FrameStore:
    """The store of the frames."""
    return FrameStore(place_of(found.store) / "frames")


def evidence(found: Environment) -> EvidenceStore:
    """The store of the sources' bodies."""
    return EvidenceStore(place_of(found.store) / "evidence")


def reports(found: Environment) -> Place:
    """The folder of the close reports."""
    return place_of(found.store) / "reports"


def pages(found: Environment, sources: Mapping[str, str]) -> Pages:
    """The pages that reports link to; `sources` maps each source's name to its service.

    Raises EnvironmentProblem naming a variable that is no address of a page.
    """
    templates = {service: found.document_url(name) for name, service in sources.items()}
    return Pages(
        sources={service: template for service, template in templates.items() if template},
        odoo=found.odoo_page(),
    )


def decisions(found: Environment) -> DecisionStore:
    """What people decided about exceptions."""
    return DecisionStore(place_of(found.store) / "decisions")


def read_back_log(found: Environment) -> ReadBackLog:
    """The log of read-backs, in our own Postgres."""
    return ReadBackLog(found.postgres_url())


def received_usage(found: Environment) -> ReceivedStore:
    """The usage that services handed in, in our own Postgres."""
    return ReceivedStore(found.postgres_url())


def handed_in(found: Environment) -> HandedStore:
    """The customers and subscriptions that services handed in, in our own Postgres."""
    return HandedStore(found.postgres_url())


def service_keys(found: Environment) -> ServiceKeys:
    """The keys of services, in our own Postgres."""
    return ServiceKeys(found.postgres_url())


def event_queue(found: Environment) -> EventQueue:
    """The queue of events, in our own Postgres."""
    return EventQueue(found.postgres_url())


def endpoint_digests(settings: Settings) -> dict[str, str]:
    """The digest of each told service's URL, by which the log of deliveries knows it."""
    return {service: digest(one.url) for service, one in settings.told.items()}


def endpoints(found: Environment, settings: Settings) -> dict[str, Endpoint]:
    """The endpoint of each service that is told of events, by the service's key.

    Raises EnvironmentProblem naming every secret that is not set, and one that can't be one.
    """
    named = {
        name: f"a secret of {service}'s events"
        for service, one in settings.told.items()
        for name in one.secrets
    }
    texts = found.given(named)
    secrets = {name: Secret(name=name, text=text) for name, text in texts.items()}
    faults = [f"{each.name} {each.fault}" for each in secrets.values() if each.fault]
    if faults:
        raise EnvironmentProblem(f"{'; '.join(faults)}. docs/events.md says how to make a secret.")
    return {
        service: Endpoint(
            service=service,
            url=one.url,
            secrets=[secrets[name] for name in one.secrets],
            allow_private=one.allow_private,
            ca_file=one.ca_file,
        )
        for service, one in settings.told.items()
    }


def deliverer(
    found: Environment, settings: Settings, run_id: str, say: Callable[[str], None]
) -> Deliverer:
    """A round of deliveries of the queue to the configured endpoints."""
    return Deliverer(
        queue=event_queue(found),
        endpoints=endpoints(found, settings),
        run_id=run_id,
        sender=Sender(),
        say=say,
    )


# How many ledgers a process keeps open: one for each thread that speaks to Odoo.
KEPT_LEDGERS = 8

_kept: list[tuple[Any, Ledger]] = []
_keeping = threading.Lock()


def kept_ledger(found: Environment, settings: Settings) -> Ledger:
    """The ledger that FCB_LEDGER names, the same object each time in one process.

    Another environment or other settings are another ledger, and so is a process that was forked. A
    connection to Odoo is for one thread; the files of the books are for all of them.
    """
    key = (
        os.getpid(),
        (found.odoo(), threading.get_ident()) if found.ledger == "odoo" else found.data_home,
        settings,
    )
    with _keeping:
        for each in _kept:
            if each[0] == key:
                return each[1]
        opened = ledger(found, settings)
        _kept.insert(0, (key, opened))
        del _kept[KEPT_LEDGERS:]
        return opened


def ledger(found: Environment, settings: Settings) -> Ledger:
    """The ledger that FCB_LEDGER names, opened anew.

    Raises NotPrepared where cash is on and this ledger does not keep it: nothing is half booked.
    """
    opened = _ledger(found, settings)
    if settings.cash is not None and not isinstance(opened, CashLedger):
        raise NotPrepared(
            f"opening the books ({found.ledger}) with cash",
            "this version does not write the cash of a balance into them",
            remedy="set `cash: off` in the configuration",
        )
    return opened


def _ledger(found: Environment, settings: Settings) -> Ledger:
    # Imported here: beancount is an optional extra.
    if found.ledger == "odoo":
        from fcb_pipelines.connectors.odoo.connection import OdooConnection
        from fcb_pipelines.connectors.odoo.ledger import OdooLedger
        from fcb_pipelines.connectors.odoo.notes import Notes

        access = found.odoo()
        connection = OdooConnection(
            access.url, access.database, access.user, access.password, company=access.company
        )
        sources = {each.name: each.service for each in registry.registered(settings)}
        notes = Notes(pages=pages(found, sources), dagster=found.dagster_page())
        return OdooLedger(connection, settings, notes)
    try:
        from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
    except ModuleNotFoundError as missing:
        raise NotPrepared(
            "opening the embedded books",
            f"{missing.name} is not installed",
            remedy="pip install 'fcb_pipelines[books]'",
        ) from missing
    return BeancountLedger(found.data_home / "books", settings)


def nexacloud(found: Environment) -> NexaCloudSource:
    """NexaCloud's Postgres, read only."""
    return NexaCloudSource(found.nexacloud_dsn())
