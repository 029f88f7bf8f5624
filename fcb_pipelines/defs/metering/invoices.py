"""Reading the documents that the services' invoices claim; an unchanged one is not read again."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.sources import Body
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.company.services import Invoicing, Subscription
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import first_claimants
from fcb_pipelines.core.metering.invoiced import (
    Invoiced,
    claimants,
    invoiced,
    invoicings_of,
    may_be_billed,
    still_holds,
)
from fcb_pipelines.core.metering.service_rows import service_invoicings
from fcb_pipelines.core.metering.source_links import source_invoicings
from fcb_pipelines.defs.metering.tables import Tables
from fcb_pipelines.defs.runtime import month
from fcb_pipelines.defs.runtime.frame_rows import copies_of
from fcb_pipelines.defs.sources.reading import Reader, completed
from fcb_pipelines.defs.sources.registry import claimed_ref, subscription_refs


def read_invoiced(
    frames: Mapping[str, pd.DataFrame], sources: Sequence[Reader], before: pd.DataFrame | None
) -> tuple[list[Invoiced], int]:
    """Every claimed document that was billed, and the number of documents read.

    `before` is the frame of the last run: a document with the same listed body and claim is taken from
    it. Failures of a source as a whole are passed on.
    """
    index = {row.ref: row for name in month.INDEXES for row in to_rows(frames[name], IndexRow)}
    links = {
        ref: link
        for ref, link in links_of(frames, index.values()).items()
        if ref in index and index[ref].found and may_be_billed(index[ref].status, index[ref].date)
    }
    known = _known(before)
    found: dict[str, Invoiced] = {}
    wanted: list[IndexRow] = []
    for ref, link in links.items():
        same = known.get(ref)
        if same is not None and still_holds(same, link, index[ref].body_hash):
            found[ref] = same
        else:
            wanted.append(index[ref])
    for reader in sources:
        own = [row for row in wanted if reader.has(row.ref)]
        for row, document in zip(own, _read(reader, own, links), strict=True):
            if document is not None:
                found[row.ref] = document
    return [found[ref] for ref in sorted(found)], len(wanted)


def links_of(frames: Mapping[str, pd.DataFrame], index: Iterable[IndexRow]) -> dict[str, Invoicing]:
    """Source ref -> the service's invoice that claims it; empty where no service is measured.

    The documents of the `index` count where a service hands in its subscriptions: what its tables claim
    comes first.
    """
    settings = current()
    if not settings.services:
        return {}
    copies = copies_of(frames["copies"], frames["copy_items"])
    rows = Tables({"service_invoices": frames["service_invoices"]}).of_services(
        "service_invoices", settings.other_services
    )
    others = (*service_invoicings(rows, claimed_ref), *_by_the_source(frames, index))
    return claimants(invoicings_of(first_claimants(copies), settings.service), others)


def _by_the_source(
    frames: Mapping[str, pd.DataFrame], index: Iterable[IndexRow]
) -> tuple[Invoicing, ...]:
    services = current().by_intake("subscriptions")
    frame = frames.get("intake_subscriptions")
    if not services or frame is None:
        return ()
    handed_in = to_rows(frame, Subscription)
    return source_invoicings(
        index,
        services,
        {(one.service, one.id): one for one in handed_in},
        {ref: one for one in handed_in for ref in subscription_refs(one)},
    )


def _known(before: pd.DataFrame | None) -> dict[str, Invoiced]:
    return {row.ref: row for row in to_rows(before, Invoiced)} if before is not None else {}


def _read(
    reader: Reader, rows: Sequence[IndexRow], links: Mapping[str, Invoicing]
) -> list[Invoiced | None]:
    """The documents in order. Of a one-off the listed body is enough."""
    zone = reader.of.company.timezone
    whole = [row for row in rows if links[row.ref].subscription_id]
    bodies = dict(zip((row.ref for row in whole), completed(reader, whole), strict=True))
    documents = []
    for row in rows:
        facts, body = bodies.get(row.ref) or _listed(reader, row)
        spans = reader.of.spans(body)
        documents.append(invoiced(links[row.ref], facts, spans, zone, row.body_hash or ""))
    return documents


def _listed(reader: Reader, row: IndexRow) -> tuple[InvoiceFacts, Body]:
    body = reader.evidence.get(reader.of.name, row.body_hash or "")
    return reader.of.facts(body), body
