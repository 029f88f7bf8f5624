"""The queue of all months: what waits, since when, and in which order."""

from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.close.queue import (
    QueuedException,
    first_seen,
    queue,
    queue_json,
    queued,
)
from fcb_pipelines.core.proof.completeness import UNPLACED

MAY, JUNE = date(2026, 5, 2), date(2026, 6, 1)


def a_row(ref: str = "stripe:a:in_1", **changes: Any) -> Any:
    return {
        "ref": ref,
        "number": "A-1",
        "code": "nexacloud_differs",
        "description": "It differs.",
        "detail": "",
        "remedy": "Correct it.",
        "alternatives": [],
        "amount": 100,
        "currency": "CAD",
        "is_held": False,
        "date": "2026-04-03",
        "partner": None,
        "owner": "nexacloud",
        "acknowledged": None,
    } | changes


def seen_in(rows: tuple[QueuedException, ...]) -> dict[str, tuple[date, date | None]]:
    return {row.ref: (row.first_seen, row.cleared) for row in rows}


def test_a_row_is_as_old_as_its_first_day_whatever_was_built_since() -> None:
    first = queued({"2026-04": [a_row()]}, (), MAY)
    moved = a_row(amount=7, number="A-2")
    again = queued({"2026-05": [moved]}, first, JUNE)
    (row,) = queue({"2026-05": [moved]}, first_seen(again), JUNE)
    assert (row["first_seen"], row["age"], row["amount"]) == ("2026-05-02", 30, 7)


@pytest.mark.parametrize("lost", [{}, {"2026-04": []}], ids=["not built", "nothing waits"])
def test_the_first_day_outlives_a_month_that_was_not_there_for_a_while(lost: Any) -> None:
    first = queued({"2026-04": [a_row()]}, (), MAY)
    meanwhile = queued(lost, first, JUNE)
    assert seen_in(meanwhile) == {"stripe:a:in_1": (MAY, JUNE)}
    still = queued(lost, meanwhile, date(2026, 6, 2))
    assert seen_in(still) == {"stripe:a:in_1": (MAY, JUNE)}
    back = queued({"2026-04": [a_row()]}, still, date(2026, 6, 3))
    assert seen_in(back) == {"stripe:a:in_1": (MAY, None)}


def test_another_code_of_the_same_document_has_a_first_day_of_its_own() -> None:
    first = queued({"2026-04": [a_row()]}, (), MAY)
    both = queued({"2026-04": [a_row(), a_row(code="overpaid")]}, first, JUNE)
    assert {row.code: row.first_seen for row in both} == {
        "nexacloud_differs": MAY,
        "overpaid": JUNE,
    }


def test_holds_of_all_months_come_first_then_the_largest_amount_then_what_is_acknowledged() -> None:
    known = a_row("known", amount=9999, is_held=True, acknowledged={"by": "jane"})
    rows = queue(
        {
            "2026-04": [a_row("small", amount=1), known],
            "2026-05": [a_row("large", amount=-500)],
            UNPLACED: [a_row("held", amount=2, is_held=True)],
        },
        {},
        MAY,
    )
    assert [row["ref"] for row in rows] == ["held", "large", "small", "known"]
    assert [row["period"] for row in rows] == [None, "2026-05", "2026-04", "2026-04"]


def test_a_code_that_holds_a_document_and_is_an_exception_of_it_is_there_once() -> None:
    held = a_row(is_held=True)
    rows = queue({"2026-04": [held, held]}, {}, MAY)
    assert [(row["ref"], row["is_held"]) for row in rows] == [("stripe:a:in_1", True)]


@pytest.mark.parametrize("everything", [False, True])
def test_acknowledged_ones_are_counted_and_listed_on_demand(everything: bool) -> None:
    rows = queue({"2026-04": [a_row(), a_row("b", acknowledged={"by": "jane"})]}, {}, MAY)
    told = queue_json(rows, MAY, everything=everything)
    assert (told["as_of"], told["waiting"], told["acknowledged"]) == ("2026-05-02", 1, 1)
    assert len(told["exceptions"]) == 1 + everything
