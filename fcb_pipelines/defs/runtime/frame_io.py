"""The IO manager: one parquet file an asset and partition, written whole or not at all."""

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import (
    FrameFile,
    FrameStore,
    read_attrs,
    write_frame,
)
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.connectors.store.slices import SliceStore
from fcb_pipelines.core.digests import digest, digest_of_json
from fcb_pipelines.defs.runtime import connections, keys
from fcb_pipelines.defs.runtime.code import code_digest

# What the frame of the slices tells of all extracts: their files, and the digest of their rows.
EXTRACTED, CONTENT = "extracted", "content"


def slices_of(frames: FrameStore) -> SliceStore:
    """The months' parts of these frames, as cut under the present configuration.

    Users and unplaced documents decide what belongs to a month.
    """
    cut_from = (*keys.CUT.values(), keys.USERS, keys.UNPLACED_DOCUMENTS)
    under = digest(current().model_dump_json())
    return SliceStore(frames, [key.path for key in cut_from], under)


def extracts_as_they_lie(frames: FrameStore) -> list[str]:
    """What tells the files of the present extracts from any earlier ones."""
    return [frames.signature(key.path) for key in keys.EXTRACTED]


def content_of_extracts(frames: FrameStore, snapshot: object = None) -> str | None:
    """The digest of the rows of every extract.

    None where they are not those that were cut into months, or not of this `snapshot`, where one is given.
    """
    try:
        told = read_attrs(frames.path(keys.SLICES.path))
    except FileNotFoundError:
        return None
    as_cut = told.get(EXTRACTED) == extracts_as_they_lie(frames)
    is_of_it = snapshot in (None, told.get("snapshot"))
    return str(told[CONTENT]) if as_cut and is_of_it and CONTENT in told else None


def made_of_extracts(frames: FrameStore, snapshot: object = None) -> str | None:
    """The digest of what decides a frame that is made of extracts alone: their rows, configuration and code."""
    content = content_of_extracts(frames, snapshot)
    given = [content, current().model_dump_json(), code_digest()]
    return None if content is None else digest_of_json(given)


class FrameIOManager(dg.IOManager):
    """DataFrames as parquet under <store>/frames, each read once a run.

    A month reads its slice of a frame over all months, where one was cut from it.
    """

    def __init__(self, root: Place) -> None:
        self._frames = FrameStore(root, once=True)
        self._slices = slices_of(self._frames)

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame | FrameFile) -> None:
        """Write the frame whole or not at all.

        dg.UPathIOManager logs a line for each besides, and every line is an event that is stored.
        """
        period = context.asset_partition_key if context.has_asset_partitions else None
        path = self._frames.path(context.asset_key.path, period)
        write_frame(obj, path)
        context.add_output_metadata({"path": dg.MetadataValue.path(str(path))})

    def load_input(self, context: dg.InputContext) -> pd.DataFrame | dict[str, pd.DataFrame]:
        """The frame of an input that Dagster loads itself; those of several months by month."""
        key = context.asset_key
        if not context.has_asset_partitions:
            return self.read(key, context.partition_key if context.has_partition_key else None)
        found = {period: self.read(key, period) for period in context.asset_partition_keys}
        return found if len(found) > 1 else found[context.asset_partition_key]

    def read(self, key: dg.AssetKey, period: str | None, *, as_built: bool = False) -> pd.DataFrame:
        """The frame of an asset as a run of this month has it: its month, or its part of all months.

        `period` is None in a run over all months. With `as_built` it is the part that the month was decided
        from, whatever was extracted since. Raises FileNotFoundError where it was never built.
        """
        if period is None or key in keys.MONTHLY:
            return self._load(key, self._frames.path(key.path, period))
        if as_built and key in keys.CUT.values():
            kept = self._frames.read(_kept(key), period)
            # A version before this one kept none.
            if kept is not None:
                return kept
        part = self.slice(key, period)
        return self._load(key, self._frames.path(key.path)) if part is None else part

    def keep(self, period: str, frames: Mapping[str, pd.DataFrame]) -> None:
        """Keep these parts of frames over all months, by their input's name: a month is decided from them."""
        for name, frame in frames.items():
            write_frame(frame, self._frames.path(_kept(keys.CUT[name]), period))

    def slice(self, key: dg.AssetKey, period: str) -> pd.DataFrame | None:
        """A month's part of a frame over all months; None where none was cut from it as it is now."""
        return self._slices.read(key.path, period)

    def _load(self, key: dg.AssetKey, path: Place) -> pd.DataFrame:
        """Read the frame; it is empty where an earlier version built the month without it."""
        try:
            return self._frames.load(path)
        except FileNotFoundError:
            if key in keys.LATER:
                return pd.DataFrame()
            raise


def _kept(key: dg.AssetKey) -> tuple[str, ...]:
    return ("kept", *key.path)


class FrameIOManagerFactory(dg.ConfigurableIOManagerFactory[FrameIOManager]):
    """Finds the store when the run starts."""

    def create_io_manager(self, context: dg.InitResourceContext) -> FrameIOManager:
        """The IO manager over this dataset's frames."""
        return FrameIOManager(connections.frames(environment.read()).root)
