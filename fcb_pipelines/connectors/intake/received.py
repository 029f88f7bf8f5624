"""Usage as services handed it in: kept by batches, read by the months that it is of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from psycopg2.extras import execute_values

from fcb_pipelines.connectors.intake.schema import MONTHS, USAGE, WRITING, new_schema
from fcb_pipelines.connectors.store.own_postgres import transaction
from fcb_pipelines.core.intake.usage import (
    Calendar,
    Judged,
    KnownUsage,
    ReceivedMonth,
    ReceivedUsage,
    SentUsage,
    UsageKey,
    judge,
)
from fcb_pipelines.core.metering.cycles import Span

_COLUMNS = (
    "u.service, u.subscription_id, u.metric, u.key, u.period_start, u.period_end, u.quantity, u.item, "
    "coalesce(u.recorded_at, u.received_at), u.refused"
)
# A record counts as long as no later one under its key was accepted; a refused one replaces none.
_COUNTS = f"""(u.refused is not null or not exists (
    select from {USAGE} later where later.service = u.service
    and later.subscription_id = u.subscription_id and later.metric = u.metric and later.key = u.key
    and later.id > u.id and later.id <= %(through)s and later.refused is null))"""
EVERYTHING = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePage:
    """Some received records with their numbers; `more` where others come after the last."""

    records: tuple[tuple[int, ReceivedUsage], ...]
    more: bool


class ReceivedStore:
    """The received usage in one database. All methods raise Unreachable or NotAllowed."""

    def __init__(self, postgres_url: str) -> None:
        self._url = postgres_url
        self._schema = new_schema()

    def keep(
        self, service: str, sent: Sequence[SentUsage], calendar: Calendar, *, request_id: str
    ) -> tuple[Judged, ...]:
        """Judge a batch against what is received, and keep its news. All of it is kept, or nothing.

        Writers take turns, so that two batches with one key are judged one after the other.
        """
        with transaction(self._url, "keeping usage", self._schema.bring_up) as connection:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_xact_lock(%s)", (WRITING,))
            judged = judge(sent, _known(connection, service, sent), calendar)
            news = [each for each in judged if each.news]
            numbers = _insert(connection, service, news, request_id)
            _count(connection, service, zip(news, numbers, strict=True), calendar)
        return judged

    def months(self, services: Collection[str]) -> tuple[tuple[ReceivedMonth, ...], int]:
        """What was received of each subscription and month of these services; the newest number of all."""
        with (
            transaction(self._url, "counting usage", self._schema.bring_up) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"select service, subscription_id, period, records, last from {MONTHS} "  # noqa: S608 - a constant
                "where service = any(%s) order by service, period, subscription_id",
                (sorted(services),),
            )
            rows = tuple(
                ReceivedMonth(
                    service=row[0], subscription_id=row[1], period=row[2], records=row[3], last=row[4]
                )
                for row in cursor.fetchall()
            )  # fmt: skip
        return rows, max((row.last for row in rows), default=0)

    def within(
        self,
        services: Collection[str],
        month: Span,
        cycles: Mapping[tuple[str, str], Span],
        *,
        through: int = EVERYTHING,
    ) -> tuple[ReceivedUsage, ...]:
        """The records of these services that begin in their subscription's cycle, refused ones too.

        `cycles` are by service and subscription; one that is not among them has the calendar `month`.
        Records with a number above `through` came later, and do not count.
        """
        spans = [month, *cycles.values()]
        known = list(cycles.items())
        values: dict[str, Any] = {
            "services": sorted(services),
            "own": [key[0] for key, _ in known],
            "ids": [key[1] for key, _ in known],
            "starts": [span.start for _, span in known],
            "ends": [span.end for _, span in known],
            "first": min(span.start for span in spans),
            "last": max(span.end for span in spans),
            "month_start": month.start,
            "month_end": month.end,
            "through": through,
        }
        query = f"""
            select {_COLUMNS} from {USAGE} u
            left join unnest(%(own)s::text[], %(ids)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
                as c(service, subscription_id, starts, ends)
                on c.service = u.service and c.subscription_id = u.subscription_id
            where u.service = any(%(services)s) and u.id <= %(through)s
            and u.period_start >= %(first)s and u.period_start < %(last)s
            and u.period_start >= coalesce(c.starts, %(month_start)s)
            and u.period_start < coalesce(c.ends, %(month_end)s)
            and {_COUNTS}
            order by u.service, u.subscription_id, u.metric, u.period_start, u.id"""  # noqa: S608 - constants
        with (
            transaction(self._url, "reading received usage", self._schema.bring_up) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query, values)
            return tuple(map(_received, cursor.fetchall()))

    def page(
        self,
        service: str,
        *,
        after: int,
        limit: int,
        subscription_id: str | None = None,
        metric: str | None = None,
        refused: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> UsagePage:
        """The records of one service that count, or those that were refused, in the order they came."""
        wanted = [
            ("u.subscription_id = %(subscription)s", subscription_id),
            ("u.metric = %(metric)s", metric),
            ("u.period_start >= %(since)s", since),
            ("u.period_start < %(until)s", until),
        ]
        chosen = "".join(f" and {text}" for text, value in wanted if value is not None)
        state = "u.refused is not null" if refused else f"u.refused is null and {_COUNTS}"
        query = (
            f"select {_COLUMNS}, u.id from {USAGE} u where u.service = %(service)s "  # noqa: S608 - constants
            f"and u.id > %(after)s and {state}{chosen} order by u.id limit %(limit)s"
        )
        values = {
            "service": service, "after": after, "limit": limit + 1, "subscription": subscription_id,
            "metric": metric, "since": since, "until": until, "through": EVERYTHING,
        }  # fmt: skip
        with (
            transaction(self._url, "reading received usage", self._schema.bring_up) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query, values)
            rows = cursor.fetchall()
        records = tuple((int(row[-1]), _received(row[:-1])) for row in rows[:limit])
        return UsagePage(records=records, more=len(rows) > limit)


def _known(
    connection: Connection, service: str, sent: Sequence[SentUsage]
) -> dict[UsageKey, KnownUsage]:
    names = list(dict.fromkeys(each.name for each in sent))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            select s.subscription_id, s.metric, s.key, counts.digest, counts.period_start, refused.digest
            from unnest(%s::text[], %s::text[], %s::text[]) as s(subscription_id, metric, key)
            join lateral (select digest, period_start from {USAGE} u where u.service = %s
                and u.subscription_id = s.subscription_id and u.metric = s.metric and u.key = s.key
                and u.refused is null order by id desc limit 1) counts on true
            left join lateral (select digest from {USAGE} u where u.service = %s
                and u.subscription_id = s.subscription_id and u.metric = s.metric and u.key = s.key
                and u.refused is not null order by id desc limit 1) refused on true""",  # noqa: S608 - constants
            (*map(list, zip(*names, strict=True)), service, service),
        )
        return {
            UsageKey(*row[:3]): KnownUsage(digest=row[3], start=row[4], refused=row[5])
            for row in cursor.fetchall()
        }


def _insert(
    connection: Connection, service: str, news: Sequence[Judged], request_id: str
) -> list[int]:
    """The numbers of the new rows, in their order."""
    rows = [
        (
            service, *each.sent.name, each.sent.start, each.sent.end, each.sent.quantity,
            each.sent.item, each.sent.recorded_at, each.digest, each.why, request_id,
        )
        for each in news
    ]  # fmt: skip
    with connection.cursor() as cursor:
        numbers = execute_values(
            cursor,
            f"insert into {USAGE} (service, subscription_id, metric, key, period_start, period_end, "  # noqa: S608 - a constant
            "quantity, item, recorded_at, digest, refused, request_id) values %s returning id",
            rows,
            page_size=2000,
            fetch=True,
        )
    return [int(number) for (number,) in numbers]


def _count(
    connection: Connection,
    service: str,
    news: Iterable[tuple[Judged, int]],
    calendar: Calendar,
) -> None:
    """Count the new rows in the months of their windows."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for each, number in news:
        name = each.sent.subscription_id, calendar.month(each.sent.start)
        records, last = found.get(name, (0, 0))
        found[name] = records + 1, max(last, number)
        if each.replaces is not None:
            # The month that it leaves is another one now, too.
            left = each.sent.subscription_id, calendar.month(each.replaces)
            records, last = found.get(left, (0, 0))
            found[left] = records, max(last, number)
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            f"insert into {MONTHS} (service, subscription_id, period, records, last) values %s "  # noqa: S608 - a constant
            f"on conflict (service, subscription_id, period) do update set "
            f"records = {MONTHS}.records + excluded.records, last = excluded.last",
            [(service, *name, *counted) for name, counted in sorted(found.items())],
            page_size=2000,
        )


def _received(row: Sequence[Any]) -> ReceivedUsage:
    return ReceivedUsage(
        service=row[0],
        subscription_id=row[1],
        metric=row[2],
        key=row[3],
        start=row[4],
        end=row[5],
        quantity=row[6],
        item=row[7],
        recorded_at=row[8],
        refused=row[9],
    )
