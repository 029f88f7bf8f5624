"""The close report of a month, as a frame, as a page and as JSON."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import TypeAdapter

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.close.report import close_report
from fcb_pipelines.core.close.tables import about, tables
from fcb_pipelines.core.close.tie_outs import TieOut, tie_outs
from fcb_pipelines.core.periods import first_day, following
from fcb_pipelines.defs.close.before import keep, report_before
from fcb_pipelines.defs.close.events import events_of
from fcb_pipelines.defs.close.page import render
from fcb_pipelines.defs.close.sheets import csv_of, workbook_of
from fcb_pipelines.defs.close.shown import shown
from fcb_pipelines.defs.gates.kept import over_all
from fcb_pipelines.defs.metering.proof import DualRunProof
from fcb_pipelines.defs.reconciliation.basis import BASIS, RESULT, basis_of, result_of
from fcb_pipelines.defs.reconciliation.cash_report import CashReport
from fcb_pipelines.defs.reconciliation.history import BuiltMonths
from fcb_pipelines.defs.reconciliation.proof import FrameReport, families
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.partitions import MONTHS, today
from fcb_pipelines.defs.runtime.resources import StoreResource

# Eight times as fast as Python's own, which writes indented JSON step by step.
_JSON = TypeAdapter[Any](Any)


@dg.asset(
    key=keys.REPORT,
    partitions_def=MONTHS,
    deps=[
        keys.LEDGER_DELTAS,
        keys.TAX_WITNESS,
        keys.METERING_DELTAS,
        keys.OUTBOX,
        *((keys.STATEMENT_LINES,) if keys.BALANCES else ()),
    ],
    group_name="close",
    owners=keys.OWNERS,
    kinds={"html"},
    metadata=column_schema(TieOut),
)
def report(
    context: dg.AssetExecutionContext, store: StoreResource
) -> dg.MaterializeResult[pd.DataFrame]:
    """One tie-out of the month's close; beside it the close report as a page and as JSON."""
    frames, decisions = store.frames(), store.decisions().all()
    proof, settings, period = FrameReport(frames, decisions), current(), context.partition_key
    gates, months = over_all(frames, keep=True), BuiltMonths(frames)
    month = proof.month(period)
    if month is None:
        raise dg.Failure(f"{period} was never built: `fcb sync --period {period}`")
    file = store.reports() / f"{period}.json"
    before = report_before(file)
    content = close_report(
        period,
        month,
        company=settings.service,
        currency=settings.currency,
        snapshot=proof.snapshot(),
        version=version("fcb_pipelines"),
        families=families(),
        taxes=settings.taxes,
        customers=proof.customers(),
        today=today(),
        over_all=gates,
        metering=DualRunProof(frames).section(period),
        events=events_of(frames, period),
        cash=CashReport(frames=frames).section(period),
        history=months.history(period),
        pages=store.pages(),
        before=before,
    )
    keep(file, before, content)
    places.write_bytes(file.with_suffix(".html"), render(content).encode())
    places.write_bytes(file, _JSON.dump_json(content, indent=2))
    found = tables(content)
    for table in found:
        places.write_bytes(store.reports() / period / f"{table.name}.csv", csv_of(table))
    book = workbook_of(found, about(content), first_day(following(period)))
    places.write_bytes(file.with_suffix(".xlsx"), book)
    frame = to_frame(tie_outs(month, content["roll_forward"]), TieOut)
    basis = (
        basis_of(frames, period, month, gates, decisions, months)
        if _builds_a_month(context.run)
        else None
    )
    frame.attrs[RESULT], frame.attrs[BASIS] = result_of(frames, period), basis and asdict(basis)
    facts = shown(content, store.report_page(period))
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **facts))


def _builds_a_month(run: dg.DagsterRun) -> bool:
    """Whether a run builds all of its month: no other job, no selection of assets, and no rerun of what failed."""
    return run.job_name == keys.MONTH and not run.asset_selection and not run.parent_run_id
