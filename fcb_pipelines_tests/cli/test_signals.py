"""`fcb` stopped by a signal at some point: exit code, message, and a rerun that ends in the same books."""

import signal
from collections.abc import Iterator

import pytest

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines_tests.cli.test_demo import assert_published_figures
from fcb_pipelines_tests.fcb_command import Fcb, a_home


@pytest.fixture
def fcb() -> Iterator[Fcb]:
    yield from a_home({})


def stopped_at(fcb: Fcb, point: str, one: signal.Signals) -> tuple[int, str]:
    """Exit code and messages of a demo that got the signal once it printed `point`."""
    with fcb.begun("demo") as command:
        assert command.stderr is not None
        said = ""
        for line in command.stderr:
            said += line
            if point in line:
                command.send_signal(one)
                break
        said += command.stderr.read()
    assert point in said, said
    return command.returncode, said


@pytest.mark.slow
def test_a_rerun_after_signals_at_several_points_ends_in_the_published_figures(fcb: Fcb) -> None:
    for point, one in (
        ("extracting", signal.SIGINT),
        ("✓", signal.SIGTERM),
        ("writing the close reports", signal.SIGINT),
    ):
        code, said = stopped_at(fcb, point, one)
        assert code == Exit.STOPPED, said
        assert "the same command goes on from there" in said
        assert "Traceback" not in said
        after = said.partition(point)[2]
        assert after.count("✓") <= 1, "another month was begun"
    assert_published_figures(fcb("demo", "--json"))
