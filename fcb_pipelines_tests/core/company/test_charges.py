"""Charges against an oracle that counts one unit after the other; aggregations; what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fcb_pipelines.core.company.charges import (
    Aggregation,
    Charge,
    ChargeModel,
    Metric,
    Reading,
    Tier,
    aggregate,
    overage,
)

MAY = datetime(2026, 5, 1, tzinfo=UTC)
CPU = Charge(metric="cpu", batch=Decimal(3600), price=Decimal("0.0075"))
CALLS = Charge(metric="calls", batch=Decimal(1000), price=Decimal("0.10"))

prices = st.decimals(0, 50, places=6)
units = st.integers(0, 400)
quotas = st.integers(0, 200)
batches = st.integers(1, 60)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.integers(1, 300), max_size=4)))
    bounds = [*map(Decimal, ends), None]
    return tuple(Tier(up_to=end, price=draw(prices)) for end in bounds)


def flat_rate(model: ChargeModel) -> st.SearchStrategy[Charge]:
    return st.builds(
        lambda batch, price: Charge(metric="m", model=model, batch=Decimal(batch), price=price),
        batches,
        prices,
    )


def tiered(model: ChargeModel) -> st.SearchStrategy[Charge]:
    return st.builds(lambda own: Charge(metric="m", model=model, tiers=own), tiers())


STRATEGY = {
    ChargeModel.STANDARD: flat_rate(ChargeModel.STANDARD),
    ChargeModel.PACKAGE: flat_rate(ChargeModel.PACKAGE),
    ChargeModel.VOLUME: tiered(ChargeModel.VOLUME),
    ChargeModel.GRADUATED: tiered(ChargeModel.GRADUATED),
}
charges = st.one_of(*STRATEGY.values())


def oracle(charge: Charge, used: int, quota: int) -> Decimal:
    """Unit by unit, as a person with a pencil would count."""
    if used <= quota:
        return Decimal(0)
    if charge.model in (ChargeModel.STANDARD, ChargeModel.PACKAGE):
        amount, room = Decimal(0), 0
        first = quota if charge.model is ChargeModel.STANDARD else 0
        for _ in range(first, used):
            if room == 0:
                amount, room = amount + (charge.price or 0), int(charge.batch)
            room -= 1
        return amount
    priced = []
    for unit in range(1, used - quota + 1):
        place = 0
        while (end := charge.tiers[place].up_to) is not None and unit > end:
            place += 1
        priced.append(charge.tiers[place].price)
    if charge.model is ChargeModel.VOLUME:
        return priced[-1] * len(priced)
    return sum(priced, Decimal(0))


@pytest.mark.parametrize("model", list(ChargeModel))
@given(data=st.data(), used=units, quota=quotas)
def test_a_charge_is_what_counting_unit_by_unit_gives(
    model: ChargeModel, data: st.DataObject, used: int, quota: int
) -> None:
    charge = data.draw(STRATEGY[model])
    assert overage(charge, Decimal(used), Decimal(quota)) == oracle(charge, used, quota)


@given(charge=charges, quota=quotas, share=st.decimals(0, 1, places=6))
def test_nothing_is_charged_up_to_the_quota(charge: Charge, quota: int, share: Decimal) -> None:
    assert overage(charge, quota * share, Decimal(quota)) == 0


@given(
    charge=st.one_of(*(STRATEGY[m] for m in ChargeModel if m is not ChargeModel.VOLUME)),
    quota=quotas,
    used=st.tuples(units, units).map(sorted),
)
def test_more_usage_never_costs_less(charge: Charge, quota: int, used: list[int]) -> None:
    less, more = (overage(charge, Decimal(each), Decimal(quota)) for each in used)
    assert less <= more


@given(charge=STRATEGY[ChargeModel.VOLUME], used=st.tuples(units, units).map(sorted))
def test_more_volume_costs_no_less_inside_a_tier(charge: Charge, used: list[int]) -> None:
    # From one tier to a cheaper one all units get cheaper: that is what volume pricing is.
    bounds = [tier.up_to for tier in charge.tiers if tier.up_to is not None]
    places = [sum(each > end for end in bounds) for each in used]
    less, more = (overage(charge, Decimal(each), Decimal(0)) for each in used)
    assert places[0] != places[1] or less <= more


@given(charge=STRATEGY[ChargeModel.GRADUATED], used=st.decimals(0, 400, places=4), quota=quotas)
def test_graduated_never_jumps(charge: Charge, used: Decimal, quota: int) -> None:
    step = Decimal("0.0001")
    dearest = max(tier.price for tier in charge.tiers)
    amounts = [overage(charge, each, Decimal(quota)) for each in (used, used + step)]
    assert amounts[1] - amounts[0] <= dearest * step + Decimal("0.000001")


@given(charge=STRATEGY[ChargeModel.STANDARD], used=units, quota=quotas)
def test_one_more_unit_begins_one_more_batch_at_most(charge: Charge, used: int, quota: int) -> None:
    steps = [overage(charge, Decimal(used + n), Decimal(quota)) for n in range(3)]
    assert all(after - before in (0, charge.price) for before, after in pairwise(steps))


@given(charge=charges, used=st.decimals(0, 400, places=9), quota=quotas)
def test_amounts_have_six_places_at_most(charge: Charge, used: Decimal, quota: int) -> None:
    exponent = overage(charge, used, Decimal(quota)).as_tuple().exponent
    assert isinstance(exponent, int)
    assert exponent >= -6


@pytest.mark.parametrize(
    ("charge", "used", "quota", "amount"),
    [
        (CPU, "360000", "360000", "0"),
        (CPU, "360000.001", "360000", "0.0075"),  # a begun core-hour is a whole one
        (CPU, "363600", "360000", "0.0075"),
        (CPU, "363601", "360000", "0.015"),
        (CPU, "720000", "360000", "0.75"),
        (CALLS, "5000000", "5000000", "0"),
        (CALLS, "5000001", "5000000", "0.10"),
        (CALLS, "6000000", "5000000", "100"),
        (CALLS.model_copy(update={"model": ChargeModel.PACKAGE}), "5000001", "5000000", "500.10"),
    ],
)
def test_core_hours_and_calls_cost_what_the_price_list_says(
    charge: Charge, used: str, quota: str, amount: str
) -> None:
    assert overage(charge, Decimal(used), Decimal(quota)) == Decimal(amount)


def test_each_tier_counts_in_its_own_way() -> None:
    steps = (Tier(up_to=Decimal(10), price=Decimal(5)), Tier(price=Decimal(1)))
    volume = Charge(metric="m", model=ChargeModel.VOLUME, tiers=steps)
    graduated = Charge(metric="m", model=ChargeModel.GRADUATED, tiers=steps)
    used = [Decimal(each) for each in (10, 11)]
    assert [overage(volume, each, Decimal(0)) for each in used] == [50, 11]
    assert [overage(graduated, each, Decimal(0)) for each in used] == [50, 51]


def reading(hour: int, value: str, item: str | None = None) -> Reading:
    start = MAY + timedelta(hours=hour)
    return Reading(
        service="s", subscription_id="1", metric="m", start=start,
        end=start + timedelta(hours=1), value=Decimal(value), item=item,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("aggregation", "quantity"),
    [
        (Aggregation.SUM, "9.5"),
        (Aggregation.MAX, "5"),
        (Aggregation.LAST, "1.5"),
        (Aggregation.UNIQUE_COUNT, "2"),
    ],
)
def test_each_aggregation_makes_one_quantity_of_the_readings(
    aggregation: Aggregation, quantity: str
) -> None:
    read = [
        reading(2, "1.5", "ana"),
        reading(0, "3", "ana"),
        reading(1, "5", "bo"),
        reading(1, "0"),
    ]
    assert aggregate(Metric(key="m", aggregation=aggregation), read) == Decimal(quantity)
    assert aggregate(Metric(key="m", aggregation=aggregation), []) == 0


def test_a_factor_turns_core_hours_into_core_seconds() -> None:
    metric = Metric(key="cpu_seconds", column="cpu_hours", factor=Decimal(3600))
    assert aggregate(metric, [reading(0, "1.25"), reading(1, "0.5")]) == 6300


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"model": "standard"}, "has a price and no tiers"),
        ({"model": "package", "price": 1, "tiers": [{"price": 1}]}, "has a price and no tiers"),
        ({"model": "volume", "price": 1, "tiers": [{"price": 1}]}, "neither price nor batch"),
        ({"model": "graduated", "batch": 5, "tiers": [{"price": 1}]}, "neither price nor batch"),
        ({"model": "volume"}, "the last tier, and only the last"),
        ({"model": "volume", "tiers": [{"up_to": 5, "price": 1}]}, "the last tier, and only"),
        ({"model": "volume", "tiers": [{"price": 1}, {"price": 1}]}, "the last tier, and only"),
        (
            {"model": "graduated", "tiers": [{"up_to": 5, "price": 1}, {"up_to": 5, "price": 1}, {"price": 1}]},
            "above that of the one before",
        ),
        ({"price": -1}, "greater than or equal to 0"),
        ({"price": 1, "batch": 0}, "greater than 0"),
        ({"price": 1, "quota": "none"}, "quota"),
    ],
)  # fmt: skip
def test_a_charge_that_cannot_be_counted_is_refused(
    fields: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        Charge.model_validate({"metric": "m", **fields})
