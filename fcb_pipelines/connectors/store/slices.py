"""Slices of frames: of a frame over all months, the rows that one month needs, in a file beside it.

    frames/stripe/index.parquet   ->   frames/stripe/index/2026-04.parquet, …

All slices are cut from several frames together. Each names the files that it was cut from, and one whose
files have changed since is not used: the frame itself is read instead.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from fcb_pipelines.connectors.store.frames import FrameStore, write_frame

_CUT_FROM = "cut_from"


class SliceStore:
    """The slices of a store's frames.

    `keys` are the asset key paths of all frames that a cut depends on, `under` a text of whatever else it
    depends on.
    """

    def __init__(self, store: FrameStore, keys: Sequence[Sequence[str]], under: str) -> None:
        self._store = store
        self._keys = tuple(tuple(key) for key in keys)
        self._under = under

    def read(self, key: Sequence[str], period: str) -> pd.DataFrame | None:
        """The slice of a month, or None where there is none of the frames as they are now."""
        if tuple(key) not in self._keys:
            return None
        frame = self._store.read(key, period)
        if frame is None or frame.attrs.get(_CUT_FROM) != self.signature():
            return None
        return frame

    def write(
        self, key: Sequence[str], months: Mapping[str, pd.DataFrame], signature: Sequence[str]
    ) -> None:
        """Write the slices of a frame by month; `signature` is of before the frames were read."""
        for period, frame in months.items():
            frame.attrs[_CUT_FROM] = [*signature]
            write_frame(frame, self._store.path(key, period))

    def signature(self) -> list[str]:
        """What tells the present frames from any earlier ones."""
        return [self._under, *(self._store.signature(key) for key in self._keys)]
