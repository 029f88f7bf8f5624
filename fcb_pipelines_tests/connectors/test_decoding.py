"""JSON as sources write it, and as evidence keeps it."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
import simplejson
from hypothesis import example, given
from hypothesis import strategies as st

from fcb_pipelines.connectors.decoding import DEEPEST, TOO_DEEP, decoded
from fcb_pipelines.connectors.store.evidence import EvidenceStore, canonical

nested = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False)
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize(("text", "value"), [
    (b'{"a": 9.50}', {"a": Decimal("9.50")}),
    (b'{"a": 1e3}', {"a": Decimal("1e3")}),
    (b"[Infinity, -Infinity]", [Decimal("Infinity"), Decimal("-Infinity")]),
    (b'"\\ud800"', "\ud800"),
    (b'"\\ud83d\\ude00"', "\U0001f600"),
    (b'"a\xffz"', "a\udcffz"),
    (b"1" + b"0" * 30, 10**30),
    (b"9" * 5000, Decimal("9" * 5000)),
    (b'["[", "\\"]", 1]', ["[", '"]', 1]),
])  # fmt: skip
def test_each_value_is_read_for_what_it_is(text: bytes, value: Any) -> None:
    found = decoded(text)
    assert (found, type(found)) == (value, type(value))


def test_a_text_is_read_as_its_bytes_are() -> None:
    assert decoded('{"a": "\ud800", "b": 9.50}') == {"a": "\ud800", "b": Decimal("9.50")}


@pytest.mark.parametrize("text", [b"NaN", b"1e99999999999999999999", b"-1e-99999999999999999999"])
def test_what_no_decimal_has_is_nan(text: bytes) -> None:
    assert decoded(text).is_nan()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[1,", b'{"a": tr', b"<html>", b'"', b"\xff", b"[" * 9**5]
)
def test_a_text_cut_off_is_no_value(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decoded(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"]":', "}]")])
def test_what_is_nested_too_deep_takes_nothing_with_it(opening: str, closing: str) -> None:
    deep = opening * 20_000 + '"in[side"' + closing * 20_000
    found = decoded(f'{{"before": [1, "}}"], "deep": {deep}, "after": {{"b": 2}}}}')
    assert (found["before"], found["after"]) == ([1, "}"], {"b": 2})
    assert TOO_DEEP in str(found["deep"])
    # One level above is the object itself.
    assert str(found["deep"]).count("[") + str(found["deep"]).count("{") == DEEPEST - 1


@given(nested)
def test_what_is_kept_as_evidence_is_read_back_as_it_was(value: Any) -> None:
    text = canonical({"value": value})
    again = decoded(text)
    assert canonical(again) == text


@given(nested, st.binary(max_size=3), st.integers(0, 50))
@example(value=1, noise=b"e5", place=1)
@example(value="a", noise=b"\xed\xa0\x80", place=1)
@example(value="a", noise=b"\\udc", place=1)
@example(value=[], noise=b"\xef\xbb\xbf", place=0)
@example(value=10**40, noise=b"", place=0)
def test_sound_and_odd_texts_are_read_to_the_same(value: Any, noise: bytes, place: int) -> None:
    text = canonical({"value": value})
    text = text[:place] + noise + text[place:]

    def read(reader: Callable[[bytes], Any]) -> str:
        try:
            return repr(reader(text))
        except ValueError:
            return "no value"

    assert read(decoded) == read(_by_simplejson)


def _by_simplejson(text: bytes) -> Any:
    shown = text.decode("utf-8", "surrogateescape")
    try:
        return simplejson.loads(shown, use_decimal=True, parse_constant=Decimal)
    except InvalidOperation:
        return decoded(text)


@pytest.mark.parametrize("odd", [
    b'"\\ud800"', b'"\\\\\\ud800"', b"NaN", b"-Infinity", b"9" * 5000, b"1e400", b'"\xff"', b'"\\u0000"',
    b"[" * 3000 + b"]" * 3000,
])  # fmt: skip
def test_an_odd_body_is_kept_and_read_back(tmp_path: Path, odd: bytes) -> None:
    body = decoded(b'{"invoice": %s}' % odd)
    store = EvidenceStore(tmp_path)
    name = store.put("stripe", body)
    assert str(store.get("stripe", name)) == str(body)
    assert store.put("stripe", store.get("stripe", name)) == name


def test_a_body_that_is_read_is_written_however_deep_it_is(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    for deep in range(200, 1100):
        body = decoded(b'{"a": %s1%s, "total": 9.50}' % (b"[" * deep, b"]" * deep))
        assert canonical(body).endswith(b'"total":9.50}')
    assert store.get("stripe", store.put("stripe", body))["total"] == Decimal("9.50")
