"""The columns of a frame for Dagster's page.

What each holds (`core.columns`), its type in plain words, and where it comes from (`core.lineage`).
"""

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin

import dagster as dg

from fcb_pipelines.core.columns import AMOUNTS, COLUMNS, OF_ONE
from fcb_pipelines.core.lineage import LINEAGE, Origin, in_words
from fcb_pipelines.defs.runtime import keys

_PLAIN: Mapping[type, str] = {
    str: "text",
    bool: "yes or no",
    int: "integer",
    Decimal: "decimal",
    date: "date",
    datetime: "timestamp",
}


def column_lineage(key: dg.AssetKey) -> dict[str, Any]:
    """Metadata of an asset: from which columns of which assets each of its columns comes."""
    deps = {
        name: [*_expanded(origins)]
        for name, origins in LINEAGE[key.to_user_string()].items()
        if origins
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)}


def _expanded(origins: Iterable[Origin]) -> Iterator[dg.TableColumnDep]:
    """Each origin as Dagster names it; one of every source once a source."""
    for asset, name in origins:
        first, noun = asset.split("/")
        for system in keys.SOURCES if first == "*" else (first,):
            yield dg.TableColumnDep(asset_key=dg.AssetKey([system, noun]), column_name=name)


def column(name: str, hint: Any, of: str = "", origins: Iterable[Origin] = ()) -> dg.TableColumn:
    """One column for Dagster's page; `of` names its type of rows. Raises KeyError for one that nobody described."""
    types_, nullable = _without_none(hint)
    described = OF_ONE.get((of, name)) or COLUMNS[name]
    if origins:
        described = f"{described} From {in_words(origins)}."
    is_amount = name in AMOUNTS and types_ is int
    return dg.TableColumn(
        name,
        type="amount in minor units" if is_amount else type_in_words(types_),
        description=described,
        constraints=dg.TableColumnConstraints(nullable=nullable),
    )


def type_in_words(hint: Any) -> str:
    """`text` for str, `code` for an enum, `list of text` for tuple[str, ...], `record` for a dataclass."""
    if isinstance(hint, str):
        return hint
    if get_origin(hint) is tuple:
        return f"list of {type_in_words(get_args(hint)[0])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "code"
    if is_dataclass(hint):
        return "record"
    return _PLAIN.get(hint, getattr(hint, "__name__", "value"))


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    some = [each for each in get_args(hint) if each is not type(None)]
    return (some[0], True) if len(some) == 1 else (hint, True)
