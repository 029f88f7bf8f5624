"""What a month comes to from its slices, against the same from the frames over all months."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from fcb_pipelines.config.settings import current
from fcb_pipelines.core.dispositions.cases import copy_dispositions, decided, lost_dispositions
from fcb_pipelines.core.proof.window import fingerprints
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_io import slices_of
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines_tests.defs.world import World

READ: Mapping[str, Callable[[Month], Any]] = {
    "members": lambda this: sorted(this.members, key=lambda one: one.ref),
    "refs": lambda this: (this.document_refs, this.settlement_refs, this.counterparts),
    "cases": lambda this: (this.cases, this.credited_cases, this.opening_cases),
    "dispositions": lambda this: decided(
        this.cases, this.credited_cases, this.index, this.ledger_state, current(), this.books,
        periods()[-1],
    ),
    "lost": lambda this: lost_dispositions(this.index, this.ledger_state, this.period),
    "copies": lambda this: copy_dispositions(this.copies, this.index, this.period),
    "plan": lambda this: (
        this.settlement_plan(this.ledger_state, this.books),
        this.on_account_plan(this.ledger_state, this.books),
    ),
    "fingerprint": lambda this: fingerprints(
        [this.period], this.index, this.copies, this.users, (), (), this.opening_cash
    ),
}  # fmt: skip


def not_the_same(world: World) -> list[str]:
    """The months and values that differ, and each month that has no slices; after all were built."""
    store, faults = world.frames, []
    whole = {name: store.read(key.path) for name, key in keys.CUT.items()}
    proof = FrameReport(store)
    for period in periods():
        built = proof.built_month(period)
        if any(slices_of(store).read(key.path, period) is None for key in keys.CUT.values()):
            faults.append(f"{period}: it has no slices")
        unplaced = {"unplaced_documents": store.read(keys.UNPLACED_DOCUMENTS.path)}
        sliced = Month(period, {**built.frames, **unplaced})
        from_whole = dataclasses.replace(sliced, frames={**sliced.frames, **whole})
        faults += [
            f"{period}: {name}"
            for name, read in READ.items()
            if read(sliced) != read(from_whole)
        ]  # fmt: skip
    return faults
