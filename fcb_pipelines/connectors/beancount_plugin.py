"""A Beancount plugin that finds two mistakes in our books: a repeated id and a lock without effect.

Beancount's loader runs it (`plugin "fcb_pipelines.connectors.beancount_plugin"` in the books), so
Fava and bean-check report them as well as the adapter. It imports nothing of Beancount's.
"""

from typing import Any, NamedTuple

__plugins__ = ("external_ids_are_unique", "locks_are_understood")

LOCK_KINDS = ("invoices", "payments", "all")


class BooksError(NamedTuple):
    """An error in the shape that Beancount expects: the place, the message and the entry."""

    source: dict[str, Any]
    message: str
    entry: Any


def external_ids_are_unique(
    entries: list[Any], options: dict[str, Any]
) -> tuple[list[Any], list[BooksError]]:
    """The entries unchanged, and an error for each external id or partner link that is used twice."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    errors = []
    for entry in entries:
        identity = _identity(entry)
        if identity is None:
            continue
        first = seen.setdefault(identity, entry.meta)
        if first is not entry.meta:
            where = f"{first['filename']}:{first['lineno']}"
            message = f"{identity[0]} {identity[1]!r} is used twice, first at {where}"
            errors.append(BooksError(entry.meta, message, entry))
    return entries, errors


def locks_are_understood(
    entries: list[Any], options: dict[str, Any]
) -> tuple[list[Any], list[BooksError]]:
    """The entries unchanged, and an error for each lock of an unknown kind: it would lock nothing."""
    errors = []
    for entry in entries:
        if type(entry).__name__ != "Custom" or entry.type != "lock_date":
            continue
        values = [value.value for value in entry.values]
        if len(values) != 1 or values[0] not in LOCK_KINDS:
            message = f"a lock_date is of one kind: {', '.join(LOCK_KINDS)}"
            errors.append(BooksError(entry.meta, message, entry))
    return entries, errors


def _identity(entry: Any) -> tuple[str, str] | None:
    directive = type(entry).__name__
    if directive in ("Transaction", "Note") and isinstance(entry.meta.get("external_id"), str):
        return "external id", entry.meta["external_id"]
    if directive == "Custom" and entry.type in ("partner", "partner_link", "books"):
        values = [str(value.value) for value in entry.values]
        return {
            "partner": ("partner", " ".join(values)),
            "partner_link": ("partner link", values[-1] if values else ""),
            # One set of books has one identity, whatever it is.
            "books": ("books", "identity"),
        }[entry.type]
    return None
