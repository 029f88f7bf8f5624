"""The window of a sync, from the frames and one batched read of the ledger."""

from collections.abc import Iterable

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.connectors.store.readback_log import ReadBackLog
from fcb_pipelines.core.dispositions.opening import opening_cash, opening_documents
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement
from fcb_pipelines.core.proof.window import (
    Fingerprint,
    months_to_rebuild,
    of_extracts,
    touched,
    waiting_months,
    with_ledger,
)
from fcb_pipelines.defs.cash.writing import open_months
from fcb_pipelines.defs.gates.kept import over_all
from fcb_pipelines.defs.metering.freshness import changed_months
from fcb_pipelines.defs.reconciliation.basis import to_build
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.reconciliation.slices import cut_digests
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import copies_of, users_of
from fcb_pipelines.defs.runtime.ledger_reading import open_reader
from fcb_pipelines.defs.runtime.partitions import periods


def window(
    frames: FrameStore, ledger: Ledger, log: ReadBackLog, decisions: DecisionStore
) -> tuple[str, ...]:
    """The months to rebuild now, oldest first; none where nothing changed. The extract must have run."""
    proof = FrameReport(frames)
    moves, settlements = ledger.read_moves(None), ledger.read_settlements(None)
    now = _fingerprints(frames, moves, settlements)
    changed = changed_months(frames, periods())
    built = {
        period: print_
        for period, print_ in proof.fingerprints().items()
        if _is_reported(frames, period)
    }
    told = (periods(), proof.dispositions(), built, now)
    wanted = {*months_to_rebuild(*told)} | changed
    wanted |= open_months(frames) if keys.BALANCES else set()
    return to_build(
        frames,
        [period for period in periods() if period in wanted],
        waiting_months(*told) - changed,
        open_reader(ledger, log, "the window"),
        moves,
        settlements,
        lambda: over_all(frames, keep=True),
        decisions.all(),
    )


def touched_months(frames: FrameStore, ledger: Ledger) -> tuple[str, ...]:
    """The built months whose ledger records another month has changed since."""
    moves, settlements = ledger.read_moves(None), ledger.read_settlements(None)
    return touched(FrameReport(frames).fingerprints(), _fingerprints(frames, moves, settlements))


def _is_reported(frames: FrameStore, period: str) -> bool:
    """Whether a month's report, the last step of its build, is no older than its deltas, which have its fingerprint."""
    deltas, report = (frames.path(key.path, period) for key in (keys.LEDGER_DELTAS, keys.REPORT))
    return places.exists(report) and places.written(report) >= places.written(deltas)


def _fingerprints(
    frames: FrameStore, moves: Iterable[LedgerMove], settlements: Iterable[LedgerSettlement]
) -> dict[str, Fingerprint]:
    """Every month's present fingerprint, given all of the ledger's records."""
    indexes = [keys.source_key(name, "index") for name in keys.SOURCES]
    index = [row for key in indexes for row in to_rows(_extracted(frames, key), IndexRow)]
    unplaced = frames.read(keys.UNPLACED_DOCUMENTS.path)
    # A version before this one did not write it.
    facts = () if unplaced is None or unplaced.empty else to_rows(unplaced, InvoiceFacts)
    opening = opening_cash(opening_documents(facts, index, current()), current())
    extracted = cut_digests(frames, periods()) or of_extracts(
        periods(),
        index,
        copies_of(_extracted(frames, keys.COPIES), _extracted(frames, keys.COPY_ITEMS)),
        users_of(_extracted(frames, keys.USERS)),
        opening,
    )
    return with_ledger(extracted, index, moves, settlements, opening)


def _extracted(frames: FrameStore, key: dg.AssetKey) -> pd.DataFrame:
    frame = frames.read(key.path)
    if frame is None:
        raise NotPrepared(
            f"reading {key.to_user_string()}", "it was never extracted", remedy="fcb sync"
        )
    return frame
