"""What the index needs of each document of a source, kept by its body: one that comes again is not judged again.

They are kept in `frames/kept/listed/<source>.parquet`, which may be deleted at any time.
"""

from dataclasses import dataclass, fields

from fcb_pipelines.connectors.sources import Body
from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, to_rows, write_frame
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.facts.index import ListedFacts
from fcb_pipelines.defs.runtime.code import code_digest
from fcb_pipelines.defs.sources.reading import listed_facts
from fcb_pipelines.defs.sources.registry import RegisteredSource

_JUDGED_BY = "judged_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept(ListedFacts):
    """The facts of the body with this digest."""

    body: str


class KeptFacts:
    """The facts of one source's bodies, by their digests; without `frames` none are kept.

    Those that other code or another configuration judged are judged anew.
    """

    def __init__(self, of: RegisteredSource, frames: FrameStore | None = None) -> None:
        self._of = of
        self._file = frames.path(("kept", "listed", of.name)) if frames else None
        given = [of.section.model_dump_json(), of.company.timezone, code_digest()]
        self._judged_by = digest_of_json(given)
        frame = frames.read(("kept", "listed", of.name)) if frames else None
        if frame is None or frame.attrs.get(_JUDGED_BY) != self._judged_by:
            frame = to_frame((), _Kept)
        self._before = {one.body: one for one in to_rows(frame, _Kept)}
        self._now: dict[str, _Kept] = {}

    def of_body(self, digest: str, body: Body) -> ListedFacts:
        """The facts of a body with this digest."""
        found = self._now.get(digest) or self._before.get(digest)
        if found is None:
            facts = listed_facts(self._of, body)
            found = _Kept(
                body=digest, **{one.name: getattr(facts, one.name) for one in fields(facts)}
            )
        self._now[digest] = found
        return found

    def keep(self) -> None:
        """Keep those that were asked for, and no others."""
        if self._file is not None and self._now.keys() != self._before.keys():
            write_frame(
                to_frame(self._now.values(), _Kept, **{_JUDGED_BY: self._judged_by}), self._file
            )
