"""The filters of the Stripe stand-in's lists: equality of a field, and bounds of `created`."""

from collections.abc import Mapping
from operator import eq, ge, gt, le, lt
from typing import Any

from fcb_pipelines.sandbox.standin import Json

_BOUNDS = {
    "created": eq,
    "created[gt]": gt,
    "created[gte]": ge,
    "created[lt]": lt,
    "created[lte]": le,
}
CREATED = frozenset(_BOUNDS)


def matches(row: Json, asked: Mapping[str, str], filters: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether an object passes the asked filters; `filters` has the path to each field that may be asked for."""
    equal = all(_text(_at(row, filters[name])) == asked[name] for name in filters.keys() & asked)
    created = row.get("created", 0)
    return equal and all(
        _BOUNDS[name](created, int(asked[name])) for name in CREATED & asked.keys()
    )


def _at(row: Json, path: tuple[str, ...]) -> Any:
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value
