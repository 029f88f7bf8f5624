"""Metrics and charges: the price of usage beyond the quota of a plan (rule M1).

    used = aggregate(metric, readings)
    amount = overage(charge, used, quota)       # Decimal, six places; zero up to the quota

The classes are company policy: the configuration gives them under `services`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fcb_pipelines.core.company.part import Part

SIX_PLACES = Decimal("0.000001")
NOTHING = Decimal(0)

NotNegative = Annotated[Decimal, Field(ge=0)]


class Aggregation(StrEnum):
    """How the readings of one cycle become one quantity."""

    SUM = "sum"
    MAX = "max"
    LAST = "last"
    UNIQUE_COUNT = "unique_count"


class ChargeModel(StrEnum):
    """How a quantity becomes an amount."""

    STANDARD = "standard"
    PACKAGE = "package"
    VOLUME = "volume"
    GRADUATED = "graduated"


_TIERED = frozenset({ChargeModel.VOLUME, ChargeModel.GRADUATED})


class Metric(Part):
    """A measured quantity. `factor` converts a reading into the metric's unit.

    `column` is the column of NexaCloud's usage_records; the rows of other services name the metric.
    """

    key: str
    aggregation: Aggregation = Aggregation.SUM
    column: Literal["cpu_hours"] | None = None
    factor: Decimal = Field(Decimal(1), gt=0)


class Tier(Part):
    """Units up to and including `up_to` (None: all further ones) at `price` each."""

    up_to: Decimal | None = Field(None, gt=0)
    price: NotNegative


class Charge(Part):
    """The price of a metric beyond its quota, in major units of the company's currency.

    standard: begun batches beyond the quota. package: once the quota is passed, begun batches of the
    whole quantity. volume: all units beyond the quota at the price of the tier they reach.
    graduated: each tier's units at its own price.
    """

    metric: str
    model: ChargeModel = ChargeModel.STANDARD
    quota: NotNegative | Literal["plan"] = NOTHING
    batch: Decimal = Field(Decimal(1), gt=0)
    price: NotNegative | None = None
    tiers: tuple[Tier, ...] = ()

    @model_validator(mode="after")
    def _has_what_its_model_needs(self) -> "Charge":
        if self.model not in _TIERED:
            if self.price is None or self.tiers:
                raise ValueError(f"a {self.model} charge has a price and no tiers")
            return self
        ends = [tier.up_to for tier in self.tiers]
        bounds = [end for end in ends if end is not None]
        if self.price is not None or self.batch != 1:
            raise ValueError(f"a {self.model} charge has tiers, and neither price nor batch")
        if not ends or ends[-1] is not None or len(bounds) != len(ends) - 1:
            raise ValueError("the last tier, and only the last, has no up_to")
        if bounds != sorted(set(bounds)):
            raise ValueError("each tier's up_to lies above that of the one before")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measured window of one subscription. `value` is as recorded, before the metric's factor.

    unique_count counts the distinct `item`s; `recorded_at` is when the window was written, where known.
    """

    service: str
    subscription_id: str
    metric: str
    start: datetime
    end: datetime
    value: Decimal
    item: str | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadReading:
    """A recorded window that can't be read; the usage of its whole cycle is unknown.

    `metric` is None where the row may concern any metric of the service. `at` is the moment of the
    window, None where it may lie in any month. `why` names the row.
    """

    service: str
    subscription_id: str
    metric: str | None
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedReading:
    """A window that was handed in and does not count; `why` says the reason."""

    service: str
    subscription_id: str
    metric: str
    start: datetime
    end: datetime
    value: Decimal
    why: str


def aggregate(metric: Metric, readings: Sequence[Reading]) -> Decimal:
    """The quantity of these readings in the metric's unit; zero without readings.

    `last` takes the reading whose window ends last. `unique_count` counts the distinct items.
    """
    if metric.aggregation is Aggregation.UNIQUE_COUNT:
        return Decimal(len({reading.item for reading in readings if reading.item is not None}))
    if not readings:
        return NOTHING
    if metric.aggregation is Aggregation.SUM:
        value = sum((reading.value for reading in readings), NOTHING)
    elif metric.aggregation is Aggregation.MAX:
        value = max(reading.value for reading in readings)
    else:
        value = max(readings, key=lambda reading: (reading.end, reading.start, reading.value)).value
    return value * metric.factor


def overage(charge: Charge, used: Decimal, quota: Decimal) -> Decimal:
    """The price of one cycle's usage: major units, six places, half-up. Zero up to `quota`."""
    beyond = used - quota
    if beyond <= 0:
        return NOTHING
    if charge.model is ChargeModel.STANDARD:
        amount = _begun(beyond, charge.batch) * (charge.price or NOTHING)
    elif charge.model is ChargeModel.PACKAGE:
        amount = _begun(used, charge.batch) * (charge.price or NOTHING)
    elif charge.model is ChargeModel.VOLUME:
        amount = beyond * _reached(charge.tiers, beyond).price
    else:
        amount = _graduated(charge.tiers, beyond)
    return six_places(amount)


def six_places(amount: Decimal) -> Decimal:
    """The amount rounded half-up to six places, the precision before it becomes a document's."""
    return amount.quantize(SIX_PLACES, rounding=ROUND_HALF_UP)


def _begun(quantity: Decimal, batch: Decimal) -> Decimal:
    # divmod is exact; a quotient of 28 digits rounded up would not be.
    whole, rest = divmod(quantity, batch)
    return whole + 1 if rest else whole


def _reached(tiers: Sequence[Tier], units: Decimal) -> Tier:
    return next(tier for tier in tiers if tier.up_to is None or units <= tier.up_to)


def _graduated(tiers: Sequence[Tier], units: Decimal) -> Decimal:
    amount, below = NOTHING, NOTHING
    for tier in tiers:
        top = units if tier.up_to is None else min(units, tier.up_to)
        amount += max(NOTHING, top - below) * tier.price
        below = top
    return amount
