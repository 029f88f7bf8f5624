"""What is to be erased of a customer: kept bodies that nothing needs any more.

A body is named by its hash, so reports and books prove what they proved before: the hash of what was read
stays, what was read is gone.
"""

import io
from collections.abc import Collection
from dataclasses import dataclass

from pyarrow import parquet

from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import FrameStore, attrs_of
from fcb_pipelines.core.facts.cursor import CURSOR, cursor_of

Named = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Bodies (source, name) that name a customer.

    `free` are former answers of a source. `in_use` are the present ones, which the source would only send
    again: the customer is erased there first.
    """

    free: tuple[Named, ...]
    in_use: tuple[Named, ...]


def find_erasure(evidence: EvidenceStore, frames: FrameStore, words: Collection[str]) -> Erasure:
    """Every kept body that has one of these words as a whole value: an id or an email."""
    used = _names_in_use(frames)
    found = sorted(evidence.containing(words))
    return Erasure(
        free=tuple(each for each in found if each[1] not in used),
        in_use=tuple(each for each in found if each[1] in used),
    )


def _names_in_use(frames: FrameStore) -> frozenset[str]:
    """The bodies that a frame is made of, by the column that names them, and those of its cursor.

    Without the body of its cursor the next sync would list the whole source.
    """
    names: set[str] = set()
    for place in places.files(frames.root, ".parquet"):
        content = io.BytesIO(places.read_bytes(place))
        schema = parquet.read_schema(content)
        if "body_hash" in schema.names:
            column = parquet.read_table(content, columns=["body_hash"]).column(0)
            names |= {name for name in column.to_pylist() if name}
        cursor = cursor_of(attrs_of(schema).get(CURSOR))
        if cursor is not None:
            names.add(cursor.rest)
    return frozenset(names)
