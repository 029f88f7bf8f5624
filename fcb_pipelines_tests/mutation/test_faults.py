"""The faults as a list: named apart, each with its proof, and seeded through what the product shows."""

import ast
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fcb_pipelines.core.money import from_major
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.mutation.__main__ import missed_in_words
from fcb_pipelines_tests.mutation.bench import Bench, BrokenFault
from fcb_pipelines_tests.mutation.fault import Fault, Finding, Layer
from fcb_pipelines_tests.mutation.faults import FAULTS
from fcb_pipelines_tests.mutation.sampling import sample
from fcb_pipelines_tests.mutation.seams import PRODUCT

OF_RULES = [
    each for each in FAULTS if each.layer in (Layer.RULES, Layer.FORGOTTEN, Layer.CORRECTED)
]


class Recorded:
    """A patcher that replaces nothing and keeps what it should have replaced, with its full name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def setattr(self, owner: Any, name: str, value: object) -> None:
        module = getattr(owner, "__module__", owner.__name__)
        self.names.append(".".join(dict.fromkeys((module, owner.__name__, name))))


def replaced_by(fault: Fault) -> list[str]:
    recorded = Recorded()
    fault.seed(recorded)
    return recorded.names


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def test_every_fault_has_a_name_of_its_own_and_says_what_should_notice_it() -> None:
    assert len({(fault.layer, fault.name) for fault in FAULTS}) == len(FAULTS)
    assert all(fault.trips and fault.case for fault in FAULTS)


def test_every_fault_of_a_rule_replaces_something_of_the_product() -> None:
    assert [each.name for each in OF_RULES if not replaced_by(each)] == []
    replaced = {name for each in OF_RULES for name in replaced_by(each)}
    assert {name for name in replaced if not name.startswith(f"{PRODUCT}.")} == set()


def test_no_fault_replaces_a_private_name() -> None:
    private = {
        each.name: names
        for each in OF_RULES
        if (names := [one for one in replaced_by(each) if any(map(is_private, one.split(".")))])
    }
    assert private == {}


def test_no_fault_reads_a_private_name() -> None:
    found = []
    for file in sorted(Path(__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [node.attr] if isinstance(node, ast.Attribute) else []
            if isinstance(node, ast.ImportFrom):
                names = [alias.name for alias in node.names]
            own = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
            found += [f"{file.name}: {name}" for name in names if is_private(name) and not own]
    assert found == []


def test_a_sample_has_some_of_each_layer_and_is_that_of_its_seed() -> None:
    drawn = sample(FAULTS, 20, "a commit")
    assert len(drawn) == len({(one.layer, one.name) for one in drawn}) == 20
    assert {one.layer for one in drawn} == set(Layer)
    assert drawn == sample(FAULTS, 20, "a commit") != sample(FAULTS, 20, "another")


def test_samples_of_two_hundred_commits_miss_no_fault() -> None:
    drawn = {
        (one.layer, one.name) for number in range(200) for one in sample(FAULTS, 20, str(number))
    }
    assert len(drawn) == len(FAULTS)


def test_a_fault_that_nobody_noticed_is_named_with_the_command_that_tries_it_alone() -> None:
    missed = Finding(
        name="Dates in UTC", case="A1", layer="rules", should=["expected.json"], gates=["the run"]
    )
    assert missed_in_words(missed) == (
        "NOT NOTICED: Dates in UTC (A1, rules): expected.json should have told it, the run did. "
        "Alone: python -m fcb_pipelines_tests.mutation --layer rules --only '^Dates in UTC$'"
    )


def test_a_fault_whose_own_code_fails_is_broken_and_not_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Bench(found=None, sources=None)  # type: ignore[arg-type]
    monkeypatch.setattr(Bench, "run", lambda *_: from_major(Decimal("0.001"), "CAD"))
    work.month("2025-03", [keys.MOVES])
    assert work.stopped["2025-03"].startswith("InexactAmount: 0.001 is not")
    monkeypatch.setattr(Bench, "run", lambda *_: from_major("0.001"))
    with pytest.raises(BrokenFault, match="test_faults: from_major"):
        work.month("2025-03", [keys.MOVES])
