"""A frame of the proof over all months, kept where another would be made of the same.

The ledger is read anew each time; what is spared is to join it with every month once more.
"""

from collections.abc import Callable, Collection, Iterable

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import (
    FrameStore,
    content_digest,
    rows_digest,
    to_table,
)
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, LedgerState
from fcb_pipelines.core.proof.basis import records_digest
from fcb_pipelines.defs.runtime.frame_io import made_of_extracts
from fcb_pipelines.defs.runtime.partitions import periods

_MADE_OF = "made_of"


def made_of(
    frames: FrameStore,
    of_months: Collection[dg.AssetKey],
    snapshot: object,
    moves: Iterable[LedgerMove] = (),
    settlements: Iterable[LedgerSettlement] = (),
    foreign: Iterable[str] = (),
) -> str | None:
    """The digest of what decides a proof: extracts, these frames of each month, the ledger's records.

    None where the content of the extracts of this `snapshot` is not known.
    """
    extracts = made_of_extracts(frames, snapshot)
    if extracts is None:
        return None
    months = [
        [key.to_user_string(), period, frames.signature(key.path, period)]
        for key in of_months
        for period in periods()
    ]
    records = [LedgerState(ref=one.ref, move=one) for one in moves]
    records += [LedgerState(ref=one.ref, settlement=one) for one in settlements]
    ledger = [records_digest(records), sorted(foreign)]
    return digest_of_json([extracts, months, ledger])


def unless_same(
    frames: FrameStore, key: dg.AssetKey, same: str | None, make: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """The frame of this asset as it is, where it was made of the `same`; else a new one.

    One that has other rows than it was written with is made anew.
    """
    before = frames.read(key.path)
    if before is not None and same is not None:
        rows = content_digest(frames.path(key.path))
        if before.attrs.get(_MADE_OF) == [same, rows]:
            return before
    frame = make()
    frame.attrs[_MADE_OF] = [same, rows_digest(to_table(frame))]
    return frame
