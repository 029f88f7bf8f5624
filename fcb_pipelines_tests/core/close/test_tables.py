"""The report's tables have every row of it, with exact amounts in the decimals of their currency."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.close.shapes import ReportJson
from fcb_pipelines.core.close.tables import Table, tables
from fcb_pipelines.core.money import exponent, from_major
from fcb_pipelines_tests.core.close.test_report import report

REPORT = cast(ReportJson, report())


def named(found: ReportJson = REPORT) -> dict[str, Table]:
    return {table.name: table for table in tables(found)}


def column(table: Table, head: str) -> list[Any]:
    return [row[table.heads.index(head)] for row in table.rows]


def test_every_table_is_there_with_a_cell_for_each_head() -> None:
    assert [*named()] == [
        "documents", "exceptions", "taxes", "receivable", "open-documents", "roll-forward", "revenue",
    ]  # fmt: skip
    for table in named().values():
        assert all(len(row) == len(table.heads) for row in table.rows), table.name


def test_the_documents_come_to_what_the_report_says_with_credit_notes_negative() -> None:
    documents = named()["documents"]
    sums: Counter[str] = Counter()
    for currency, total in zip(
        column(documents, "currency"), column(documents, "total"), strict=True
    ):
        sums[currency] += from_major(total, currency)
    expected: Counter[str] = Counter()
    for one in REPORT["documents"]:
        sign = -1 if one["kind"] == "credit_note" else 1
        expected[one["currency"]] += sign * one["total"]
    assert sums == expected
    assert min(column(documents, "total")) < 0
    assert all(isinstance(day, date) for day in column(documents, "date"))


def test_taxes_and_exceptions_are_those_of_the_report() -> None:
    taxes = named()["taxes"]
    assert column(taxes, "amount") == [Decimal("19.50"), Decimal("26.00")]
    assert set(column(taxes, "percentage")) == {Decimal(13)}
    exceptions = named()["exceptions"]
    assert column(exceptions, "code") == [row["code"] for row in REPORT["exceptions"]]


@given(
    currency=st.sampled_from(["CAD", "JPY", "KWD"]),
    amounts=st.lists(st.integers(-(10**15), 10**15), min_size=4, max_size=4),
)
def test_an_amount_is_exact_whatever_its_currency(currency: str, amounts: list[int]) -> None:
    opening, closing, by_hand, open_ = amounts
    rolled: Any = {
        "currency": currency,
        "opening": opening,
        "movements": [],
        "closing": closing,
        "by_hand": by_hand,
        "unexplained": 0,
        "open": open_,
        "differing": [],
    }
    table = named({**REPORT, "roll_forward": [rolled]})["roll-forward"]
    found = column(table, "amount")
    assert [from_major(each, currency) for each in found] == [opening, closing, by_hand, 0, open_]
    assert {each.as_tuple().exponent for each in found} == {-exponent(currency)}


def test_a_month_that_was_not_built_is_empty_and_not_zero() -> None:
    revenue = named()["revenue"]
    assert column(revenue, "month before") == [None]
    assert column(revenue, "this month") == [Decimal("150.00")]
