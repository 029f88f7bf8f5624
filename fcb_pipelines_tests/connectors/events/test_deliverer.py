"""A round of deliveries to real receivers: order, repeats, endpoints that are gone or not to be reached."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fcb_pipelines.connectors.events.deliverer import Deliverer
from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.connectors.events.sender import Endpoint, Sender
from fcb_pipelines.connectors.events.signing import Secret
from fcb_pipelines.connectors.failures import Busy
from fcb_pipelines.connectors.store.writer import one_writer
from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.events.delivery import State, Step
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.connectors.events.waits import over
from fcb_pipelines_tests.events import SECRET, SERVICE, an_event
from fcb_pipelines_tests.receiver import Receiver, receiving

FAILED = an_event()
PAID = an_event(EventType.PAYMENT_SUCCEEDED, "paid p2")
OTHER = an_event(subject="stripe:acct_1:in_2")
OF_DESK = an_event(service="nexadesk", subject="stripe:acct_1:in_3")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of its own."""
    with receiving() as one:
        yield one


@pytest.fixture
def queue(postgres: EmbeddedPostgres, database: str) -> EventQueue:
    """A queue of its own."""
    return EventQueue(postgres.sqlalchemy_url(database))


def deliverer(queue: EventQueue, *receivers: Receiver, url: str | None = None) -> Deliverer:
    names = (SERVICE, "nexadesk")
    return Deliverer(
        queue=queue,
        endpoints={
            name: Endpoint(
                service=name,
                url=url or one.url,
                secrets=(Secret(name="FCB_A", text=SECRET),),
                allow_private=True,
            )
            for name, one in zip(names, receivers, strict=False)
        },
        run_id="run",
        sender=Sender(longest=5),
        say=lambda text: None,
    )


def put(queue: EventQueue, *events: Event) -> None:
    assert queue.put(events, run_id="run") == len(events)


def states(queue: EventQueue) -> list[State]:
    return [one.state for one in queue.look(every=True).standings]


def test_all_that_is_due_is_sent_each_subject_in_its_order(
    queue: EventQueue, receiver: Receiver
) -> None:
    put(queue, FAILED, PAID, OTHER)
    came = deliverer(queue, receiver).deliver()
    assert (came.steps, came.waiting) == ({Step.DELIVERED: 3}, 0)
    ids = [each["id"] for each in receiver.events]
    assert sorted(ids) == sorted([FAILED.id, PAID.id, OTHER.id])
    assert ids.index(FAILED.id) < ids.index(PAID.id)
    again = deliverer(queue, receiver).deliver()
    assert (again.tries, len(receiver.requests)) == (0, 3)


def test_what_is_not_taken_is_sent_again_and_keeps_its_place(
    queue: EventQueue, receiver: Receiver, postgres: EmbeddedPostgres, database: str
) -> None:
    put(queue, FAILED, PAID)
    receiver.answers = [400, 400]
    for tries in (1, 2):
        came = deliverer(queue, receiver).deliver()
        assert (came.steps, came.waiting) == ({Step.FAILED: 1}, 2)
        assert deliverer(queue, receiver).deliver().tries == 0
        assert queue.look().standings[0].tries == tries
        over(postgres, database)
    assert deliverer(queue, receiver).deliver().steps == {Step.DELIVERED: 2}
    assert [each.event["id"] for each in receiver.requests] == [FAILED.id] * 3 + [PAID.id]
    assert len({each.body for each in receiver.requests[:3]}) == 1


def test_after_eight_tries_it_is_dead_until_a_person_says_otherwise(
    queue: EventQueue, receiver: Receiver, postgres: EmbeddedPostgres, database: str
) -> None:
    put(queue, FAILED, PAID)
    receiver.answers = [500] * 8
    for _ in range(8):
        deliverer(queue, receiver).deliver()
        over(postgres, database)
    assert states(queue) == [State.DEAD, State.WAITING]
    assert deliverer(queue, receiver).deliver().tries == 0
    queue.log(Step.REPLAYED, queue.look().standings[0].event, endpoint="", run_id="by hand")
    deliverer(queue, receiver).deliver()
    assert [each["id"] for each in receiver.events] == [FAILED.id, PAID.id]
    assert states(queue) == [State.DELIVERED] * 2


def test_an_endpoint_that_is_gone_is_not_asked_again(
    queue: EventQueue, receiver: Receiver, postgres: EmbeddedPostgres, database: str
) -> None:
    put(queue, FAILED, OTHER)
    receiver.answers = [410]
    assert deliverer(queue, receiver).deliver().steps == {Step.GONE: 1}
    over(postgres, database)
    assert deliverer(queue, receiver).deliver().tries == 0
    # Another address is another endpoint.
    moved = deliverer(queue, receiver, url=f"{receiver.url}/v2")
    assert moved.deliver().steps == {Step.DELIVERED: 1}
    assert states(queue) == [State.DEAD, State.DELIVERED]
    one = deliverer(queue, receiver)
    first = queue.look().standings[0].event
    queue.log(Step.REPLAYED, first, endpoint=one.endpoints[SERVICE].digest, run_id="by hand")
    assert one.deliver().steps == {Step.DELIVERED: 1}


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_has_too_much_to_do_is_left_alone_and_others_are_not(
    queue: EventQueue, receiver: Receiver, status: int
) -> None:
    put(queue, FAILED, OTHER, OF_DESK)
    receiver.answers = [status]
    with receiving() as desk:
        came = deliverer(queue, receiver, desk).deliver()
        assert came.steps == {Step.FAILED: 1, Step.DELIVERED: 1}
        assert [each["id"] for each in desk.events] == [OF_DESK.id]
    assert len(receiver.requests) == 1
    # The next round begins with what is due.
    assert deliverer(queue, receiver).deliver().steps == {Step.DELIVERED: 1}


def test_a_receiver_that_can_t_be_reached_costs_one_try_a_round(queue: EventQueue) -> None:
    put(queue, FAILED, OTHER)
    with receiving() as gone:
        pass
    came = deliverer(queue, gone).deliver()
    assert (came.steps, came.waiting) == ({Step.FAILED: 1}, 2)


def test_events_of_a_service_without_an_endpoint_wait(
    queue: EventQueue, receiver: Receiver
) -> None:
    put(queue, OF_DESK)
    came = deliverer(queue, receiver).deliver()
    assert (came.tries, came.waiting, receiver.requests) == (0, 1, [])


def test_a_round_has_its_limit_and_the_next_goes_on(queue: EventQueue, receiver: Receiver) -> None:
    put(queue, *(an_event(subject=f"doc-{number}") for number in range(5)))
    assert deliverer(queue, receiver).deliver(limit=3).tries == 3
    assert deliverer(queue, receiver).deliver(limit=3).tries == 2


def test_two_rounds_never_run_beside_each_other(queue: EventQueue, receiver: Receiver) -> None:
    put(queue, FAILED)
    with (
        one_writer(
            queue.postgres_url, "the deliveries of events", who="another", waits=lambda holder: None
        ),
        pytest.raises(Busy, match="another"),
    ):
        deliverer(queue, receiver).deliver()
    assert receiver.requests == []


def test_a_dry_look_sends_nothing(queue: EventQueue, receiver: Receiver) -> None:
    put(queue, FAILED, PAID, OTHER)
    one = deliverer(queue, receiver)
    assert [each.event.id for each in one.ready()] == [FAILED.id, OTHER.id]
    assert replace(one, endpoints={}).ready() == ()
    assert receiver.requests == []
    assert states(queue) == [State.WAITING] * 3
