"""Pace and retries, with a clock of our own."""

import pytest

from fcb_pipelines.connectors.failures import NotFound, Throttled, Unreachable
from fcb_pipelines.connectors.retry import Pace, read, retry_after, tried_again


class Clock:
    """A clock that only sleeping moves, and what was slept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def paced(clock: Clock, per_second: float = 4) -> Pace:
    return Pace(per_second, clock=clock, sleep=clock.sleep)


def test_calls_pass_at_the_pace_and_are_counted() -> None:
    clock = Clock()
    pace = paced(clock)
    for _ in range(5):
        pace.take()
    assert clock.now == pytest.approx(101.0)
    assert pace.calls == 5


def test_nothing_passes_while_the_limit_is_used_up() -> None:
    clock = Clock()
    pace = paced(clock)
    pace.hold(3)
    pace.take()
    assert clock.now == pytest.approx(103.0)


def test_a_pace_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Pace(0)


def test_a_read_is_tried_again_and_waits_as_long_as_it_was_told() -> None:
    clock = Clock()
    answers = [Throttled("x", "429", retry_after=7.0), Unreachable("x", "500")]

    def call() -> str:
        if answers:
            raise answers.pop(0)
        return "answer"

    assert read(call, paced(clock)) == "answer"
    assert clock.slept[0] == 7.0


def test_a_read_is_not_tried_for_ever() -> None:
    tried = []

    def call() -> None:
        tried.append(1)
        raise Unreachable("x", "503")

    with pytest.raises(Unreachable):
        read(call, paced(Clock()), attempts=3)
    assert len(tried) == 3


def test_a_permanent_failure_is_not_tried_again() -> None:
    tried = []

    def call() -> None:
        tried.append(1)
        raise NotFound("x", "404")

    with pytest.raises(NotFound):
        read(call, paced(Clock()))
    assert len(tried) == 1


def test_a_wait_is_read_from_the_first_header_that_is_a_number() -> None:
    headers = {"Retry-After": "soon", "X-RateLimit-Reset": "2"}
    assert retry_after(headers, "retry-after", "x-ratelimit-reset") == 2.0
    assert retry_after({}, "retry-after") is None


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (2, 3), (3, 3)])
def test_a_login_is_tried_three_times(failures: int, calls: int) -> None:
    left = [Unreachable("x", "down")] * failures
    made: list[int] = []
    slept: list[float] = []

    def login() -> str:
        made.append(1)
        if left:
            raise left.pop()
        return "in"

    if failures < 3:
        assert tried_again(login, sleep=slept.append) == "in"
    else:
        with pytest.raises(Unreachable):
            tried_again(login, sleep=slept.append)
    assert (len(made), len(slept)) == (calls, calls - 1)
