"""How a rule is replaced: a public function of the product, wherever the product reads it.

A fault names the function itself, so one that moved or is named otherwise is noticed when the faults are
imported. What a rule does inside is never touched: a fault is told by what the function is given, or by
what it answers.
"""

import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from types import ModuleType
from typing import Any

import pytest

PRODUCT = "fcb_pipelines"

Seed = Callable[[pytest.MonkeyPatch], None]


def instead(right: Callable[..., Any], wrong: Any, *, only_in: ModuleType | None = None) -> Seed:
    """`wrong` in the place of a public function or method; in one module alone where it is named."""

    def seed(patch: pytest.MonkeyPatch) -> None:
        for owner, name in places(right, only_in):
            patch.setattr(owner, name, wrong)

    return seed


def after(
    right: Callable[..., Any], change: Callable[..., Any], *, only_in: ModuleType | None = None
) -> Seed:
    """The right answer, changed: `change` takes it and what the function was given."""

    def wrong(*given: Any, **named: Any) -> Any:
        return change(right(*given, **named), *given)

    return instead(right, wrong, only_in=only_in)


def before(right: Callable[..., Any], change: Callable[..., Any]) -> Seed:
    """The right function over something else: `change` makes it of the first thing that it was given."""

    def wrong(first: Any, *given: Any, **named: Any) -> Any:
        return right(change(first), *given, **named)

    return instead(right, wrong)


def value(owner: Any, name: str, wrong: Any) -> Seed:
    """Another value of a public constant, or another property of a class; it must be there."""
    getattr(owner, name)
    return partial(_set, owner=owner, name=name, wrong=wrong)


def all_of(*seeds: Seed) -> Seed:
    """Several seeds at once."""

    def seed(patch: pytest.MonkeyPatch) -> None:
        for each in seeds:
            each(patch)

    return seed


def in_a_copy(part: str, change: Callable[[Any], None]) -> Callable[[Any], Any]:
    """What makes another body of a source's body: its `part` (`invoice`, …) changed in a copy."""

    def changed(body: Any) -> Any:
        if not isinstance(body.get(part), dict):
            return body
        body = deepcopy(body)
        change(body[part])
        return body

    return changed


def places(
    right: Callable[..., Any], only_in: ModuleType | None = None
) -> Iterator[tuple[Any, str]]:
    """Where the product reads a function: its class, or every module that holds it, by any name."""
    *classes, name = right.__qualname__.split(".")
    if classes:
        owner: Any = sys.modules[right.__module__]
        for each in classes:
            owner = getattr(owner, each)
        yield owner, name
        return
    found = [
        (module, name)
        for module in ([only_in] if only_in else _product())
        for name, held in vars(module).items()
        if held is right
    ]
    assert found, f"nothing reads {name}"
    yield from found


def _product() -> list[ModuleType]:
    loaded = list(sys.modules.items())
    return [module for name, module in loaded if name.split(".")[0] == PRODUCT]


def _set(patch: pytest.MonkeyPatch, *, owner: Any, name: str, wrong: Any) -> None:
    patch.setattr(owner, name, wrong)
