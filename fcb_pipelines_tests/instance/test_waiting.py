"""Whoever waits says for whom, once, and once a minute for how long."""

from dataclasses import replace

import pytest

from fcb_pipelines.instance.waiting import SaidWaits, Waiting

WAITING = Waiting(run_id="1", pool="ledger", holders=("run 2 (month) has it",))
SAID = "waiting for a place in the pool ledger: run 2 (month) has it"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ([0], [SAID]),
        ([*range(60)], [SAID]),
        ([*range(61)], [SAID, f"still {SAID}, for 60 s so far"]),
        ([*range(125)], [SAID, *(f"still {SAID}, for {n} s so far" for n in (60, 120))]),
        ([0, 300], [SAID, SAID]),  # it had its place in between
    ],
)  # fmt: skip
def test_a_wait_is_said_once_and_then_once_a_minute(seconds: list[int], said: list[str]) -> None:
    heard: list[str] = []
    now = [0.0]
    waits = SaidWaits(say=heard.append, clock=lambda: now[0])
    for second in seconds:
        now[0] = float(second)
        waits(WAITING)
    assert heard == said


def test_another_holder_is_another_wait() -> None:
    heard: list[str] = []
    waits = SaidWaits(say=heard.append, clock=lambda: 0.0)
    for holder in ("run 2", "run 2", "run 3"):
        waits(replace(WAITING, holders=(holder,)))
    assert heard == [
        f"waiting for a place in the pool ledger: {each}" for each in ("run 2", "run 3")
    ]
