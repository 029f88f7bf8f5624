"""The IO manager: one parquet file an asset and partition, written whole or not at all."""

from pathlib import Path
from typing import cast

import dagster as dg
import pandas as pd
from upath import UPath

from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameFile, FrameStore, write_frame
from fcb_pipelines.connectors.store.slices import SliceStore
from fcb_pipelines.core.digests import digest
from fcb_pipelines.defs.runtime import connections, keys


def slices_of(frames: FrameStore) -> SliceStore:
    """The months' parts of these frames, as cut under the present configuration.

    Users and unplaced documents decide what belongs to a month.
    """
    cut_from = (*keys.CUT.values(), keys.USERS, keys.UNPLACED_DOCUMENTS)
    under = digest(current().model_dump_json())
    return SliceStore(frames, [key.path for key in cut_from], under)


class FrameIOManager(dg.UPathIOManager):
    """DataFrames as parquet under FCB_HOME/<dataset>/frames, each read once a run.

    A month reads its slice of a frame over all months, where one was cut from it.
    """

    extension: str = ".parquet"

    def __init__(self, root: Path) -> None:
        super().__init__(base_path=UPath(root))
        self._frames = FrameStore(root, once=True)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The frame of the asset and partition, or the run's month of a frame over all months."""
        if context.has_partition_key and not context.has_asset_partitions:
            part = self.slice(context.asset_key, context.partition_key)
            if part is not None:
                return part
        return cast(pd.DataFrame, super().load_input(context))

    def slice(self, key: dg.AssetKey, period: str) -> pd.DataFrame | None:
        """A month's part of a frame over all months; None where none was cut from it as it is now."""
        return slices_of(self._frames).read(key.path, period)

    def dump_to_path(
        self, context: dg.OutputContext, obj: pd.DataFrame | FrameFile, path: UPath
    ) -> None:
        """Write the frame to a temporary file, then rename it."""
        write_frame(obj, Path(str(path)))

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pd.DataFrame:
        """Read the frame; it is empty where an earlier version built the month without it."""
        file = Path(str(path))
        if not file.exists() and context.asset_key in keys.LATER:
            return pd.DataFrame()
        return self._frames.load(file)


class FrameIOManagerFactory(dg.ConfigurableIOManagerFactory[FrameIOManager]):
    """Finds FCB_HOME when the run starts."""

    def create_io_manager(self, context: dg.InitResourceContext) -> FrameIOManager:
        """The IO manager over this dataset's frames."""
        return FrameIOManager(connections.frames(environment.read()).root)
