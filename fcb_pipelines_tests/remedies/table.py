"""The table of remedies: a code or gate, the state that prints it, and the remedy carried out.

A row is a function over a little company. It brings a document into the state, yields its ref (there the code
must be told), and goes on with what the remedy says: a person's part by hand, a command by `w.command`.
Afterwards comes a sync, as every day, and the code is gone; where the remedy says that it stays listed,
it is still there.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from fcb_pipelines.core.codes import ExceptionCode, Reason, Verdict
from fcb_pipelines_tests.remedies.little import Little

Code = Reason | ExceptionCode
Steps = Callable[[Little], Iterator[str]]
COMMAND = re.compile(r"`(fcb [^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way into a code and out of it.

    `runs` are the commands of the remedy, as printed, that lead out; `stays`: it is lived with, and `fails`
    are the gates that then go on failing.
    """

    code: Code
    state: str
    steps: Steps
    runs: tuple[str, ...] = ()
    stays: bool = False
    fails: frozenset[str] = frozenset()

    @property
    def sentence(self) -> str:
        """The name of its test."""
        return f"{self.code.name.lower()}: {self.state}"


ROWS: list[Row] = []


def row(
    code: Code, state: str, *runs: str, stays: bool = False, fails: Collection[str] = ()
) -> Callable[[Steps], Steps]:
    """Put a function into the table."""

    def made(steps: Steps) -> Steps:
        ROWS.append(
            Row(code=code, state=state, steps=steps, runs=runs, stays=stays, fails=frozenset(fails))
        )
        return steps

    return made


def commands(text: str) -> set[str]:
    """The commands that a remedy prints."""
    return {*COMMAND.findall(text)}


# Codes of documents that are as they should be: their remedy says that nothing is to be done.
AS_IT_SHOULD_BE = {
    code
    for code in Reason
    if code.verdict is not Verdict.HOLD and not code.remedy.startswith("Set ")
}
