"""Evidence: content-addressed, exact, private, provably unchanged."""

import gzip
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fcb_pipelines.connectors.failures import ContractBreach, NotFound
from fcb_pipelines.connectors.store.evidence import EvidenceStore, canonical, is_same

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


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "1", "None"])
    | st.sampled_from([Decimal("1"), Decimal("1.0"), Decimal("1.00")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)  # fmt: skip


@given(VALUES, VALUES)
@example({"a": 1}, {"a": Decimal("1")})
def test_two_bodies_are_the_same_where_their_texts_are(one: Any, other: Any) -> None:
    assert is_same({"a": one}, {"a": other}) is (canonical({"a": one}) == canonical({"a": other}))
    assert is_same({"a": one}, deepcopy({"a": one}))
