"""Digests of values: SHA-256 of a value's text, 64 hex digits.

Ledgers and frames keep digests for good, so the text of a value never changes: ASCII JSON with sorted
keys, a Decimal without trailing zeros (1.50 is "1.5"), a date as 2026-04-03.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from types import NoneType


def digest(text: str | bytes) -> str:
    """The digest of bytes, or of a text in UTF-8."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def keyed_digest(key: bytes, content: bytes) -> str:
    """The HMAC-SHA256 of bytes under a key, 64 hex digits: only who has the key can make it."""
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def digest_of_lines(lines: Iterable[str]) -> str:
    """The digest of lines regardless of their order; a repeated line counts each time."""
    return digest(json.dumps(sorted(lines)))


def digest_of_json(value: object) -> str:
    """The digest of plain JSON values, whatever the order of their keys."""
    return digest(json.dumps(value, sort_keys=True, separators=(",", ":")))


def all_but(kind: type, *left_out: str) -> tuple[str, ...]:
    """The names of a dataclass's fields except `left_out`."""
    return tuple(field.name for field in fields(kind) if field.name not in left_out)


class Form:
    """The rules by which dataclasses become text for a digest.

    `counting` lists the fields that count, by class; every field counts in a class that is not listed.
    Fields in `where_known` count only where they are not None. `compact` leaves out the spaces of the
    JSON. Fields hold texts, integers, Decimals, dates, None, further dataclasses and tuples of these;
    `digest` raises TypeError for anything else.
    """

    def __init__(
        self,
        counting: Mapping[type, Collection[str]],
        *,
        where_known: Collection[str] = (),
        compact: bool = True,
    ) -> None:
        self._writers = _Writers(counting, frozenset(where_known), compact=compact)

    def digest(self, value: object) -> str:
        """The digest of a dataclass: every field that counts."""
        return digest(self._writers[type(value)](value))


class _Writers(dict[type, Callable[..., str]]):
    """How a value of each class is written as JSON; a class is added when its first value comes."""

    def __init__(
        self,
        counting: Mapping[type, Collection[str]],
        where_known: frozenset[str],
        *,
        compact: bool,
    ) -> None:
        super().__init__()
        self._counting = counting
        self._where_known = where_known
        self._comma, self._colon = (",", ":") if compact else (", ", ": ")

    def __missing__(self, kind: type) -> Callable[..., str]:
        self[kind] = self._writer(kind)
        return self[kind]

    def _writer(self, kind: type) -> Callable[..., str]:
        if kind is NoneType:
            return lambda value: "null"
        if kind is bool:
            return lambda value: "true" if value else "false"
        if issubclass(kind, str):
            return encode_basestring_ascii
        if issubclass(kind, int):
            return int.__repr__
        if issubclass(kind, Decimal):
            return lambda value: f'"{value.normalize():f}"'
        if issubclass(kind, date):
            return lambda value: f'"{value.isoformat()}"'
        if issubclass(kind, tuple):
            return lambda value: f"[{self._comma.join(self._texts(value))}]"
        return self._of_fields(kind)

    def _of_fields(self, kind: type) -> Callable[..., str]:
        """The writer of a dataclass: an object of its counting fields, sorted by their names."""
        counting = self._counting.get(kind)
        names = sorted(all_but(kind) if counting is None else counting)
        labels = [f'"{name}"{self._colon}' for name in names]
        # A second name, since `attrgetter` makes no tuple of one.
        values_of = attrgetter(*names, "__class__")
        if self._where_known.isdisjoint(names):
            whole = f"{{{self._comma.join(label + '%s' for label in labels)}}}"
            return lambda value: whole % tuple(self._texts(values_of(value)[:-1]))

        def write(value: object) -> str:
            found = zip(names, labels, values_of(value)[:-1], strict=True)
            texts = [
                label + self[type(each)](each)
                for name, label, each in found
                if each is not None or name not in self._where_known
            ]
            return f"{{{self._comma.join(texts)}}}"

        return write

    def _texts(self, values: Iterable[object]) -> list[str]:
        return [self[type(value)](value) for value in values]


class Digested:
    """A frozen value with one form of digest, computed once and kept."""

    __slots__ = ("_digest",)

    _digest: str

    def digest_in(self, form: Form) -> str:
        """The digest of this value in `form`; every call must pass the same form."""
        try:
            return self._digest
        except AttributeError:
            object.__setattr__(self, "_digest", form.digest(self))
            return self._digest
