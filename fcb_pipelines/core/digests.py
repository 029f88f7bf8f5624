"""Digests of values: SHA-256 of a value's text, 64 hex digits.

Ledgers and frames keep digests for good, so the text of a value never changes: ASCII JSON with sorted
keys, a Decimal without trailing zeros (1.50 is "1.5"), a date as 2026-04-03.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal


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
        self._counting = dict(counting)
        self._where_known = frozenset(where_known)
        self._encoder = json.JSONEncoder(
            sort_keys=True,
            separators=(",", ":") if compact else None,
            default=self._plain,
            check_circular=False,
        )

    def digest(self, value: object) -> str:
        """The digest of a dataclass: every field that counts."""
        return digest(self._encoder.encode(value))

    def _plain(self, value: object) -> object:
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        if isinstance(value, date):
            return value.isoformat()
        kind = type(value)
        names = self._counting.get(kind)
        if names is None:
            names = self._counting[kind] = all_but(kind)
        return {
            name: found
            for name in names
            if (found := getattr(value, name)) is not None or name not in self._where_known
        }


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
