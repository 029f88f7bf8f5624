"""The assets of one billing source. Every source has the same five nouns."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.sources import Source
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.codes import System
from fcb_pipelines.core.facts.index import IndexRow, Origin
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.facts.nexacloud import first_claimants
from fcb_pipelines.core.ledger.moves import ListedMove
from fcb_pipelines.defs.runtime.frame_rows import column_schema, copies_of, of_rows, users_of
from fcb_pipelines.defs.runtime.gating import require
from fcb_pipelines.defs.runtime.keys import COPIES, COPY_ITEMS, MOVES, OWNERS, USERS
from fcb_pipelines.defs.runtime.partitions import MONTHS, periods
from fcb_pipelines.defs.sources.reading import (
    Reader,
    listing_result,
    progress_to,
    read_documents,
    read_index,
    settlements_of,
)

Frame = dg.MaterializeResult[pd.DataFrame]


def source_assets(
    side: System, customers_of: Callable[[Iterable[Mapping[Any, Any]]], frozenset[str]]
) -> list[dg.AssetsDefinition]:
    """index, invoices, credit_notes, credited_invoices and payments of one source.

    Its resource has the source's own name, and so has the pool that keeps its readers in line.
    `customers_of` tells which of the source's customers NexaCloud's users are.
    """
    name = side.value
    common: dict[str, Any] = {"group_name": name, "kinds": {name}, "owners": OWNERS}
    reads: dict[str, Any] = {**common, "pool": name, "required_resource_keys": {name, "store"}}
    index_key = dg.AssetKey([name, "index"])

    @dg.asset(
        key=index_key,
        ins={
            "users": dg.AssetIn(USERS),
            "invoices": dg.AssetIn(COPIES),
            "items": dg.AssetIn(COPY_ITEMS),
            "moves": dg.AssetIn(MOVES),
        },
        description=f"One document {name} has, or an id that NexaCloud names or the books hold and "
        f"{name} does not give.",
        metadata=column_schema(IndexRow),
        **reads,
    )
    def index(
        context: dg.AssetExecutionContext,
        users: pd.DataFrame,
        invoices: pd.DataFrame,
        items: pd.DataFrame,
        moves: pd.DataFrame,
    ) -> Frame:
        users_of(users)
        frame = read_index(
            _reader(context, side),
            customers=customers_of(users.to_dict("records")),
            claimed=first_claimants(copies_of(invoices, items)).keys(),
            ledger_state=to_rows(moves, ListedMove),
            last_period=periods()[-1],
            progress=progress_to(context, name),
        )
        frame.attrs["snapshot"] = invoices.attrs.get("snapshot")
        seen = {fact: frame.attrs[fact] for fact in ("pages", "calls")}
        return dg.MaterializeResult(value=frame, metadata=of_rows(frame, **seen))

    def documents(noun: str, origin: Origin, what: str) -> dg.AssetsDefinition:
        @dg.asset(
            key=[name, noun],
            partitions_def=MONTHS,
            ins={"index": dg.AssetIn(index_key)},
            description=f"One {what} of {name} in scope and dated in the month, in full.",
            metadata=column_schema(InvoiceFacts),
            **reads,
        )
        def month_documents(context: dg.AssetExecutionContext, index: pd.DataFrame) -> Frame:
            rows = to_rows(index, IndexRow)
            require([listing_result(side, rows, index.attrs)])
            period = context.partition_key
            wanted = [r for r in rows if r.period == period and r.origin is origin and r.in_scope]
            facts = read_documents(_reader(context, side), wanted)
            frame = to_frame(facts, InvoiceFacts, snapshot=index.attrs.get("snapshot"))
            return dg.MaterializeResult(value=frame, metadata=of_rows(frame))

        return cast(dg.AssetsDefinition, month_documents)

    @dg.asset(
        key=[name, "credited_invoices"],
        partitions_def=MONTHS,
        ins={
            "index": dg.AssetIn(index_key),
            "credit_notes": dg.AssetIn([name, "credit_notes"]),
        },
        description=f"One invoice of {name} of another month that a credit note of this one is of.",
        metadata=column_schema(InvoiceFacts),
        **reads,
    )
    def credited_invoices(
        context: dg.AssetExecutionContext, index: pd.DataFrame, credit_notes: pd.DataFrame
    ) -> Frame:
        credited = {note.credits for note in to_rows(credit_notes, InvoiceFacts)}
        period = context.partition_key
        rows = [
            row
            for row in to_rows(index, IndexRow)
            if row.ref in credited and row.in_scope and row.period != period
        ]
        facts = read_documents(_reader(context, side), rows)
        frame = to_frame(facts, InvoiceFacts, snapshot=index.attrs.get("snapshot"))
        return dg.MaterializeResult(value=frame, metadata=of_rows(frame))

    @dg.asset(
        key=[name, "payments"],
        partitions_def=MONTHS,
        ins={
            "invoices": dg.AssetIn([name, "invoices"]),
            "credit_notes": dg.AssetIn([name, "credit_notes"]),
        },
        description=f"One allocation of one payment or credit to one document of {name}.",
        metadata=column_schema(SettlementFacts),
        **common,
    )
    def payments(invoices: pd.DataFrame, credit_notes: pd.DataFrame) -> Frame:
        facts = [row for one in (invoices, credit_notes) for row in to_rows(one, InvoiceFacts)]
        frame = to_frame(settlements_of(facts), SettlementFacts)
        return dg.MaterializeResult(value=frame, metadata=of_rows(frame))

    return [
        index,
        documents("invoices", Origin.INVOICE, "invoice"),
        documents("credit_notes", Origin.CREDIT_NOTE, "credit note"),
        credited_invoices,
        payments,
    ]


def readers(stripe: Source, lago: Source, evidence: EvidenceStore) -> tuple[Reader, Reader]:
    """Both sources, ready to be read."""
    return (
        reader_of(System.STRIPE, stripe, evidence),
        reader_of(System.LAGO, lago, evidence),
    )


def reader_of(side: System, source: Source, evidence: EvidenceStore) -> Reader:
    """One source with its configured owner."""
    settings = current()
    return Reader(
        side=side,
        owner=settings.stripe.account if side is System.STRIPE else settings.lago.organization,
        source=source,
        evidence=evidence,
        settings=settings,
    )


def _reader(context: dg.AssetExecutionContext, side: System) -> Reader:
    source = getattr(context.resources, side.value).open()
    return reader_of(side, source, context.resources.store.evidence())
