"""The cursor of an index: from where the next sync reads only what changed, or why it lists in full."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from fcb_pipelines.core.digests import digest_of_lines
from fcb_pipelines.core.facts.index import IndexRow, Lookup

# Stripe keeps its events 30 days; the five days between are for a clock that is wrong.
MARK_LASTS = timedelta(days=25)

CURSOR = "cursor"
"""The index frame's attr with the cursor; None where the next sync must list in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The state that an index keeps of its source beside its rows.

    `mark` is the source's own place in its changes, `rest` the name of the evidence with what else is
    needed to go on, as the objects of its lists that no document has. `listed` is a digest of the documents listed, `form` one of what their
    bodies depend on. `listed_at` is the time of the last full list, `read_at` that of the last reading.
    """

    mark: Mapping[str, object]
    rest: str
    listed: str
    form: str
    listed_at: datetime
    read_at: datetime

    def as_attr(self) -> dict[str, object]:
        """The cursor as JSON, for a frame's attrs."""
        times = {"listed_at": self.listed_at.isoformat(), "read_at": self.read_at.isoformat()}
        return {**asdict(self), **times}


_CURSOR = TypeAdapter(Cursor)


def listed_digest(rows: Iterable[IndexRow]) -> str:
    """The digest of the documents that were listed, each by its id and its body."""
    return digest_of_lines(
        f"{row.source_id} {row.body_hash}" for row in rows if row.answer is Lookup.LISTED
    )


def cursor_of(attr: object) -> Cursor | None:
    """The cursor in a frame's attrs; None for one that can't be read."""
    try:
        return _CURSOR.validate_python(attr)
    except ValidationError:
        return None


def sum_fault(known: int, changes: Mapping[str, int], listed: int) -> str | None:
    """Why a list of `listed` documents is not the `known` ones with these changes, or None."""
    expected = known + changes["new"] - changes["gone"]
    if listed == expected:
        return None
    told = f"{known} known + {changes['new']} new - {changes['gone']} gone"
    return f"{listed} documents are listed, not {told} = {expected}"


def why_in_full(cursor: Cursor, *, form: str, now: datetime, days: int) -> str | None:
    """Why a sync at `now` reads the full list and not from the cursor on; None: it reads the changes.

    `days` is the time that a full list lasts.
    """
    if cursor.form != form:
        return "the account, the API version or the source's settings are others than before"
    if now < cursor.read_at:
        return "the last sync was later than this one"
    if now - cursor.read_at > MARK_LASTS:
        return f"the last sync was more than {MARK_LASTS.days} days ago"
    if now - cursor.listed_at >= timedelta(days=days):
        return f"the last full list is of {cursor.listed_at:%Y-%m-%d}, {days} days ago or more"
    return None
