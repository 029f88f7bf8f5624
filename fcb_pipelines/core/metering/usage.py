"""Usage: the readings of a cycle added up to one quantity, each window once even if it is replayed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from fcb_pipelines.core.company.charges import (
    Metric,
    Reading,
    RefusedReading,
    UnreadReading,
    aggregate,
)
from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.metering.cycles import Span, cycle_of, period_containing

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# Service, subscription, metric.
_Key = tuple[str, str, str]


class RemarkKind(StrEnum):
    """The kind of a remark on a reading.

    Replayed and corrected readings count once, a refused one does not count. An unreadable one can't be
    counted, so its cycle is not measured. The others count.
    """

    REPLAYED = "replayed"
    CORRECTED = "corrected"
    OVERLAPPING = "overlapping"
    STRADDLING = "straddling"
    LATE = "late"
    UNREADABLE = "unreadable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A remark on one reading: its window, its value as recorded (None: unreadable), the remark."""

    kind: RemarkKind
    start: datetime
    end: datetime
    value: Decimal | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The usage of one metric by one subscription in the cycle that begins in the period.

    `quantity` is in the metric's unit, over `readings` windows.
    """

    service: str
    subscription_id: str
    metric: str
    period: str
    cycle: Span
    quantity: Decimal
    readings: int
    remarks: tuple[Remark, ...] = ()

    @property
    def unread(self) -> str | None:
        """The reason why the cycle can't be measured (a window can't be read), else None."""
        details = (one.detail for one in self.remarks if one.kind is RemarkKind.UNREADABLE)
        return next(details, None)


def usage(
    readings: Iterable[Reading],
    subscriptions: Mapping[tuple[str, str], Subscription],
    metrics: Mapping[tuple[str, str], Metric],
    *,
    period: str,
    timezone: str,
    late_after_hours: int,
    unread: Iterable[UnreadReading] = (),
    refused: Iterable[RefusedReading] = (),
) -> tuple[Usage, ...]:
    """One row for each subscription and metric with a reading that begins in the period's cycle.

    `subscriptions` are by service and id, `metrics` by service and key; a reading of an unknown
    metric is in no row. The same window (and item) counts once: the latest record of it, among equals
    the largest value. An `unread` or a `refused` window gives a row, too, with a remark.
    """

    def of_period(service: str, subscription_id: str, moment: datetime) -> bool:
        subscription = subscriptions.get((service, subscription_id))
        anchor = subscription.start if subscription else None
        return period_containing(moment, anchor, timezone) == period

    own: dict[_Key, list[Reading]] = defaultdict(list)
    for reading in readings:
        if (reading.service, reading.metric) not in metrics:
            continue
        if of_period(reading.service, reading.subscription_id, reading.start):
            own[reading.service, reading.subscription_id, reading.metric].append(reading)
    lost = _lost(
        [
            one
            for one in unread
            if one.at is None or of_period(one.service, one.subscription_id, one.at)
        ],
        metrics,
    )
    turned_away: dict[_Key, list[RefusedReading]] = defaultdict(list)
    for each in refused:
        if of_period(each.service, each.subscription_id, each.start):
            turned_away[each.service, each.subscription_id, each.metric].append(each)
    known_refusals = {key for key in turned_away if (key[0], key[2]) in metrics}
    rows = []
    for key in sorted({*own, *lost, *known_refusals}):
        (service, subscription_id, metric), found = key, own[key]
        known = subscriptions.get((service, subscription_id))
        cycle = cycle_of(period, known.start if known else None, timezone)
        counted, remarks = _without_replays(found)
        remarks += _remarks_on(counted, cycle, timedelta(hours=late_after_hours))
        remarks += [_unreadable(one, cycle) for one in lost[key]]
        remarks += [_remark(RemarkKind.REFUSED, one, one.why) for one in turned_away[key]]
        rows.append(
            Usage(
                service=service,
                subscription_id=subscription_id,
                metric=metric,
                period=period,
                cycle=cycle,
                quantity=aggregate(metrics[service, metric], counted),
                readings=len(counted),
                remarks=tuple(remarks),
            )
        )
    return tuple(rows)


def _lost(
    unread: Iterable[UnreadReading], metrics: Iterable[tuple[str, str]]
) -> dict[_Key, list[UnreadReading]]:
    """The windows that can't be read, by each metric that they may concern."""
    lost: dict[_Key, list[UnreadReading]] = defaultdict(list)
    for one in unread:
        for service, metric in metrics:
            if service == one.service and one.metric in (None, metric):
                lost[service, one.subscription_id, metric].append(one)
    return lost


def _without_replays(found: Sequence[Reading]) -> tuple[list[Reading], list[Remark]]:
    """Each window once, in order, and remarks on its other records."""
    windows: dict[tuple[datetime, datetime, str], list[Reading]] = defaultdict(list)
    for reading in found:
        windows[reading.start, reading.end, reading.item or ""].append(reading)
    counted, remarks = [], []
    for _, same in sorted(windows.items()):
        ranked = sorted(same, key=lambda one: (one.recorded_at or _LONG_AGO, one.value))
        kept = ranked.pop()
        counted.append(kept)
        for other in ranked:
            equal = other.value == kept.value
            remarks.append(
                _remark(
                    RemarkKind.REPLAYED if equal else RemarkKind.CORRECTED,
                    other,
                    "the same again" if equal else f"replaced by {kept.value}",
                )
            )
    return counted, remarks


def _remarks_on(counted: Sequence[Reading], cycle: Span, late_after: timedelta) -> list[Remark]:
    remarks = []
    latest: Reading | None = None
    for reading in counted:
        # The items of one window do not overlap each other.
        same = latest is not None and (latest.start, latest.end) == (reading.start, reading.end)
        if latest is not None and not same and reading.start < latest.end:
            detail = f"overlaps the one from {_utc(latest.start)} to {_utc(latest.end)}"
            remarks.append(_remark(RemarkKind.OVERLAPPING, reading, detail))
        if reading.end > cycle.end:
            detail = f"ends after its cycle ({_utc(cycle.end)}); counted where it begins"
            remarks.append(_remark(RemarkKind.STRADDLING, reading, detail))
        if reading.recorded_at and reading.recorded_at - cycle.end > late_after:
            detail = f"recorded {_utc(reading.recorded_at)}, its cycle ended {_utc(cycle.end)}"
            remarks.append(_remark(RemarkKind.LATE, reading, detail))
        if latest is None or reading.end > latest.end:
            latest = reading
    return remarks


def _remark(kind: RemarkKind, reading: Reading | RefusedReading, detail: str) -> Remark:
    return Remark(
        kind=kind, start=reading.start, end=reading.end, value=reading.value, detail=detail
    )


def _unreadable(one: UnreadReading, cycle: Span) -> Remark:
    start = one.at or cycle.start
    detail = one.why if one.at else f"{one.why}; its month is unknown"
    return Remark(kind=RemarkKind.UNREADABLE, start=start, end=cycle.end, value=None, detail=detail)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
