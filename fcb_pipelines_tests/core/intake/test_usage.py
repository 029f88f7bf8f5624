"""Usage that is handed in: the same again is nothing, another replaces while its month is open."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.intake.usage import (
    Calendar,
    Judged,
    KnownUsage,
    Outcome,
    SentUsage,
    UsageKey,
    judge,
)

ZONE = "America/Toronto"
APRIL = datetime(2026, 4, 3, 4, tzinfo=UTC)
OPEN = Calendar(today=date(2026, 5, 10), timezone=ZONE, closes_after_days=10)
CLOSED = Calendar(today=date(2026, 5, 11), timezone=ZONE, closes_after_days=10)


def sent(**changes: Any) -> SentUsage:
    """A record of 3 April."""
    values: dict[str, Any] = {
        "subscription_id": "s1", "metric": "api_calls", "key": "k1", "start": APRIL,
        "end": APRIL + timedelta(days=1), "quantity": Decimal(5),
    }  # fmt: skip
    return SentUsage(**{**values, **changes})


KNOWN = {sent().name: KnownUsage(digest=sent().digest, start=APRIL)}


@pytest.mark.parametrize(
    ("changes", "calendar", "outcome"),
    [
        ({}, OPEN, Outcome.UNCHANGED),
        ({}, CLOSED, Outcome.UNCHANGED),
        ({"quantity": Decimal("5.00")}, CLOSED, Outcome.UNCHANGED),
        ({"quantity": Decimal(6)}, OPEN, Outcome.REPLACED),
        ({"quantity": Decimal(6)}, CLOSED, Outcome.REFUSED),
        ({"item": "tile"}, CLOSED, Outcome.REFUSED),
        ({"end": APRIL + timedelta(days=2)}, CLOSED, Outcome.REFUSED),
        ({"recorded_at": APRIL}, CLOSED, Outcome.REFUSED),
        # The month of the known record counts, not that of the new one.
        ({"start": APRIL + timedelta(days=32), "end": APRIL + timedelta(days=33)}, CLOSED, Outcome.REFUSED),
        # Another key is another record: late usage, and corrections of closed months.
        ({"key": "k2"}, CLOSED, Outcome.ACCEPTED),
        ({"metric": "tiles"}, CLOSED, Outcome.ACCEPTED),
        ({"subscription_id": "s2"}, CLOSED, Outcome.ACCEPTED),
    ],
)  # fmt: skip
def test_what_becomes_of_a_record_under_a_known_key(
    changes: dict[str, Any], calendar: Calendar, outcome: Outcome
) -> None:
    (one,) = judge([sent(**changes)], KNOWN, calendar)
    assert one.outcome is outcome
    assert (one.why is not None) is (outcome is Outcome.REFUSED)
    assert one.news is (outcome is not Outcome.UNCHANGED)
    assert (one.replaces == APRIL) is (outcome is Outcome.REPLACED)


@pytest.mark.parametrize(
    ("start", "today", "is_open"),
    [
        # 1 May, 00:30 in Toronto, is May, and 30 April, 23:30, is April, whatever UTC says.
        (datetime(2026, 5, 1, 4, 30, tzinfo=UTC), date(2026, 6, 10), True),
        (datetime(2026, 5, 1, 3, 30, tzinfo=UTC), date(2026, 5, 10), True),
        (datetime(2026, 5, 1, 3, 30, tzinfo=UTC), date(2026, 5, 11), False),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2027, 1, 10), True),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2027, 1, 11), False),
    ],
)
def test_a_month_closes_so_many_days_after_its_end_in_the_company_s_timezone(
    start: datetime, today: date, is_open: bool
) -> None:
    assert Calendar(today=today, timezone=ZONE, closes_after_days=10).is_open(start) is is_open


def test_a_refused_record_that_is_sent_again_is_no_news() -> None:
    other, third = sent(quantity=Decimal(6)), sent(quantity=Decimal(7))
    judged = judge([other, other, third, other], KNOWN, CLOSED)
    assert [one.outcome for one in judged] == [Outcome.REFUSED] * 4
    assert [one.news for one in judged] == [True, False, True, True]


RECORDS = st.builds(
    sent,
    key=st.sampled_from(["k1", "k2"]),
    subscription_id=st.sampled_from(["s1", "s2"]),
    quantity=st.sampled_from([Decimal(1), Decimal(2)]),
    start=st.sampled_from([APRIL, APRIL + timedelta(days=31)]),
    end=st.just(APRIL + timedelta(days=60)),
)
BATCHES = st.lists(st.lists(RECORDS, max_size=5), max_size=4)


def kept(
    batches: list[list[SentUsage]], calendar: Calendar
) -> tuple[dict[UsageKey, SentUsage], list[Judged]]:
    """What counts in the end, and what became of each record."""
    counts: dict[UsageKey, SentUsage] = {}
    refused: dict[UsageKey, str] = {}
    judged: list[Judged] = []
    for batch in batches:
        known = {
            name: KnownUsage(digest=one.digest, start=one.start, refused=refused.get(name))
            for name, one in counts.items()
        }
        for one in judge(batch, known, calendar):
            judged.append(one)
            if one.outcome in (Outcome.ACCEPTED, Outcome.REPLACED):
                counts[one.sent.name] = one.sent
                refused.pop(one.sent.name, None)
            elif one.outcome is Outcome.REFUSED:
                refused[one.sent.name] = one.digest
    return counts, judged


@given(batches=BATCHES, calendar=st.sampled_from([OPEN, CLOSED]))
def test_it_does_not_matter_how_records_are_cut_into_batches(
    batches: list[list[SentUsage]], calendar: Calendar
) -> None:
    whole = [one for batch in batches for one in batch]
    assert (
        kept([whole], calendar)
        == kept([[one] for one in whole], calendar)
        == kept(batches, calendar)
    )


@given(batches=BATCHES, calendar=st.sampled_from([OPEN, CLOSED]))
def test_everything_sent_once_more_changes_nothing_that_counts_in_a_closed_month(
    batches: list[list[SentUsage]], calendar: Calendar
) -> None:
    before, _ = kept(batches, calendar)
    after, judged = kept([*batches, [*before.values()]], calendar)
    assert after == before
    again = judged[len(judged) - len(before) :]
    assert {one.outcome for one in again} <= {Outcome.UNCHANGED}


@given(batches=BATCHES)
def test_in_open_months_the_last_record_of_each_key_counts_and_nothing_is_refused(
    batches: list[list[SentUsage]],
) -> None:
    counts, judged = kept(batches, OPEN)
    assert counts == {one.name: one for batch in batches for one in batch}
    assert Outcome.REFUSED not in {one.outcome for one in judged}


@given(batches=BATCHES)
def test_a_closed_record_never_changes_and_each_other_one_under_its_key_is_refused(
    batches: list[list[SentUsage]],
) -> None:
    counts, judged = kept(batches, CLOSED)
    # What lay in April when it was kept first is closed.
    first: dict[UsageKey, SentUsage] = {}
    for one in judged:
        held = first.setdefault(one.sent.name, one.sent)
        if held.start == APRIL:
            wanted = Outcome.REFUSED if one.sent != held else None
            assert wanted in (None, one.outcome)
    for name, one in first.items():
        if one.start == APRIL:
            assert counts[name] == one
