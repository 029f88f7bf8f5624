"""Usage: the readings of one cycle as one quantity, the same however often a window is replayed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from fcb_pipelines.core.charges import Metric, Reading, aggregate
from fcb_pipelines.core.cycles import Span, cycle_of, period_containing
from fcb_pipelines.core.services import Subscription

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class RemarkKind(StrEnum):
    """What is odd about a reading. Replayed and corrected ones count once; the others count."""

    REPLAYED = "replayed"
    CORRECTED = "corrected"
    OVERLAPPING = "overlapping"
    STRADDLING = "straddling"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One odd reading: its window, its value as recorded, and what is odd about it."""

    kind: RemarkKind
    start: datetime
    end: datetime
    value: Decimal
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one subscription used of one metric in the cycle that begins in the period.

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


def usage(
    readings: Iterable[Reading],
    subscriptions: Mapping[tuple[str, str], Subscription],
    metrics: Mapping[tuple[str, str], Metric],
    *,
    period: str,
    timezone: str,
    late_after_hours: int,
) -> tuple[Usage, ...]:
    """One row for each subscription and metric with a reading that begins in the period's cycle.

    `subscriptions` are by service and id, `metrics` by service and key; a reading of an unknown
    metric is in no row. The same window (and item) counts once: the latest record of it, among equals
    the largest value.
    """
    own: dict[tuple[str, str, str], list[Reading]] = defaultdict(list)
    for reading in readings:
        if (reading.service, reading.metric) not in metrics:
            continue
        subscription = subscriptions.get((reading.service, reading.subscription_id))
        anchor = subscription.start if subscription else None
        if period_containing(reading.start, anchor, timezone) == period:
            own[reading.service, reading.subscription_id, reading.metric].append(reading)
    rows = []
    for (service, subscription_id, metric), found in sorted(own.items()):
        known = subscriptions.get((service, subscription_id))
        cycle = cycle_of(period, known.start if known else None, timezone)
        counted, remarks = _once(found)
        remarks += _oddities(counted, cycle, timedelta(hours=late_after_hours))
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


def _once(found: Sequence[Reading]) -> tuple[list[Reading], list[Remark]]:
    """Each window once, in order, and what was recorded of it besides."""
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


def _oddities(counted: Sequence[Reading], cycle: Span, late_after: timedelta) -> list[Remark]:
    remarks = []
    latest: Reading | None = None
    for reading in counted:
        # Items of one window stand beside each other on purpose.
        same = latest is not None and (latest.start, latest.end) == (reading.start, reading.end)
        if latest is not None and not same and reading.start < latest.end:
            told = f"overlaps the one from {_told(latest.start)} to {_told(latest.end)}"
            remarks.append(_remark(RemarkKind.OVERLAPPING, reading, told))
        if reading.end > cycle.end:
            told = f"ends after its cycle ({_told(cycle.end)}); counted where it begins"
            remarks.append(_remark(RemarkKind.STRADDLING, reading, told))
        if reading.recorded_at and reading.recorded_at - cycle.end > late_after:
            told = f"recorded {_told(reading.recorded_at)}, its cycle ended {_told(cycle.end)}"
            remarks.append(_remark(RemarkKind.LATE, reading, told))
        if latest is None or reading.end > latest.end:
            latest = reading
    return remarks


def _remark(kind: RemarkKind, reading: Reading, detail: str) -> Remark:
    return Remark(
        kind=kind, start=reading.start, end=reading.end, value=reading.value, detail=detail
    )


def _told(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
