"""Money is exact: conversion, rounding and spreading lose nothing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.money import (
    InexactAmount,
    Wire,
    by_currency,
    exponent,
    from_major,
    from_wire,
    half_up,
    spread,
    to_major,
    wire_exponent,
)

CURRENCIES = st.sampled_from(["CAD", "USD", "JPY", "KWD", "ISK", "CLP", "HUF", "cad"])
AMOUNTS = st.integers(-(10**12), 10**12)


@given(AMOUNTS, CURRENCIES)
def test_minor_units_survive_the_way_to_major_units_and_back(minor: int, currency: str) -> None:
    assert from_major(to_major(minor, currency), currency) == minor


@given(AMOUNTS, CURRENCIES, st.sampled_from(list(Wire)))
def test_an_amount_read_from_the_wire_is_worth_what_was_sent(
    minor: int, currency: str, wire: Wire
) -> None:
    sent = to_major(minor, currency).scaleb(wire_exponent(currency, wire))
    if sent == sent.to_integral_value():
        assert from_wire(int(sent), currency, wire) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "wire", "minor"),
    [
        (21450, "CAD", Wire.STRIPE, 21450),
        (500, "JPY", Wire.STRIPE, 500),
        (5000, "ISK", Wire.STRIPE, 50),  # Stripe keeps two decimals for ISK
        (50, "ISK", Wire.LAGO, 50),
        (1000, "KWD", Wire.LAGO, 1000),
        (7, "MGA", Wire.STRIPE, 700),
        (70, "MGA", Wire.LAGO, 700),
    ],
)
def test_each_source_is_read_through_its_own_exponent_table(
    amount: int, currency: str, wire: Wire, minor: int
) -> None:
    assert from_wire(amount, currency, wire) == minor


def test_digits_that_the_currency_lacks_are_never_dropped() -> None:
    with pytest.raises(InexactAmount):
        from_wire(5050, "ISK", Wire.STRIPE)
    with pytest.raises(InexactAmount):
        from_major(Decimal("1.005"), "CAD")


def test_a_currency_that_stripe_documents_both_ways_is_not_guessed() -> None:
    with pytest.raises(InexactAmount):
        from_wire(100, "ugx", Wire.STRIPE)
    assert from_wire(100, "UGX", Wire.LAGO) == 100


def test_minor_units_have_the_decimals_of_the_currency() -> None:
    assert [exponent(code) for code in ("CAD", "jpy", "KWD")] == [2, 0, 3]


@pytest.mark.parametrize(
    ("amount", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("2.4999", 2)]
)
def test_halves_are_rounded_away_from_zero(amount: str, rounded: int) -> None:
    assert half_up(Decimal(amount)) == rounded


WEIGHTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=12)


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(-(10**7), 10**7), min_size=1))
def test_the_parts_of_a_spread_sum_to_the_whole(total: int, weights: list[int]) -> None:
    assert sum(spread(total, weights)) == total


@given(st.integers(0, 10**9), WEIGHTS)
def test_a_part_is_within_one_unit_of_its_exact_share(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    for part, weight in zip(spread(total, weights), weights, strict=True):
        if whole:
            assert abs(part * whole - total * weight) < whole


@given(st.integers(0, 10**9), WEIGHTS)
def test_a_heavier_weight_never_gets_less_than_a_lighter_one(
    total: int, weights: list[int]
) -> None:
    parts = spread(total, weights)
    for part, weight in zip(parts, weights, strict=True):
        for other, lighter in zip(parts, weights, strict=True):
            if weight > lighter:
                assert part >= other


@given(st.integers(0, 10**9), WEIGHTS)
def test_nothing_is_spread_to_where_nothing_weighs(total: int, weights: list[int]) -> None:
    if any(weights):
        parts = spread(total, weights)
        assert all(not part for part, weight in zip(parts, weights, strict=True) if not weight)


def test_ties_go_to_the_earlier_part() -> None:
    assert spread(100, [1, 1, 1]) == (34, 33, 33)
    assert spread(-100, [1, 1, 1]) == (-33, -33, -34)
    assert spread(5, [0, 0]) == (5, 0)


def test_an_amount_without_anything_to_spread_it_over_is_refused() -> None:
    assert spread(0, []) == ()
    with pytest.raises(ValueError, match="no weights to spread"):
        spread(1, [])


def test_sums_are_of_one_currency_each_and_one_that_comes_to_nothing_is_still_told() -> None:
    amounts = [("USD", 5), ("CAD", 7), ("USD", -5), ("CAD", 1)]
    assert by_currency(amounts) == (("CAD", 8), ("USD", 0))
    assert by_currency([]) == ()
