"""Calls to a source: at a pace it allows, with reads tried again a bounded number of times."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
)
from tenacity.wait import wait_exponential, wait_random

from fcb_pipelines.connectors.decoding import decoded
from fcb_pipelines.connectors.failures import (
    ContractBreach,
    NotFound,
    Throttled,
    TransientFailure,
    Unreachable,
)
from fcb_pipelines.connectors.sources import Absent, SourceBody
from fcb_pipelines.connectors.stopping import sleep, stop_if_asked
from fcb_pipelines.core.facts.bodies import Json

T = TypeVar("T")

ATTEMPTS = 5
# A database or a ledger is near: what doesn't answer a third time is down.
CONNECTING = 3
LONGEST_WAIT = 60.0
# Seconds after which a read is not tried once more: a source that drips holds its pool no longer.
LONGEST_READ = 150.0
_GIVE_UP_AFTER = 3
_BACKOFF = wait_exponential(multiplier=0.25, max=8) + wait_random(0, 0.25)


class Pace:
    """Lets calls pass at most `per_second` times a second, and counts them. Thread-safe.

    `clock` and `sleep` are seconds; tests give their own.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        if per_second <= 0:
            raise ValueError(f"requests per second must be above zero, not {per_second}")
        self.calls = 0
        self.sleep = sleep
        self._gap = 1 / per_second
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for this call's turn."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap
            self.calls += 1
        if turn > now:
            self.sleep(turn - now)

    def hold(self, seconds: float) -> None:
        """Let no call pass for so many seconds, because the source's limit is used up."""
        with self._lock:
            self._next = max(self._next, self._clock() + min(seconds, LONGEST_WAIT))


def read(call: Callable[[], T], pace: Pace, *, attempts: int = ATTEMPTS) -> T:
    """The answer of a read, tried again after a transient failure; each try waits for its turn.

    The wait grows from a quarter of a second, or is the one that the source asked for (Retry-After).
    Raises the last failure once `attempts` or LONGEST_READ are used up; a permanent one at once.
    """

    def turn() -> T:
        stop_if_asked()
        pace.take()
        return call()

    return tried_again(turn, attempts=attempts, sleep=pace.sleep)


def tried_again(
    call: Callable[[], T],
    *,
    attempts: int = CONNECTING,
    sleep: Callable[[float], None] = sleep,
) -> T:
    """The answer of a call that changes nothing, such as a login, tried again as a read is."""
    retrying = Retrying(
        retry=retry_if_exception_type(TransientFailure),
        stop=stop_after_attempt(attempts) | stop_after_delay(LONGEST_READ),
        wait=_wait,
        sleep=sleep,
        reraise=True,
    )
    return retrying(call)


def json_object(tried: str, content: bytes, *, remedy: str | None = None) -> Json:
    """The JSON object in the body of a good answer (`connectors.decoding` says how it is read).

    An answer that is empty, cut off or a page for people is a fault of the way, and transient: raises
    Unreachable, with the remedy where it is such a page. JSON of another kind raises ContractBreach.
    """
    try:
        found = decoded(content)
    except ValueError as error:
        page = content.lstrip().startswith(b"<")
        what = "a page for people" if page else "nothing" if not content else "JSON that is cut off"
        said = f"HTTP 200 with {what} ({len(content):,} bytes)"
        raise Unreachable(tried, said, remedy=remedy if page else None) from error
    if not isinstance(found, dict):
        raise ContractBreach(tried, "HTTP 200 with JSON that is no object")
    return found


def redirected(
    tried: str, status: int, headers: Mapping[str, str], variable: str
) -> ContractBreach:
    """The failure of a call that was sent to another address, which nobody follows."""
    to = {name.lower(): value for name, value in headers.items()}.get("location", "nowhere")
    remedy = f"the source's own address in {variable}, then fcb doctor"
    return ContractBreach(
        tried, f"HTTP {status}: a redirect to {to} is not followed", remedy=remedy
    )


def retry_after(headers: Mapping[str, str], *names: str) -> float | None:
    """The first of the headers (names in lower case) that is a number of seconds, if any is."""
    lowered = {name.lower(): value for name, value in headers.items()}
    for name in names:
        try:
            return max(0.0, float(lowered[name]))
        except (KeyError, ValueError):
            continue
    return None


def one_answer_each(
    things: Iterable[Any], task: Callable[[Any], tuple[str, Callable[[], SourceBody]]]
) -> tuple[SourceBody | Absent, ...]:
    """One answer for each thing; `task` gives a thing's id and the call that reads it.

    A fault of one is its `Absent`; a lacking right stops them all. After some in a row without any
    answer the rest are not asked: the source is down, and they are unreachable too.
    """
    answers: list[SourceBody | Absent] = []
    in_a_row = 0
    for thing in things:
        source_id, call = task(thing)
        if in_a_row >= _GIVE_UP_AFTER:
            detail = f"not asked: {in_a_row} documents in a row had no answer"
            answers.append(Absent(id=source_id, reason="unreachable", detail=detail))
            continue
        try:
            answers.append(call())
            in_a_row = 0
        except NotFound as failure:
            answers.append(Absent(id=source_id, reason="does_not_exist", detail=str(failure)))
            in_a_row = 0
        except (TransientFailure, ContractBreach) as failure:
            answers.append(Absent(id=source_id, reason="unreachable", detail=str(failure)))
            in_a_row += isinstance(failure, TransientFailure)
    return tuple(answers)


def _wait(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, Throttled) and failure.retry_after is not None:
        return min(failure.retry_after, LONGEST_WAIT)
    return _BACKOFF(state)
