"""A settlement that no ledger could take is listed by itself, and the others of its batch are written."""

from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerState, settled_under
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import (
    KEPT_OUT,
    expected_residual,
    plan_settlements,
    settlement_refs,
)
from fcb_pipelines_tests.documents import SETTINGS, a_credit_note
from fcb_pipelines_tests.facts import (
    a_case,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)

DOCUMENT = document_of(a_case())
(PAYMENT,) = settlements_of(a_case())
REF = DOCUMENT.ref
OTHER = replace(DOCUMENT, ref=f"{REF}b")
THIRD = replace(DOCUMENT, ref=f"{REF}c")
NOTE = a_credit_note("cn_1")
DRAWN = replace(PAYMENT, ref=f"{NOTE.ref}:in_1", method=Method.CREDIT_NOTE, drawn_on=NOTE.ref)
RECEIPT = "lago:nexa:p1"
SHARE = replace(PAYMENT, ref=f"{RECEIPT}:1", amount=100, drawn_on=RECEIPT, receipt=300)
HEALTHY = replace(PAYMENT, ref=f"{OTHER.ref}:inpay_1", document=OTHER.ref)


def held(settlement: Settlement) -> LedgerState:
    return stands(settlement=an_entry(settlement))


TAKEN = replace(PAYMENT, ref=RECEIPT, document=THIRD.ref)
USED = replace(SHARE, ref=f"{RECEIPT}:3", document=THIRD.ref)


@pytest.mark.parametrize(
    ("case", "settlement", "ledger_state"),
    [
        ("a payment in another currency", replace(PAYMENT, currency="USD"), []),
        ("a lost dispute in another currency", replace(PAYMENT, method=Method.CHARGEBACK, amount=-100, currency="USD"), []),
        ("a refund in another currency", replace(PAYMENT, method=Method.REFUND, amount=-100, currency="USD"), []),
        ("of another kind of document", replace(PAYMENT, kind=Kind.CREDIT_NOTE), []),
        ("a note in another currency", replace(DRAWN, currency="USD"), []),
        ("a credit that is drawn on an invoice", replace(DRAWN, drawn_on=THIRD.ref), []),
        ("a credit that is drawn on its own document", replace(DRAWN, drawn_on=REF), []),
        ("a credit of nothing", replace(DRAWN, amount=0), []),
        ("a part of a receipt in another currency", replace(SHARE, currency="USD"), []),
        ("a receipt under an id that another payment has", SHARE, [held(TAKEN)]),
        ("a payment under an id that a receipt has", replace(PAYMENT, ref=RECEIPT), [held(USED)]),
        ("a part of a receipt of another amount", replace(SHARE, receipt=400), [held(USED)]),
    ],
)  # fmt: skip
def test_what_contradicts_the_books_is_listed_and_stops_nothing_else(
    case: str, settlement: Settlement, ledger_state: list[LedgerState]
) -> None:
    documents = {each.ref: each for each in (DOCUMENT, OTHER)}
    moves = {each.ref: a_move(each) for each in (DOCUMENT, OTHER, THIRD, NOTE)}
    now = {each.ref: each for each in ledger_state}
    plan = plan_settlements([settlement, HEALTHY], documents, moves, now, None)
    assert plan.write == (HEALTHY,), case
    assert plan.exceptions == ((REF, "settlement_unsupported"),), case
    [(_, code)] = plan.exceptions
    assert code in KEPT_OUT


@pytest.mark.parametrize(
    "settlement", [PAYMENT, DRAWN, SHARE], ids=["a payment", "a credit note", "a part of a receipt"]
)
def test_what_fits_the_books_is_written(settlement: Settlement) -> None:
    moves = {each.ref: a_move(each) for each in (DOCUMENT, NOTE)}
    documents = {REF: DOCUMENT}
    plan = plan_settlements([settlement], documents, moves, {}, None)
    assert (plan.write, plan.exceptions) == ((settlement,), ())


def test_two_parts_of_one_new_receipt_agree_on_its_amount_or_the_later_is_listed() -> None:
    later = replace(SHARE, ref=f"{RECEIPT}:2", document=OTHER.ref, receipt=400)
    documents = {each.ref: each for each in (DOCUMENT, OTHER)}
    moves = {each.ref: a_move(each) for each in (DOCUMENT, OTHER)}
    plan = plan_settlements([SHARE, later], documents, moves, {}, None)
    assert (plan.write, plan.exceptions) == ((SHARE,), ((OTHER.ref, "settlement_unsupported"),))


def test_a_settlement_in_another_currency_takes_nothing_off_a_document() -> None:
    in_dollars = replace(PAYMENT, currency="USD")
    assert expected_residual(DOCUMENT, [in_dollars]) == DOCUMENT.total
    assert expected_residual(DOCUMENT, [PAYMENT]) == 0


# A payment under its own id, and the part of it that is the document's.
ALONE = a_settlement(REF, 100, ref=RECEIPT)
PART = replace(ALONE, ref=f"{RECEIPT}:1", drawn_on=RECEIPT, receipt=300, shares=(f"{RECEIPT}:3",))
WHOLE = replace(PAYMENT, ref=RECEIPT, amount=100)


@pytest.mark.parametrize(
    ("case", "settled", "booked", "ref", "receipt"),
    [
        ("nothing of it is booked", ALONE, [], RECEIPT, None),
        ("it named several and names one", ALONE, [SHARE, USED], SHARE.ref, 300),
        ("it named others and names this one", ALONE, [USED], RECEIPT, None),
        ("it named one and names several: the one", PART, [WHOLE], RECEIPT, None),
        ("it named one and names several: another", PART, [replace(WHOLE, document=THIRD.ref)], PART.ref, None),
        ("it named one, wholly, and names several: another", PART, [replace(WHOLE, document=THIRD.ref, amount=300)], PART.ref, 300),
    ],
)  # fmt: skip
def test_s5_a_part_keeps_the_id_that_it_is_booked_under_whatever_the_payment_names_now(
    case: str, settled: Any, booked: list[Settlement], ref: str, receipt: int | None
) -> None:
    facts = an_invoice(settlements=(settled,))
    now = {each.ref: held(each) for each in booked}
    [found] = intended_settlements([DOCUMENT], {REF: facts}, SETTINGS, now)
    assert (found.ref, found.receipt) == (ref, receipt), case
    assert RECEIPT in settlement_refs([facts])
    moves = {each.ref: a_move(each) for each in (DOCUMENT, THIRD)}
    plan = plan_settlements([found], {REF: DOCUMENT}, moves, now, None)
    # Nothing is written under an id that the books have, and no money beside what was received.
    entry_ref = found.drawn_on or found.ref
    taken = {entry_ref} & {each.drawn_on or each.ref for each in booked}
    assert not (plan.write and taken and settled_under(found.ref, now) is None), case
