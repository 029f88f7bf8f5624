"""Stripe's lists as they were, from the bodies that were made of them."""

from collections.abc import Iterable, Mapping

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.stripe.joins import without_evidence

Objects = dict[str, Json]
"""The objects of one list by id."""

# A list -> the parts of a body in which its objects are.
_PARTS = {
    "invoices": ("invoice",),
    "credit_notes": ("credit_note",),
    "refunds": ("refunds",),
    "disputes": ("disputes",),
}
# The lists whose objects may be joined to no document.
_LOOSE = ("refunds", "disputes")


def lists_of(bodies: Iterable[Json], rest: Mapping[str, Iterable[Json]]) -> dict[str, Objects]:
    """Each list by its name, from all bodies and the `rest_of` them; the newest object is first."""
    found: dict[str, Objects] = {name: {} for name in _PARTS}
    for body in bodies:
        for name, parts in _PARTS.items():
            found[name].update((each["id"], each) for part in parts for each in _all(body, part))
    for name in _LOOSE:
        found[name].update((each["id"], each) for each in rest[name])
    return {name: newest_first(objects) for name, objects in found.items()}


def rest_of(
    lists: Mapping[str, Iterable[Json]], bodies: Iterable[Json]
) -> dict[str, tuple[Json, ...]]:
    """The objects of these lists that no body has; a payment of theirs may become an invoice's."""
    joined = {name: set[str]() for name in _LOOSE}
    for body in bodies:
        for name in _LOOSE:
            joined[name].update(each["id"] for each in body.get(name, ()))
    return {
        name: tuple(
            without_evidence(each) for each in lists.get(name, ()) if each["id"] not in joined[name]
        )
        for name in _LOOSE
    }


def newest_first(objects: Objects) -> Objects:
    """The same objects in the order of Stripe's lists."""
    ordered = sorted(objects.values(), key=lambda each: -created_at(each))
    return {each["id"]: each for each in ordered}


def created_at(each: Json) -> int:
    """The time at which an object was made; 0 where that can't be read."""
    created = each.get("created")
    return created if isinstance(created, int) else 0


def _all(body: Json, part: str) -> Iterable[Json]:
    found = body.get(part) or ()
    return (found,) if isinstance(found, Mapping) else found
