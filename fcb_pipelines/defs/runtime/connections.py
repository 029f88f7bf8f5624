"""The connectors that environment and configuration choose; `defs.sources.registry` has those of the sources."""

import os
import threading
from typing import Any

from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.ledger import CashLedger, Ledger
from fcb_pipelines.connectors.nexacloud.source import NexaCloudSource
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import FrameStore
from fcb_pipelines.connectors.store.places import Place, place_of
from fcb_pipelines.connectors.store.readback_log import ReadBackLog
from fcb_pipelines.core.company.settings import Settings


def frames(found: Environment) -> FrameStore:
    """The store of the frames."""
    return FrameStore(place_of(found.store) / "frames")


def evidence(found: Environment) -> EvidenceStore:
    """The store of the sources' bodies."""
    return EvidenceStore(place_of(found.store) / "evidence")


def reports(found: Environment) -> Place:
    """The folder of the close reports."""
    return place_of(found.store) / "reports"


def read_back_log(found: Environment) -> ReadBackLog:
    """The log of read-backs, in our own Postgres."""
    return ReadBackLog(found.postgres_url())


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

        access = found.odoo()
        connection = OdooConnection(
            access.url, access.database, access.user, access.password, company=access.company
        )
        return OdooLedger(connection, settings)
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
