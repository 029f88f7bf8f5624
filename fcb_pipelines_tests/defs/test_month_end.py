"""docs/month-end.md, run: every command of the page, in its order, in the sandbox on the embedded books."""

import shlex

import pytest

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from fcb_pipelines_tests.month_end import COMMANDS, a_home, walk


def test_the_page_takes_every_step_of_a_close() -> None:
    steps = [" ".join(shlex.split(command)[1:3]) for command in COMMANDS]
    wanted = ["sync", "status --period", "exceptions --period", "explain NXC-0008",
              "exceptions acknowledge", "review --period", "post --period", "report --period", "report --verify"]  # fmt: skip
    at = [next(n for n, step in enumerate(steps) if step.startswith(name)) for name in wanted]
    assert at == sorted(at)


@pytest.mark.slow
def test_every_command_of_the_page_does_what_the_page_says() -> None:
    with a_home({}) as home:
        walk(home)
