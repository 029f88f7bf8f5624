"""Who has not paid, and who paid after all: each row flips one fact of an invoice that is told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import EventType, Kind, Method, Reason, Status
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.events.event import Event, event_of
from fcb_pipelines.core.events.payments import (
    is_of_another_service,
    last_of_payment,
    payment_events,
)
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines_tests.events import SERVICE, ZONE, settings, sold, unpaid
from fcb_pipelines_tests.facts import DAY, a_settlement

TODAY = DAY + timedelta(days=30)
FAILED, SUCCEEDED = EventType.PAYMENT_FAILED, EventType.PAYMENT_SUCCEEDED


def told_of(
    facts: InvoiceFacts,
    before: Iterable[Event] = (),
    *,
    today: date = TODAY,
    by: EventSettings | None = None,
    service: str = SERVICE,
) -> tuple[Event, ...]:
    return payment_events(
        [sold(facts)],
        last_of_payment(before),
        {service: by or settings()},
        today=today,
        timezone=ZONE,
    )


def paid(day: date = TODAY, name: str = "2", before: InvoiceFacts | None = None) -> InvoiceFacts:
    """The invoice, paid in full on that day, after whatever happened before."""
    facts = before or unpaid()
    payment = a_settlement(facts.ref, facts.owed, name, date=day)
    return replace(facts, status=Status.PAID, settlements=(*facts.settlements, payment))


def returned(facts: InvoiceFacts, day: date) -> InvoiceFacts:
    """The invoice whose last payment came back on that day; Stripe still calls it paid."""
    last = facts.settlements[-1]
    failure = replace(
        last, ref=f"{last.ref}:failed", method=Method.PAYMENT_FAILURE, amount=-last.amount, date=day
    )
    return replace(facts, settlements=(*facts.settlements, failure))


def test_an_invoice_that_nobody_collects_any_more_is_told_with_whom_it_was_sold_to() -> None:
    facts = unpaid()
    (one,) = told_of(facts)
    assert (one.type, one.service, one.subject, one.document) == (
        FAILED,
        SERVICE,
        facts.ref,
        facts.ref,
    )
    assert (one.customer, one.subscription, one.deployment_id) == ("17", "s1", "d1")
    assert (one.total, one.paid, one.owed, one.currency) == (22600, 0, 22600, "CAD")
    assert (one.period, one.occurred_at.isoformat()) == ("2026-04", "2026-04-10T04:00:00+00:00")
    assert event_of(one.body, subject=one.subject, period=one.period) == one


@pytest.mark.parametrize(
    "changed",
    [
        {"status": Status.DRAFT},
        {"status": Status.VOID},
        {"status": Status.UNKNOWN},
        {"collecting": True},
        {"date": None},
        {"kind": Kind.CREDIT_NOTE},
        {"problem": Reason.LINES_DO_NOT_SUM},
        {"due": TODAY - timedelta(days=6)},
        {"date": TODAY - timedelta(days=6)},
        {"total": 0},
    ],
    ids=str,
)
def test_it_is_not_told_where_one_fact_is_otherwise(changed: dict[str, Any]) -> None:
    assert told_of(unpaid(**changed)) == ()


@pytest.mark.parametrize(
    ("by", "today", "count"),
    [
        (settings(), DAY + timedelta(days=6), 0),
        (settings(), DAY + timedelta(days=7), 1),
        (settings(grace_days=0), DAY, 1),
        (settings(grace_days=30), TODAY, 1),
        (settings(grace_days=31), TODAY, 0),
        # The grace days are over on April 10.
        (settings(start=date(2026, 4, 10)), TODAY, 1),
        (settings(start=date(2026, 4, 11)), TODAY, 0),
        (settings(types=[SUCCEEDED]), TODAY, 0),
        (settings(types=[FAILED]), TODAY, 1),
    ],
)
def test_the_service_says_how_long_to_wait_from_when_on_and_of_what(
    by: EventSettings, today: date, count: int
) -> None:
    assert len(told_of(unpaid(), by=by, today=today)) == count


def test_a_service_that_is_not_configured_is_told_nothing() -> None:
    assert told_of(unpaid(), service="nexadesk") == ()


def test_a_debt_that_the_source_wrote_off_is_not_paid() -> None:
    (one,) = told_of(unpaid(status=Status.UNCOLLECTIBLE))
    assert one.type is FAILED


def test_what_was_paid_in_part_is_told_with_what_is_owed() -> None:
    facts = unpaid()
    facts = replace(facts, settlements=(a_settlement(facts.ref, 600),))
    (one,) = told_of(facts)
    assert (one.total, one.paid, one.owed) == (22600, 600, 22000)


def test_a_payment_that_came_back_is_told_at_once_on_its_own_day() -> None:
    day = DAY + timedelta(days=2)
    (one,) = told_of(returned(paid(DAY), day), today=day)
    assert (one.type, one.owed) == (FAILED, 22600)
    assert one.occurred_at.isoformat() == "2026-04-05T04:00:00+00:00"


@pytest.mark.parametrize("again", [unpaid(), unpaid(collecting=True), unpaid(status=Status.VOID)])
def test_what_was_told_is_not_told_again(again: InvoiceFacts) -> None:
    assert told_of(again, told_of(unpaid())) == ()


def test_a_payment_is_told_only_of_an_invoice_whose_failure_was_told() -> None:
    assert told_of(paid()) == ()
    failed = told_of(unpaid())
    (one,) = told_of(paid(), failed)
    assert (one.type, one.paid, one.owed) == (SUCCEEDED, 22600, 0)
    assert told_of(paid(), [*failed, one]) == ()


def test_a_payment_of_before_the_start_is_told_where_the_failure_was() -> None:
    # Lago dates a payment by hand as the invoice.
    by = settings(start=date(2026, 4, 10))
    failed = told_of(unpaid(), by=by)
    (one,) = told_of(paid(DAY), failed, by=by)
    assert one.type is SUCCEEDED


def test_an_invoice_may_fail_again_after_it_was_paid() -> None:
    story = [
        unpaid(),
        paid(TODAY),
        returned(paid(TODAY), TODAY),
        paid(TODAY, "3", before=returned(paid(TODAY), TODAY)),
    ]
    told: list[Event] = []
    for facts in story:
        told += told_of(facts, told)
    assert [one.type for one in told] == [FAILED, SUCCEEDED, FAILED, SUCCEEDED]
    assert len({one.id for one in told}) == 4


def test_the_same_due_day_may_make_it_unpaid_a_second_time() -> None:
    told: list[Event] = []
    for facts in (unpaid(), paid(), unpaid()):
        told += told_of(facts, told)
    assert len({one.id for one in told}) == 3


EARLIER = date(2026, 4, 30)
ROW = IndexRow(
    ref="stripe:acct_1:in_1",
    source_id="in_1",
    origin=Origin.INVOICE,
    answer=Lookup.LISTED,
    in_scope=False,
    claimed=False,
    status=Status.OPEN,
    date=date(2026, 5, 31),
)


@pytest.mark.parametrize(
    ("fact", "changes", "is_open_month", "expected"),
    [
        ("a document of the month", {}, False, True),
        ("a paid one of the month", {"status": Status.PAID}, False, True),
        ("one that NexaCloud claims", {"claimed": True}, True, False),
        ("one that the source does not have", {"answer": Lookup.DOES_NOT_EXIST}, True, False),
        ("one without a date", {"date": None}, True, False),
        ("open, of an earlier month", {"date": EARLIER}, True, True),
        (
            "written off, of an earlier one",
            {"date": EARLIER, "status": Status.UNCOLLECTIBLE},
            True,
            True,
        ),
        ("paid, of an earlier month", {"date": EARLIER, "status": Status.PAID}, True, False),
        ("open, of an earlier month, in a closed one", {"date": EARLIER}, False, False),
        ("of a later month", {"date": date(2026, 6, 1)}, True, False),
    ],
)
def test_a_month_has_other_services_documents_of_its_own_and_the_open_one_what_is_left(
    fact: str, changes: dict[str, Any], is_open_month: bool, expected: bool
) -> None:
    row = replace(ROW, **changes)
    assert is_of_another_service(row, "2026-05", is_open_month=is_open_month) is expected, fact


STATES = st.sampled_from(
    [
        unpaid(),
        unpaid(collecting=True),
        unpaid(status=Status.VOID),
        unpaid(status=Status.UNCOLLECTIBLE),
        paid(),
        paid(DAY),
        returned(paid(), TODAY),
        paid(TODAY, "3", before=returned(paid(), TODAY)),
    ]
)


@given(states=st.lists(STATES, max_size=12))
def test_failures_and_payments_alternate_and_a_rerun_tells_nothing(
    states: list[InvoiceFacts],
) -> None:
    told: list[Event] = []
    for facts in states:
        new = told_of(facts, told)
        assert told_of(facts, told) == new
        told += new
        assert told_of(facts, told) == ()
    assert [one.type for one in told] == [FAILED, SUCCEEDED] * (len(told) // 2) + [FAILED] * (
        len(told) % 2
    )
    assert len({one.id for one in told}) == len(told)
