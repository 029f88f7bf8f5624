"""The ledger: its present state, the intended documents, and the moves and settlements to be written."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.settling import settle_each
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.dispositions.case import intended
from fcb_pipelines.core.dispositions.cases import accounts
from fcb_pipelines.core.dispositions.cases import partners as billing_accounts
from fcb_pipelines.core.dispositions.opening import as_booked
from fcb_pipelines.core.documents.drafts import plan_drafts, plan_posting
from fcb_pipelines.core.documents.partners import each_once, rivals
from fcb_pipelines.core.documents.rows import DocumentRow, to_rows
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState, ListedMove, MoveState
from fcb_pipelines.core.ledger.partners import LinkedPartner
from fcb_pipelines.core.proof.basis import records_digest
from fcb_pipelines.defs.gates.inputs import before_a_write
from fcb_pipelines.defs.ledger.posting import PostingConfig, posts
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata, sums
from fcb_pipelines.defs.runtime.gating import require
from fcb_pipelines.defs.runtime.ledger_reading import (
    LedgerReader,
    open_reader,
    open_writer,
    refused_by,
)
from fcb_pipelines.defs.runtime.month import Month, books_text
from fcb_pipelines.defs.runtime.partitions import MONTHS
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import LedgerResource, ReadBackLogResource

Frame = dg.MaterializeResult[pd.DataFrame]
_COMMON: dict[str, Any] = {
    "group_name": "ledger",
    "owners": keys.OWNERS,
    "partitions_def": MONTHS,
}
_WRITES: dict[str, Any] = {**_COMMON, "pool": keys.LEDGER_POOL, "kinds": {"ledger"}}


@dg.asset(
    key=keys.MOVES,
    group_name="ledger",
    owners=keys.OWNERS,
    metadata=column_schema(ListedMove),
    kinds={"ledger"},
)
def moves(
    context: dg.AssetExecutionContext, ledger: LedgerResource, read_back_log: ReadBackLogResource
) -> Frame:
    """One move of ours in the ledger when the sources are listed, also where a source forgot it."""
    rows = _reader(context, ledger, read_back_log).ledger.list_moves()
    frame = to_frame(rows, ListedMove)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


@reading(
    dg.asset,
    key=keys.STANDING,
    ins={**month.FACTS, **month.INDEXES, **month.COPIES, **month.UNPLACED_DOCUMENTS},
    after=[*month.PAYMENTS, keys.UNPLACED_DOCUMENTS],
    metadata=column_schema(LedgerState),
    kinds={"ledger"},
    **_COMMON,
)
def ledger_state(
    context: dg.AssetExecutionContext,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    **frames: pd.DataFrame,
) -> Frame:
    """One external id of the month: its present state in the ledger, and its last logged one."""
    this = Month(context.partition_key, frames)
    reader = _reader(context, ledger, read_back_log)
    rows = reader.ledger_state(this.document_refs, this.settlement_refs, this.counterparts)
    found = reader.description
    frame = _states(rows, reader)
    locks = {
        "invoices locked to": str(found.invoice_lock),
        "entries locked to": str(found.entry_lock),
    }
    return dg.MaterializeResult(
        value=frame,
        metadata=row_metadata(frame, adapter=found.adapter, ledger=found.identity, **locks),
    )


@reading(
    dg.asset,
    key=keys.DOCUMENTS,
    ins={
        **month.FACTS,
        **month.COPIES,
        **month.INDEXES,
        **month.AGREEMENTS,
        **month.STANDING,
        **month.DISPOSITIONS,
    },
    after=[keys.DISPOSITIONS],
    metadata=column_schema(DocumentRow, keys.DOCUMENTS),
    kinds={"python"},
    **_COMMON,
)
def documents(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One line of one intended ledger document, accounts and taxes resolved."""
    this = Month(context.partition_key, frames)
    wanted = {row.ref for row in this.dispositions if row.verdict is Verdict.POST}
    found = (intended(case, current()) for case in this.cases if case.facts.ref in wanted)
    built = [one for one in found if isinstance(one, LedgerDocument)]
    frame = to_frame(to_rows(built), DocumentRow)
    totals = sums("billed", ((one.currency, one.kind.sign * one.total) for one in built))
    return dg.MaterializeResult(
        value=frame, metadata=row_metadata(frame, documents=len(built), **totals)
    )


@reading(
    dg.asset,
    key=keys.PARTNERS,
    ins={
        **month.GATED,
        **month.FACTS,
        **month.USERS,
        **month.AGREEMENTS,
        **month.STANDING,
        **month.UNPLACED_DOCUMENTS,
    },
    after=[keys.DOCUMENTS],
    metadata=column_schema(LinkedPartner),
    **_WRITES,
)
def partners(
    context: dg.AssetExecutionContext,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    **frames: pd.DataFrame,
) -> Frame:
    """One billing account of the month's documents, or of cash on account, and its ledger partner."""
    this = Month(context.partition_key, frames)
    with _writer(context, ledger, read_back_log) as reader:
        now = _gated(this, reader)
        wanted = {document.ref for document in this.documents}
        wanted |= {settlement.document for settlement in this.on_account(now)}
        every = (*this.cases, *as_booked(this.opening_cases, now))
        known = [case for case in every if case.facts.ref in wanted]
        billed = billing_accounts(known, this.users)
        others = rivals(billed, accounts(this.users))
        before = reader.ledger.partners_digest()
        found = reader.ledger.upsert_partners(billed, others=others)
        after = reader.ledger.partners_digest()
    frame = to_frame(each_once(found), LinkedPartner, before=before, after=after)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


@reading(
    dg.asset,
    key=keys.DRAFT_MOVES,
    ins=month.GATED,
    after=[keys.PARTNERS],
    metadata=column_schema(LedgerMove, keys.DRAFT_MOVES),
    **_WRITES,
)
def draft_moves(
    context: dg.AssetExecutionContext,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    **frames: pd.DataFrame,
) -> Frame:
    """One move of the month as the ledger answers it after drafts were written."""
    this = Month(context.partition_key, frames)
    with _writer(context, ledger, read_back_log) as reader:
        plan = plan_drafts(this.documents, _gated(this, reader))
        written = [*plan.create, *plan.rebuild]
        rebuilt = {document.ref for document in plan.rebuild}
        refused = refused_by(
            lambda: reader.ledger.write_drafts(written, replace=rebuilt), context.log.warning
        )
        moves = reader.ledger.read_moves([document.ref for document in this.documents])
        reader.note(moves)
    frame = to_frame(moves, LedgerMove, refused=refused)
    facts = {"created": len(plan.create), "rebuilt": len(plan.rebuild), "refused": len(refused)}
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **facts))


@reading(
    dg.asset,
    key=keys.POSTED_MOVES,
    ins=month.GATED,
    # The job that posts what was reviewed has no drafts in between.
    after=[keys.DRAFT_MOVES, keys.DOCUMENTS],
    metadata=column_schema(LedgerMove, keys.POSTED_MOVES),
    **_WRITES,
)
def posted_moves(
    context: dg.AssetExecutionContext,
    config: PostingConfig,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    **frames: pd.DataFrame,
) -> Frame:
    """One move of the month as the ledger answers it after approved drafts were posted."""
    this = Month(context.partition_key, frames)
    with _writer(context, ledger, read_back_log) as reader:
        now = _gated(this, reader)
        drafts = {ref: row.move for ref, row in now.items() if row.move}
        post = posts(config)
        refs = plan_posting(this.documents, drafts, config.approved) if post else ()
        refused = refused_by(lambda: reader.ledger.post(refs), context.log.warning)
        moves = reader.ledger.read_moves([document.ref for document in this.documents])
        reader.note(moves)
    frame = to_frame(moves, LedgerMove, refused=refused, posts=post)
    facts = {"posted": len(refs) - len(refused), "refused": len(refused)}
    facts |= sums("posted", (_in_books(move) for move in moves if move.state is MoveState.POSTED))
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **facts))


@reading(
    dg.asset,
    key=keys.SETTLEMENTS,
    ins={**month.GATED, **month.FACTS, **month.UNPLACED_DOCUMENTS},
    after=[keys.POSTED_MOVES],
    metadata=column_schema(LedgerState),
    **_WRITES,
)
def settlements(
    context: dg.AssetExecutionContext,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    **frames: pd.DataFrame,
) -> Frame:
    """One move or payment of the month as the ledger answers it after everything was written."""
    this = Month(context.partition_key, frames)
    with _writer(context, ledger, read_back_log) as reader:
        now = _gated(this, reader)
        write = [
            *this.settlement_plan(now, reader.books).write,
            *this.on_account_plan(now, reader.books).write,
        ]
        refused = refused_by(lambda: settle_each(reader.ledger, write), context.log.warning)
        rows = reader.ledger_state(this.document_refs, this.settlement_refs, this.counterparts)
    frame = _states(rows, reader, refused=refused)
    facts = {"settled": len(write) - len(refused), "refused": len(refused)}
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **facts))


def _states(rows: Mapping[str, LedgerState], reader: LedgerReader, **attrs: Any) -> pd.DataFrame:
    """The records of a month as a frame, with what a later sync compares with the books as they are then."""
    told = {"books": books_text(reader.books), "ledger": reader.description.identity}
    return to_frame(
        rows.values(), LedgerState, **told, records=records_digest(rows.values()), **attrs
    )


def _in_books(move: LedgerMove) -> tuple[str, int]:
    """Currency and total of a move, minor units, negative for a credit note."""
    document = move.document
    return document.currency, document.kind.sign * document.total


def _reader(
    context: dg.AssetExecutionContext, ledger: LedgerResource, log: ReadBackLogResource
) -> LedgerReader:
    return open_reader(ledger.open(), log.open(), context.run.run_id)


def _writer(
    context: dg.AssetExecutionContext, ledger: LedgerResource, log: ReadBackLogResource
) -> AbstractContextManager[LedgerReader]:
    return open_writer(ledger.open(), log.open(), context.run.run_id)


def _gated(this: Month, reader: LedgerReader) -> dict[str, LedgerState]:
    """The present state of every intended id, once all gates before a write have passed."""
    documents = [document.ref for document in this.documents]
    has_facts = month.FACTS.keys() <= this.frames.keys()
    settled = (this.settlement_refs, this.counterparts) if has_facts else ((), ())
    now = reader.ledger_state(documents, *settled)
    require(before_a_write(this, now, reader.books))
    return now
