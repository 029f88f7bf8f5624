"""Bodies of documents: the JSON of a source, and objects grouped by a key to join lists."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

# One JSON object. Numbers with a fraction are Decimals.
Json = Mapping[str, Any]

Groups = defaultdict[str | None, list[Json]]


def grouped(pairs: Iterable[tuple[str | None, Json]]) -> Groups:
    """The objects grouped by the key that each comes with, in their order."""
    groups: Groups = defaultdict(list)
    for key, each in pairs:
        groups[key].append(each)
    return groups
