"""The queue of events only grows, has each event once, and tells them in order."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from fcb_pipelines.connectors.events.queue import EVENTS, LOG, EventQueue
from fcb_pipelines.connectors.failures import NotAllowed, NotFound, Unreachable
from fcb_pipelines.core.events.delivery import State, Step
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.events import SERVICE, an_event

FIRST = an_event()
SECOND = an_event(fact="paid p2")
MAY = an_event(subject="stripe:acct_1:in_2", period="2026-05")


@pytest.fixture
def queue(postgres: EmbeddedPostgres, database: str) -> EventQueue:
    """A queue in a database of its own, addressed as the environment does it."""
    return EventQueue(postgres.sqlalchemy_url(database))


def step(queue: EventQueue, which: Step, number: int = 0, endpoint: str = "e") -> None:
    event = queue.look(every=True).standings[number].event
    queue.log(which, event, endpoint=endpoint, run_id="run", status=200, detail="HTTP 200")


def test_an_event_is_queued_once_and_comes_back_as_it_was(queue: EventQueue) -> None:
    assert queue.put([FIRST, SECOND], run_id="run-1") == 2
    assert queue.put([SECOND, MAY, FIRST], run_id="run-2") == 1
    assert queue.told("2026-04", []) == (FIRST, SECOND)
    assert queue.told("2026-05", []) == (MAY,)
    assert queue.told("2026-05", [FIRST.subject, "unknown"]) == (FIRST, SECOND, MAY)
    assert queue.bodies([SECOND.id]) == {SECOND.id: SECOND.body}
    assert [one.event.id for one in queue.look().standings] == [FIRST.id, SECOND.id, MAY.id]


def test_an_empty_queue_has_nothing(queue: EventQueue) -> None:
    assert queue.told("2026-04", []) == ()
    assert queue.put([], run_id="run") == 0
    assert queue.look({SERVICE: "e"}).standings == ()
    with pytest.raises(NotFound, match="no event"):
        queue.find("evt_1")


def test_the_log_decides_what_is_open(queue: EventQueue) -> None:
    queue.put([FIRST, SECOND], run_id="run")
    step(queue, Step.TRIED)
    step(queue, Step.DELIVERED)
    look = queue.look()
    assert [one.event.id for one in look.standings] == [SECOND.id]
    assert look.now >= look.standings[0].event.queued_at
    assert [one.state for one in queue.look(every=True).standings] == [
        State.DELIVERED,
        State.WAITING,
    ]
    step(queue, Step.REPLAYED)
    assert [one.event.id for one in queue.look().standings] == [FIRST.id, SECOND.id]
    step(queue, Step.DROPPED)
    assert [one.event.id for one in queue.look().standings] == [SECOND.id]
    standing, body, log = queue.find(FIRST.id)
    assert (standing.state, body) == (State.DROPPED, FIRST.body)
    assert [row.step for row in log] == [Step.TRIED, Step.DELIVERED, Step.REPLAYED, Step.DROPPED]


def test_an_endpoint_that_is_gone_is_told_until_a_person_replays(queue: EventQueue) -> None:
    queue.put([FIRST, MAY], run_id="run")
    step(queue, Step.GONE, endpoint="e")
    assert queue.look({SERVICE: "e"}).disabled == {SERVICE}
    assert queue.look({SERVICE: "another"}).disabled == frozenset()
    step(queue, Step.REPLAYED, number=1, endpoint="e")
    assert queue.look({SERVICE: "e"}).disabled == frozenset()


@pytest.mark.parametrize("table", [EVENTS, LOG])
@pytest.mark.parametrize(
    "statement", ["update {} set service = 'x'", "delete from {}", "truncate {} cascade"]
)
def test_even_by_sql_no_row_changes_or_goes(
    table: str, statement: str, queue: EventQueue, postgres: EmbeddedPostgres, database: str
) -> None:
    queue.put([FIRST], run_id="run")
    step(queue, Step.TRIED)
    before = queue.look(every=True).standings
    connection = psycopg2.connect(postgres.libpq_url(database))
    try:
        with connection.cursor() as cursor, pytest.raises(psycopg2.Error, match="append-only"):
            cursor.execute(statement.format(table))
    finally:
        connection.close()
    assert queue.look(every=True).standings == before


def test_several_runs_that_tell_the_same_queue_it_once(
    postgres: EmbeddedPostgres, database: str
) -> None:
    events = [an_event(fact=str(number)) for number in range(100)]

    def tell(run: int) -> int:
        return EventQueue(postgres.libpq_url(database)).put(events, run_id=f"run-{run}")

    with ThreadPoolExecutor(4) as runs:
        assert sorted(runs.map(tell, range(4))) == [0, 0, 0, 100]
    known = EventQueue(postgres.libpq_url(database)).told("2026-04", [])
    assert [one.id for one in known] == [one.id for one in events]


def test_a_database_that_does_not_answer_is_transient() -> None:
    with pytest.raises(Unreachable) as failed:
        EventQueue("postgresql+psycopg2://u:hunter2@127.0.0.1:1/db").look()
    assert failed.value.rerun_helps
    assert "hunter2" not in str(failed.value)


def test_a_role_that_may_not_write_is_told_so(postgres: EmbeddedPostgres, database: str) -> None:
    with pytest.raises(NotAllowed, match="permission denied"):
        EventQueue(postgres.ensure_reader(database)).put([FIRST], run_id="run")
