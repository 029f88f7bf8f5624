"""The story of a document, read back from the frames and the decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.connectors.store.frames import FrameStore
from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.core.close.exceptions import exception_rows
from fcb_pipelines.core.close.queue import first_seen, queue
from fcb_pipelines.core.close.status import documents_of
from fcb_pipelines.core.close.story import DocumentStory, Told, called, document_story
from fcb_pipelines.core.proof.completeness import UNPLACED
from fcb_pipelines.defs.reconciliation.naming import numbers
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.reconciliation.queue import Queue
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import today


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """What is known of single documents, as the last builds left it."""

    frames: FrameStore
    decisions: DecisionStore

    def of(self, name: str) -> list[DocumentStory]:
        """The story of each document with this ref or number; none where no built month has one."""
        wanted = set(called(name, numbers(self.frames)))
        if not wanted:
            return []
        decisions = self.decisions.all()
        proof = FrameReport(self.frames, decisions)
        since = first_seen(Queue(frames=self.frames, decisions=self.decisions).former())
        found = []
        for place, month in proof.places().items():
            if wanted.isdisjoint(row.ref for row in month.dispositions):
                continue
            own = [one for one in documents_of(month) if one["ref"] in wanted]
            rows = queue({place: exception_rows(month, own, today())}, since, today())
            this = proof.extracts(None if place == UNPLACED else place)
            found += [
                document_story(one, month, _told(one["ref"], this, decisions), rows) for one in own
            ]
        return found


def _told(ref: str, this: Month, decisions: Sequence[Decision]) -> Told:
    index = next((row for row in this.index if row.ref == ref), None)
    copies = (one for one in this.copies if ref in (one.ref, one.claims))
    copy = this.claimants.get(ref) or next(copies, None)
    return Told(index=index, copy=copy.facts if copy else None, decisions=decisions)
