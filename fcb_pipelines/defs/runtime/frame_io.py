"""The IO manager: one parquet file an asset and partition, written whole or not at all."""

from pathlib import Path

import dagster as dg
import pandas as pd
from upath import UPath

from fcb_pipelines.config import environment
from fcb_pipelines.connectors.store.frames import FrameFile, read_frame, write_frame
from fcb_pipelines.defs.runtime import connections, keys


class FrameIOManager(dg.UPathIOManager):
    """DataFrames as parquet under FCB_HOME/<dataset>/frames."""

    extension: str = ".parquet"

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
        return read_frame(file)


class FrameIOManagerFactory(dg.ConfigurableIOManagerFactory[FrameIOManager]):
    """Finds FCB_HOME when the run starts."""

    def create_io_manager(self, context: dg.InitResourceContext) -> FrameIOManager:
        """The IO manager over this dataset's frames."""
        return FrameIOManager(base_path=UPath(connections.frames(environment.read()).root))
