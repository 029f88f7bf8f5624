"""The entries of a month's cash, written into the ledger: only where the month's documents are posted, too."""

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.ledger import CashLedger, Ledger
from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, to_rows
from fcb_pipelines.connectors.store.readback_log import Observation
from fcb_pipelines.core.cash.entries import Placement, entries_of
from fcb_pipelines.core.cash.plan import plan_cash
from fcb_pipelines.core.ledger.cash import LedgerCash
from fcb_pipelines.core.ledger.moves import may_replace
from fcb_pipelines.defs.ledger.posting import PostingConfig, posts
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.ledger_reading import LedgerReader, open_writer, refused_by
from fcb_pipelines.defs.runtime.partitions import MONTHS, periods
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import LedgerResource, ReadBackLogResource

Frame = dg.MaterializeResult[pd.DataFrame]


def cash_ledger(ledger: Ledger) -> CashLedger:
    """The ledger as one that keeps cash. Raises NotPrepared where it does not."""
    if not isinstance(ledger, CashLedger):
        raise NotPrepared(
            "writing the cash of a balance",
            "this ledger does not keep it",
            remedy="set `cash: off` in the configuration",
        )
    return ledger


def open_months(frames: FrameStore) -> set[str]:
    """The months with a line that still waits for what it meets: writing them again matches it."""
    found = {period: frames.read(keys.STATEMENT_LINES.path, period) for period in periods()}
    return {
        period
        for period, frame in found.items()
        if frame is not None and any(row.open for row in to_rows(frame, LedgerCash))
    }


def _note(reader: LedgerReader, rows: tuple[LedgerCash, ...]) -> None:
    """Log what was read back. A step back, as a person's cancelling, is not logged (D3)."""
    identity = reader.description.identity
    seen = reader.log.latest(identity, [row.ref for row in rows]) if rows else {}
    news = [
        Observation(
            ref=row.ref,
            kind="settlement",
            state=row.state.value,
            content_hash=row.entry.content_hash,
        )
        for row in rows
        if may_replace(seen[row.ref].state if row.ref in seen else None, row.state)
    ]
    if news:
        reader.log.append(identity, news, run_id=reader.run_id)


def writing_assets() -> list[dg.AssetsDefinition]:
    """The asset that writes."""

    @reading(
        dg.asset,
        key=keys.STATEMENT_LINES,
        ins={"entries": dg.AssetIn(keys.CASH_ENTRIES)},
        after=[keys.CASH_ENTRIES, keys.SETTLEMENTS],
        partitions_def=MONTHS,
        group_name="ledger",
        owners=keys.OWNERS,
        kinds={"ledger"},
        pool=keys.LEDGER_POOL,
        metadata=column_schema(LedgerCash),
    )
    def statement_lines(
        context: dg.AssetExecutionContext,
        config: PostingConfig,
        ledger: LedgerResource,
        read_back_log: ReadBackLogResource,
        entries: pd.DataFrame,
    ) -> Frame:
        """One cash entry of the month as the ledger answers it after it was written and matched.

        Cash has no drafts: in a run that posts nothing it is not written either.
        """
        wanted = entries_of(to_rows(entries, Placement))
        refs = [entry.ref for entry in wanted]
        with open_writer(ledger.open(), read_back_log.open(), context.run.run_id) as reader:
            kept = cash_ledger(reader.ledger)
            seen = reader.log.latest(reader.description.identity, refs)
            held = {one.ref: one for one in kept.read_cash(refs)}
            plan = plan_cash(
                wanted,
                held,
                {ref: entry.seen for ref, entry in seen.items()},
                reader.description.entry_lock,
            )
            write = plan.write if posts(config) else ()
            refused = refused_by(lambda: kept.write_cash(write)) if write else {}
            rows = kept.read_cash(refs)
            _note(reader, rows)
        drift = {ref: side.value for ref, side in plan.drift}
        frame = to_frame(rows, LedgerCash, refused=refused, late=[*plan.late], drift=drift)
        facts = {
            # Those that wait for what they meet are given once more, to be matched alone.
            "written": sum(entry.ref not in held for entry in write) - len(refused),
            "refused": len(refused),
            "differ": len(drift),
        }
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **facts))

    return [statement_lines]


written = writing_assets() if keys.BALANCES else []
