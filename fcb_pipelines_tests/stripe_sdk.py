"""What Stripe's own SDK knows of an object: its fields, and the keys that are none of them."""

import inspect
from typing import Any

import stripe
from stripe._object_classes import get_object_class  # the SDK's own table of classes


def fields(kind: type) -> set[str]:
    """The fields that the SDK knows of a class."""
    names = {name for each in kind.__mro__ for name in inspect.get_annotations(each)}
    return {name for name in names if not name.startswith("_") and not name.isupper()}


def strangers(body: Any, kind: type, path: str) -> list[str]:
    """The keys, at any depth, that the SDK's annotations do not know."""
    found = [f"{path}.{key}" for key in body.keys() - fields(kind)]
    inner = getattr(kind, "_inner_class_types", {})
    for key, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and each.get("object") == "list":
                for item in each["data"]:
                    found += strangers(item, class_of(item), f"{path}.{key}")
            elif isinstance(each, dict) and (each.get("object") or key in inner):
                found += strangers(each, inner.get(key) or class_of(each), f"{path}.{key}")
    return found


def class_of(body: Any) -> type:
    """The SDK's class of an object."""
    kind: type = get_object_class("V1", body["object"])
    assert kind is not stripe.StripeObject
    return kind
