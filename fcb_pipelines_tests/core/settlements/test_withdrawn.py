"""What the source says of a settlement decides over the last of its reversals, however often it changed its word."""

from dataclasses import replace

import pytest

from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement
from fcb_pipelines.core.refs import Suffix, suffixed
from fcb_pipelines.core.settlements.withdrawn import unreversed_settlements, withdrawn_settlements
from fcb_pipelines_tests.facts import a_case, an_entry, an_invoice, settlements_of, stands

(PAID,) = settlements_of(a_case(an_invoice("in_1")))
FAILED = replace(PAID, ref=suffixed(PAID.ref, Suffix.FAILED), amount=-PAID.amount, undoes=PAID.ref)


def chain(*entries: Settlement, reversals: int = 0) -> list[Settlement]:
    """These entries, and so many reversals of the last."""
    found = [*entries]
    for _ in range(reversals):
        last = found[-1]
        ref = suffixed(last.ref, Suffix.UNDONE)
        found.append(replace(last, ref=ref, amount=-last.amount, undoes=last.ref))
    return found


def withdrawn(entries: list[Settlement], *reported: Settlement) -> list[str]:
    held: list[LedgerSettlement] = [an_entry(each) for each in entries]
    unreversed = unreversed_settlements({each.ref: stands(settlement=each) for each in held})
    refs = {each.ref for each in reported}
    return [
        each.ref for each in withdrawn_settlements(unreversed.get(PAID.document, ()), refs, set())
    ]


@pytest.mark.parametrize("is_reported", [True, False], ids=["reported", "not reported"])
@pytest.mark.parametrize("reversals", range(6))
def test_s7_the_last_of_a_chain_is_withdrawn_where_the_books_say_other_than_the_source(
    reversals: int, is_reported: bool
) -> None:
    entries = chain(PAID, reversals=reversals)
    is_booked = sum(each.amount for each in entries) != 0
    found = withdrawn(entries, *([PAID] if is_reported else []))
    assert found == ([] if is_booked is is_reported else [entries[-1].ref])


@pytest.mark.parametrize(
    ("case", "entries", "reported", "is_withdrawn"),
    [
        ("a payment and its failure", chain(PAID, FAILED), [PAID, FAILED], False),
        ("it did not fail after all", chain(PAID, FAILED), [PAID], True),
        ("nothing is told of either", chain(PAID, FAILED), [], False),
        ("it did not fail, which is booked", chain(PAID, FAILED, reversals=1), [PAID], False),
        ("it failed once more", chain(PAID, FAILED, reversals=1), [PAID, FAILED], True),
        ("then nothing is told of either", chain(PAID, FAILED, reversals=1), [], True),
        ("the books lack what failed, and it is told", chain(FAILED), [PAID], True),
        ("the books lack what failed, and it is not told", chain(FAILED), [], False),
    ],
)  # fmt: skip
def test_s7_a_failure_of_the_source_is_a_link_of_the_chain(
    case: str, entries: list[Settlement], reported: list[Settlement], is_withdrawn: bool
) -> None:
    assert withdrawn(entries, *reported) == ([entries[-1].ref] if is_withdrawn else []), case


def test_entries_that_reverse_each_other_by_an_edit_are_no_endless_chain() -> None:
    one = replace(PAID, undoes=FAILED.ref)
    last = chain(FAILED, reversals=1)[-1]
    assert withdrawn([one, FAILED, last]) == [last.ref]
