"""Taxes and discounts over lines: what comes out always sums to what went in."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.facts.arithmetic import (
    absorb_rounding,
    absorb_tax_rounding,
    describe_wrong_sums,
    spread_discount,
    spread_taxes,
)
from fcb_pipelines.core.facts.model import LineFacts, TaxFacts
from fcb_pipelines_tests.facts import an_invoice


def line(net: int, *taxes: TaxFacts) -> LineFacts:
    return LineFacts(
        key=f"l{net}", description="", quantity=Decimal(1), net=net, gross=net, taxes=taxes
    )


def tax(amount: int, source_id: str = "hst") -> TaxFacts:
    return TaxFacts(type="hst", percentage=Decimal(13), amount=amount, source_id=source_id)


@given(nets=st.lists(st.integers(1, 10**6), min_size=1, max_size=8), amount=st.integers(0, 10**6))
def test_a_tax_that_no_line_shows_is_spread_whole(nets: list[int], amount: int) -> None:
    lines, problem = spread_taxes([line(net) for net in nets], [tax(amount)])
    assert problem is None
    assert sum(each.taxes[0].amount for each in lines) == amount


@given(nets=st.lists(st.integers(1, 10**6), min_size=1, max_size=8), off=st.integers(0, 10**6))
def test_a_discount_is_spread_whole(nets: list[int], off: int) -> None:
    lines = spread_discount(off, [line(net) for net in nets])
    assert sum(each.discount for each in lines) == off
    assert all(each.net == each.gross - each.discount for each in lines)


def test_line_taxes_that_sum_stay_the_sources_own() -> None:
    given_lines = (line(100, tax(12)), line(100, tax(14)))
    assert spread_taxes(given_lines, [tax(26)]) == (given_lines, None)


def test_line_taxes_off_by_rounding_follow_the_document() -> None:
    lines, problem = spread_taxes([line(104, tax(14)), line(104, tax(14))], [tax(27)])
    assert problem is None
    assert [each.taxes[0].amount for each in lines] == [14, 13]


def test_a_tax_stays_on_the_lines_that_bear_it() -> None:
    lines, problem = spread_taxes([line(104, tax(14)), line(5000)], [tax(13)])
    assert problem is None
    assert [len(each.taxes) for each in lines] == [1, 0]


def test_line_taxes_further_off_than_rounding_do_not_sum() -> None:
    assert spread_taxes([line(100, tax(13))], [tax(15)])[1] is Reason.LINES_DO_NOT_SUM


def test_a_line_tax_that_the_document_lacks_does_not_sum() -> None:
    assert spread_taxes([line(100, tax(5, "gst"))], [tax(13)])[1] is Reason.LINES_DO_NOT_SUM


def test_t7_two_entries_of_one_rate_count_together() -> None:
    own = (line(100, tax(8), tax(5)), line(50, tax(7)))
    assert spread_taxes(own, [tax(15), tax(5)]) == (own, None)
    shown_once = (line(100, tax(13)), line(50, tax(7)))
    assert spread_taxes(shown_once, [tax(15), tax(5)]) == (shown_once, None)


def test_t7_two_entries_of_one_rate_that_no_line_shows_are_spread_together() -> None:
    lines, problem = spread_taxes([line(10000), line(5000)], [tax(1300), tax(650)])
    assert problem is None
    assert [[each.amount for each in one.taxes] for one in lines] == [[1300], [650]]


def test_t7_line_taxes_off_by_rounding_follow_what_of_each_line_is_taxable() -> None:
    half = line(10000, replace(tax(651), base=5000))
    whole = line(5000, replace(tax(650), base=5000))
    lines, problem = spread_taxes([half, whole], [tax(1300)])
    assert problem is None
    assert [(one.taxes[0].amount, one.taxes[0].base) for one in lines] == [(650, 5000)] * 2


def test_t7_a_tax_that_no_line_shows_goes_to_those_it_is_named_for() -> None:
    sold = [line(10000), line(5000)]
    lines, problem = spread_taxes(sold, [tax(1300)], [("hst",), ()])
    assert problem is None
    assert [[each.amount for each in one.taxes] for one in lines] == [[1300], []]
    # Where the whole of the lines explains it, it is on all of them.
    lines, _ = spread_taxes(sold, [tax(1950)], [("hst",), ()])
    assert [[each.amount for each in one.taxes] for one in lines] == [[1300], [650]]


@pytest.mark.parametrize(
    ("nets", "net", "settled"),
    [
        ((3334, 3334), 6667, (3333, 3334)),
        ((3333, 3333), 6667, (3334, 3333)),
        ((100, 900, 500, 700), 2198, (100, 899, 500, 699)),
        ((3334, 3334), 6668, (3334, 3334)),
        ((3334, 3334), 6666, (3334, 3334)),  # two cents are no rounding of two lines
        ((100,), 99, (100,)),
        ((), 1, ()),
    ],
)
def test_t7_lines_that_round_apart_take_a_unit_each_from_the_largest(
    nets: tuple[int, ...], net: int, settled: tuple[int, ...]
) -> None:
    lines = absorb_rounding(tuple(line(each) for each in nets), net)
    assert tuple(each.net for each in lines) == settled
    assert all(each.net == each.gross for each in lines)


def test_t7_a_line_beyond_what_it_takes_back_gives_its_unit_first() -> None:
    lines = absorb_rounding((line(3334), line(3334)), 6667, [3334, 3333])
    assert [each.net for each in lines] == [3334, 3333]


def test_t7_taxes_that_round_apart_take_a_unit_where_rounding_took_most() -> None:
    gst = replace(tax(5, "gst"), percentage=Decimal(5), base=109)
    qst = replace(tax(11, "qst"), percentage=Decimal("9.975"), base=109)
    assert [each.amount for each in absorb_tax_rounding((gst, qst), 17)] == [6, 11]
    assert [each.amount for each in absorb_tax_rounding((gst, qst), 15)] == [5, 10]
    assert absorb_tax_rounding((gst, qst), 18) == (gst, qst)
    assert absorb_tax_rounding((gst,), 6) == (gst,)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"total": 22601}, "lines 200.00 CAD and tax 26.00 CAD are not the total 226.01 CAD"),
        ({"net": 20500, "total": 23101, "shipping": 500}, "lines 200.00 CAD, shipping 5.00 CAD and tax 26.00 CAD are not the total 231.01 CAD"),
        ({"tax": 2500, "total": 22500}, "its taxes sum to 26.00 CAD, not to 25.00 CAD"),
        ({"discount": 5}, "discount 0.05 CAD is 0.00 CAD on the lines"),
        ({"taxes": (), "tax": 0, "total": 20000}, "hst 13 % is 0.00 CAD on the document, 26.00 CAD on its lines"),
        ({}, "source total 226.00 CAD, see its evidence"),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_named(changes: dict[str, object], text: str) -> None:
    assert describe_wrong_sums(replace(an_invoice(), **changes)) == text
