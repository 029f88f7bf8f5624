"""Bodies of documents: the JSON of a source, and objects grouped by a key to join lists."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# One JSON object. Numbers with a fraction are Decimals.
Json = Mapping[str, Any]

Groups = defaultdict[str | None, list[Json]]


def part_of(value: Any, name: str) -> Json:
    """The object that a value has under this name; an empty one where it has none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def objects_in(value: Any) -> list[Json]:
    """The objects of a list, in their order; none of what is no list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [each for each in value if isinstance(each, Mapping)]


def grouped(pairs: Iterable[tuple[str | None, Json]]) -> Groups:
    """The objects grouped by the key that each comes with, in their order."""
    groups: Groups = defaultdict(list)
    for key, each in pairs:
        groups[key].append(each)
    return groups
