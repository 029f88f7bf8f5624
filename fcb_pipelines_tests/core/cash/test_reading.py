"""Which months of a balance need not be read again: each row flips one fact."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.cash.reading import are_settled, is_over
from fcb_pipelines.core.facts.cash import Payout
from fcb_pipelines.core.periods import bounds

PAID = Payout(
    ref="stripe:acct_1:po_1", id="po_1", date=date(2026, 4, 20), created=1776700000,
    arrives=date(2026, 4, 22), currency="CAD", amount=9000, status="paid", is_automatic=True, claims=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("today", "expected"),
    [(date(2026, 4, 30), False), (date(2026, 5, 2), False), (date(2026, 5, 3), True)],
)
def test_a_month_is_over_two_days_after_its_end(today: date, expected: bool) -> None:
    assert is_over("2026-04", today) is expected


@pytest.mark.parametrize(
    ("fact", "changes", "today", "expected"),
    [
        ("at the bank for two weeks", {}, date(2026, 5, 6), True),
        ("not yet for two weeks", {}, date(2026, 5, 5), False),
        ("failed", {"status": "failed"}, date(2026, 4, 23), True),
        ("its claims are not known", {"claims": None}, date(2026, 5, 6), False),
        ("nobody will say its claims", {"claims": None, "is_automatic": False}, date(2026, 5, 6), True),
        ("it could not be read", {"problem": "no amount"}, date(2026, 5, 6), False),
    ],
)  # fmt: skip
def test_a_payout_is_settled_once_nothing_of_it_can_change(
    fact: str, changes: dict[str, Any], today: date, expected: bool
) -> None:
    one = replace(PAID, **changes)
    assert are_settled([one], today) is expected, fact
    assert are_settled([], today)


def test_a_month_begins_at_its_first_midnight_there_also_where_clocks_change() -> None:
    begin, end = bounds("2026-03", "America/Toronto")
    assert (begin, end) == (1772341200, 1775016000)
    assert end - begin == 31 * 86400 - 3600
