"""The delivery of events: what was tried, what is due now, and in which order.

    standings(queued, log, now)      # the state of each event, from the rows of its log
    due(…)                           # those to send now, at most one of each subject

A try is logged before it is made, and its answer after. A process that is killed in between leaves a try
without an answer: it counts, and the event is sent again under the same id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fcb_pipelines.core.digests import digest

MOST_TRIES = 8
"""After so many tries an event is dead until a person says otherwise."""

LATE_AFTER = timedelta(days=1)
"""An event that waits for longer is late."""

_GONE = 410
_WAITS = timedelta(minutes=1)


class Step(StrEnum):
    """A row of the log of deliveries."""

    TRIED = "tried"
    DELIVERED = "delivered"
    FAILED = "failed"
    DEAD = "dead"
    GONE = "gone"
    REPLAYED = "replayed"
    DROPPED = "dropped"


class State(StrEnum):
    """The state of an event."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """One event in the queue; `sequence` is its place."""

    sequence: int
    id: str
    type: str
    service: str
    subject: str
    period: str
    queued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One row of the log; `endpoint` is the digest of the URL, `status` the HTTP status of an answer."""

    event_id: str
    step: Step
    at: datetime
    service: str
    endpoint: str = ""
    status: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state of one event now.

    `tries` counts since the last replay; `next_at` is when it may be tried again; `since` is when it
    began to wait: queued, or replayed. `behind` is the event of the same subject that must be delivered
    first.
    """

    event: Queued
    state: State
    tries: int
    since: datetime
    last_at: datetime | None
    next_at: datetime
    detail: str = ""
    behind: str | None = None

    def is_late(self, now: datetime) -> bool:
        """Whether it is dead, or has waited for too long."""
        waits = self.state is State.WAITING and now - self.since > LATE_AFTER
        return waits or self.state is State.DEAD


def standings(queued: Iterable[Queued], log: Iterable[Logged]) -> tuple[Standing, ...]:
    """The state of each event, in the order of the queue; `log` is in the order of its rows."""
    rows: dict[str, list[Logged]] = {}
    for each in log:
        rows.setdefault(each.event_id, []).append(each)
    found = []
    first: dict[tuple[str, str], str] = {}
    for event in sorted(queued, key=lambda one: one.sequence):
        subject = (event.service, event.subject)
        one = _standing(event, rows.get(event.id, ()), first.get(subject))
        if one.state in (State.WAITING, State.DEAD):
            first.setdefault(subject, event.id)
        found.append(one)
    return tuple(found)


def due(
    known: Iterable[Standing], now: datetime, *, disabled: Iterable[str] = ()
) -> tuple[Standing, ...]:
    """The events to send now, in order: of each subject the first that is not done, if its time has come.

    A dead event keeps those behind it waiting. `disabled` are the services to which nothing is sent.
    """
    off = frozenset(disabled)
    return tuple(
        one
        for one in known
        if one.state is State.WAITING
        and one.behind is None
        and one.next_at <= now
        and one.event.service not in off
    )


def disabled(log: Iterable[Logged], endpoints: dict[str, str]) -> frozenset[str]:
    """The services whose endpoint said that it is gone (410), and of which no event was replayed since.

    `endpoints` has the digest of each service's present URL: another URL is another endpoint.
    """
    off: set[str] = set()
    for each in log:
        if endpoints.get(each.service) != each.endpoint:
            continue
        if each.step is Step.GONE:
            off.add(each.service)
        elif each.step is Step.REPLAYED:
            off.discard(each.service)
    return frozenset(off)


def answered(status: int | None, tries: int) -> Step:
    """What a try has come to, by its HTTP status (None: no answer); `tries` counts it."""
    if status is not None and 200 <= status < 300:
        return Step.DELIVERED
    if status == _GONE:
        return Step.GONE
    return Step.DEAD if tries >= MOST_TRIES else Step.FAILED


def wait(event_id: str, tries: int) -> timedelta:
    """The wait after so many tries: 2^tries minutes, and up to a quarter more.

    The part more is the event's own, so that events which failed at once are not tried again at once.
    """
    share = int(digest(f"{event_id} {tries}")[:8], 16) / 16**8
    return _WAITS * (1 << tries) * (1 + share / 4)


def _standing(event: Queued, rows: Sequence[Logged], behind: str | None) -> Standing:
    state, tries, since, last, detail = State.WAITING, 0, event.queued_at, None, ""
    for row in rows:
        if row.step is Step.REPLAYED:
            state, tries, since, last, detail = State.WAITING, 0, row.at, None, row.detail
            continue
        detail = row.detail
        if row.step is Step.TRIED:
            tries, last = tries + 1, row.at
            # Of a killed process: whether it was delivered is unknown.
            state = State.DEAD if tries >= MOST_TRIES else State.WAITING
        elif row.step is Step.FAILED:
            state, last = State.WAITING, row.at
        else:
            state = _AFTER[row.step]
    next_at = since if last is None else last + wait(event.id, tries)
    return Standing(
        event=event,
        state=state,
        tries=tries,
        since=since,
        last_at=last,
        next_at=next_at,
        detail=detail,
        behind=behind,
    )


_AFTER = {
    Step.DELIVERED: State.DELIVERED,
    Step.DEAD: State.DEAD,
    Step.GONE: State.DEAD,
    Step.DROPPED: State.DROPPED,
}
