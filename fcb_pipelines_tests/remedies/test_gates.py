"""Every remedy of a gate is carried out in the state in which it is printed, and mends it."""

import pytest

from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines_tests.remedies.gates import GATE_ROWS, GateRow
from fcb_pipelines_tests.remedies.little import Little
from fcb_pipelines_tests.remedies.table import commands

# It only shows what else to do.
LOOK = {"fcb status", "fcb events show ID"}


@pytest.mark.parametrize("gate", GATES)
def test_every_command_of_a_gate_s_remedy_is_run_by_one_of_its_rows(gate: str) -> None:
    own = [row for row in GATE_ROWS if row.gate == gate]
    assert own
    run = {command for row in own for command in row.runs}
    assert commands(GATES[gate].recovery) - LOOK == run
    goes_on = any(row.after is not Outcome.PASS for row in own)
    assert goes_on == any(
        word in GATES[gate].recovery for word in ("stays listed", "goes on", "lists each amount")
    )


@pytest.mark.parametrize("row", GATE_ROWS, ids=lambda row: row.sentence)
def test_the_remedy_mends_it(little: Little, row: GateRow) -> None:
    before, after = row.steps(little)
    assert before.outcome is not Outcome.PASS
    assert before.faults if hasattr(before, "faults") else before.sample
    assert after.outcome is row.after
    assert little.ran == {*row.runs}
