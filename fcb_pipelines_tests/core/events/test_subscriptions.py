"""Whose subscription ended, and whose lives again; the source's word counts before the service's."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.events.outbox import outbox
from fcb_pipelines.core.events.subscriptions import last_of_life, subscription_events
from fcb_pipelines.core.facts.lago.rules import LAGO
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines.core.facts.subscription import SubscriptionFacts
from fcb_pipelines_tests.events import SERVICE, ZONE, an_event, settings

TODAY = date(2026, 5, 20)
ENDED_AT = datetime(2026, 5, 5, 3, 30, tzinfo=UTC)  # May 4 in Toronto
TERMINATED, REACTIVATED = EventType.SUBSCRIPTION_TERMINATED, EventType.SUBSCRIPTION_REACTIVATED

OWN = Subscription(
    service=SERVICE,
    id="s1",
    customer="17",
    plan_id="p1",
    status="active",
    billing_cycle="monthly",
    start=None,
    end=None,
    deployment_id="d1",
)
LIVE = SubscriptionFacts(ref="stripe:a:sub_1", status="active", live=True)
OVER = SubscriptionFacts(ref="stripe:a:sub_1", status="canceled", live=False, ended=ENDED_AT)
UNREAD = replace(LIVE, live=False, problem="it has no id")


def told_of(
    at_source: Sequence[SubscriptionFacts] = (),
    before: Iterable[Event] = (),
    *,
    own: Subscription = OWN,
    by: EventSettings | None = None,
) -> tuple[Event, ...]:
    return subscription_events(
        [own],
        {(own.service, own.id): at_source},
        last_of_life(before),
        {SERVICE: by or settings()},
        today=TODAY,
        timezone=ZONE,
    )


def test_the_end_is_told_at_the_moment_that_the_source_gives() -> None:
    (one,) = told_of([OVER])
    assert (one.type, one.subject) == (TERMINATED, "nexacloud:subscription:s1")
    assert (one.occurred_at, one.period) == (ENDED_AT, "2026-05")
    assert (one.customer, one.subscription, one.deployment_id) == ("17", "s1", "d1")
    assert (one.document, one.total) == (None, None)


@pytest.mark.parametrize(
    ("at_source", "own", "by"),
    [
        ([LIVE], OWN, settings()),
        # The service's table says that it ended; the source knows better.
        ([LIVE], replace(OWN, status="canceled", end=ENDED_AT), settings()),
        # One after the other: the second lives.
        ([OVER, replace(LIVE, ref="stripe:a:sub_2")], OWN, settings()),
        ([OVER, UNREAD], OWN, settings()),
        ([OVER], OWN, settings(start=date(2026, 5, 5))),
        ([OVER], OWN, settings(types=[REACTIVATED])),
        ([], OWN, settings()),
        ([], replace(OWN, status="canceled"), settings()),
        ([], replace(OWN, status="canceled", end=datetime(2026, 6, 1, 4, tzinfo=UTC)), settings()),
        ([], replace(OWN, status="canceled", end=ENDED_AT, problem="no plan"), settings()),
        ([], replace(OWN, status=""), settings()),
    ],
)
def test_nothing_is_told_where_it_lives_or_nobody_can_tell_or_it_is_long_past(
    at_source: Sequence[SubscriptionFacts], own: Subscription, by: EventSettings
) -> None:
    assert told_of(at_source, own=own, by=by) == ()


def test_one_that_the_source_does_not_know_ends_with_its_last_cycle() -> None:
    (one,) = told_of(own=replace(OWN, status="canceled", end=ENDED_AT))
    assert (one.type, one.occurred_at) == (TERMINATED, ENDED_AT)


def test_one_that_was_told_as_ended_and_lives_is_told_as_reactivated() -> None:
    told = [*told_of([OVER])]
    assert told_of([OVER], told) == ()
    again = [OVER, replace(LIVE, ref="stripe:a:sub_2")]
    (one,) = told_of(again, told)
    assert (one.type, one.occurred_at.date()) == (REACTIVATED, TODAY)
    told.append(one)
    assert told_of(again, told) == ()
    ended = [OVER, replace(OVER, ref="stripe:a:sub_2", ended=datetime(2026, 5, 19, tzinfo=UTC))]
    (one,) = told_of(ended, told)
    assert one.type is TERMINATED
    assert len({each.id for each in (*told, one)}) == 3


@pytest.mark.parametrize(
    ("rules", "body", "live", "ended"),
    [
        (STRIPE, {"id": "sub_1", "status": "active"}, True, None),
        (STRIPE, {"id": "sub_1", "status": "past_due"}, True, None),
        (STRIPE, {"id": "sub_1", "status": "canceled", "ended_at": 1777951800}, False, ENDED_AT),
        (STRIPE, {"id": "sub_1", "status": "canceled", "canceled_at": 1777951800}, False, ENDED_AT),
        (LAGO, {"external_id": "s1", "status": "active"}, True, None),
        (LAGO, {"external_id": "s1", "status": "pending"}, True, None),
        (LAGO, {"external_id": "s1", "status": "terminated", "terminated_at": "2026-05-05T03:30:00Z"}, False, ENDED_AT),
    ],
)  # fmt: skip
def test_a_source_s_own_words_say_whether_it_lives(
    rules: Any, body: dict[str, Any], live: bool, ended: datetime | None
) -> None:
    facts = rules.subscriptions.facts(body, "a")
    assert (facts.live, facts.ended, facts.problem) == (live, ended, None)


@pytest.mark.parametrize(
    ("rules", "body"),
    [
        (STRIPE, {"status": "active"}),
        (STRIPE, {"id": 7, "status": "active"}),
        (STRIPE, {"id": "sub_1", "status": "canceled"}),
        (STRIPE, {"id": "sub_1", "status": "canceled", "ended_at": 10**30}),
        (STRIPE, {"id": "sub_1", "status": "canceled", "ended_at": "yesterday"}),
        (LAGO, {"external_id": "s1", "status": "terminated", "terminated_at": "yesterday"}),
        (LAGO, {"external_id": "s1", "status": "terminated", "terminated_at": "2026-05-05T03:30"}),
        (LAGO, {}),
    ],
)
def test_one_that_can_t_be_read_says_nothing(rules: Any, body: dict[str, Any]) -> None:
    facts = rules.subscriptions.facts(body, "a")
    assert facts.problem
    assert not facts.live
    assert told_of([facts]) == ()


@pytest.mark.parametrize(
    ("rules", "named", "ref"),
    [
        (STRIPE, "sub_7", "sub_7"),
        (STRIPE, None, None),
        (STRIPE, "lago:x", None),
        (LAGO, None, "s1"),
        (LAGO, "lago:x", "x"),
        (LAGO, "sub_7", None),
    ],
)
def test_a_service_s_subscription_is_found_at_its_source(
    rules: Any, named: str | None, ref: str | None
) -> None:
    assert rules.subscriptions.at_source("s1", named) == ref


def test_the_open_month_takes_what_earlier_months_have_left() -> None:
    april, may = an_event(), an_event(fact="another", period="2026-05")
    for period, told, rows, new in (
        ("2026-04", [], [april], [april]),
        ("2026-05", [], [april, may], [april, may]),
        ("2026-05", [april], [may], [may]),
        ("2026-04", [april, may], [april], []),
        ("2026-03", [], [], []),
    ):
        found = outbox(period, told, [april, may], open_period="2026-05")
        assert tuple(map(set, [[one.id for one in part] for part in found])) == (
            {one.id for one in rows},
            {one.id for one in new},
        )
        # Built again, with what it queued among the told, a month is the same.
        assert outbox(period, [*told, *found[1]], [april, may], open_period="2026-05") == (
            found[0],
            (),
        )
