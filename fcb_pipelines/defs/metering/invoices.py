"""Reading the documents that the services' invoices claim; what did not change is not read again."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.sources import Body
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.company.services import Invoicing
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import claimed_ref, first_claims
from fcb_pipelines.core.metering.invoiced import Invoiced, invoiced, invoicings_of
from fcb_pipelines.core.metering.service_rows import service_invoicings
from fcb_pipelines.core.metering.service_spans import line_spans
from fcb_pipelines.defs.metering.tables import Tables
from fcb_pipelines.defs.runtime.frame_rows import copies_of
from fcb_pipelines.defs.sources.reading import Reader, completed


def read_invoiced(
    frames: Mapping[str, pd.DataFrame], sources: Sequence[Reader], before: pd.DataFrame | None
) -> tuple[list[Invoiced], int]:
    """Every claimed document that was billed, and how many had to be read.

    `before` is the frame of the last time: a document whose listed body is the same is told as then,
    with the subscription that its invoice names now. Raises what a source as a whole raises.
    """
    index = {
        row.ref: row
        for name in ("stripe_index", "lago_index")
        for row in to_rows(frames[name], IndexRow)
    }
    links = {
        link.ref: link for link in _links(frames) if link.ref in index and index[link.ref].found
    }
    known = _known(before)
    told: dict[str, Invoiced] = {}
    wanted: list[IndexRow] = []
    for ref, link in links.items():
        same = known.get(ref)
        if same is not None and _still_holds(same, link, index[ref]):
            told[ref] = same
        else:
            wanted.append(index[ref])
    for reader in sources:
        own = [row for row in wanted if reader.has(row.ref)]
        for row, document in zip(own, _read(reader, own, links), strict=True):
            if document is not None:
                told[row.ref] = document
    return [told[ref] for ref in sorted(told)], len(wanted)


def _links(frames: Mapping[str, pd.DataFrame]) -> list[Invoicing]:
    """The invoices of every service; where two services claim a document, the posted one has it."""
    settings = current()
    own = invoicings_of(
        first_claims(copies_of(frames["copies"], frames["copy_items"])), settings.service
    )
    others = frames["service_invoices"]
    known = {service.key for service in settings.services}
    if settings.service not in known:
        return []
    rows = Tables({"service_invoices": others}).of_services(
        "service_invoices", known - {settings.service}
    )
    told = service_invoicings(
        rows,
        lambda named: claimed_ref(named, settings.stripe.account, settings.lago.organization),
    )
    return [*told, *own]


def _known(before: pd.DataFrame | None) -> dict[str, Invoiced]:
    return {row.ref: row for row in to_rows(before, Invoiced)} if before is not None else {}


def _still_holds(known: Invoiced, link: Invoicing, row: IndexRow) -> bool:
    same = (known.service, known.customer, known.subscription_id)
    return (
        known.source == row.body_hash
        and not known.problem
        and same
        == (
            link.service,
            link.customer,
            link.subscription_id,
        )
    )


def _read(
    reader: Reader, rows: Sequence[IndexRow], links: Mapping[str, Invoicing]
) -> list[Invoiced | None]:
    """The documents in order. A one-off needs no more than the list has of it."""
    zone = reader.settings.timezone
    whole = [row for row in rows if links[row.ref].subscription_id]
    bodies = dict(zip((row.ref for row in whole), completed(reader, whole), strict=True))
    documents = []
    for row in rows:
        facts, body = bodies.get(row.ref) or _listed(reader, row)
        spans = line_spans(body, zone)
        documents.append(invoiced(links[row.ref], facts, spans, zone, row.body_hash or ""))
    return documents


def _listed(reader: Reader, row: IndexRow) -> tuple[InvoiceFacts, Body]:
    body = reader.evidence.get(reader.side.value, row.body_hash or "")
    return reader.facts(body), body
