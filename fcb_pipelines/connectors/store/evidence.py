"""Evidence: the bodies that sources sent, kept compressed and named by their content.

A body's name is the SHA-256 of its canonical text, so the same body is stored once and a stored
body can be proved unchanged. Folders are 0700 and files 0600: bodies hold customers' data.
"""

import gzip
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

import simplejson

from fcb_pipelines.connectors.decoding import decoded
from fcb_pipelines.connectors.failures import ContractBreach, NotFound
from fcb_pipelines.connectors.sources import Body
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.digests import digest

# Of one text where they have the same digits.
_NUMBERS = {int, Decimal}


def canonical(body: Body) -> bytes:
    """The one text of a body: keys sorted, no spaces, Decimals digit by digit. Never a float.

    A lone surrogate, which UTF-8 lacks, is written as JSON's own escape of it.

    Raises TypeError for a float anywhere in the body: it would have lost digits already.
    """
    _refuse_floats(body)
    text = simplejson.dumps(
        body, use_decimal=True, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return text.encode("utf-8", "backslashreplace")


def is_same(one: Any, other: Any) -> bool:
    """Whether two bodies have one text, told without making it: parts that they share are not looked into."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    kinds = {type(one), type(other)}
    return (len(kinds) == 1 or kinds == _NUMBERS) and str(one) == str(other)


class EvidenceStore:
    """Content-addressed bodies under `root`, one folder a source. Safe for concurrent writers."""

    def __init__(self, root: Place) -> None:
        self._root = root

    def put(self, source: str, body: Body) -> str:
        """Keep a body and return its name (64 hex digits). A body is written only once."""
        text = canonical(body)
        name = digest(text)
        path = self._path(source, name)
        if not places.exists(path):
            # mtime=0 makes equal bodies equal files.
            places.write_bytes(path, gzip.compress(text, compresslevel=6, mtime=0))
        return name

    def get(self, source: str, name: str) -> Body:
        """A body by name. Raises NotFound when it is not there, ContractBreach when it changed."""
        path = self._path(source, name)
        tried = f"reading evidence {source}/{name}"
        try:
            text = gzip.decompress(places.read_bytes(path))
        except FileNotFoundError:
            raise NotFound(tried, "no such body", remedy="fcb sync") from None
        except (OSError, EOFError) as error:
            raise ContractBreach(tried, f"the file is damaged ({error})") from error
        if digest(text) != name:
            raise ContractBreach(tried, "the body was changed after it was kept")
        body: Body = decoded(text)
        return body

    def containing(self, words: Collection[str]) -> Iterator[tuple[str, str]]:
        """(source, name) of each body that has one of these words as the whole of a text in it."""
        wanted = [simplejson.dumps(word, ensure_ascii=False).encode() for word in words]
        for place in places.files(self._root, ".json.gz"):
            text = gzip.decompress(places.read_bytes(place))
            if any(word in text for word in wanted):
                yield place.parent.parent.name, place.name.removesuffix(".json.gz")

    def erase(self, source: str, name: str) -> None:
        """Remove a body for good; one that is gone already is no error."""
        places.remove(self._path(source, name))

    def _path(self, source: str, name: str) -> Place:
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise ValueError(f"{name!r} is no name of a body")
        return self._root / source / name[:2] / f"{name}.json.gz"


def _refuse_floats(body: object) -> None:
    left = [body]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list | tuple):
            left.extend(value)
        elif isinstance(value, float):
            raise TypeError(f"float {value!r} in a body: parse JSON numbers as Decimal")
