"""A settlement whose amount moved at its source gets the difference; what no command may write is named."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.corrections.plan import CorrectionPlan, plan_correction, posted_with_notes
from fcb_pipelines.core.corrections.settlements import Amendment, plan_amendments
from fcb_pipelines.core.facts.model import SettlementFacts
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState, MoveState
from fcb_pipelines.core.refs import Suffix, correction_ref, suffixed
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    DAY,
    a_case,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)

POLICIES = {
    "off_platform_payment": "settle",
    "uncollectible": "write_off",
    "lost_dispute": "loss",
}
DECIDED = SETTINGS.model_copy(update={"policies": SETTINGS.policies.model_copy(update=POLICIES)})
LATER, TODAY = date(2026, 5, 4), date(2026, 6, 20)
INVOICE = an_invoice("in_1")
DOCUMENT = document_of(a_case(INVOICE))
(PAYMENT,) = settlements_of(a_case(INVOICE))
OWN = replace(
    PAYMENT,
    ref=suffixed(DOCUMENT.ref, Suffix.OFF_STRIPE),
    method=Method.OFF_PLATFORM,
    amount=3000,
)


def booked(amount: int, number: int = 0, of: Settlement = OWN, **changes: Any) -> LedgerSettlement:
    """The entry of a settlement, or its correction of this number."""
    ref = correction_ref(of.ref, number) if number else of.ref
    return an_entry(replace(of, ref=ref, amount=amount, **changes))


def planned(
    wanted: Settlement, *entries: LedgerSettlement, lock: date | None = None
) -> tuple[Amendment, ...]:
    ledger_state = {entry.ref: stands(settlement=entry) for entry in entries}
    return plan_amendments([wanted], {wanted.ref: LATER}, ledger_state, DECIDED, lock)


FIRST = correction_ref(OWN.ref, 1)


@pytest.mark.parametrize(
    ("case", "amount", "entries", "written"),
    [
        ("nothing is booked of it", 3000, [], None),
        ("it is booked as it is", 3000, [booked(3000)], None),
        ("it grew", 8000, [booked(3000)], (1, 5000, None)),
        ("it grew, and that is booked", 8000, [booked(3000), booked(5000, 1)], None),
        ("it grew again", 9000, [booked(3000), booked(5000, 1)], (2, 1000, None)),
        ("it shrank", 1000, [booked(3000)], (1, -2000, OWN.ref)),
        ("it grew and came back", 3000, [booked(3000), booked(5000, 1)], (2, -5000, FIRST)),
        ("it shrank and came back", 3000, [booked(3000), booked(-2000, 1)], (2, 2000, FIRST)),
        ("it grew, and a person took that out", 8000, [booked(3000), replace(booked(5000, 1), state=MoveState.CANCELLED)], (1, 5000, None)),
    ],
)  # fmt: skip
def test_d2_the_difference_is_one_more_entry(
    case: str,
    amount: int,
    entries: list[LedgerSettlement],
    written: tuple[int, int, str | None] | None,
) -> None:
    found = planned(replace(OWN, amount=amount), *entries)
    wrote = [each.write for each in found if each.write]
    assert [(each.ref, each.amount, each.undoes) for each in wrote] == (
        [(correction_ref(OWN.ref, written[0]), *written[1:])] if written else []
    ), case
    assert all(each.date == LATER for each in wrote)
    assert len(found) == len(wrote)


@pytest.mark.parametrize(
    "method", [Method.OVERPAYMENT, Method.CUSTOMER_BALANCE, Method.WRITE_OFF, Method.RECOVERY]
)
@pytest.mark.parametrize("amount", [-1000, 1000])
def test_d2_it_is_of_the_settlements_own_method(method: Method, amount: int) -> None:
    own = replace(OWN, method=method, amount=amount)
    (found,) = planned(replace(own, amount=amount // 2), an_entry(own))
    assert found.write
    assert (found.write.method, found.write.amount) == (method, -amount // 2)


def test_s13_it_is_dated_where_the_source_dates_it_or_on_the_first_open_day() -> None:
    more = replace(OWN, amount=8000)
    (found,) = planned(more, booked(3000), lock=date(2026, 5, 31))
    assert found.write
    assert found.write.date == date(2026, 6, 1)


NOTE = f"{DOCUMENT.ref}:cn_1"


@pytest.mark.parametrize(
    ("case", "wanted", "entry", "told"),
    [
        ("C2 a payment that the balance meets", replace(PAYMENT, amount=1000), an_entry(PAYMENT), "by hand"),
        ("S5 a part of a receipt", replace(OWN, amount=1000, receipt=9000, drawn_on="r"), booked(3000, receipt=9000, drawn_on="r"), "by hand"),
        ("a credit note matched with it", replace(OWN, amount=1000, method=Method.CREDIT_NOTE, drawn_on=NOTE), booked(3000, method=Method.CREDIT_NOTE, drawn_on=NOTE), "by hand"),
        ("its currency is another", replace(OWN, amount=1000, currency="USD"), booked(3000), "by hand"),
        ("its method is another", replace(OWN, amount=1000, method=Method.PREPAID_CREDIT), booked(3000), "by hand"),
        ("D3 a person edited it", replace(OWN, amount=1000), replace(booked(3000), stored_hash="0"), "undo the edit"),
    ],
)  # fmt: skip
def test_what_no_command_may_write_is_named_with_both_amounts(
    case: str, wanted: Settlement, entry: LedgerSettlement, told: str
) -> None:
    (found,) = planned(wanted, entry)
    assert found.write is None, case
    assert wanted.ref in found.why
    assert told in found.why
    assert " 10.00 " in found.why, "the amount at the source"


def plan(facts: Any, *entries: LedgerSettlement) -> CorrectionPlan:
    now: dict[str, LedgerState] = {entry.ref: stands(settlement=entry) for entry in entries}
    now[DOCUMENT.ref] = stands(a_move(DOCUMENT))
    case = a_case(facts, ledger_state=now[DOCUMENT.ref])
    return plan_correction(case, posted_with_notes(case, now, ()), now, DECIDED, BOOKS, TODAY)


def told_as(amount: int, **changes: Any) -> SettlementFacts:
    return replace(
        a_settlement(DOCUMENT.ref, amount),
        ref=OWN.ref,
        method=Method.OFF_PLATFORM,
        payment_id=None,
        **changes,
    )


def entry_of(*settled: SettlementFacts) -> LedgerSettlement:
    facts = replace(INVOICE, settlements=settled)
    (one,) = intended_settlements([DOCUMENT], {DOCUMENT.ref: facts}, DECIDED, {})
    return an_entry(one)


def test_s4_money_from_outside_that_grew_is_written_and_the_outlook_says_so() -> None:
    facts = replace(INVOICE, settlements=(told_as(8000),))
    found = plan(facts, entry_of(told_as(3000)))
    assert not found.is_empty
    assert [(each.ref, each.amount) for each in found.amend] == [(FIRST, 5000)]
    assert found.now
    assert found.after
    assert (found.now.receivable, found.after.receivable) == (22600 - 3000, 22600 - 8000)
    assert "80.00 CAD at its source and 30.00 CAD in the ledger" in found.why


def test_s4_money_from_outside_whose_day_alone_moved_is_no_difference() -> None:
    facts = replace(INVOICE, settlements=(told_as(3000, date=LATER),))
    found = plan(facts, entry_of(told_as(3000)))
    assert found.is_empty
    assert found.why.endswith("nothing to write")


def test_s7_what_the_source_withdrew_is_reversed_with_its_corrections() -> None:
    entry = entry_of(told_as(3000))
    more = booked(5000, 1, of=entry.settlement)
    found = plan(replace(INVOICE, settlements=()), entry, more)
    assert [(each.undoes, each.amount) for each in found.undo] == [
        (OWN.ref, -3000), (FIRST, -5000),
    ]  # fmt: skip
    assert found.after
    assert found.after.receivable == 22600


def test_s7_one_that_a_correction_took_back_in_part_is_still_withdrawn_as_a_whole() -> None:
    entry = entry_of(told_as(3000))
    less = booked(-2000, 1, of=entry.settlement, undoes=OWN.ref)
    found = plan(replace(INVOICE, settlements=()), entry, less)
    assert sum(each.amount for each in found.undo) == -1000


def reversal_of(entry: LedgerSettlement) -> LedgerSettlement:
    settled = entry.settlement
    ref = suffixed(entry.ref, Suffix.UNDONE)
    return an_entry(replace(settled, ref=ref, amount=-settled.amount, undoes=entry.ref))


STOOD, GREW = entry_of(told_as(3000)), booked(5000, 1)
GONE, NOT_MORE = reversal_of(STOOD), reversal_of(GREW)
BACK = reversal_of(GONE)
MORE = booked(1000, 2)


@pytest.mark.parametrize(
    ("case", "told", "entries", "undone", "amended"),
    [
        ("it is back", 3000, [STOOD, GONE], [(GONE.ref, 3000)], []),
        ("it is back, which is booked", 3000, [STOOD, GONE, BACK], [], []),
        ("it is gone again", None, [STOOD, GONE, BACK], [(BACK.ref, -3000)], []),
        ("it is back with more", 4000, [STOOD, GONE], [(GONE.ref, 3000)], [(FIRST, 1000)]),
        ("it is back without what it grew by", 3000, [STOOD, GREW, GONE, NOT_MORE], [(GONE.ref, 3000)], []),
        ("it is back with what it grew by", 8000, [STOOD, GREW, GONE, NOT_MORE], [(GONE.ref, 3000)], [(MORE.ref, 5000)]),
        ("it is gone again with all that stood", None, [STOOD, GREW, GONE, NOT_MORE, BACK, MORE], [(BACK.ref, -3000), (MORE.ref, -1000)], []),
    ],
)  # fmt: skip
def test_s7_a_settlement_that_comes_and_goes_is_booked_as_its_source_tells_it(
    case: str,
    told: int | None,
    entries: list[LedgerSettlement],
    undone: list[tuple[str, int]],
    amended: list[tuple[str, int]],
) -> None:
    settled = () if told is None else (told_as(told),)
    found = plan(replace(INVOICE, settlements=settled), *entries)
    assert [(each.undoes, each.amount) for each in found.undo] == undone, case
    assert [(each.ref, each.amount) for each in found.amend] == amended, case
    assert found.after
    assert found.after.receivable == 22600 - (told or 0), case


def test_d2_a_plan_with_nothing_to_write_says_only_what_is_true() -> None:
    assert plan(INVOICE, an_entry(PAYMENT)).why == (
        "its amounts are as posted; a new label, day or customer is no entry: nothing to write"
    )


OWN_DAY = {
    Suffix.BALANCE, Suffix.CREDIT_NOTES, Suffix.GRANTED, Suffix.MARKED_PAID, Suffix.OFF_STRIPE,
    Suffix.OUT_OF_BAND, Suffix.OVERPAID, Suffix.PREPAID,
}  # fmt: skip


@pytest.mark.parametrize("suffix", Suffix)
def test_an_entry_keeps_its_day_where_its_source_gives_it_none(suffix: Suffix) -> None:
    settled = replace(told_as(3000), ref=suffixed(DOCUMENT.ref, suffix))
    entry = entry_of(settled)
    facts = replace(INVOICE, settlements=(replace(settled, date=LATER),))
    for standing, kept in ((entry, suffix in OWN_DAY), (replace(entry, stored_hash="0"), False)):
        now = {standing.ref: stands(settlement=standing)}
        (wanted,) = intended_settlements([DOCUMENT], {DOCUMENT.ref: facts}, DECIDED, now)
        assert wanted.date == (DAY if kept else LATER), suffix
