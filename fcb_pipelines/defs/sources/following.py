"""The list of a source: in full, or what changed since the index of the last sync, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from fcb_pipelines.core.facts.cursor import (
    CURSOR,
    Cursor,
    cursor_of,
    listed_digest,
    sum_fault,
    why_in_full,
)
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.defs.sources.registry import RegisteredSource

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
    """A list and how it was read: `why` in full (None: incrementally) and with which changes.

    `names` are those of the evidence that was read for it. The next sync goes on from the `cursor`; without one
    it lists in full, for the reason `no_cursor`.
    """

    listing: Listing
    why: str | None
    changes: Mapping[str, int] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    cursor: Cursor | None = None
    no_cursor: str = ""


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
        return Reading(listing=source.listing(progress), why=why)
    form = digest(f"{source.form} {of.section.model_dump_json()}")
    known = _known(of, form, evidence, before)
    if isinstance(known, tuple):
        cursor, parts, names = known
        try:
            followed = source.follow(parts, progress)
        except ListInFull as reason:
            known = str(reason)
        else:
            proved = replace(followed, listing=_proved(followed, len(parts.documents)))
            found = _reading(of, evidence, proved, before, None, form, cursor.listed_at)
            return replace(found, names=names)
    followed = source.follow(None, progress)
    return _reading(of, evidence, followed, before, known, form, before.now)


def _known(
    of: RegisteredSource, form: str, evidence: EvidenceStore, before: Before
) -> tuple[Cursor, Known, frozenset[str]] | str:
    """The last index with its cursor and the names of its evidence; or why the list is read in full."""
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
        if listed_digest(rows) != cursor.listed:
            return "the earlier index is not as it was written"
        known = Known(
            documents=[body_of(of, row, evidence) for row in rows],
            rest=evidence.get(of.name, cursor.rest),
            mark=dict(cursor.mark),
        )
        return cursor, known, frozenset(row.body_hash or "" for row in rows)
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


def _reading(
    of: RegisteredSource,
    evidence: EvidenceStore,
    followed: Followed,
    before: Before,
    why: str | None,
    form: str,
    listed_at: datetime | None,
) -> Reading:
    cursor = None
    if followed.mark is not None and before.now is not None and listed_at is not None:
        cursor = Cursor(
            mark=followed.mark,
            rest=evidence.put(of.name, followed.rest),
            listed="",
            form=form,
            listed_at=listed_at,
            read_at=before.now,
        )
    return Reading(
        listing=followed.listing,
        why=why,
        changes=followed.changes or {},
        cursor=cursor,
        no_cursor=followed.detail,
    )


def attrs_of(reading: Reading, rows: Sequence[IndexRow], fault: str) -> dict[str, Any]:
    """The attrs of the index of these rows: how it was read, and the cursor.

    An index with a `fault` is none to go on from: the next sync lists in full, for this reason.
    """
    cursor, no_cursor = reading.cursor, reading.no_cursor
    if fault:
        cursor, no_cursor = None, f"the last list was not whole: {fault}"
    return {
        "listing": "full" if reading.why else "incremental",
        "why": reading.why,
        "changes": dict(reading.changes),
        CURSOR: replace(cursor, listed=listed_digest(rows)).as_attr() if cursor else None,
        _WHY_NOT: no_cursor or None,
    }
