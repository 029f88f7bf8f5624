"""The delivery of events: tries and waits, the order of a subject, and whatever may happen in between."""

from datetime import datetime, timedelta

import pytest
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fcb_pipelines.core.events.delivery import (
    LATE_AFTER,
    MOST_TRIES,
    Logged,
    Queued,
    Standing,
    State,
    Step,
    answered,
    disabled,
    due,
    standings,
    wait,
)
from fcb_pipelines.core.events.proof import delivery_rows, events_delivered, events_status
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines_tests.events import NOON, SERVICE, later, queued

FIRST, SECOND = queued(1), queued(2)


def row(step: Step, at: datetime = NOON, event: Queued = FIRST, endpoint: str = "e") -> Logged:
    return Logged(event_id=event.id, step=step, at=at, service=event.service, endpoint=endpoint)


def standing(*rows: Logged) -> Standing:
    (one,) = standings([FIRST], rows)
    return one


@pytest.mark.parametrize(
    ("steps", "state", "tries"),
    [
        ([], State.WAITING, 0),
        ([Step.TRIED], State.WAITING, 1),
        ([Step.TRIED, Step.DELIVERED], State.DELIVERED, 1),
        ([Step.TRIED, Step.FAILED], State.WAITING, 1),
        ([Step.TRIED, Step.FAILED, Step.TRIED, Step.DELIVERED], State.DELIVERED, 2),
        ([Step.TRIED, Step.GONE], State.DEAD, 1),
        ([Step.TRIED] * 7, State.WAITING, 7),
        # Killed in its last try: nobody knows whether it came through, so a person is asked.
        ([Step.TRIED] * 8, State.DEAD, 8),
        ([Step.TRIED] * 8 + [Step.DELIVERED], State.DELIVERED, 8),
        ([Step.TRIED] * 8 + [Step.DEAD], State.DEAD, 8),
        ([Step.TRIED] * 8 + [Step.DEAD, Step.REPLAYED], State.WAITING, 0),
        ([Step.TRIED, Step.DELIVERED, Step.REPLAYED], State.WAITING, 0),
        ([Step.TRIED] * 8 + [Step.DEAD, Step.DROPPED], State.DROPPED, 8),
        ([Step.DROPPED], State.DROPPED, 0),
    ],
)
def test_the_log_says_in_which_state_an_event_is(
    steps: list[Step], state: State, tries: int
) -> None:
    one = standing(*map(row, steps))
    assert (one.state, one.tries) == (state, tries)


@pytest.mark.parametrize(
    ("status", "tries", "step"),
    [
        (200, 1, Step.DELIVERED),
        (204, 8, Step.DELIVERED),
        (301, 1, Step.FAILED),
        (400, 1, Step.FAILED),
        (410, 1, Step.GONE),
        (429, 7, Step.FAILED),
        (500, 7, Step.FAILED),
        (500, 8, Step.DEAD),
        (None, 1, Step.FAILED),
        (None, 8, Step.DEAD),
        (100, 1, Step.FAILED),
    ],
)
def test_an_answer_decides_what_a_try_came_to(status: int | None, tries: int, step: Step) -> None:
    assert answered(status, tries) is step


@pytest.mark.parametrize("tries", range(1, MOST_TRIES))
def test_the_wait_doubles_and_is_never_the_same_for_all(tries: int) -> None:
    waits = [wait(f"evt_{n}", tries) for n in range(200)]
    plain = timedelta(minutes=2**tries)
    assert all(plain <= one < plain * 1.25 for one in waits)
    assert len(set(waits)) == 200
    assert wait("evt_7", tries) == waits[7]


def test_it_is_tried_again_once_its_wait_is_over() -> None:
    one = standing(row(Step.TRIED), row(Step.FAILED, later(1)))
    ready = later(1) + wait(FIRST.id, 1)
    assert due([one], ready - timedelta(seconds=1)) == ()
    assert due([one], ready) == (one,)
    # A killed try waits just so.
    killed = standing(row(Step.TRIED))
    assert due([killed], NOON + timedelta(minutes=1)) == ()
    assert due([killed], NOON + wait(FIRST.id, 1)) == (killed,)


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        ([], ["evt_1"]),
        ([row(Step.TRIED), row(Step.FAILED)], []),
        ([row(Step.TRIED), row(Step.DELIVERED)], ["evt_2"]),
        ([row(Step.TRIED)] * 8, []),
        ([row(Step.TRIED)] * 8 + [row(Step.DROPPED)], ["evt_2"]),
        # Sent again by hand: what was delivered after it stays as it is.
        ([row(Step.TRIED), row(Step.DELIVERED), row(Step.TRIED, event=SECOND), row(Step.DELIVERED, event=SECOND), row(Step.REPLAYED)], ["evt_1"]),
    ],
)  # fmt: skip
def test_a_later_event_of_a_subject_waits_for_the_earlier(
    rows: list[Logged], sent: list[str]
) -> None:
    known = standings([SECOND, FIRST], rows)
    assert [one.event.id for one in due(known, later(1))] == sent


def test_subjects_and_services_do_not_wait_for_each_other() -> None:
    others = [queued(2, "other"), queued(3, service="nexadesk")]
    known = standings([FIRST, *others], [row(Step.TRIED)])
    assert [one.event.sequence for one in due(known, NOON)] == [2, 3]
    assert [one.event.sequence for one in due(known, NOON, disabled=[SERVICE])] == [3]


@pytest.mark.parametrize(
    ("rows", "off"),
    [
        ([], False),
        ([row(Step.GONE)], True),
        ([row(Step.GONE, endpoint="former")], False),
        ([row(Step.GONE), row(Step.REPLAYED)], False),
        ([row(Step.GONE), row(Step.REPLAYED, event=SECOND)], False),
        ([row(Step.REPLAYED), row(Step.GONE)], True),
        ([row(Step.DEAD)], False),
    ],
)
def test_an_endpoint_that_is_gone_is_left_alone_until_a_person_replays(
    rows: list[Logged], off: bool
) -> None:
    assert disabled(rows, {SERVICE: "e"}) == ({SERVICE} if off else set())


@pytest.mark.parametrize(
    ("rows", "age", "fails"),
    [
        ([], LATE_AFTER, False),
        ([], LATE_AFTER + timedelta(seconds=1), True),
        ([row(Step.TRIED), row(Step.DELIVERED)], timedelta(days=9), False),
        ([row(Step.DROPPED)], timedelta(days=9), False),
        ([row(Step.TRIED)] * 8, timedelta(0), True),
        ([row(Step.TRIED), row(Step.GONE)], timedelta(0), True),
        ([row(Step.REPLAYED, later(60))], LATE_AFTER + timedelta(minutes=30), False),
    ],
)
def test_the_gate_fails_for_what_is_dead_or_waits_for_more_than_a_day(
    rows: list[Logged], age: timedelta, fails: bool
) -> None:
    found = delivery_rows(standings([FIRST], rows), NOON + age)
    result = events_delivered(found)
    assert result.outcome is (Outcome.FAIL if fails else Outcome.PASS)
    assert result.count == events_status(found)["late"] == fails
    assert all(FIRST.id in fault and "doc" in fault for fault in result.faults)


def test_the_status_counts_each_event_once() -> None:
    rows = [row(Step.TRIED), row(Step.DELIVERED), *[row(Step.TRIED, event=SECOND)] * 8]
    found = delivery_rows(standings([FIRST, SECOND, queued(3, "other")], rows), NOON)
    assert events_status(found) == {
        "told": 3, "delivered": 1, "waiting": 1, "dead": 1, "dropped": 0, "late": 1,
    }  # fmt: skip


class Delivery(RuleBasedStateMachine):
    """A queue that grows, a deliverer that may be killed, a receiver that answers as it likes.

    The receiver keeps what it took (answered 2xx, or took before the answer was lost).
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.queue: list[Queued] = []
        self.log: list[Logged] = []
        self.taken: list[Queued] = []
        self.by_hand: set[str] = set()

    def write(self, step: Step, event: Queued, endpoint: str = "e") -> None:
        self.log.append(row(step, self.now, event, endpoint))

    def known(self) -> tuple[Standing, ...]:
        return standings(self.queue, self.log)

    @rule(subject=st.sampled_from("abc"))
    def tell(self, subject: str) -> None:
        self.queue.append(queued(len(self.queue) + 1, subject, queued_at=self.now))

    @rule(minutes=st.sampled_from([0, 1, 3, 10, 200, 1500]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        answer=st.sampled_from([200, 204, 302, 400, 410, 500, None]),
        killed=st.sampled_from(["before sending", "after sending", "no", "no", "no"]),
    )
    def deliver(self, answer: int | None, killed: str) -> None:
        off = disabled(self.log, {SERVICE: "e"})
        for one in due(self.known(), self.now, disabled=off)[:1]:
            assert one.event.id not in {each.id for each in self.taken} or one.tries or (
                one.event.id in self.by_hand
            )  # fmt: skip
            self.write(Step.TRIED, one.event)
            if killed == "before sending":
                return
            if answer is not None and 200 <= answer < 300:
                self.taken.append(one.event)
            if killed == "after sending":
                return
            self.write(answered(answer, one.tries + 1), one.event)

    @precondition(lambda self: any(one.state is State.DEAD for one in self.known()))
    @rule(drop=st.booleans())
    def a_person_acts(self, drop: bool) -> None:
        dead = next(one for one in self.known() if one.state is State.DEAD)
        self.by_hand.add(dead.event.id)
        self.write(Step.DROPPED if drop else Step.REPLAYED, dead.event)

    @invariant()
    def nothing_is_lost(self) -> None:
        delivered = {one.event.id for one in self.known() if one.state is State.DELIVERED}
        assert delivered <= {each.id for each in self.taken}
        assert len(self.known()) == len(self.queue)

    @invariant()
    def a_subject_s_events_are_first_taken_in_order(self) -> None:
        for subject in "abc":
            own = [each.sequence for each in self.taken if each.subject == subject]
            first = list(dict.fromkeys(own))
            assert first == sorted(first)

    @invariant()
    def of_a_subject_one_is_due_at_most(self) -> None:
        subjects = [one.event.subject for one in due(self.known(), self.now)]
        assert len(subjects) == len(set(subjects))

    @invariant()
    def no_event_is_tried_more_often_than_allowed(self) -> None:
        assert all(one.tries <= MOST_TRIES for one in self.known())

    def teardown(self) -> None:
        """A receiver that answers 200 from now on gets all that no person dropped."""
        for one in self.known():
            if one.state is State.DEAD:
                self.write(Step.REPLAYED, one.event)
        for _ in range(len(self.queue) + 1):
            self.now += timedelta(days=1)
            for one in due(self.known(), self.now):
                self.write(Step.TRIED, one.event)
                self.taken.append(one.event)
                self.write(Step.DELIVERED, one.event)
        states = {one.event.id: one.state for one in self.known()}
        assert set(states.values()) <= {State.DELIVERED, State.DROPPED}


TestDelivery = Delivery.TestCase
TestDelivery.settings = examples(max_examples=60, stateful_step_count=40, deadline=None)
