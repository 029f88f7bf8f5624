"""Writes a frame's file by record batches: the same file as of a DataFrame, without ever having one."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from fcb_pipelines.connectors.store.frames import FrameFile


class FrameWriter:
    """A frame's file in the making: columns of these types in their order, and the frame's attrs.

        with FrameWriter(path, {"id": pa.string()}, snapshot="s-1") as writer:
            writer.write(pa.table({"id": ["a", "b"]}))
        writer.file                                     # FrameFile(path, rows=2)

    A column is read back as its values in a DataFrame would be: a text or decimal as an object.
    """

    def __init__(self, path: Path, types: Mapping[str, pa.DataType], **attrs: Any) -> None:
        self._path = path
        self._schema = _schema(types, attrs)
        self._rows = 0

    def __enter__(self) -> "FrameWriter":
        self._writer = parquet.ParquetWriter(self._path, self._schema)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def write(self, rows: pa.Table) -> None:
        """Add rows. Raises ValueError where their columns are others than the file's."""
        self._writer.write_table(rows)
        self._rows += rows.num_rows

    @property
    def file(self) -> FrameFile:
        """The file, once it is whole."""
        return FrameFile(path=self._path, rows=self._rows)


def _schema(types: Mapping[str, pa.DataType], attrs: Mapping[str, Any]) -> pa.Schema:
    """The schema with what pandas notes in it of a frame of such columns."""
    columns = {
        name: pd.Series([], dtype="datetime64[us, UTC]" if pa.types.is_timestamp(kind) else object)
        for name, kind in types.items()
    }
    sample = pd.DataFrame(columns)
    sample.attrs.update(attrs)
    schema = pa.schema(list(types.items()))
    written = sample.to_parquet(engine="pyarrow", index=False, schema=schema)
    return parquet.read_schema(pa.BufferReader(written))
