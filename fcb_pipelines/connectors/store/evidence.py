"""Evidence: the bodies that sources sent, kept compressed and named by their content.

A body's name is the SHA-256 of its canonical text, so the same body is stored once and a stored
body can be proved unchanged. Folders are 0700 and files 0600: bodies hold customers' data.
"""

import gzip
import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

import orjson
import simplejson

from fcb_pipelines.connectors.decoding import cut_off, decoded
from fcb_pipelines.connectors.failures import ContractBreach, NotFound
from fcb_pipelines.connectors.sources import Body
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.digests import digest

_NAME = re.compile("[0-9a-f]{64}")


def canonical(body: Body) -> bytes:
    """The one text of a body: keys sorted, no spaces, Decimals digit by digit. Never a float.

    A lone surrogate, which UTF-8 lacks, is written as JSON's own escape of it; of a body nested too deep for Python
    what is deeper than `decoding.DEEPEST` is left out.

    Raises TypeError for a float anywhere in the body, which would have lost digits already, and for what is no JSON.
    """
    _refuse_other_values(body)
    try:
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=_number)
    except TypeError:
        # Rare: what has no UTF-8, an integer of more than 64 bits, a body nested deeper than 250.
        try:
            return _odd(body)
        except RecursionError:
            # A reader may reach a little deeper than the writer.
            return _odd(cut_off(body))


def _odd(body: Body) -> bytes:
    text = simplejson.dumps(
        body, use_decimal=True, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return text.encode("utf-8", "backslashreplace")


class EvidenceStore:
    """Content-addressed bodies under `root`, one folder a source. Safe for concurrent writers."""

    def __init__(self, root: Place) -> None:
        self._root = root

    def put(self, source: str, body: Body, there: Collection[str] = ()) -> str:
        """Keep a body and return its name (64 hex digits). A body is written only once.

        `there` are names that were found in the store just now.
        """
        text = canonical(body)
        name = digest(text)
        if name not in there and not places.exists(path := self._path(source, name)):
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
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a body")
        return self._root / f"{source}/{name[:2]}/{name}.json.gz"


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"no JSON: {value!r}")


def _refuse_other_values(body: Body) -> None:
    """Raise TypeError for anything that JSON with Decimals does not give: orjson writes more than that."""
    parts: list[Any] = [body]
    # It grows as it is read.
    for part in parts:
        for value in part.values() if isinstance(part, dict) else part:
            kind = type(value)
            if kind is str or kind is int or value is None:
                continue
            if isinstance(value, dict | list | tuple):
                parts.append(value)
            elif not isinstance(value, str | int | Decimal):
                raise TypeError(
                    f"{kind.__name__} {value!r} in a body: numbers are integers or Decimals, all else texts"
                )
