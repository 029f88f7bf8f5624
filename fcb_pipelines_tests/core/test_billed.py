"""Taxes and discounts over lines: what comes out always sums to what went in."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.billed import Problem, spread_discount, spread_taxes
from fcb_pipelines.core.facts import LineFacts, TaxFacts


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
    assert spread_taxes([line(100, tax(13))], [tax(15)])[1] is Problem.LINES_DO_NOT_SUM


def test_a_line_tax_that_the_document_lacks_does_not_sum() -> None:
    assert spread_taxes([line(100, tax(5, "gst"))], [tax(13)])[1] is Problem.LINES_DO_NOT_SUM
