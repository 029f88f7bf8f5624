"""Agreements, dispositions and deltas: both sides of every document, and its outcome."""

from dataclasses import asdict
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow
from fcb_pipelines.core.codes import ExceptionCode, Verdict
from fcb_pipelines.core.dispositions.cases import agreements as compared
from fcb_pipelines.core.dispositions.cases import (
    cases,
    copy_dispositions,
    decided,
    links_of,
    lost_dispositions,
)
from fcb_pipelines.core.dispositions.decide import Disposition, in_order
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.deltas import ledger_deltas as compared_with_ledger
from fcb_pipelines.core.proof.settlement_deltas import on_account_deltas
from fcb_pipelines.core.proof.tax_witness import WitnessRow
from fcb_pipelines.core.proof.tax_witness import tax_witness as witnessed
from fcb_pipelines.core.proof.window import fingerprints
from fcb_pipelines.core.settlements.policy import credited_refunds
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata, sums
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import MONTHS, periods
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.snapshots import one_snapshot
from fcb_pipelines.defs.sources.reading import read_documents, readers
from fcb_pipelines.defs.sources.registry import rules

Frame = dg.MaterializeResult[pd.DataFrame]
_OF_ONE_SNAPSHOT = (
    *month.COPIES,
    *month.INDEXES,
    *month.DOCUMENTS_OF_SOURCES,
)
_COMMON: dict[str, Any] = {
    "group_name": "reconciliation",
    "owners": keys.OWNERS,
    "kinds": {"python"},
}


@reading(
    dg.asset,
    key=keys.AGREEMENTS,
    partitions_def=MONTHS,
    ins={**month.FACTS, **month.COPIES, **month.USERS},
    after=month.PAYMENTS,
    metadata=column_schema(AgreementRow),
    **_COMMON,
)
def agreements(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One field of one document, NexaCloud's copy against its source."""
    this = Month(context.partition_key, frames)
    rows = compared(this.facts, this.claimants, this.users, rules())
    frame = to_frame(rows, AgreementRow)
    differing = sum(row.kind is not Agreement.MATCH for row in rows)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, differing=differing))


@reading(
    dg.asset,
    key=keys.DISPOSITIONS,
    partitions_def=MONTHS,
    ins={
        **month.FACTS,
        **month.COPIES,
        **month.INDEXES,
        **month.AGREEMENTS,
        **month.STANDING,
        **month.CREDITED,
    },
    after=[
        keys.AGREEMENTS,
        keys.STANDING,
        *(keys.source_key(name, "credited_invoices") for name in keys.SOURCES),
    ],
    metadata=column_schema(Disposition, keys.DISPOSITIONS),
    **_COMMON,
)
def dispositions(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One document and its disposition: post, skip or hold, with a reason code."""
    this = Month(context.partition_key, frames)
    settings, last = current(), periods()[-1]
    rows = [
        *decided(
            this.cases,
            this.credited_cases,
            this.index,
            this.ledger_state,
            settings,
            this.books,
            last,
        ),
        *lost_dispositions(this.index, this.ledger_state, this.period),
        *copy_dispositions(this.copies, this.index, this.period),
    ]
    snapshot = one_snapshot(context, [frames[name] for name in _OF_ONE_SNAPSHOT])
    if context.run.job_name != keys.POST_REVIEWED:
        context.resources.io_manager.keep(
            context.partition_key, {name: frames[name] for name in keys.CUT}
        )
    frame = to_frame(sorted(rows, key=in_order), Disposition, snapshot=snapshot)
    counts = {str(verdict): int(n) for verdict, n in frame["verdict"].value_counts().items()}
    held = (row for row in rows if row.verdict is Verdict.HOLD)
    amounts = sums("held", ((row.currency, row.kind.sign * row.total) for row in held))
    return dg.MaterializeResult(
        value=frame, metadata=row_metadata(frame, snapshot=snapshot, **counts, **amounts)
    )


@reading(
    dg.asset,
    key=keys.UNPLACED_DOCUMENTS,
    ins=month.INDEXES,
    metadata=column_schema(InvoiceFacts),
    required_resource_keys={*keys.SOURCES, "store"},
    **_COMMON,
)
def unplaced_documents(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One document in scope that is of no month of the books, in full: a draft, too early or too late."""
    this = Month("", frames)
    without = [
        row
        for row in this.index
        if row.found and row.in_scope and (row.period is None or row.ref in this.opening)
    ]
    found: list[InvoiceFacts] = []
    for reader in readers(context.resources):
        own = [row for row in without if reader.has(row.ref)]
        found += read_documents(reader, own)
    frame = to_frame(found, InvoiceFacts)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


@reading(
    dg.asset,
    key=keys.UNPLACED,
    ins={**month.COPIES, **month.INDEXES, **month.UNPLACED_DOCUMENTS},
    after=[keys.UNPLACED_DOCUMENTS],
    metadata=column_schema(Disposition),
    **_COMMON,
)
def unplaced(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One member without a month in range: a draft, missing, unreachable, too early or too late."""
    this = Month("", frames)
    nowhere = Books(currencies=frozenset())
    open_cases = cases(this.unplaced, this.claimants, (), {}, this.index)
    rows = [
        *decided(open_cases, (), this.index, {}, current(), nowhere, periods()[-1]),
        *copy_dispositions(this.copies, this.index, None),
    ]
    frame = to_frame(rows, Disposition, snapshot=frames["copies"].attrs.get("snapshot"))
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


@reading(
    dg.asset,
    key=keys.TAX_WITNESS,
    partitions_def=MONTHS,
    ins={**month.FACTS, **month.COPIES, **month.USERS, **month.INDEXES, **month.DISPOSITIONS},
    after=[keys.DISPOSITIONS],
    metadata=column_schema(WitnessRow),
    **_COMMON,
)
def tax_witness(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One document: the tax expected by address and date, against the tax billed."""
    this = Month(context.partition_key, frames)
    rows = witnessed(
        this.facts,
        this.dispositions,
        this.claimants,
        this.users,
        {row.ref: row.date for row in this.index if row.date},
        current(),
    )
    frame = to_frame(rows, WitnessRow)
    counts = {str(verdict): int(n) for verdict, n in frame["verdict"].value_counts().items()}
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **counts))


@reading(
    dg.asset,
    key=keys.LEDGER_DELTAS,
    partitions_def=MONTHS,
    ins={
        **month.GATED,
        **month.FACTS,
        **month.USERS,
        **month.UNPLACED_DOCUMENTS,
        "standing": dg.AssetIn(keys.SETTLEMENTS),
        "draft_moves": dg.AssetIn(keys.DRAFT_MOVES),
        "posted_moves": dg.AssetIn(keys.POSTED_MOVES),
    },
    after=[keys.SETTLEMENTS],
    metadata=column_schema(LedgerDelta),
    **_COMMON,
)
def ledger_deltas(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One difference between the intended records and the read-back."""
    this = Month(context.partition_key, frames)
    moves = {ref: row.move for ref, row in this.ledger_state.items() if row.move}
    plan = this.settlement_plan(this.ledger_state, this.books)
    rows = compared_with_ledger(
        this.documents,
        this.settlements(this.ledger_state),
        this.ledger_state,
        not_posted={row.ref: row.reason for row in this.dispositions if row.reason},
        exceptions=plan.exceptions,
        refused={
            ref: code
            for name in ("draft_moves", "posted_moves", "standing")
            for ref, code in _refused(frames[name]).items()
        },
        credited=credited_refunds(this.facts),
    )
    rows = (
        *rows,
        *on_account_deltas(
            this.on_account(this.ledger_state),
            this.ledger_state,
            dict(this.on_account_plan(this.ledger_state, this.books).exceptions),
            {case.facts.ref: links_of(case, this.users) for case in this.opening_cases},
        ),
    )
    entries = [row.settlement for row in this.ledger_state.values() if row.settlement]
    built = fingerprints(
        [this.period],
        this.index,
        this.copies,
        this.users,
        moves.values(),
        entries,
        this.opening_cash,
    )
    frame = to_frame(rows, LedgerDelta, fingerprint=asdict(built[this.period]))
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


def _refused(frame: pd.DataFrame) -> dict[str, ExceptionCode]:
    refused = frame.attrs.get("refused") or {}
    return {ref: ExceptionCode.of(code) for ref, code in refused.items()}
