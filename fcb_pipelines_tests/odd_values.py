"""One value of a JSON document replaced by an odd one, as bytes: what no API should ever send."""

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

_HERE = "@@here@@"

# Each as the bytes that stand in the document. None: the key or element is left out.
ODD: Sequence[bytes | None] = (
    None, b"null", b"true", b"false", b"0", b"-1", b"1", b"9.5", b"1e400", b"1e99999999999999999999",
    b"NaN", b"Infinity", b"-Infinity", b"1" + b"0" * 30, b"-1" + b"0" * 30, b"9" * 5000,
    b"9223372036854775808", b"99999999999999", b"253402300800", b"-62135596801",
    b'""', b'"text"', b'"text:with:colons"', b'"\\ud800"', b'"a\\udc00z"', b'"\\u0000"', b'"\\u001b[31m"',
    b'"\xed\xa0\x80"', b'"\xff"', b'"' + b"x" * 20_000 + b'"', b'"NaN"', b'"1e400"', b'"0001-01-01"',
    b'"9999-12-31T23:59:59Z"', b'"2026-02-30"', b'"2026-04-30"', b"[]", b"{}", b"[[]]", b"[null]",
    b'["text"]', b"[{}]", b'{"id": null}', b'{"id": []}', b'{"data": [], "has_more": true}',
    b"[" * 300 + b"]" * 300, b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
)  # fmt: skip

Place = tuple[str | int, ...]


@st.composite
def paths(draw: st.DrawFn, value: Any) -> Place:
    """The place of a value within an object."""
    path: Place = ()
    while isinstance(value, dict | list) and value and (not path or draw(st.integers(0, 3))):
        key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        path, value = (*path, key), value[key]
    return path


def replaced(whole: Any, path: Place, odd: bytes | None) -> bytes:
    """The JSON of `whole` with the bytes `odd` in this place."""
    changed = deepcopy(whole)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    if odd is None:
        del parent[path[-1]]
        return json.dumps(changed, default=str).encode()
    parent[path[-1]] = _HERE
    return json.dumps(changed, default=str).encode().replace(f'"{_HERE}"'.encode(), odd)
