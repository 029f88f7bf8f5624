"""Frames on disk: rows of frozen values as parquet, a file an asset and partition.

    rows of one dataclass  <->  DataFrame  <->  <store>/frames/<system>/<noun>[/<period>].parquet

A field of a plain type is a column of its own; anything nested is a column of JSON text. Decimals are
text, since a parquet decimal has one scale for all rows. Facts about the whole frame (the snapshot it
was built from) travel in `DataFrame.attrs`. A column of values that parquet has no one type for (a
number among texts) is written as JSON text of kind and value, and read back as it was.
"""

import io
import json
import os
import shutil
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import islice
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from pydantic import TypeAdapter

from fcb_pipelines.connectors.stopping import stop_if_asked
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.digests import digest

Row = TypeVar("Row")
Made = TypeVar("Made")

_MIXED = "columns of several kinds"
_NO_ONE_TYPE = (pa.ArrowException, TypeError, ValueError, OverflowError)
_KINDS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "float": float,
    "int": int,
    "bool": lambda text: text == "True",
}

# What was made of the frames that nobody changes: by the frame's identity, then by its name.
_KEPT: dict[int, dict[Hashable, Any]] = {}

_DTYPES: dict[type, str] = {int: "Int64", bool: "boolean", str: "object", Decimal: "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFile:
    """A frame that is a file already, outside of any store: its place and the number of its rows.

    `write_frame` moves it to where a frame belongs.
    """

    path: Path
    rows: int

    def head(self, rows: int = 5) -> pd.DataFrame:
        """The frame's first rows; a missing value is None."""
        with parquet.ParquetFile(self.path) as file:
            batches = [*islice(file.iter_batches(batch_size=rows), 1)]
            table = pa.Table.from_batches(batches, file.schema_arrow)
        frame = frame_of(table)
        return frame.astype(object).where(frame.notna(), None)


class FrameStore:
    """Every frame of one dataset, by asset key path and partition. Files are the owner's only.

    With `once` a file is read once, as long as it stays as it is: its frame is shared, and nobody may
    change it.
    """

    def __init__(self, root: Place, *, once: bool = False) -> None:
        self.root = root
        self._once: dict[Place, tuple[str, pd.DataFrame]] | None = {} if once else None

    def path(self, key: Sequence[str], partition: str | None = None) -> Place:
        """The file of the frame of an asset (and partition)."""
        folder = self.root.joinpath(*key)
        return folder / f"{partition}.parquet" if partition else folder.with_suffix(".parquet")

    def read(self, key: Sequence[str], partition: str | None = None) -> pd.DataFrame | None:
        """The frame, or None where it was never built."""
        try:
            return self.load(self.path(key, partition))
        except FileNotFoundError:
            return None

    def load(self, path: Place) -> pd.DataFrame:
        """The frame in one of the store's files. Raises FileNotFoundError."""
        if self._once is None:
            return read_frame(path)
        signature = places.signature(path)
        if self._once.get(path, ("",))[0] != signature:
            self._once[path] = signature, kept(read_frame(path))
        return self._once[path][1]

    def signature(self, key: Sequence[str], partition: str | None = None) -> str:
        """A text that differs once the frame's file has been written anew; empty without a file."""
        try:
            return places.signature(self.path(key, partition))
        except FileNotFoundError:
            return ""


def attrs_of(schema: pa.Schema) -> dict[str, Any]:
    """The attrs of the frame in a file with this schema."""
    told: dict[str, Any] = json.loads((schema.metadata or {}).get(b"PANDAS_ATTRS", b"{}"))
    return told


def read_frame(path: Place) -> pd.DataFrame:
    """The frame in a file, with its attrs; work may be stopped before it."""
    stop_if_asked()
    source = path if isinstance(path, Path) else io.BytesIO(places.read_bytes(path))
    # Half the cost of pandas.read_parquet, which looks for a dataset of many files first.
    with parquet.ParquetFile(source) as file:
        return frame_of(file.read(use_threads=False))


def read_columns(path: Place, names: Sequence[str] | None = None) -> pa.Table:
    """Some columns of the frame in a file as it is stored, those that it has; or all. Raises FileNotFoundError."""
    stop_if_asked()
    source = path if isinstance(path, Path) else io.BytesIO(places.read_bytes(path))
    with parquet.ParquetFile(source) as file:
        known = file.schema_arrow.names
        wanted = None if names is None else [n for n in names if n in known]
        return file.read(columns=wanted, use_threads=False)


def read_attrs(path: Place) -> dict[str, Any]:
    """The attrs of the frame in a file, without its rows. Raises FileNotFoundError."""
    source = path if isinstance(path, Path) else io.BytesIO(places.read_bytes(path))
    with parquet.ParquetFile(source) as file:
        return attrs_of(file.schema_arrow)


def content_digest(path: Place, names: Sequence[str] | None = None) -> str:
    """The digest of the rows in a file, or of these columns; attrs don't count. Raises FileNotFoundError."""
    return rows_digest(read_columns(path, names))


def rows_digest(table: pa.Table) -> str:
    """The digest of a stored frame's rows; attrs don't count."""
    table = _of_rows(table).replace_schema_metadata(None).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return digest(sink.getvalue().to_pybytes())


def _of_rows(table: pa.Table) -> pa.Table:
    """The table with its texts of one type: a frame that was read writes them as another than one of rows."""
    for place, field in enumerate(table.schema):
        if field.type == pa.large_string():
            table = table.set_column(place, field.name, table[field.name].cast(pa.string()))
    return table


def frame_of(table: pa.Table) -> pd.DataFrame:
    """The frame that is stored so, with its attrs."""
    frame: pd.DataFrame = table.to_pandas()
    frame.attrs.update(attrs_of(table.schema))
    for name in frame.attrs.pop(_MIXED, ()):
        values = [None if text is None else _unpacked(text) for text in values_of(frame[name])]
        frame[name] = pd.Series(values, dtype="object", index=frame.index)
    return frame


def write_frame(frame: pd.DataFrame | FrameFile, path: Place) -> None:
    """Write a frame whole: whoever reads meanwhile has the old one."""
    places.write_file(path, lambda temporary: _fill(temporary, frame))


def _fill(temporary: str, frame: pd.DataFrame | FrameFile) -> None:
    if isinstance(frame, FrameFile):
        shutil.move(frame.path, temporary)
        os.chmod(temporary, 0o600)
    else:
        parquet.write_table(to_table(frame), temporary)


def to_table(frame: pd.DataFrame) -> pa.Table:
    """The frame as it is stored, with its attrs."""
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except _NO_ONE_TYPE:
        frame = _packed(frame)
        table = pa.Table.from_pandas(frame, preserve_index=False)
    # Where pandas has them, too.
    told = {**table.schema.metadata, b"PANDAS_ATTRS": json.dumps(frame.attrs)}
    return table.replace_schema_metadata(told)


def to_frame(rows: Iterable[Row], row_type: type[Row], **attrs: Any) -> pd.DataFrame:
    """Rows of one dataclass as a frame; columns are the fields, also where there is no row."""
    rows = tuple(rows)
    columns = {}
    for name, (kind, nested) in _layout(cast(Any, row_type)).items():
        values = [getattr(row, name) for row in rows]
        if nested is not None:
            texts = [None if v is None else nested.dump_json(v).decode() for v in values]
            columns[name] = pd.Series(texts, dtype="object")
        else:
            plain = [_plain(value) for value in values]
            columns[name] = pd.Series(plain, dtype=_DTYPES.get(kind, "object"))
    frame = pd.DataFrame(columns)
    frame.attrs.update(attrs)
    return frame


def to_rows(frame: pd.DataFrame, row_type: type[Row]) -> tuple[Row, ...]:
    """The rows of a frame. Raises pydantic.ValidationError where a value is not of its type.

    A column that a frame of an earlier version lacks has its field's default; without one the
    frame can't be read, and that raises KeyError.
    """
    return made_once(frame, cast(Hashable, row_type), lambda: _parsed(frame, row_type))


def values_of(column: pd.Series) -> list[Any]:
    """The values of a frame's column; every kind of missing value is None."""
    values: list[Any] = column.tolist()
    lost = column.isna()
    if not lost.any():
        return values
    return [None if gone else value for value, gone in zip(values, lost.tolist(), strict=True)]


def kept(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, marked as one that nobody changes."""
    if id(frame) not in _KEPT:
        _KEPT[id(frame)] = {}
        weakref.finalize(frame, _KEPT.pop, id(frame), None)
    return frame


def made_once(frame: pd.DataFrame, name: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` makes of the frame, under this name; made once where nobody changes the frame."""
    made = _KEPT.get(id(frame))
    if made is None:
        return make()
    if name not in made:
        made[name] = make()
    return cast(Made, made[name])


def _parsed(frame: pd.DataFrame, row_type: type[Row]) -> tuple[Row, ...]:
    layout = _layout(cast(Any, row_type))
    later = {one.name for one in fields(cast(Any, row_type)) if _has_default(one)}
    columns = {}
    for name, (_, nested) in layout.items():
        if name not in frame.columns and name in later:
            continue
        values = values_of(frame[name])
        if nested is not None:
            # Frozen values: those of equal texts may be one and the same.
            of_text = {text: nested.validate_json(text) for text in {*values} - {None}}
            values = [of_text.get(text) for text in values]
        columns[name] = values
    names = list(columns)
    records = [
        dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return tuple(_adapter(cast(Any, row_type)).validate_python(records))


@cache
def _layout(row_type: Any) -> dict[str, tuple[type, "TypeAdapter[Any] | None"]]:
    """Each field's plain type and, for a nested one, its adapter to JSON and back."""
    hints = get_type_hints(row_type)
    layout = {}
    for field in fields(row_type):
        hint = hints[field.name]
        kind = _without_none(hint)
        plain = isinstance(kind, type) and issubclass(
            kind, int | str | bool | Decimal | date | datetime
        )
        layout[field.name] = (kind, None if plain else TypeAdapter(hint))
    return layout


@cache
def _adapter(row_type: Any) -> TypeAdapter[list[Any]]:
    return TypeAdapter(list[row_type])


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not NoneType]
        return kinds[0] if len(kinds) == 1 else hint
    return hint


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def _packed(frame: pd.DataFrame) -> pd.DataFrame:
    mixed = [str(name) for name in frame.columns if not _has_one_type(frame[name])]
    packed = frame.copy(deep=False)
    for name in mixed:
        values = values_of(frame[name])
        texts = [None if value is None else _packed_value(value) for value in values]
        packed[name] = pd.Series(texts, dtype="object", index=frame.index)
    packed.attrs = {**frame.attrs, _MIXED: mixed}
    return packed


def _has_one_type(column: pd.Series) -> bool:
    try:
        pa.array(column, from_pandas=True)
    except _NO_ONE_TYPE:
        return False
    return True


def _packed_value(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, datetime):
        kind, value = "datetime", value.isoformat()
    return json.dumps([kind if kind in _KINDS else "str", str(value)])


def _unpacked(text: str) -> Any:
    kind, value = json.loads(text)
    return _KINDS[kind](value)
