"""What is left open on the outstanding account: keys apart, earlier lines first, nothing lost."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.cash.matching import OutstandingLine, residuals

DAY = date(2026, 4, 3)


def line(
    entry: str, amount: int, key: str | None = "p", *, day: int = 0, currency: str = "CAD"
) -> OutstandingLine:
    """A line of an entry; those of `pay…` are of settlements."""
    return OutstandingLine(
        entry=entry,
        key=key,
        date=DAY + timedelta(day),
        currency=currency,
        amount=amount,
        is_settled=entry.startswith("pay"),
    )


PAID, CHARGED = line("pay_1", 100), line("txn_1", -100)
FAILED, TAKEN_BACK = line("pay_1:failed", -100, day=5), line("txn_2", 100, day=6)

CASES: dict[str, tuple[list[OutstandingLine], list[int]]] = {
    "nothing": ([], []),
    "a payment alone": ([PAID], [100]),
    "a charge alone": ([CHARGED], [-100]),
    "both": ([PAID, CHARGED], [0, 0]),
    "less than was paid": ([PAID, replace(CHARGED, amount=-60)], [40, 0]),
    "more than was paid": ([PAID, replace(CHARGED, amount=-160)], [0, -60]),
    "of another key": ([PAID, replace(CHARGED, key="q")], [100, -100]),
    "of another currency": ([PAID, replace(CHARGED, currency="USD")], [100, -100]),
    "without a key": ([replace(PAID, key=None), replace(CHARGED, key=None)], [100, -100]),
    "a payment and its failure that never reached the balance": ([PAID, FAILED], [100, -100]),
    "a failure that has not reached the balance": ([PAID, CHARGED, FAILED], [0, 0, -100]),
    "a failure that has": ([PAID, CHARGED, FAILED, TAKEN_BACK], [0, 0, 0, 0]),
    "two payments of one key, the earlier one first": (
        [line("pay_2", 70, day=2), line("pay_1", 70, day=1), line("txn_1", -100, day=3)],
        [40, 0, 0],
    ),
    "two charges of one payment, the earlier one first": (
        [PAID, line("txn_2", -60, day=2), line("txn_1", -60, day=1)],
        [0, -20, 0],
    ),
}


@pytest.mark.parametrize(("lines", "left"), CASES.values(), ids=CASES.keys())
def test_the_lines_of_a_key_meet_once_the_balance_names_it(
    lines: list[OutstandingLine], left: list[int]
) -> None:
    assert residuals(lines) == tuple(left)


@pytest.mark.parametrize(
    ("day", "left"), [(-1, (0, 0)), (0, (100, 0)), (3, (100, 0)), (4, (0, 0)), (9, (0, 0))]
)
def test_a_matching_counts_from_the_later_of_its_days(day: int, left: tuple[int, int]) -> None:
    lines = [PAID, replace(CHARGED, date=DAY + timedelta(4))]
    assert residuals(lines, DAY + timedelta(day)) == left


LINES = st.builds(
    line,
    st.sampled_from(["pay_1", "pay_2", "txn_1", "txn_2", "txn_3"]),
    st.integers(-300, 300).filter(bool),
    st.sampled_from(["p", "q", None]),
    day=st.integers(0, 4),
    currency=st.sampled_from(["CAD", "USD"]),
)


@given(st.lists(LINES, max_size=12), st.integers(0, 4), st.randoms(use_true_random=False))
def test_what_is_left_is_the_account_and_no_line_is_open_beyond_itself(
    lines: list[OutstandingLine], day: int, chance: object
) -> None:
    on = DAY + timedelta(day)
    left = residuals(lines, on)
    account, open_ = Counter[str](), Counter[str]()
    for each, residual in zip(lines, left, strict=True):
        account[each.currency] += each.amount if each.date <= on else 0
        open_[each.currency] += residual
        assert min(0, each.amount) <= residual <= max(0, each.amount)
    assert {**open_} == {**account}
    # In whatever order the lines were written.
    order = list(range(len(lines)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    shuffled = residuals([lines[n] for n in order], on)
    by_key = Counter[object]()
    for n, residual in zip(order, shuffled, strict=True):
        by_key[lines[n].key, lines[n].currency, residual > 0] += residual
    for each, residual in zip(lines, left, strict=True):
        by_key[each.key, each.currency, residual > 0] -= residual
    assert not any(by_key.values())
