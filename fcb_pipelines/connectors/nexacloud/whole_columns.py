"""Columns that surely keep their contract, seen as a whole: a fraction of what asking each row costs.

A column for which nothing here is sure may be sound all the same; then its rows are asked.
"""

from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
from pyarrow import compute

from fcb_pipelines.connectors.nexacloud.values import UUID_PATTERN, is_number


def is_sound(values: pd.Series, kind: str, *, nullable: bool, key: bool) -> bool:
    """Whether a column surely keeps its contract: its type, whether it may be null or has a value twice."""
    if not nullable and values.isna().any():
        return False
    return _holds_throughout(kind, values) and not (key and _has_twice(values))


def _has_twice(values: pd.Series) -> bool:
    return len(set(values.tolist())) < len(values)


def _holds_throughout(kind: str, values: pd.Series) -> bool:
    """Whether all values are surely of a contract's type; missing ones are of any."""
    if values.dtype == "str":
        return kind == "text" or (kind == "uuid" and _are_uuids(values))
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        instants = kind in ("timestamptz", "timestamptz or date")
        return instants and (bool(values.isna().all()) or _are_usual(values.min(), values.max()))
    found = [value for value in values.tolist() if value is not None]
    types = {*map(type, found)}
    if types == {Decimal}:
        return kind == "numeric" and all(map(is_number, found))
    if types == {date}:
        return kind == "timestamptz or date" and _are_usual(min(found), max(found))
    return not types or (types == {bool} and kind == "boolean")


def _are_uuids(values: pd.Series) -> bool:
    # Arrow's `$` is the end of the text, even before a newline.
    texts = pa.array(values)
    match = compute.match_substring_regex(texts, f"^{UUID_PATTERN}$", ignore_case=True)
    return bool(compute.all(match, min_count=0).as_py())


def _are_usual(first: date, last: date) -> bool:
    """Whether every calendar and every time zone have the moments between these two."""
    return first.year > 1 and last.year < 9999
