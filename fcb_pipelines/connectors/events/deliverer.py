"""One round of deliveries: everything that is due, each subject in its order.

    tried -> POST -> delivered, failed, dead or gone

Each arrow is a row that is committed before the next begins. A process that dies on the way leaves what
was done; the event is sent again, under the same id, after its wait.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.connectors.events.sender import Answer, Endpoint, Sender
from fcb_pipelines.connectors.stopping import stop_if_asked
from fcb_pipelines.connectors.store.writer import one_writer
from fcb_pipelines.core.events.delivery import Standing, State, Step, answered, due

LIMIT = 2_000
"""Tries of one round; the next goes on."""

_NAME = "the deliveries of events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round came to: tries by their step, and how many events wait still."""

    steps: Mapping[Step, int]
    waiting: int

    @property
    def tries(self) -> int:
        """How many times something was sent."""
        return sum(self.steps.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Delivers a queue to these endpoints, by service. Events of a service without one wait."""

    queue: EventQueue
    endpoints: Mapping[str, Endpoint]
    run_id: str
    sender: Sender
    say: Callable[[str], None]

    def deliver(self, *, limit: int = LIMIT, patience: float = 0.0) -> Round:
        """Send all that is due. Raises Busy where another round goes on for more than `patience` seconds.

        A service that does not answer, or says that it has too much to do, is left alone until the next
        round.
        """
        steps: Counter[Step] = Counter()
        with one_writer(
            self.queue.postgres_url,
            _NAME,
            who=f"events {self.run_id[:8]}",
            waits=lambda holder: self.say(f"waiting for {holder} which delivers events"),
            patience=patience,
        ):
            resting: set[str] = set()
            while ready := self.ready(resting)[: limit - steps.total()]:
                bodies = self.queue.bodies([one.event.id for one in ready])
                for one in ready:
                    stop_if_asked()
                    if one.event.service not in resting:
                        self._try(one, bodies[one.event.id], steps, resting)
            standing = self.queue.look().standings
            waiting = sum(one.state is State.WAITING for one in standing)
        return Round(steps=dict(steps), waiting=waiting)

    def ready(self, resting: set[str] | None = None) -> tuple[Standing, ...]:
        """The events that would be sent now, in order; of each subject one at most."""
        here = {service: each.digest for service, each in self.endpoints.items()}
        look = self.queue.look(here)
        off = {one.event.service for one in look.standings} - self.endpoints.keys()
        return due(look.standings, look.now, disabled={*off, *look.disabled, *(resting or ())})

    def _try(self, one: Standing, body: str, steps: Counter[Step], resting: set[str]) -> None:
        event, endpoint = one.event, self.endpoints[one.event.service]
        at = self.queue.log(Step.TRIED, event, endpoint=endpoint.digest, run_id=self.run_id)
        answer = self.sender.send(
            endpoint, event_id=event.id, event_type=event.type, body=body, at=at
        )
        step = answered(answer.status, one.tries + 1)
        self.queue.log(
            step,
            event,
            endpoint=endpoint.digest,
            run_id=self.run_id,
            status=answer.status,
            detail=answer.detail,
        )
        steps[step] += 1
        if step is not Step.DELIVERED:
            self.say(f"{event.service} {event.id} {event.type}: {step}, {answer.detail}")
        if answer.is_overloaded or step is Step.GONE:
            resting.add(event.service)


def sent(answer: Answer) -> bool:
    """Whether a receiver took what it was sent."""
    return answered(answer.status, 1) is Step.DELIVERED
