"""The cursor of an index: when the next sync may go on from it, and the sum that proves a list."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.facts.cursor import Cursor, cursor_of, sum_fault, why_in_full

NOW = datetime(2026, 7, 10, 6, tzinfo=UTC)
CURSOR = Cursor(
    mark={"newest": "evt_1", "created": 1, "seen": ["evt_1"]},
    rest="0" * 64,
    listed="1" * 64,
    form="f",
    listed_at=NOW - timedelta(days=6),
    read_at=NOW - timedelta(days=1),
)


@pytest.mark.parametrize(
    ("cursor", "why"),
    [
        (CURSOR, None),
        (replace(CURSOR, read_at=NOW), None),
        (replace(CURSOR, form="g"), "the account, the API version or the source's settings are"),
        (replace(CURSOR, read_at=NOW + timedelta(seconds=1)), "the last sync was later than this"),
        (replace(CURSOR, read_at=NOW - timedelta(days=25, seconds=1)), "more than 25 days ago"),
        (replace(CURSOR, listed_at=NOW - timedelta(days=7)), "is of 2026-07-03, 7 days ago or more"),
    ],
)  # fmt: skip
def test_each_doubt_about_a_cursor_is_a_full_list(cursor: Cursor, why: str | None) -> None:
    found = why_in_full(cursor, form="f", now=NOW, days=7)
    assert (found is None) if why is None else why in str(found)


def test_a_cursor_is_the_same_after_it_was_kept_as_json() -> None:
    assert cursor_of(CURSOR.as_attr()) == CURSOR


@pytest.mark.parametrize(
    "attr", [None, "text", {}, {**CURSOR.as_attr(), "read_at": "once"}, {**CURSOR.as_attr(), "mark": 1}]
)  # fmt: skip
def test_what_is_no_cursor_is_none(attr: object) -> None:
    assert cursor_of(attr) is None


@given(
    known=st.integers(0, 9), new=st.integers(0, 9), gone=st.integers(0, 9), off=st.integers(-9, 9)
)
def test_the_sum_holds_exactly_where_nothing_is_lost(
    known: int, new: int, gone: int, off: int
) -> None:
    found = sum_fault(known, {"new": new, "gone": gone}, known + new - gone + off)
    assert (found is None) is (off == 0)


def test_a_sum_that_does_not_hold_is_told() -> None:
    assert sum_fault(10, {"new": 2, "gone": 1}, 12) == (
        "12 documents are listed, not 10 known + 2 new - 1 gone = 11"
    )
