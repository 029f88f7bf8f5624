"""A whole list of a source, read page by page, and the reason why it may not be whole."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.core.facts.bodies import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The objects of one page. `problem`: why it does not continue the list; then it is the last."""

    items: Sequence[Json]
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """All objects of one list, each once, in the order they came. `problem`: why it may not be whole."""

    items: tuple[Json, ...]
    pages: int
    problem: str | None = None


def swept(
    pages: Callable[[], Iterable[Page]],
    key: str,
    progress: Callable[[int], None] | None = None,
) -> Sweep:
    """Every object of a list, identified by its field `key`; `pages` reads the list from its start.

    A change between two calls can look like a lost page. Therefore a list with a problem is read once
    more, and the answer has the problem of the second reading. `progress` is called with the number of
    objects so far. Failures of `pages` are passed on.
    """
    first = _once(pages(), key, progress)
    if first.problem is None:
        return first
    second = _once(pages(), key, progress)
    return Sweep(items=second.items, pages=first.pages + second.pages, problem=second.problem)


def _once(pages: Iterable[Page], key: str, progress: Callable[[int], None] | None) -> Sweep:
    items: dict[str, Json] = {}
    number, problem = 0, None
    for page in pages:
        number += 1
        items.update((each[key], each) for each in page.items)
        if progress:
            progress(len(items))
        problem = page.problem
        if problem:
            break
    return Sweep(items=tuple(items.values()), pages=number, problem=problem)


def ids_of(tried: str, objects: Any, key: str) -> list[str]:
    """The id of each object of a page, in its field `key`.

    Raises ContractBreach for no list, and for an object without an id: no row could be of it.
    """
    if not isinstance(objects, list):
        raise ContractBreach(tried, "no list of objects")
    ids = []
    for place, each in enumerate(objects, 1):
        found = each.get(key) if isinstance(each, Mapping) else None
        if (
            not isinstance(found, str)
            or not found.isascii()
            or not found.isprintable()
            or not found
        ):
            raise ContractBreach(tried, f"object {place} has no {key} that can be read")
        ids.append(found)
    return ids
