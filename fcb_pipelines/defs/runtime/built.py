"""The rows of an asset over all months, for what is proved or told of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import dagster as dg

from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.defs.runtime.partitions import periods

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What the months hold, as they were built last: the frames of an asset, month by month."""

    frames: FrameStore

    def rows(
        self, key: dg.AssetKey, row_type: type[Row], months: Sequence[str] | None = None
    ) -> list[Row]:
        """The rows of these months; None: of all."""
        wanted = periods() if months is None else months
        found = (self.frames.read(key.path, period) for period in wanted)
        return [row for one in found if one is not None for row in to_rows(one, row_type)]

    def lacking(self, *wanted: dg.AssetKey) -> list[str]:
        """The months without one of these frames, in words."""
        return [
            f"{period} is not built: {key.to_user_string()}"
            for period in periods()
            for key in wanted
            if self.frames.read(key.path, period) is None
        ]
