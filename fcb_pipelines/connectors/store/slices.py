"""Slices of frames: of a frame over all months, the rows that one month needs, in a file beside it.

    frames/stripe/index.parquet   ->   frames/stripe/index/months.parquet, a row group a month

All slices are cut from several frames together. Each file names those that it was cut from, and where one of them has
changed since it is not used: the frame itself is read instead.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.frames import FrameStore, attrs_of, frame_of, kept, to_table
from fcb_pipelines.connectors.store.places import Place

_CUT_FROM, _MONTHS = "cut_from", "months"


class SliceStore:
    """The slices of a store's frames.

    `keys` are the asset key paths of all frames that a cut depends on, `under` a text of whatever else it
    depends on. A slice is read once, as long as the frames stay as they are, and nobody may change it.
    """

    def __init__(self, store: FrameStore, keys: Sequence[Sequence[str]], under: str) -> None:
        self._store = store
        self._keys = tuple(tuple(key) for key in keys)
        self._under = under
        self._once: dict[tuple[Place, str], tuple[list[str], pd.DataFrame | None]] = {}

    def read(self, key: Sequence[str], period: str) -> pd.DataFrame | None:
        """The slice of a month, or None where there is none of the frames as they are now."""
        if tuple(key) not in self._keys:
            return None
        name, now = (self._place(key), period), self.signature()
        if self._once.get(name, ([], None))[0] != now:
            self._once[name] = now, _group(*name, now)
        return self._once[name][1]

    def write(
        self,
        key: Sequence[str],
        frame: pd.DataFrame,
        months: Mapping[str, Sequence[int]],
        signature: Sequence[str],
    ) -> None:
        """Write the slices of a frame, by month the places of its rows; `signature` is of before it was read."""
        rows = frame.iloc[[*chain.from_iterable(months.values())]]
        rows.attrs = {**frame.attrs, _CUT_FROM: [*signature], _MONTHS: [*months]}
        table = to_table(rows)
        sizes = [len(each) for each in months.values()]
        place = self._place(key)
        places.write_file(place, lambda temporary: _write(table, sizes, temporary))
        # A version before this one wrote a file a month.
        for each in places.files(place.parent, ".parquet"):
            if each.name != place.name:
                places.remove(each)

    def signature(self) -> list[str]:
        """What tells the present frames from any earlier ones."""
        return [self._under, *(self._store.signature(key) for key in self._keys)]

    def _place(self, key: Sequence[str]) -> Place:
        return self._store.path(key, _MONTHS)


def _write(table: pa.Table, sizes: Sequence[int], temporary: str) -> None:
    begin = 0
    with parquet.ParquetWriter(temporary, table.schema) as writer:
        for size in sizes:
            writer.write_table(table.slice(begin, size), row_group_size=max(size, 1))
            begin += size


def _group(place: Place, period: str, signature: Sequence[str]) -> pd.DataFrame | None:
    try:
        with places.opened(place) as opened, parquet.ParquetFile(opened) as file:
            attrs = attrs_of(file.schema_arrow)
            if attrs[_CUT_FROM] != [*signature] or period not in attrs[_MONTHS]:
                return None
            frame = frame_of(file.read_row_group(attrs[_MONTHS].index(period)))
    except FileNotFoundError:
        return None
    del frame.attrs[_CUT_FROM], frame.attrs[_MONTHS]
    return kept(frame)
