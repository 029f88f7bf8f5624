"""The sandbox's exchange rates: every month has one, and no month that of the month before."""

from datetime import date
from itertools import groupby, pairwise

from fcb_pipelines.sandbox.odoo_rates import FIRST_YEAR, monthly_rates
from fcb_pipelines_tests.documents import SETTINGS


def test_the_configured_currencies_have_rates() -> None:
    assert set(SETTINGS.currencies) <= {currency for currency, _, _ in monthly_rates()}


def test_each_month_has_another_rate_than_the_month_before() -> None:
    for _, rows in groupby(monthly_rates(), key=lambda row: row[0]):
        months = list(rows)
        assert months[0][1] == date(FIRST_YEAR, 1, 1) == date(2020, 1, 1)
        for (_, day, rate), (_, next_day, next_rate) in pairwise(months):
            assert (next_day.year * 12 + next_day.month) - (day.year * 12 + day.month) == 1
            assert rate != next_rate
            assert abs(rate - next_rate) < rate / 10
