"""Corrections: one more document brings a posted document in line with its source."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.corrections.document import Correction, correction
from fcb_pipelines.core.documents.taxes import mismatches, taxed_lines
from fcb_pipelines.core.ledger.books import first_open_day
from fcb_pipelines.core.ledger.corrections import VOIDED, answered, by_base, residual_with
from fcb_pipelines.core.ledger.entries import DocumentTax, LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.refs import base_of, is_correction
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_credit_note,
    a_line,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.facts import a_move
from fcb_pipelines_tests.strategies import documents

INVOICE = an_invoice("in_1", a_line(20000), a_line(1000, description="Daily Backup"))
LATER = date(2026, 5, 20)


def ledger_state(document: LedgerDocument, residual: int | None = None) -> LedgerMove:
    residual = document.total if residual is None else residual
    return a_move(document, residual=residual, stored_source_hash=document.source_hash)


def corrected(
    document: LedgerDocument, target: LedgerDocument | None, *earlier: LedgerMove
) -> Correction:
    found = correction(ledger_state(document), earlier, target, day=LATER, settings=SETTINGS)
    assert found is not None
    return found


def balances(*found: LedgerDocument) -> dict[tuple[str, str], int]:
    return expected_balances(found)


def test_d1_a_voided_invoice_is_reversed_by_a_credit_note_over_its_own_lines() -> None:
    found = corrected(INVOICE, None)
    note = found.document
    assert (note.kind, note.date, note.reverses) == (Kind.CREDIT_NOTE, LATER, INVOICE.ref)
    assert Counter((line.net, line.account) for line in note.lines) == Counter(
        (line.net, line.account) for line in INVOICE.lines
    )
    assert (note.taxes, note.total) == (INVOICE.taxes, INVOICE.total)
    assert balances(INVOICE, note) == {}
    assert note.source_hash == VOIDED


def test_d1_the_reversal_is_matched_with_what_is_still_open() -> None:
    for residual, amount in ((INVOICE.total, INVOICE.total), (5000, 5000)):
        found = correction(ledger_state(INVOICE, residual), (), None, day=LATER, settings=SETTINGS)
        assert found is not None
        assert found.allocation is not None
        assert (found.allocation.document, found.allocation.drawn_on) == (
            INVOICE.ref,
            found.document.ref,
        )
        assert found.allocation.amount == amount
    paid = correction(ledger_state(INVOICE, 0), (), None, day=LATER, settings=SETTINGS)
    assert paid is not None
    assert paid.allocation is None


def test_d1_a_voided_credit_note_is_reversed_by_an_invoice_that_it_is_allocated_to() -> None:
    note = a_credit_note("cn_1", a_line(5000))
    found = corrected(note, None)
    assert found.document.kind is Kind.INVOICE
    assert balances(note, found.document) == {}
    assert found.allocation is not None
    assert (found.allocation.document, found.allocation.drawn_on) == (found.document.ref, note.ref)


CHANGES = {
    "a line less": (an_invoice("in_1", a_line(20000)), Kind.CREDIT_NOTE, 1),
    "a line more": (an_invoice("in_1", *INVOICE.lines, a_line(700)), Kind.INVOICE, 1),
    "another price": (an_invoice("in_1", a_line(15000), INVOICE.lines[1]), Kind.CREDIT_NOTE, 2),
    "another account": (
        an_invoice("in_1", a_line(20000, account="411320", family="managed"), INVOICE.lines[1]),
        Kind.INVOICE,
        2,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_d2_only_what_changed_is_corrected(change: str) -> None:
    target, kind, lines = CHANGES[change]
    found = corrected(INVOICE, target)
    assert (found.document.kind, len(found.document.lines)) == (kind, lines)
    assert balances(INVOICE, found.document) == balances(target)


def test_d2_a_second_change_corrects_from_what_the_first_left() -> None:
    first_target = an_invoice("in_1", a_line(15000), INVOICE.lines[1])
    first = ledger_state(corrected(INVOICE, first_target).document, 0)
    second = corrected(INVOICE, None, first).document
    assert (base_of(second.ref), second.ref[-2:]) == (INVOICE.ref, ":2")
    assert balances(INVOICE, first.document, second) == {}
    assert (
        correction(ledger_state(INVOICE), (first,), first_target, day=LATER, settings=SETTINGS)
        is None
    )


SIX = an_invoice(
    "in_6",
    *[a_line(1997, description=f"Odoo ERP Hosting {n}") for n in range(6)],
    taxes=[DocumentTax(key="hst_13", base=11982, amount=1561)],
)


@pytest.mark.parametrize(
    ("case", "target", "lines"),
    [
        ("what differs carries its tax", an_invoice("in_6", *SIX.lines, a_line(700), taxes=[DocumentTax(key="hst_13", base=12682, amount=1652)]), 1),
        ("a line less, and its rounding with it", an_invoice("in_6", *SIX.lines[:5]), 11),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_t7_a_correction_shows_as_many_lines_as_carry_its_tax(
    case: str, target: LedgerDocument, lines: int
) -> None:
    document = corrected(SIX, target).document
    assert len(document.lines) == lines, case
    assert balances(SIX, document) == balances(target)
    taxes = [(tax.key, tax.base, tax.amount) for tax in document.taxes]
    assert not mismatches(taxes, SETTINGS.taxes, 1, taxed_lines(document.lines))


def test_t7_a_change_of_the_tax_alone_has_no_lines_to_show() -> None:
    target = replace(SIX, taxes=(replace(SIX.taxes[0], amount=1558),))
    document = corrected(SIX, target).document
    assert (document.lines, document.tax) == ((), 3)
    assert balances(SIX, document) == balances(target)


def test_t7_a_void_takes_back_tax_as_it_was_rounded() -> None:
    note = corrected(SIX, None).document
    assert (len(note.lines), note.taxes) == (6, SIX.taxes)


def test_a_change_of_a_label_alone_can_not_be_posted() -> None:
    renamed = replace(INVOICE, number="another", date=LATER)
    assert correction(ledger_state(INVOICE), (), renamed, day=LATER, settings=SETTINGS) is None


@given(documents(), documents())
def test_any_document_is_corrected_to_any_other_to_the_cent(
    posted: LedgerDocument, target: LedgerDocument
) -> None:
    target = replace(target, kind=posted.kind, currency=posted.currency)
    found = correction(ledger_state(posted), (), target, day=LATER, settings=SETTINGS)
    parts = [posted, found.document] if found else [posted]
    assert balances(*parts) == balances(target)
    if found:
        assert found.document.total >= 0
        assert sum(line.net for line in found.document.lines) == found.document.net


def test_a_correction_is_found_under_its_document_in_order_and_only_when_posted() -> None:
    moves = [
        replace(ledger_state(INVOICE), ref=f"{INVOICE.ref}:correction:{n}") for n in (10, 2, 1)
    ]
    draft = replace(moves[0], ref=f"{INVOICE.ref}:correction:11", state=MoveState.DRAFT)
    found = by_base([*moves, draft, ledger_state(INVOICE)])
    assert list(found) == [INVOICE.ref]
    assert [move.ref.rpartition(":")[2] for move in found[INVOICE.ref]] == ["1", "2", "10"]
    assert is_correction(moves[0].ref)
    assert not is_correction(INVOICE.ref)


def test_a_correction_answers_the_source_it_was_written_for_and_no_later_one() -> None:
    note = ledger_state(replace(corrected(INVOICE, None).document, source_hash="now"))
    assert answered("now", [note])
    assert not answered("later", [note])
    assert not answered("now", [])


def test_what_is_open_is_told_of_a_document_with_its_corrections() -> None:
    note = ledger_state(corrected(INVOICE, None).document, 3000)
    assert residual_with(ledger_state(INVOICE, 5000), [note]) == 2000


@pytest.mark.parametrize(
    ("lock", "day"),
    [(None, LATER), (date(2026, 5, 19), LATER), (LATER, date(2026, 5, 21)),
     (date(2026, 6, 30), date(2026, 7, 1))],
)  # fmt: skip
def test_d1_a_locked_day_gives_way_to_the_first_open_one(lock: date | None, day: date) -> None:
    assert first_open_day(LATER, lock) == day
