"""An entry that a person withdrew in the ledger keeps its logged state until a person releases it."""

from dataclasses import replace

import pytest

from fcb_pipelines.core.ledger.moves import LedgerSettlement, MoveState, may_replace, settled_under
from fcb_pipelines_tests.facts import a_case, an_entry, settlements_of, stands


@pytest.mark.parametrize(
    ("seen", "state", "logged"),
    [
        (None, "draft", True),
        (None, "cancelled", True),
        ("draft", "posted", True),
        ("posted", "posted", True),
        ("posted", "reconciled", True),
        ("released", "draft", True),
        ("cancelled", "draft", True),
        ("draft", "cancelled", False),
        ("posted", "draft", False),
        ("posted", "cancelled", False),
        ("reconciled", "posted", False),
        ("released", "cancelled", False),
    ],
)
def test_an_entry_that_went_back_keeps_its_old_place_in_the_log(
    seen: str | None, state: str, logged: bool
) -> None:
    assert may_replace(seen, state) is logged


@pytest.mark.parametrize("amount", [22600, -22600])
def test_a_settlement_is_reconciled_once_all_of_it_is_matched_whichever_way_it_goes(
    amount: int,
) -> None:
    (settlement,) = settlements_of(a_case())
    entry = an_entry(replace(settlement, amount=amount))
    half = amount // 2
    assert [replace(entry, reconciled=matched).is_reconciled for matched in (0, half, amount)] == [
        False,
        False,
        True,
    ]


ENTRY = an_entry(*settlements_of(a_case()))
CANCELLED = replace(ENTRY, state=MoveState.CANCELLED)


@pytest.mark.parametrize(("entry", "found"), [(ENTRY, ENTRY), (CANCELLED, None), (None, None)])
def test_a_settlement_that_a_person_cancelled_does_not_stand(
    entry: LedgerSettlement | None, found: LedgerSettlement | None
) -> None:
    ledger_state = {ENTRY.ref: stands(settlement=entry, ref=ENTRY.ref)}
    assert settled_under(ENTRY.ref, ledger_state) == found
    assert settled_under("stripe:acct_nexacloud:unknown", ledger_state) is None
