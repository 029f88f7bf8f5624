"""The holds and exceptions of every month, kept beside its frames: a proof makes anew those of months that changed.

`frames/kept/exceptions/<period>.parquet` has them with what tells the frames that they were made of from any others;
it may be deleted at any time.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, to_rows, write_frame
from fcb_pipelines.core.close.exceptions import exception_rows
from fcb_pipelines.core.close.options import OF_THE_DAY
from fcb_pipelines.core.close.shapes import ExceptionRow
from fcb_pipelines.core.close.status import documents_of
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.proof.completeness import UNPLACED
from fcb_pipelines.defs.reconciliation.proof import OF_A_BUILD, FrameReport
from fcb_pipelines.defs.runtime.code import code_digest
from fcb_pipelines.defs.runtime.partitions import periods, today

_KEPT = ("kept", "exceptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of a month, as JSON text."""

    told: str


def exceptions_by_place(frames: FrameStore) -> dict[str, list[ExceptionRow]]:
    """The holds and exceptions of each built month and of unplaced, acknowledged or not."""
    proof = FrameReport(frames)
    common = [current().model_dump_json(), code_digest(), sorted(map(repr, proof.drawn))]
    places = {period: _of_month(frames, proof, period, common) for period in periods()}
    found = {period: rows for period, rows in places.items() if rows is not None}
    unplaced = proof.places(UNPLACED)[UNPLACED]
    return {**found, UNPLACED: exception_rows(unplaced, documents_of(unplaced), today())}


def _of_month(
    frames: FrameStore, proof: FrameReport, period: str, common: Iterable[object]
) -> list[ExceptionRow] | None:
    signatures = [frames.signature(key.path, period) for key in OF_A_BUILD]
    made_of = digest_of_json([signatures, *common])
    kept = frames.read(_KEPT, period)
    if (
        kept is not None
        and kept.attrs["made_of"] == made_of
        and kept.attrs["day"] in (None, today().isoformat())
    ):
        return [cast(ExceptionRow, json.loads(row.told)) for row in to_rows(kept, _Row)]
    month = proof.month(period, gated=False)
    if month is None:
        return None
    rows = exception_rows(month, documents_of(month), today())
    day = today().isoformat() if any(row["code"] in OF_THE_DAY for row in rows) else None
    told = (_Row(told=json.dumps(row)) for row in rows)
    write_frame(to_frame(told, _Row, made_of=made_of, day=day), frames.path(_KEPT, period))
    return rows
