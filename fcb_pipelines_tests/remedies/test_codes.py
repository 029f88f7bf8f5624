"""Every remedy of a code is carried out in the state in which it is printed, and mends it."""

import pytest

from fcb_pipelines.core.codes import ExceptionCode, Reason
from fcb_pipelines_tests.remedies import held, told  # noqa: F401 - they fill the table
from fcb_pipelines_tests.remedies.little import Little
from fcb_pipelines_tests.remedies.table import AS_IT_SHOULD_BE, ROWS, Row, commands


def test_every_code_has_its_row() -> None:
    named = [row.code for row in ROWS]
    # Two codes of one text, as edited_in_ledger, are two members.
    missing = [code for code in (*Reason, *ExceptionCode) if not any(code is one for one in named)]
    assert missing == [code for code in Reason if code in AS_IT_SHOULD_BE]


@pytest.mark.parametrize(
    "code", [*Reason, *ExceptionCode], ids=lambda code: f"{type(code).__name__} {code}"
)
def test_every_command_of_a_remedy_is_run_by_one_of_its_rows(code: Reason | ExceptionCode) -> None:
    own = [row for row in ROWS if row.code is code]
    assert commands(code.remedy) == {command for row in own for command in row.runs}
    # What stays is told to stay, and what a remedy says to stay does.
    assert any(row.stays for row in own) == ("stays listed" in code.remedy)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_the_remedy_mends_it(little: Little, row: Row) -> None:
    steps = row.steps(little)
    ref = little.about = next(steps)
    assert row.code in little.told(ref)
    assert next(steps, None) is None
    assert little.ran == {*row.runs}
    little.run()
    assert (row.code in little.told(ref)) == row.stays
    assert little.failing() == row.fails
