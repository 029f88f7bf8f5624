"""kill -9 at each step of a delivery: no event is lost, and a repeat is the same event to the byte."""

import subprocess
import sys

import pytest

from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.events.delivery import State
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.connectors.events.test_deliverer import deliverer
from fcb_pipelines_tests.connectors.events.waits import over
from fcb_pipelines_tests.events import an_event
from fcb_pipelines_tests.receiver import receiving

# One event has six: before and after the try is logged, it is sent, and its answer is logged.
POINTS = range(1, 7)


def deliver(url: str, receiver: str, last: int) -> int | None:
    """One round in a process of its own: the points it passed; None where it was killed."""
    module = "fcb_pipelines_tests.connectors.events.victim"
    done = subprocess.run(
        [sys.executable, "-m", module, url, receiver, str(last)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, -9), done.stderr
    return int(done.stdout) if done.returncode == 0 else None


@pytest.mark.parametrize("last", POINTS)
def test_a_delivery_that_is_killed_loses_nothing(
    last: int, postgres: EmbeddedPostgres, database: str
) -> None:
    url = postgres.sqlalchemy_url(database)
    queue = EventQueue(url)
    failed, paid = an_event(), an_event(EventType.PAYMENT_SUCCEEDED, "paid p2")
    queue.put([failed, paid], run_id="run")
    with receiving() as receiver:
        assert deliver(url, receiver.url, last) is None
        # A row whose answer was lost counts as a try, and waits.
        over(postgres, database)
        deliverer(queue, receiver).deliver()
        took = [each["id"] for each in receiver.events]
        assert list(dict.fromkeys(took)) == [failed.id, paid.id]
        # Sent, and killed before that was logged: at least once, and not more than twice.
        assert took.count(failed.id) == (2 if last in (4, 5) else 1)
        bodies = {each.event["id"]: each.body for each in receiver.taken}
        assert bodies == {one.id: one.body.encode() for one in (failed, paid)}
    assert [one.state for one in queue.look(every=True).standings] == [State.DELIVERED] * 2


def test_the_points_are_all_there_are(postgres: EmbeddedPostgres, database: str) -> None:
    url = postgres.sqlalchemy_url(database)
    EventQueue(url).put([an_event()], run_id="run")
    with receiving() as receiver:
        assert deliver(url, receiver.url, 0) == len(POINTS)
