"""The assets of every billing source: each has the same five nouns, derived from its name."""

from typing import Any, cast

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.facts.index import IndexRow, Origin
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.facts.nexacloud import first_claimants
from fcb_pipelines.core.ledger.moves import ListedMove
from fcb_pipelines.defs.billing.kept_facts import KeptFacts
from fcb_pipelines.defs.billing.listing import ListingConfig
from fcb_pipelines.defs.runtime.frame_rows import column_schema, copies_of, row_metadata, users_of
from fcb_pipelines.defs.runtime.gating import require
from fcb_pipelines.defs.runtime.keys import (
    COPIES,
    COPY_ITEMS,
    MOVES,
    OWNERS,
    SOURCES,
    USERS,
    source_key,
)
from fcb_pipelines.defs.runtime.partitions import MONTHS, periods
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.sources.following import Before, how_it_was_read, time_of
from fcb_pipelines.defs.sources.reading import (
    listing_result,
    progress_to,
    read_documents,
    read_index,
    reader_of,
    settlements_of,
)

Frame = dg.MaterializeResult[pd.DataFrame]


def _assets_of(name: str) -> list[dg.AssetsDefinition]:
    """index, invoices, credit_notes, credited_invoices and payments of one source.

    The source's resource has its name, as has the pool that lets one asset read it at a time.
    """
    common: dict[str, Any] = {"group_name": name, "kinds": {name}, "owners": OWNERS}
    reads: dict[str, Any] = {**common, "pool": name, "required_resource_keys": {name, "store"}}
    index_key = source_key(name, "index")

    @reading(
        dg.asset,
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
        config: ListingConfig,
    ) -> Frame:
        reader = reader_of(name, context.resources)
        snapshot = invoices.attrs.get("snapshot")
        rows = copies_of(invoices, items)
        store = context.resources.store.frames()
        kept = KeptFacts(reader.of, store)
        before = Before(
            index=store.read(index_key.path),
            now=time_of(snapshot),
            in_full=config.full,
        )
        frame = read_index(
            reader,
            customers=reader.of.rules.customers(users_of(users), {row.user_id for row in rows}),
            claimed=first_claimants(rows).keys(),
            ledger_state=to_rows(moves, ListedMove),
            last_period=periods()[-1],
            progress=progress_to(context, name),
            before=before,
            facts_of=kept.of_body,
        )
        kept.keep()
        frame.attrs["snapshot"] = snapshot
        context.log.info("%s: %s", name, how_it_was_read(frame.attrs))
        seen = {fact: frame.attrs[fact] for fact in ("pages", "calls", "listing")}
        seen["how"] = how_it_was_read(frame.attrs)
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **seen))

    def documents(noun: str, origin: Origin, what: str) -> dg.AssetsDefinition:
        @reading(
            dg.asset,
            key=source_key(name, noun),
            partitions_def=MONTHS,
            ins={"index": dg.AssetIn(index_key)},
            description=f"One {what} of {name} in scope and dated in the month, in full.",
            metadata=column_schema(InvoiceFacts),
            **reads,
        )
        def month_documents(context: dg.AssetExecutionContext, index: pd.DataFrame) -> Frame:
            rows = to_rows(index, IndexRow)
            require([listing_result(name, rows, index.attrs)])
            period = context.partition_key
            wanted = [r for r in rows if r.period == period and r.origin is origin and r.in_scope]
            facts = read_documents(reader_of(name, context.resources), wanted)
            frame = to_frame(facts, InvoiceFacts, snapshot=index.attrs.get("snapshot"))
            return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))

        return cast(dg.AssetsDefinition, month_documents)

    @reading(
        dg.asset,
        key=source_key(name, "credited_invoices"),
        partitions_def=MONTHS,
        ins={
            "index": dg.AssetIn(index_key),
            "credit_notes": dg.AssetIn(source_key(name, "credit_notes")),
        },
        after=[source_key(name, "credit_notes")],
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
        facts = read_documents(reader_of(name, context.resources), rows)
        frame = to_frame(facts, InvoiceFacts, snapshot=index.attrs.get("snapshot"))
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))

    @reading(
        dg.asset,
        key=source_key(name, "payments"),
        partitions_def=MONTHS,
        ins={
            "invoices": dg.AssetIn(source_key(name, "invoices")),
            "credit_notes": dg.AssetIn(source_key(name, "credit_notes")),
        },
        description=f"One allocation of one payment or credit to one document of {name}.",
        metadata=column_schema(SettlementFacts),
        **common,
    )
    def payments(invoices: pd.DataFrame, credit_notes: pd.DataFrame) -> Frame:
        facts = [row for one in (invoices, credit_notes) for row in to_rows(one, InvoiceFacts)]
        frame = to_frame(settlements_of(facts), SettlementFacts)
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))

    return [
        index,
        documents("invoices", Origin.INVOICE, "invoice"),
        documents("credit_notes", Origin.CREDIT_NOTE, "credit note"),
        credited_invoices,
        payments,
    ]


source_assets = [asset for name in SOURCES for asset in _assets_of(name)]
