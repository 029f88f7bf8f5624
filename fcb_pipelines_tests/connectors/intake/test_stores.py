"""The intake's tables: usage that only grows, versions of customers and subscriptions, keys by digest."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from fcb_pipelines.connectors.failures import NotAllowed, NotFound, Unreachable
from fcb_pipelines.connectors.intake.handed import (
    AlreadyThere,
    HandedCustomer,
    HandedStore,
    HandedSubscription,
)
from fcb_pipelines.connectors.intake.received import ReceivedStore
from fcb_pipelines.connectors.intake.schema import KEYS, SUBSCRIPTIONS, USAGE, new_schema
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.connectors.store.own_postgres import OwnSchema, transaction
from fcb_pipelines.core.digests import digest
from fcb_pipelines.core.intake.usage import Calendar, Outcome, ReceivedMonth, SentUsage
from fcb_pipelines.core.metering.cycles import Span, cycle_of
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres

ZONE = "America/Toronto"
OPEN = Calendar(today=date(2026, 5, 10), timezone=ZONE, closes_after_days=10)
CLOSED = Calendar(today=date(2026, 5, 11), timezone=ZONE, closes_after_days=10)
APRIL, MAY = (cycle_of(period, None, ZONE) for period in ("2026-04", "2026-05"))


def sent(key: str = "k1", start: datetime = APRIL.start, **changes: Any) -> SentUsage:
    values: dict[str, Any] = {
        "subscription_id": "s1", "metric": "calls", "key": key, "start": start,
        "end": start + timedelta(days=1), "quantity": Decimal("5.5"),
    }  # fmt: skip
    return SentUsage(**{**values, **changes})


@pytest.fixture
def url(postgres: EmbeddedPostgres, database: str) -> str:
    return postgres.sqlalchemy_url(database)


@pytest.fixture
def store(url: str) -> ReceivedStore:
    return ReceivedStore(url)


def quantities(store: ReceivedStore, month: Span = APRIL, **more: Any) -> list[Decimal]:
    rows = store.within(["maps"], month, more.pop("cycles", {}), **more)
    return [row.quantity for row in rows if row.refused is None]


def test_the_last_record_of_a_key_counts_and_a_refused_one_is_listed_beside_it(
    store: ReceivedStore,
) -> None:
    def keep(calendar: Calendar, *records: SentUsage) -> list[Outcome]:
        judged = store.keep("maps", records, calendar, request_id="r")
        return [one.outcome for one in judged]

    assert keep(OPEN, sent(), sent("k2")) == [Outcome.ACCEPTED] * 2
    assert keep(OPEN, sent(quantity=Decimal(7)), sent("k2")) == [
        Outcome.REPLACED,
        Outcome.UNCHANGED,
    ]
    assert sorted(quantities(store)) == [Decimal("5.5"), Decimal(7)]
    for _ in range(2):
        assert keep(CLOSED, sent(quantity=Decimal(8))) == [Outcome.REFUSED]
    assert sorted(quantities(store)) == [Decimal("5.5"), Decimal(7)]
    (refused,) = (row for row in store.within(["maps"], APRIL, {}) if row.refused)
    assert (refused.quantity, "closed" in str(refused.refused)) == (Decimal(8), True)
    assert [
        one.quantity for _, one in store.page("maps", after=0, limit=9, refused=True).records
    ] == [8]
    # A late record and a correction come under keys of their own.
    assert keep(CLOSED, sent("k3")) == [Outcome.ACCEPTED]
    assert len(quantities(store)) == 3


def test_a_month_has_the_records_of_its_cycles_and_no_other(store: ReceivedStore) -> None:
    mid = Span(start=APRIL.start + timedelta(days=14), end=MAY.start + timedelta(days=14))
    starts = {
        "before": mid.start - timedelta(seconds=1), "first": mid.start,
        "last": mid.end - timedelta(seconds=1), "after": mid.end,
    }  # fmt: skip
    records = [sent(key, start) for key, start in starts.items()]
    records += [sent(key, start, subscription_id="unknown") for key, start in starts.items()]
    store.keep("maps", records, OPEN, request_id="r")
    rows = store.within(["maps"], APRIL, {("maps", "s1"): mid, ("desk", "unknown"): mid})
    assert [(row.subscription_id, row.key) for row in rows] == [
        ("s1", "first"), ("s1", "last"), ("unknown", "before"), ("unknown", "first"),
    ]  # fmt: skip


def test_a_month_that_was_counted_is_read_the_same_whatever_came_since(
    store: ReceivedStore,
) -> None:
    store.keep("maps", [sent(), sent("k2")], OPEN, request_id="r")
    before = store.months(["maps"])
    assert before == (
        (ReceivedMonth(service="maps", subscription_id="s1", period="2026-04", records=2, last=2),), 2,
    )  # fmt: skip
    # One is replaced and leaves for May, one is new.
    store.keep("maps", [sent(start=MAY.start), sent("k3")], OPEN, request_id="r")
    assert len(quantities(store, through=2)) == 2
    assert len(quantities(store)) == 2
    assert len(quantities(store, MAY)) == 1
    after, newest = store.months(["maps"])
    assert newest == 4
    assert {(row.period, row.last) for row in after} == {("2026-04", 4), ("2026-05", 3)}
    assert store.months(["desk"]) == ((), 0)


def test_one_service_never_meets_the_records_of_another(store: ReceivedStore) -> None:
    store.keep("maps", [sent()], OPEN, request_id="r")
    (one,) = store.keep("desk", [sent(quantity=Decimal(9))], CLOSED, request_id="r")
    assert one.outcome is Outcome.ACCEPTED
    assert quantities(store) == [Decimal("5.5")]
    assert [each.service for _, each in store.page("desk", after=0, limit=9).records] == ["desk"]


def test_of_batches_that_come_at_once_each_record_is_kept_once(url: str) -> None:
    records = [sent(f"k{number}") for number in range(200)]

    def keep(_: int) -> int:
        judged = ReceivedStore(url).keep("maps", records, OPEN, request_id="r")
        return sum(one.outcome is Outcome.ACCEPTED for one in judged)

    with ThreadPoolExecutor(4) as writers:
        assert sorted(writers.map(keep, range(4))) == [0, 0, 0, 200]
    assert len(quantities(ReceivedStore(url))) == 200


def test_a_list_goes_on_where_its_page_ended(store: ReceivedStore) -> None:
    store.keep("maps", [sent(f"k{number}") for number in range(5)], OPEN, request_id="r")
    first = store.page("maps", after=0, limit=3)
    rest = store.page("maps", after=first.records[-1][0], limit=3)
    assert (first.more, rest.more) == (True, False)
    assert [one.key for _, one in (*first.records, *rest.records)] == ["k0", "k1", "k2", "k3", "k4"]
    assert (
        len(
            store.page(
                "maps", after=0, limit=9, metric="calls", since=APRIL.start, until=MAY.start
            ).records
        )
        == 5
    )
    for other in ({"metric": "other"}, {"subscription_id": "s2"}, {"since": MAY.start}):
        assert store.page("maps", after=0, limit=9, **other).records == ()


@pytest.mark.parametrize("table", [USAGE, SUBSCRIPTIONS])
@pytest.mark.parametrize(
    "statement", ["update {} set service = 'x'", "delete from {}", "truncate {}"]
)
def test_even_by_sql_nothing_that_was_received_changes_or_goes(
    statement: str, table: str, store: ReceivedStore, postgres: EmbeddedPostgres, database: str
) -> None:
    store.keep("maps", [sent()], OPEN, request_id="r")
    connection = psycopg2.connect(postgres.libpq_url(database))
    try:
        with connection.cursor() as cursor, pytest.raises(psycopg2.Error, match="append-only"):
            cursor.execute(statement.format(table))
    finally:
        connection.close()
    assert quantities(store) == [Decimal("5.5")]


def test_a_customer_is_as_it_was_handed_in_last(url: str) -> None:
    store = HandedStore(url)
    jane = HandedCustomer(service="maps", id="c1", email="Jane@Maple.example", name="Jane")
    assert store.put_customer(jane, request_id="r") is True
    assert store.put_customer(jane, request_id="r") is False
    changed = HandedCustomer(service="maps", id="c1", company="Maple")
    assert store.put_customer(changed, request_id="r") is False
    assert store.customers(["maps", "desk"]) == (changed,)
    assert store.customer("desk", "c1") is None
    assert jane.account.customer.emails == ("jane@maple.example",)
    assert (jane.account.customer.name, changed.account.customer.name) == ("Jane", "Maple")


def test_a_customer_that_is_erased_keeps_its_id_and_no_text(
    url: str, postgres: EmbeddedPostgres, database: str
) -> None:
    store = HandedStore(url)
    for email in ("jane@maple.example", "j@maple.example"):
        store.put_customer(
            HandedCustomer(service="maps", id="c1", email=email, name="Jane"), request_id="r"
        )
    other = HandedCustomer(service="maps", id="c2", email="other@maple.example")
    store.put_customer(other, request_id="r")
    # An earlier email finds every version.
    assert store.erase(["JANE@maple.example"], really=False) == 2
    assert store.erase(["JANE@maple.example"], really=True) == 2
    assert store.customers(["maps"]) == (HandedCustomer(service="maps", id="c1"), other)
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from fcb_intake_customers where email like 'j%' or name is not null"
        )
        assert cursor.fetchall() == [(0,)]
    assert store.erase(["c1"], really=True) == 0


def test_subscriptions_of_a_database_of_before_are_read_without_what_they_could_not_name(
    url: str,
) -> None:
    before = OwnSchema("fcb_intake", new_schema().versions[:1], lock=1)
    with transaction(url, "making the tables of before", before.bring_up) as connection:
        connection.cursor().execute(
            f"insert into {SUBSCRIPTIONS} (service, subscription_id, customer_id, plan_id, status, "
            "billing_cycle, request_id) values ('maps', 's1', 'c1', 'p1', 'active', 'monthly', 'r')"
        )
    store = HandedStore(url)
    (known,) = store.subscriptions(["maps"])
    assert (known.id, known.source_subscription_id) == ("s1", None)
    named = replace(known, source_subscription_id="sub_1")
    store.change_subscription(named, request_id="r")
    assert store.subscriptions(["maps"]) == (named,)
    assert named.subscription.at_source == "sub_1"
    ended = store.end_subscription("maps", "s1", MAY.start, request_id="r")
    assert (ended.status, ended.source_subscription_id) == ("canceled", "sub_1")


def test_the_life_of_a_subscription(url: str) -> None:
    store = HandedStore(url)
    made = HandedSubscription(
        service="maps", id="s1", customer_id="c1", plan_id="p1", status="active", billing_cycle="monthly",
        current_period_start=APRIL.start, current_period_end=APRIL.end,
    )  # fmt: skip
    with pytest.raises(NotFound):
        store.change_subscription(made, request_id="r")
    assert [store.make_subscription(made, request_id="r") for _ in range(2)] == [True, False]
    other = HandedSubscription(
        service="maps",
        id="s1",
        customer_id="c1",
        plan_id="p2",
        status="active",
        billing_cycle="yearly",
    )
    with pytest.raises(AlreadyThere):
        store.make_subscription(other, request_id="r")
    store.change_subscription(other, request_id="r")
    assert store.subscriptions(["maps"]) == (other,)
    at = datetime(2026, 5, 5, tzinfo=UTC)
    ended = store.end_subscription("maps", "s1", at, request_id="r")
    assert (ended.status, ended.current_period_end, ended.plan_id) == ("canceled", at, "p2")
    assert store.end_subscription("maps", "s1", at + timedelta(days=1), request_id="r") == ended
    for service, number in (("desk", "s1"), ("maps", "s2")):
        with pytest.raises(NotFound):
            store.end_subscription(service, number, at, request_id="r")


def test_a_key_opens_for_its_service_until_it_is_revoked_and_only_its_digest_is_kept(
    url: str, postgres: EmbeddedPostgres, database: str
) -> None:
    keys = ServiceKeys(url)
    (first, one), (second, two) = (keys.new("maps", note) for note in ("old", "new"))
    assert keys.service_of(one) == keys.service_of(two) == "maps"
    keys.revoke("maps", first)
    assert (keys.service_of(one), keys.service_of(two)) == (None, "maps")
    assert [(key.id, key.note, key.revoked_at is None) for key in keys.of("maps")] == [
        (first, "old", False), (second, "new", True),
    ]  # fmt: skip
    for service, number in (("desk", second), ("maps", 99)):
        with pytest.raises(NotFound):
            keys.revoke(service, number)
    assert keys.service_of("") is None
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(f"select * from {KEYS} where id = {second}")
        told = str(cursor.fetchall())
    assert digest(two) in told
    assert two not in told


def test_a_database_that_does_not_answer_is_transient_and_a_reader_may_not_write(
    postgres: EmbeddedPostgres, database: str
) -> None:
    with pytest.raises(Unreachable):
        ServiceKeys("postgresql+psycopg2://u:p@127.0.0.1:1/db").of("maps")
    with pytest.raises(NotAllowed, match="permission denied"):
        ServiceKeys(postgres.ensure_reader(database)).of("maps")
