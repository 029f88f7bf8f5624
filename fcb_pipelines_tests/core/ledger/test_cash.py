"""A cash entry's hash has every field; a settlement and its reversal meet the same transactions."""

from dataclasses import fields, replace
from datetime import date

import pytest

from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.ledger.cash import (
    CashEntry,
    CashLine,
    CashStatement,
    adds_up,
    matching_key,
    refs_of_key,
)
from fcb_pipelines.core.refs import Suffix, suffixed

PAID = "stripe:acct_1:inpay_7"
ENTRY = CashEntry(
    ref="stripe:acct_1:txn_1",
    kind=CashKind.CHARGE,
    date=date(2026, 4, 3),
    booked_on=date(2026, 4, 3),
    currency="CAD",
    amount=10927,
    lines=(
        CashLine(account="111321", amount=-11300, meets=PAID, label="pi_7"),
        CashLine(account="551400", amount=330, label="charge: stripe_fee"),
        CashLine(account="118310", amount=43, label="charge: tax"),
    ),
    narration="charge txn_1",
)
OTHER = {
    "ref": "stripe:acct_1:txn_2",
    "kind": CashKind.REFUND,
    "date": date(2026, 4, 4),
    "booked_on": date(2026, 5, 1),
    "currency": "USD",
    "amount": 10928,
    "lines": ENTRY.lines[:2],
    "narration": "charge",
}
OTHER_LINE = {
    "account": "111322",
    "amount": -1,
    "label": "pi_8",
    "meets": None,
    "original": -8000,
    "original_currency": "USD",
}


@pytest.mark.parametrize("field", [field.name for field in fields(CashEntry)])
def test_every_field_of_an_entry_counts_in_its_hash(field: str) -> None:
    assert replace(ENTRY, **{field: OTHER[field]}).content_hash != ENTRY.content_hash


@pytest.mark.parametrize("field", [field.name for field in fields(CashLine)])
def test_every_field_of_a_line_counts_in_its_entrys_hash(field: str) -> None:
    changed = replace(ENTRY.lines[0], **{field: OTHER_LINE[field]})
    assert replace(ENTRY, lines=(changed, *ENTRY.lines[1:])).content_hash != ENTRY.content_hash


def test_an_entry_keeps_the_hash_under_which_books_know_it() -> None:
    assert ENTRY.content_hash == (
        "bca62be442ccfc47ed6521d4710f0190656e862c1e05af14bdadaf14eda2068f"
    )


def test_an_entry_balances_to_the_minor_unit() -> None:
    assert ENTRY.is_balanced
    assert not replace(ENTRY, amount=10926).is_balanced


def test_an_entry_of_a_locked_day_keeps_its_own_day_beside_the_booked_one() -> None:
    late = ENTRY.booked(date(2026, 5, 1))
    assert (late.date, late.booked_on) == (date(2026, 4, 3), date(2026, 5, 1))
    assert ENTRY.booked(ENTRY.booked_on) is ENTRY


@pytest.mark.parametrize("suffix", Suffix)
def test_a_settlement_and_its_reversal_have_one_key_and_no_other_entry_has_it(
    suffix: Suffix,
) -> None:
    reverses = suffix in (Suffix.FAILED, Suffix.UNDONE)
    assert (matching_key(suffixed(PAID, suffix)) == PAID) is reverses


def test_a_reversal_of_a_failure_has_the_key_of_its_payment() -> None:
    assert matching_key(suffixed(suffixed(PAID, Suffix.FAILED), Suffix.UNDONE)) == PAID


def test_every_ref_of_a_key_has_that_key() -> None:
    refs = refs_of_key(PAID)
    assert len(set(refs)) == len(refs) == 4
    assert {matching_key(ref) for ref in refs} == {PAID}
    assert suffixed(suffixed(PAID, Suffix.FAILED), Suffix.UNDONE) in refs


def test_a_statement_adds_up_only_with_all_of_its_entries() -> None:
    payout = replace(ENTRY, ref="stripe:acct_1:txn_3", amount=-10927)
    statement = CashStatement(
        ref="stripe:acct_1:po_1",
        name="po_1",
        date=date(2026, 4, 5),
        currency="CAD",
        opening=500,
        closing=500,
        entries=(ENTRY.ref, payout.ref),
    )
    assert adds_up(statement, [ENTRY, payout])
    assert not adds_up(statement, [ENTRY])
    assert not adds_up(replace(statement, closing=501), [ENTRY, payout])
    assert replace(statement, closing=501).content_hash != statement.content_hash
