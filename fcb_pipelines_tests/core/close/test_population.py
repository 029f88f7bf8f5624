"""Over all documents of a month, what was billed is posted, drafted, held or listed: or it is a difference."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.close.population import billed_amounts
from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.dispositions.decide import decide
from fcb_pipelines.core.proof.amount_rows import AmountRow, Measure
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import BOOKS, LAST_PERIOD, a_case, an_invoice

HELD = a_case(an_invoice("in_4", total=22601))
DISPOSITIONS = [decide(HELD, SETTINGS, BOOKS, LAST_PERIOD)]


def a_row(measure: Measure = Measure.REVENUE, **changes: Any) -> AmountRow:
    ref = "stripe:acct_nexacloud:in_1"
    row = AmountRow(
        ref=ref, entry=ref, number="A-1", partner="nexacloud:7", currency="CAD", measure=measure,
        day=None, source=20000, posted=20000, listed=0, why=None,
    )  # fmt: skip
    return replace(row, **changes)


def summed(*rows: AmountRow) -> dict[str, tuple[int, ...]]:
    amounts: dict[str, Sequence[AmountRow]] = {row.ref: [] for row in rows}
    amounts = {ref: [row for row in rows if row.ref == ref] for ref in amounts}
    return {
        f"{one.measure} {one.currency}": (
            one.billed, one.posted, one.draft, one.held, one.listed, one.difference,
        )
        for one in billed_amounts(DISPOSITIONS, amounts)
    }  # fmt: skip


TAX = a_row(Measure.TAX, source=2600, posted=2600)


@pytest.mark.parametrize(
    ("where", "changes", "expected"),
    [
        ("posted", {}, (20000, 20000, 0, 0, 0, 0)),
        ("nowhere", {"posted": 19999}, (20000, 19999, 0, 0, 0, 1)),
        ("a draft", {"posted": 0, "listed": 20000, "why": "draft"}, (20000, 0, 20000, 0, 0, 0)),
        (
            "held",
            {"ref": HELD.facts.ref, "posted": 0, "listed": 20000, "why": "lines_do_not_sum"},
            (20000, 0, 0, 20000, 0, 0),
        ),
        (
            "listed otherwise",
            {"posted": 15000, "listed": 5000, "why": "source_changed"},
            (20000, 15000, 0, 0, 5000, 0),
        ),
        ("posted and never billed", {"source": 0}, (0, 20000, 0, 0, 0, -20000)),
    ],
)
def test_each_amount_is_counted_where_it_stands(
    where: str, changes: dict[str, Any], expected: tuple[int, ...]
) -> None:
    found = summed(a_row(**changes), TAX)
    assert found["net CAD"] == expected, where
    assert found["tax CAD"] == (2600, 2600, 0, 0, 0, 0)
    assert found["total CAD"] == (expected[0] + 2600, expected[1] + 2600, *expected[2:])


def test_cash_and_credit_are_no_part_of_it_and_currencies_stay_apart() -> None:
    dollars = a_row(ref="stripe:a:in_9", currency="USD", source=500, posted=500)
    cash = a_row(Measure.CASH, source=9)
    assert summed(a_row(), dollars, cash)["total CAD"][0] == 20000
    assert summed(a_row(), dollars)["net USD"] == (500, 500, 0, 0, 0, 0)


def test_a_document_that_nobody_can_read_counts_as_unknown() -> None:
    unread = a_row(ref=HELD.facts.ref, currency="", source=0, posted=0, why=Reason.UNREADABLE)
    (net, _, total) = billed_amounts(DISPOSITIONS, {unread.ref: [unread]})
    assert (net.unknown, total.unknown, net.currency) == (1, 1, "")


AMOUNTS = st.integers(min_value=-(10**9), max_value=10**9)


@given(
    st.lists(
        st.builds(
            a_row,
            measure=st.sampled_from([Measure.REVENUE, Measure.TAX]),
            ref=st.sampled_from([HELD.facts.ref, "a:b:c", "a:b:d"]),
            source=AMOUNTS,
            posted=AMOUNTS,
            listed=AMOUNTS,
            why=st.sampled_from([None, "draft", "source_changed"]),
        )
    )
)
def test_the_differences_of_the_rows_are_the_difference_of_the_total(rows: list[AmountRow]) -> None:
    found = summed(*rows)
    if rows:
        assert found["total CAD"][-1] == sum(row.difference for row in rows)
        assert found["net CAD"][-1] + found["tax CAD"][-1] == found["total CAD"][-1]
    else:
        assert found == {}
