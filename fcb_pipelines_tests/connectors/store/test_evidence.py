"""Evidence: content-addressed, exact, private, provably unchanged."""

import gzip
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import simplejson
from hypothesis import example, given
from hypothesis import strategies as st

from fcb_pipelines.connectors.decoding import decoded
from fcb_pipelines.connectors.failures import ContractBreach, NotFound
from fcb_pipelines.connectors.store.evidence import EvidenceStore, canonical

BODY = {"invoice": {"id": "in_1", "total": 24239, "rate": Decimal("9.9750"), "name": "Café"}}


def test_a_body_comes_back_digit_by_digit(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    name = store.put("stripe", BODY)
    assert store.get("stripe", name) == BODY
    assert str(store.get("stripe", name)["invoice"]["rate"]) == "9.9750"


def test_the_name_depends_on_content_alone(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    turned = {"invoice": dict(reversed(BODY["invoice"].items()))}
    assert store.put("stripe", BODY) == store.put("stripe", turned)
    assert store.put("stripe", BODY) != store.put("stripe", {"invoice": {}})


def test_a_body_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    store.put("lago", BODY)
    [path] = tmp_path.rglob("*.gz")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    store.put("lago", BODY)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]


def test_only_the_owner_can_read(tmp_path: Path) -> None:
    root = tmp_path / "home" / "evidence"
    EvidenceStore(root).put("stripe", BODY)
    modes = {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_dir()}
    assert modes | {root.stat().st_mode & 0o777} == {0o700}
    [path] = root.rglob("*.gz")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_changed_body_is_found_out(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    name = store.put("stripe", BODY)
    [path] = tmp_path.rglob("*.gz")
    path.write_bytes(gzip.compress(canonical({"invoice": {"total": 1}})))
    with pytest.raises(ContractBreach, match="changed after it was kept"):
        store.get("stripe", name)
    path.write_bytes(b"not gzip")
    with pytest.raises(ContractBreach, match="damaged"):
        store.get("stripe", name)


def test_an_unknown_name_is_not_found_and_a_path_is_no_name(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    with pytest.raises(NotFound):
        store.get("stripe", "0" * 64)
    with pytest.raises(ValueError, match="no name of a body"):
        store.get("stripe", "../../etc/passwd")


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        canonical({"lines": [{"amount": 1.1}]})


def test_no_float_hides_in_a_part_of_a_body() -> None:
    hidden = OrderedDict(a=[{"b": 1.5}])
    for value in (1.1, float("nan"), (2.0,), {"a": [{"b": (None, -0.0)}]}, hidden):
        with pytest.raises(TypeError, match="float"):
            canonical({"lines": [1, "a", value]})


def test_what_no_json_gives_is_refused() -> None:
    for value in (date(2026, 5, 1), UUID(int=1), b"a", {1}):
        with pytest.raises(TypeError, match=type(value).__name__):
            canonical({"lines": [{"day": value}]})


NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.decimals(allow_nan=False)
TEXTS = st.text() | st.sampled_from(["\ud800", "\udc80a", '\u2028\x7f\x00\x1f/\\"', "é"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES)
@example({"b": 1, "a": {"𝒳": 2, "\uffff": 3}})
@example(2**64)
@example(Decimal("1E+2"))
@example(Decimal("NaN"))
def test_a_body_has_the_text_that_json_with_decimals_has_always_given_it(value: Any) -> None:
    text = simplejson.dumps(
        {"a": value}, use_decimal=True, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert canonical({"a": value}) == text.encode("utf-8", "backslashreplace")
    assert canonical(decoded(canonical({"a": value}))) == canonical({"a": value})


def test_a_body_may_be_nested_as_deep_as_it_can_be_read() -> None:
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    assert canonical({"a": deep}) == b'{"a":' + b"[" * 401 + b"]" * 401 + b"}"


def test_a_name_that_is_known_to_be_there_is_not_looked_for(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    name = store.put("stripe", BODY)
    store.erase("stripe", name)
    assert store.put("stripe", BODY, {name}) == name
    with pytest.raises(NotFound):
        store.get("stripe", name)
    assert store.put("stripe", BODY, {"another"}) == name
    assert store.get("stripe", name) == BODY
