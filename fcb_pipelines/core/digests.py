"""The one way a value becomes a digest: SHA-256 of its one text, 64 hex digits.

Ledgers and frames keep digests for good, so the text of a value never changes: JSON in ASCII with its
keys sorted, an exact number without trailing zeros (1.50 is "1.5"), a day as 2026-04-03.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal


def digest(text: str | bytes) -> str:
    """The digest of a text, in UTF-8 where it is not bytes already."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def digest_of_lines(lines: Iterable[str]) -> str:
    """The digest of lines in whatever order they come; one that comes twice counts twice."""
    return digest(json.dumps(sorted(lines)))


def all_but(kind: type, *left_out: str) -> tuple[str, ...]:
    """The names of a dataclass's fields without these."""
    return tuple(field.name for field in fields(kind) if field.name not in left_out)


class Form:
    """How dataclasses are told for a digest: which of their fields count, and how the text is spaced.

    `counting` names those fields by class, all of them where a class is not named; fields in
    `where_known` count only where they are not None. Fields hold texts, whole numbers, Decimals, days,
    None, further dataclasses and tuples of these; of anything else `digest` raises TypeError.
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
        """The digest of a dataclass, of all that counts in it."""
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
        told = {name: getattr(value, name) for name in names}
        for name in self._where_known & told.keys():
            if told[name] is None:
                del told[name]
        return told


class Digested:
    """A frozen value that is told in one form, and keeps its digest once it was asked for."""

    __slots__ = ("_digest",)

    _digest: str

    def digest_in(self, form: Form) -> str:
        """The digest of this value in its form."""
        try:
            return self._digest
        except AttributeError:
            object.__setattr__(self, "_digest", form.digest(self))
            return self._digest
