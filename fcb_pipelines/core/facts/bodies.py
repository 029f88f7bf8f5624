"""Bodies of documents: JSON as a source gave it, and how objects of one list find those of another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

# One JSON object. Numbers with a fraction are Decimals.
Json = Mapping[str, Any]

Groups = defaultdict[str | None, list[Json]]


def grouped(pairs: Iterable[tuple[str | None, Json]]) -> Groups:
    """The objects by the key that comes with each, in the order they came; no key is empty."""
    groups: Groups = defaultdict(list)
    for key, each in pairs:
        groups[key].append(each)
    return groups
