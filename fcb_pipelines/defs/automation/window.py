"""The window of a sync, from the frames and one batched read of the ledger."""

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.dispositions.opening import opening_cash, opening_documents
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.proof.window import Fingerprint, fingerprints, months_to_rebuild, touched
from fcb_pipelines.defs.metering.freshness import changed_months
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import copies_of, users_of
from fcb_pipelines.defs.runtime.partitions import periods


def window(frames: FrameStore, ledger: Ledger) -> tuple[str, ...]:
    """The months to rebuild now, oldest first. The extract must have run."""
    proof = FrameReport(frames)
    now = _fingerprints(frames, ledger)
    wanted = {*months_to_rebuild(periods(), proof.dispositions(), proof.fingerprints(), now)}
    wanted |= changed_months(frames, periods())
    return tuple(period for period in periods() if period in wanted)


def touched_months(frames: FrameStore, ledger: Ledger) -> tuple[str, ...]:
    """The built months whose ledger records another month has changed since."""
    return touched(FrameReport(frames).fingerprints(), _fingerprints(frames, ledger))


def _fingerprints(frames: FrameStore, ledger: Ledger) -> dict[str, Fingerprint]:
    """Every month's present fingerprint, with one batched read of the ledger."""
    indexes = [keys.source_key(name, "index") for name in keys.SOURCES]
    read = {
        key: _extracted(frames, key) for key in (*indexes, keys.COPIES, keys.COPY_ITEMS, keys.USERS)
    }
    index = [row for key in indexes for row in to_rows(read[key], IndexRow)]
    copies = copies_of(read[keys.COPIES], read[keys.COPY_ITEMS])
    users = users_of(read[keys.USERS])
    unplaced = frames.read(keys.UNPLACED_DOCUMENTS.path)
    # A version before this one did not write it.
    facts = () if unplaced is None or unplaced.empty else to_rows(unplaced, InvoiceFacts)
    return fingerprints(
        periods(),
        index,
        copies,
        users,
        ledger.read_moves(None),
        ledger.read_settlements(None),
        opening_cash(opening_documents(facts, index, current()), current()),
    )


def _extracted(frames: FrameStore, key: dg.AssetKey) -> pd.DataFrame:
    frame = frames.read(key.path)
    if frame is None:
        raise NotPrepared(
            f"reading {key.to_user_string()}", "it was never extracted", remedy="fcb sync"
        )
    return frame
