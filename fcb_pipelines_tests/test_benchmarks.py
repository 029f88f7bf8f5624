"""The benchmarks run, small: what they measure is there, and nothing differs in it."""

import pytest

from benchmarks import core, extract


def test_the_rules_are_measured_month_by_month() -> None:
    found = core.measure(300, a_month=200)
    assert found["invoices"] == 300
    assert 0 < found["documents"] < 300
    assert found["cpu_seconds"].keys() >= set(core.STAGES)


@pytest.mark.slow
def test_the_extract_is_measured_beside_a_copy() -> None:
    found = extract.measure(50)
    assert found["rows"] == 200
    assert found["cpu_seconds"].keys() == found["memory_mb"].keys() == {"copy", "extract", "parse"}
