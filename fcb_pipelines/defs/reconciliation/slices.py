"""The extracts cut into months, once an extract, so that a month reads its own rows and no others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import (
    FrameStore,
    content_digest,
    to_frame,
    to_rows,
)
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.proof.gate import Outcome, Scope
from fcb_pipelines.core.proof.slices import Slice, SliceRow, slices
from fcb_pipelines.core.proof.window import of_extracts
from fcb_pipelines.defs.gates.inputs import TABLE, gate_results
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_io import (
    CONTENT,
    EXTRACTED,
    extracts_as_they_lie,
    slices_of,
)
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import StoreResource

Frame = dg.MaterializeResult[pd.DataFrame]
_CUT_FROM = "cut_from"
# Of all extracts the ones that nothing of an extract comes after; NexaCloud's tables are of one step.
_LAST = (
    keys.UNPLACED,
    keys.PLAN_CATALOG,
    keys.INVOICED_DOCUMENTS,
    keys.INTAKE_CUSTOMERS,
    keys.INTAKE_RECEIVED,
    keys.EVENT_SUBSCRIPTIONS,
)
_GATES = tuple(gate for gate in TABLE if gate.scope is Scope.EXTRACT and gate.blocking)


@reading(
    dg.asset,
    key=keys.SLICES,
    ins={**month.INDEXES, **month.COPIES, **month.USERS, **month.UNPLACED_DOCUMENTS},
    after=_LAST,
    metadata=column_schema(SliceRow),
    group_name="reconciliation",
    owners=keys.OWNERS,
    kinds={"python"},
)
def month_slices(store: StoreResource, **frames: pd.DataFrame) -> Frame:
    """One month of the extracts: the rows that it needs, written beside the frames, and their digests.

    Extracts that a gate refuses are not cut.
    """
    kept = slices_of(store.frames())
    signature, read = kept.signature(), extracts_as_they_lie(store.frames())
    this = Month("", frames)
    if not _are_sound(this):
        frame = to_frame((), SliceRow)
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))
    cut = slices(periods(), this.index, this.copies, this.opening_cash)
    for name, key in keys.CUT.items():
        kept.write(key.path, frames[name], _parts(name, frames[name], cut), signature)
    digests = of_extracts(periods(), this.index, this.copies, this.users, this.opening_cash)
    rows = [
        SliceRow(
            period=period,
            documents=len(part.documents),
            invoices=len(part.invoices),
            index=digests[period][0],
            nexacloud=digests[period][1],
        )
        for period, part in cut.items()
    ]
    told = {_CUT_FROM: signature, "snapshot": frames["copies"].attrs.get("snapshot")}
    told |= {EXTRACTED: read, CONTENT: _content(store.frames())}
    frame = to_frame(rows, SliceRow, **told)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


def cut_digests(frames: FrameStore, wanted: Sequence[str]) -> dict[str, tuple[str, str]] | None:
    """The digests of the extracts by month; None where these months were not cut from them as they are."""
    frame = frames.read(keys.SLICES.path)
    if frame is None or frame.attrs.get(_CUT_FROM) != slices_of(frames).signature():
        return None
    found = {row.period: (row.index, row.nexacloud) for row in to_rows(frame, SliceRow)}
    return {period: found[period] for period in wanted} if found.keys() >= {*wanted} else None


def _content(frames: FrameStore) -> str:
    """The digest of the rows of every extract, whatever snapshot they are of."""
    return digest_of_json([content_digest(frames.path(key.path)) for key in keys.EXTRACTED])


def _are_sound(this: Month) -> bool:
    """Whether every gate over the extracts that would stop a month passes."""
    return all(result.outcome is not Outcome.FAIL for result in gate_results(_GATES, this))


def _parts(name: str, frame: pd.DataFrame, cut: Mapping[str, Slice]) -> dict[str, list[int]]:
    """By month the places of the rows of a frame that it needs, in their order."""
    if name in month.INDEXES:
        key, wanted = "ref", {period: part.documents for period, part in cut.items()}
    else:
        key = "id" if name == "copies" else "invoice_id"
        wanted = {period: part.invoices for period, part in cut.items()}
    lines: dict[str, list[int]] = defaultdict(list)
    for line, one in enumerate(frame[key].tolist()):
        lines[one].append(line)
    return {
        period: sorted(line for one in ids for line in lines.get(one, ()))
        for period, ids in wanted.items()
    }
