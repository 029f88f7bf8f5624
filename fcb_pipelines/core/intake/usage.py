"""Usage that a service hands in: what a batch does to the usage received before.

A record is known by subscription, metric and the service's own key for it (its idempotency key). The
same record again changes nothing. Another one under a known key replaces it while the month of the
known one is open; afterwards it is refused and listed, and a correction comes under a key of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from fcb_pipelines.core.company.charges import Reading, RefusedReading
from fcb_pipelines.core.digests import Form, all_but
from fcb_pipelines.core.periods import first_day, following, local_date, period_of


class UsageKey(NamedTuple):
    """The name of one record within its service."""

    subscription_id: str
    metric: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentUsage:
    """One record as handed in. Moments are in UTC; `quantity` is in the reading's unit.

    `recorded_at` is None where the service does not say when it recorded it: then the receipt counts.
    """

    subscription_id: str
    metric: str
    key: str
    start: datetime
    end: datetime
    quantity: Decimal
    item: str | None = None
    recorded_at: datetime | None = None

    @property
    def name(self) -> UsageKey:
        """The key that it replaces others under."""
        return UsageKey(self.subscription_id, self.metric, self.key)

    @property
    def digest(self) -> str:
        """The digest of the whole record: equal for equal records only."""
        return _FORM.digest(self)


_FORM = Form({SentUsage: all_but(SentUsage)})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUsage:
    """What is received under a key: the digest and the beginning of the record that counts, and the
    digest of the one that was refused last."""

    digest: str
    start: datetime
    refused: str | None = None


class Outcome(StrEnum):
    """What became of one record."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One record and its outcome. `why` is the reason of a refused one, `replaces` the beginning of the
    record that it replaces; `news` tells whether it is to be kept."""

    sent: SentUsage
    digest: str
    outcome: Outcome
    why: str | None = None
    replaces: datetime | None = None
    news: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which months of usage are open on the day `today`.

    A month closes `closes_after_days` days after its end, and a record lies in the month that its window
    begins in, both in the company's timezone.
    """

    today: date
    timezone: str
    closes_after_days: int

    def month(self, start: datetime) -> str:
        """The month of a record whose window begins then."""
        return period_of(local_date(start, self.timezone))

    def is_open(self, start: datetime) -> bool:
        """Whether what begins then may still be replaced."""
        closes = first_day(following(self.month(start))) + timedelta(days=self.closes_after_days)
        return self.today < closes


def judge(
    sent: Sequence[SentUsage], known: Mapping[UsageKey, KnownUsage], calendar: Calendar
) -> tuple[Judged, ...]:
    """The outcome of each record of a batch, in order, as if each had come alone."""
    now = dict(known)
    judged = []
    for each in sent:
        one = _judge(each, now.get(each.name), calendar)
        judged.append(one)
        if one.outcome is Outcome.REFUSED:
            before = now[each.name]
            now[each.name] = KnownUsage(
                digest=before.digest, start=before.start, refused=one.digest
            )
        elif one.outcome is not Outcome.UNCHANGED:
            now[each.name] = KnownUsage(digest=one.digest, start=each.start)
    return tuple(judged)


def _judge(sent: SentUsage, known: KnownUsage | None, calendar: Calendar) -> Judged:
    digest = sent.digest
    if known is None:
        return Judged(sent=sent, digest=digest, outcome=Outcome.ACCEPTED)
    if known.digest == digest:
        return Judged(sent=sent, digest=digest, outcome=Outcome.UNCHANGED, news=False)
    if calendar.is_open(known.start):
        return Judged(sent=sent, digest=digest, outcome=Outcome.REPLACED, replaces=known.start)
    why = (
        f"the key {sent.key} is of {calendar.month(known.start)}, which is closed, with another record: "
        "send a correction under a key of its own"
    )
    news = known.refused != digest
    return Judged(sent=sent, digest=digest, outcome=Outcome.REFUSED, why=why, news=news)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedUsage:
    """One record as it is kept. `recorded_at` is that of the service, else of the receipt.

    `refused` is None for a record that counts, else the reason.
    """

    service: str
    subscription_id: str
    metric: str
    key: str
    start: datetime
    end: datetime
    quantity: Decimal
    item: str | None
    recorded_at: datetime
    refused: str | None = None

    @property
    def reading(self) -> Reading:
        """It as the dual run counts it."""
        return Reading(
            service=self.service,
            subscription_id=self.subscription_id,
            metric=self.metric,
            start=self.start,
            end=self.end,
            value=self.quantity,
            item=self.item,
            recorded_at=self.recorded_at,
        )

    @property
    def refusal(self) -> RefusedReading:
        """It as the dual run lists it."""
        return RefusedReading(
            service=self.service,
            subscription_id=self.subscription_id,
            metric=self.metric,
            start=self.start,
            end=self.end,
            value=self.quantity,
            why=self.refused or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMonth:
    """What was received of one subscription whose windows begin in one calendar month.

    `records` counts everything that was kept, refused records and replaced ones too; `last` is the number
    of the newest. Both only grow.
    """

    service: str
    subscription_id: str
    period: str
    records: int
    last: int
