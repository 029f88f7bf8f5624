"""The plan of drafts: documents to write as drafts, and drafts to post (D6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState, MoveState, is_same_document


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPlan:
    """The documents to `create` as drafts and the drafts to `rebuild` in place; no other changes."""

    create: tuple[LedgerDocument, ...]
    rebuild: tuple[LedgerDocument, ...]


def plan_drafts(
    documents: Iterable[LedgerDocument], ledger_state: Mapping[str, LedgerState]
) -> DraftPlan:
    """Create documents that were never written; rebuild unedited drafts whose document changed (D6)."""
    create, rebuild = [], []
    for document in documents:
        now = ledger_state.get(document.ref, LedgerState(ref=document.ref))
        if now.withdrawn:
            continue
        if now.absent:
            create.append(document)
        elif now.move and now.move.state is MoveState.DRAFT:
            untouched = is_same_document(now.move, now.move.stored_hash)
            if untouched and now.move.stored_hash != document.content_hash:
                rebuild.append(document)
    return DraftPlan(create=tuple(create), rebuild=tuple(rebuild))


def plan_posting(
    documents: Iterable[LedgerDocument],
    moves: Mapping[str, LedgerMove],
    approved: Mapping[str, str] | None,
) -> tuple[str, ...]:
    """The refs of the drafts to post: approved ones whose read-back is the intended document.

    `approved` maps refs to the content hash that a person reviewed; None approves every draft. An
    approval of another hash does not count (D6).
    """
    return tuple(
        document.ref
        for document in documents
        if (move := moves.get(document.ref)) is not None
        and move.state is MoveState.DRAFT
        and is_same_document(move, document.content_hash)
        and (approved is None or approved.get(document.ref) == document.content_hash)
    )
