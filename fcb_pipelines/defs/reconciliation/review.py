"""The review of drafts, read back from the frames, and what a person approved of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.close.decisions import APPROVAL, Decision, approvals
from fcb_pipelines.core.close.review import (
    DraftRow,
    ReviewJson,
    approved_hashes,
    draft_rows,
    draft_totals,
    in_order,
    posted_unapproved,
    review_digest,
)
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState
from fcb_pipelines.core.proof.completeness import UNPLACED
from fcb_pipelines.defs.reconciliation.naming import numbers, ref_called
from fcb_pipelines.defs.reconciliation.proof import FrameReport, families
from fcb_pipelines.defs.runtime import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The drafts of one dataset, as its last builds left them, and the approvals of them."""

    frames: FrameStore
    decisions: DecisionStore

    def rows(self, period: str | None = None) -> list[DraftRow]:
        """The drafts of one month or of all, the odd ones first."""
        dispositions = FrameReport(self.frames).dispositions()
        return self._rows(period, [row for own in dispositions.values() for row in own])

    def approved(self, period: str, *, but: str | None = None) -> dict[str, str]:
        """Ref -> content hash of each draft of a month that somebody `but` this person approved as it is."""
        return approved_hashes(self._rows(period, (), but))

    def left(self, period: str) -> tuple[DraftRow, ...]:
        """The drafts of a month that somebody approved, whether that holds or not, without what other months say."""
        return tuple(row for row in self._rows(period, ()) if row["approval"])

    def _rows(
        self, period: str | None, known: Sequence[Disposition], but: str | None = None
    ) -> list[DraftRow]:
        kept = self.decisions.all()
        given = {ref: [one for one in own if one.by != but] for ref, own in approvals(kept).items()}
        proof = FrameReport(self.frames, kept)
        customers = proof.customers()
        rows = [
            row
            for place, month in proof.places(period).items()
            if place != UNPLACED
            for row in draft_rows(
                month,
                known=known,
                approved=given,
                families=families(),
                customers=customers,
            )
        ]
        return sorted(rows, key=in_order)

    def told(self, period: str | None = None, names: Sequence[str] = ()) -> ReviewJson:
        """The same as JSON values; of the drafts of these names (refs or numbers) alone, where some are given.

        Raises NotFound for a name that is no draft's, NotAllowed for the number of several documents.
        """
        every = self.rows(period)
        wanted = self.refs(names, every, "reviewing")
        rows = [row for row in every if not names or row["ref"] in wanted]
        return {
            "snapshot": FrameReport(self.frames).snapshot(),
            "digest": review_digest(rows),
            "period": period,
            "approved": len(approved_hashes(rows)),
            "drafts": rows,
            "totals": draft_totals(rows),
        }

    def refs(self, names: Sequence[str], rows: Sequence[DraftRow], doing: str) -> set[str]:
        """The refs of the drafts of these names. Raises NotFound, NotAllowed (as `told`)."""
        if not names:
            return set()
        known, drafts = numbers(self.frames), {row["ref"] for row in rows}
        found = {name: ref_called(name, known, doing) for name in names}
        for name, ref in found.items():
            if ref not in drafts:
                raise NotFound(f"{doing} {name}", "no draft is called that", remedy="fcb review")
        return {*found.values()}

    def approve(self, rows: Sequence[DraftRow], *, by: str, note: str) -> list[DraftRow]:
        """Keep that a person approved these drafts as they are. Those left out: not what is to be posted.

        A draft that this person approved before, as it is now, is not approved again.
        """
        given = approvals(self.decisions.all())
        now = datetime.now(UTC)
        for row in rows:
            seen = row["content_hash"]
            if not row["matches"] or seen is None:
                continue
            before = {(one.by, one.seen) for one in given.get(row["ref"], ())}
            if (by, seen) not in before:
                self.decisions.keep(
                    Decision(ref=row["ref"], code=APPROVAL, by=by, at=now, note=note, seen=seen)
                )
        return [row for row in rows if not row["matches"]]

    def withdraw(self, rows: Sequence[DraftRow], *, by: str) -> int:
        """Keep that no approval of these drafts holds any longer. How many drafts had one."""
        given = approvals(self.decisions.all())
        had = [given[row["ref"]] for row in rows if row["ref"] in given]
        now = datetime.now(UTC)
        for one in (one for own in had for one in own):
            self.decisions.keep(
                replace(one, by=by, at=now, note="", seen="", until=None, withdraws=one.id)
            )
        return len(had)

    def unapproved(self, period: str) -> tuple[str, ...]:
        """The refs that the last run of a month posted and that nobody had approved as they are."""
        before = self.frames.read(keys.STANDING.path, period)
        after = self.frames.read(keys.POSTED_MOVES.path, period)
        if before is None or after is None:
            return ()
        moves = {row.ref: row.move for row in to_rows(before, LedgerState) if row.move}
        return posted_unapproved(moves, to_rows(after, LedgerMove), approvals(self.decisions.all()))
