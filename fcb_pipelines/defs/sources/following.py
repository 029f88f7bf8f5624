"""The list of a source: in full, or what changed since the index of the last sync, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from pydantic import ValidationError

from fcb_pipelines.connectors.failures import ContractBreach, NotFound
from fcb_pipelines.connectors.sources import (
    Followed,
    Incremental,
    Known,
    ListInFull,
    Listing,
    SourceBody,
)
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.digests import digest
from fcb_pipelines.core.facts.cursor import Cursor, cursor_of, sum_fault, why_in_full
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.defs.sources.registry import RegisteredSource

CURSOR = "cursor"
"""The index frame's attr with the cursor; None where the next sync must list in full."""
_WHY_NOT = "no_cursor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The index of the last sync (None: there is none) and the time of this one.

    `in_full`: a person asked for the full list.
    """

    index: pd.DataFrame | None = None
    now: datetime | None = None
    in_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A list and how it was read; `attrs` are for the frame of its index."""

    listing: Listing
    attrs: dict[str, Any]


def time_of(snapshot: object) -> datetime | None:
    """The time in a snapshot's id; None for one that has none."""
    try:
        return datetime.strptime(str(snapshot), "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def read_list(
    of: RegisteredSource,
    source: Any,
    evidence: EvidenceStore,
    before: Before,
    progress: Callable[[int], None],
) -> Reading:
    """The list of a source, from the last index on where that is sure, else in full."""
    if not isinstance(source, Incremental):
        why = f"{of.name} can't tell what changed"
        return _reading(source.listing(progress), why, {CURSOR: None})
    form = digest(f"{source.form} {of.section.model_dump_json()}")
    known = _known(of, form, evidence, before)
    if isinstance(known, tuple):
        cursor, parts = known
        try:
            followed = source.follow(parts, progress)
        except ListInFull as reason:
            known = str(reason)
        else:
            listing = _proved(followed, len(parts.documents))
            return _reading(
                listing, None, _attrs(of, evidence, followed, before, form, cursor.listed_at)
            )
    followed = source.follow(None, progress)
    return _reading(
        followed.listing, known, _attrs(of, evidence, followed, before, form, before.now)
    )


def _known(
    of: RegisteredSource, form: str, evidence: EvidenceStore, before: Before
) -> tuple[Cursor, Known] | str:
    """The last index and its cursor, or why the list is read in full."""
    if before.in_full:
        return "it was asked for"
    if before.index is None:
        return "there is no earlier index"
    attrs = before.index.attrs
    if attrs.get(CURSOR) is None:
        return str(attrs.get(_WHY_NOT) or "the earlier index has no cursor")
    cursor = cursor_of(attrs[CURSOR])
    if cursor is None or before.now is None:
        return "the cursor can't be read"
    days = of.company.sync.full_listing_days
    why = why_in_full(cursor, form=form, now=before.now, days=days)
    if why:
        return why
    try:
        rows = [r for r in to_rows(before.index, IndexRow) if r.answer is Lookup.LISTED]
        return cursor, Known(
            documents=[body_of(of, row, evidence) for row in rows],
            rest=evidence.get(of.name, cursor.rest),
            mark=dict(cursor.mark),
        )
    except (NotFound, ContractBreach, ValidationError, KeyError, ValueError) as error:
        return f"the earlier index can't be read again: {error}"


def body_of(of: RegisteredSource, row: IndexRow, evidence: EvidenceStore) -> SourceBody:
    """The body that an index row was made of. Raises NotFound, or ContractBreach for a changed one."""
    return SourceBody(
        id=row.source_id,
        kind=Kind.CREDIT_NOTE if row.origin is Origin.CREDIT_NOTE else Kind.INVOICE,
        body=evidence.get(of.name, row.body_hash or ""),
    )


def how_it_was_read(attrs: Mapping[Any, Any]) -> str:
    """How the list of an index was read, in words, from its frame's attrs."""
    if attrs["listing"] == "full":
        return f"listed in full, since {attrs['why']}"
    told = ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in attrs["changes"].items())
    return f"read what changed since the last sync: {told}"


def _proved(followed: Followed, known: int) -> Listing:
    listing = followed.listing
    fault = sum_fault(known, followed.changes or {}, len(listing.documents))
    problems = [each for each in (listing.problem, fault) if each]
    return replace(listing, problem="; ".join(problems) or None)


def _attrs(
    of: RegisteredSource,
    evidence: EvidenceStore,
    followed: Followed,
    before: Before,
    form: str,
    listed_at: datetime | None,
) -> dict[str, Any]:
    if followed.mark is None or before.now is None or listed_at is None:
        return {CURSOR: None, _WHY_NOT: followed.detail or None}
    cursor = Cursor(
        mark=followed.mark,
        rest=evidence.put(of.name, followed.rest),
        form=form,
        listed_at=listed_at,
        read_at=before.now,
    )
    return {CURSOR: cursor.as_attr(), "changes": dict(followed.changes or {})}


def _reading(listing: Listing, why: str | None, attrs: dict[str, Any]) -> Reading:
    how = {"listing": "full", "why": why} if why else {"listing": "incremental", "why": None}
    return Reading(listing=listing, attrs={**how, **attrs})


def without_cursor(attrs: dict[str, Any], fault: str) -> dict[str, Any]:
    """The attrs of an index that is not whole: the next sync lists in full, for this reason."""
    return {**attrs, CURSOR: None, _WHY_NOT: f"the last list was not whole: {fault}"}
