"""The queue of exceptions: all that waits for somebody, and what a person decided about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, to_rows
from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.queue import QueuedException, first_seen, queue, queue_json, queued
from fcb_pipelines.core.close.seen import seen
from fcb_pipelines.core.close.shapes import QueueJson, QueueRow
from fcb_pipelines.core.close.status import codes_of, documents_of
from fcb_pipelines.defs.reconciliation.listed import exceptions_by_place
from fcb_pipelines.defs.reconciliation.naming import numbers, ref_called
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata, sums
from fcb_pipelines.defs.runtime.partitions import today
from fcb_pipelines.defs.runtime.resources import StoreResource

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The exceptions of one dataset, as its last builds left them, and the decisions about them."""

    frames: FrameStore
    decisions: DecisionStore

    def rows(self, period: str | None = None) -> list[QueueRow]:
        """What waits and what somebody acknowledged, of one month or of all."""
        return queue(self._proof.exceptions(period), first_seen(self.former()), today())

    def told(self, period: str | None = None, *, everything: bool) -> QueueJson:
        """The same as JSON values; what somebody acknowledged is listed with `everything` only."""
        return queue_json(self.rows(period), today(), everything=everything)

    def former(self) -> tuple[QueuedException, ...]:
        """The queue as the last proof left it."""
        frame = self.frames.read(keys.EXCEPTIONS.path)
        return () if frame is None else to_rows(frame, QueuedException)

    def acknowledge(self, name: str, code: str, *, by: str, note: str, until: date | None) -> str:
        """Keep that a person knows this exception of a document (ref or number), as it is now. Its ref.

        `until` is the last day on which that holds. Raises ConfigError for one that is past, NotFound for an
        exception that is not there, naming those that are, NotAllowed for the number of several documents.
        """
        if until is not None and until < today():
            raise ConfigError(f"{until} is past: the acknowledgement would hold on no day")
        ref = self._ref("acknowledging an exception of", name)
        for month in self._proof.places().values():
            known = [one for one in documents_of(month) if one["ref"] == ref]
            if any(code in codes_of(one) for one in known):
                digest = seen(month, ref, code)
                break
        else:
            raise _not_found("acknowledging", ref, code, self.rows())
        now = datetime.now(UTC)
        self.decisions.keep(
            Decision(ref=ref, code=code, by=by, at=now, note=note, seen=digest, until=until)
        )
        return ref

    def withdraw(self, name: str, code: str, *, by: str) -> str:
        """Keep that each acknowledgement of this exception (ref or number) no longer holds. The document's ref.

        Raises NotFound where none is in force, naming those that are.
        """
        ref = self._ref("withdrawing an acknowledgement of", name)
        kept = self.decisions.all()
        withdrawn = {one.withdraws for one in kept}
        given = [one for one in kept if one.withdraws is None and one.id not in withdrawn]
        found = [one for one in given if (one.ref, one.code) == (ref, code) and not one.is_approval]
        if not found:
            known = [row for row in self.rows() if row["acknowledged"]]
            raise _not_found("withdrawing the acknowledgement of", ref, code, known)
        for one in found:
            self.decisions.keep(
                replace(
                    one, by=by, at=datetime.now(UTC), note="", seen="", until=None, withdraws=one.id
                )
            )
        return ref

    def _ref(self, doing: str, name: str) -> str:
        return ref_called(name, numbers(self.frames), doing)

    @property
    def _proof(self) -> FrameReport:
        return FrameReport(self.frames, self.decisions.all())


def _not_found(doing: str, ref: str, code: str, known: Sequence[QueueRow]) -> NotFound:
    own = [row["code"] for row in known if row["ref"] == ref]
    if own:
        there = f"{ref} has {', '.join(own)}"
    else:
        names = [f"{row['number'] or row['ref']} {row['code']}" for row in known]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        there = f"there are {', '.join(names[:_SHOWN])}{more}" if names else "there is none"
    return NotFound(f"{doing} {code} of {ref}", there, remedy="fcb exceptions --all")


@dg.asset(
    key=keys.EXCEPTIONS,
    deps=[
        keys.UNPLACED,
        dg.AssetDep(keys.LEDGER_DELTAS, partition_mapping=dg.AllPartitionMapping()),
    ],
    group_name="reconciliation",
    owners=keys.OWNERS,
    kinds={"python"},
    metadata=column_schema(QueuedException),
)
def exceptions(store: StoreResource) -> dg.MaterializeResult[pd.DataFrame]:
    """One hold or exception of a document of any month, since the day on which it first appeared."""
    frames = store.frames()
    former = Queue(frames=frames, decisions=store.decisions()).former()
    rows = queued(exceptions_by_place(frames), former, today())
    frame = to_frame(rows, QueuedException)
    waiting = [row for row in rows if row.cleared is None]
    held = sums("held", ((row.currency, row.amount) for row in waiting if row.is_held))
    return dg.MaterializeResult(
        value=frame, metadata=row_metadata(frame, open=len(waiting), **held)
    )
