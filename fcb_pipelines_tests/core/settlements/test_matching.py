"""What is matched on a document follows from its entries alone, and nothing is matched twice."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.settlements.matching import Claim, match

DAY = date(2026, 4, 3)


def claim(
    ref: str, amount: int, *, day: int = 0, allocation: bool = False, undoes: str | None = None
) -> Claim:
    """A claim some days after DAY."""
    return Claim(
        ref=ref, date=DAY + timedelta(day), amount=amount, allocation=allocation, undoes=undoes
    )


# On a document of 100: the claims, what is matched of each, what stays open, what settled it.
TABLE: dict[str, tuple[list[Claim], dict[str, int], int, set[str]]] = {
    "nothing came": ([], {}, 100, set()),
    "a payment of the whole": ([claim("a", 100)], {"a": 100}, 0, {"a"}),
    "the later payment keeps what is beyond": (
        [claim("b", 80, day=1), claim("a", 80)],
        {"a": 80, "b": 20},
        0,
        {"a", "b"},
    ),
    "a debt waits for what pays": ([claim("a", -20)], {"a": 0}, 100, set()),
    "a debt is paid before the document": (
        [claim("a", 50), claim("b", -20, day=9)],
        {"a": 50, "b": -20},
        70,
        {"a"},
    ),
    "a failure takes back its own payment": (
        [claim("a", 50), claim("b", 30), claim("c", -30, day=9, undoes="b")],
        {"a": 50, "b": 30, "c": -30},
        50,
        {"a"},
    ),
    "a failure frees what its payment had netted": (
        [claim("a", 120), claim("b", -20), claim("c", -120, undoes="a")],
        {"a": 120, "b": 0, "c": -120},
        100,
        set(),
    ),
    "a failure without its payment waits": (
        [claim("c", -30, undoes="b")],
        {"c": 0},
        100,
        set(),
    ),
    "a part that failed": (
        [claim("a", 100), claim("c", -40, undoes="a")],
        {"a": 100, "c": -40},
        40,
        {"a"},
    ),
    "an allocation comes before what is paid": (
        [claim("a", 100), claim("n", 30, day=9, allocation=True)],
        {"a": 70, "n": 30},
        0,
        {"a", "n"},
    ),
    "a debt is never matched with a credit note": (
        [claim("n", 30, allocation=True), claim("b", -20)],
        {"n": 30, "b": 0},
        70,
        {"n"},
    ),
    "an allocation that was taken back": (
        [claim("n", 30, allocation=True), claim("c", -30, undoes="n")],
        {"n": 30, "c": -30},
        100,
        set(),
    ),
}


@pytest.mark.parametrize(
    ("claims", "of", "residual", "settled_by"), TABLE.values(), ids=TABLE.keys()
)
def test_what_is_matched_and_what_stays_open(
    claims: list[Claim], of: dict[str, int], residual: int, settled_by: set[str]
) -> None:
    found = match(100, claims)
    assert (found.of, found.residual, found.settled_by) == (of, residual, settled_by)


def test_payments_give_way_to_allocations() -> None:
    claims = [claim("a", 100), claim("n", 30, allocation=True)]
    assert match(100, claims).allocatable == 70


@st.composite
def some_claims(draw: st.DrawFn) -> list[Claim]:
    """Claims of every sort, some of which undo an earlier one."""
    made: list[Claim] = []
    for index in range(draw(st.integers(0, 7))):
        amount, day = draw(st.integers(-150, 150)), draw(st.integers(0, 3))
        undoes = draw(st.sampled_from([None, *(each.ref for each in made)]))
        allocation = amount > 0 and draw(st.booleans())
        made.append(claim(f"c{index}", amount, day=day, allocation=allocation, undoes=undoes))
    return made


@given(total=st.integers(0, 200), claims=some_claims(), shuffled=st.randoms())
def test_no_more_is_matched_than_there_is_and_both_sides_of_a_match_are_equal(
    total: int, claims: list[Claim], shuffled: object
) -> None:
    found = match(total, claims)
    for each in claims:
        low, high = sorted((0, each.amount))
        assert low <= found.of[each.ref] <= high
    assert 0 <= found.residual <= found.allocatable <= total
    assert sum(found.of.values()) == total - found.residual
    shuffled.shuffle(claims)  # type: ignore[attr-defined]
    assert match(total, claims) == found


@given(total=st.integers(0, 200), claims=some_claims())
def test_nothing_stays_open_beside_something_that_could_pay_it(
    total: int, claims: list[Claim]
) -> None:
    found = match(total, claims)
    unused = [each.amount - found.of[each.ref] for each in claims]
    if any(amount > 0 for amount in unused):
        assert found.residual == 0
