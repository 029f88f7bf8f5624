"""A dataset's expected.json is a subset of the status; a difference is named by its path."""

from typing import Any

import pytest

from fcb_pipelines.cli.expected import differences, gates_to_fail

STATUS: dict[str, Any] = {
    "periods": {"2026-04": {"population": 2, "post": 1, "skip": 1, "gates": {"balance": "pass"}}},
    "gates": {"completeness": "pass"},
    "documents": [
        {"ref": "stripe:a:in_1", "total": 100, "reason": None, "lines": [{"net": 88}]},
        {"ref": "stripe:a:in_2", "total": 0, "reason": "zero", "lines": []},
    ],
    "totals": {"CAD": {"posted_total": 100}},
}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"periods": {"2026-04": {"post": 1}}},
        {"documents": {"stripe:a:in_1": {"total": 100, "lines": [{"net": 88}]}}},
        {"documents": {"stripe:a:in_2": {"lines": []}}},
    ],
)
def test_a_subset_of_the_status_agrees(expected: dict[str, Any]) -> None:
    assert differences(expected, STATUS) == ()


@pytest.mark.parametrize(
    ("expected", "named"),
    [
        ({"totals": {"CAD": {"posted_total": 101}}}, "totals.CAD.posted_total: expected 101"),
        ({"totals": {"USD": {}}}, "totals.USD: expected {}, came out nothing"),
        ({"documents": {"stripe:a:in_3": {}}}, "documents.stripe:a:in_3: expected {}"),
        ({"documents": {"stripe:a:in_1": {"reason": "void"}}}, "reason: expected 'void'"),
        ({"documents": {"stripe:a:in_1": {"lines": []}}}, "lines: expected []"),
        ({"documents": {"stripe:a:in_1": {"lines": [{"net": 8}]}}}, "lines[0].net: expected 8"),
        ({"documents": {"stripe:a:in_2": {"total": False}}}, "total: expected False"),
        ({"periods": 3}, "periods: expected 3"),
    ],
)
def test_a_difference_is_named(expected: dict[str, Any], named: str) -> None:
    (found,) = differences(expected, STATUS)
    assert named in found


def test_every_difference_is_named_not_only_the_first() -> None:
    expected = {"totals": {"CAD": {"posted_total": 1}}, "gates": {"completeness": "fail"}}
    assert len(differences(expected, STATUS)) == 2


def test_only_a_gate_that_must_fail_may() -> None:
    expected = {
        "periods": {
            "2026-04": {"post": 1},
            "2026-05": {"gates": {"residuals": "fail", "balance": "pass"}},
        },
        "gates": {"receivable": "fail", "completeness": "pass"},
    }
    assert gates_to_fail(expected) == {"2026-05: residuals", "receivable"}
    assert gates_to_fail({}) == frozenset()
