"""What a source voids, changes or takes back after posting, corrected by the reviewed job."""

from collections.abc import Sequence
from typing import Any

import pytest

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.refs import base_of
from fcb_pipelines_tests.defs import changes as c
from fcb_pipelines_tests.defs.world import (
    FrameReport,
    Json,
    World,
    document,
    failed,
    named,
    ref_of,
    why,
)

# isort: split
from fcb_pipelines.defs.ledger.correcting import planned
from fcb_pipelines.defs.runtime.ledger_reading import open_reader

VOIDED, CHEAPER, TAKEN_BACK = "NXC-0004", "NXC-0009", "NXC-0014"


def test_d1_d2_s7_each_is_corrected_by_one_more_document_and_then_all_agrees(
    closed: World,
) -> None:
    before, balances = closed.status(), closed.ledger.trial_balance()
    _change(closed, VOIDED, _voided)
    _change(closed, CHEAPER, _cheaper)
    _change(closed, TAKEN_BACK, _never_paid)
    refs = [ref_of(before, number) for number in (VOIDED, CHEAPER, TAKEN_BACK)]
    listed = closed.again()
    assert "voided_after_posting" in named(listed, VOIDED)
    assert "source_changed" in named(listed, CHEAPER)
    assert "settlement_taken_back" in named(listed, TAKEN_BACK)
    assert "read_back_equals_intent" in failed(listed, "2026-05")

    assert closed.correct(refs, dry_run=True).success
    assert closed.ledger.trial_balance() == balances, "a dry run wrote something"
    moves = closed.ledger.read_moves(None)
    for _ in range(2):
        done = closed.correct(refs, dry_run=False)
        assert done.success, why(done)
    corrected = closed.again()

    assert not {"voided_after_posting"} & named(corrected, VOIDED)
    assert not {"source_changed"} & named(corrected, CHEAPER)
    assert not {"settlement_taken_back"} & named(corrected, TAKEN_BACK)
    assert failed(corrected) == set()
    assert all(failed(corrected, period) == set() for period in corrected["periods"])
    assert document(corrected, VOIDED)["payment_state"] == "reversed"
    assert document(corrected, TAKEN_BACK)["paid"] == 0
    notes = [m for m in closed.ledger.read_moves(None) if m.ref not in {one.ref for one in moves}]
    assert {base_of(note.ref) for note in notes} == set(refs[:2])
    assert all(note.document.kind == "credit_note" for note in notes)
    assert [move for move in closed.ledger.read_moves(None) if move.ref not in
            {note.ref for note in notes} and move.document.content_hash != move.stored_hash] == []  # fmt: skip


@pytest.mark.parametrize("number", ["NXC-0005"])
def test_a_document_that_stands_as_its_source_says_is_left_alone(
    closed: World, number: str
) -> None:
    before = closed.books_text()
    assert closed.correct([ref_of(closed.status(), number)], dry_run=False).success
    assert closed.books_text() == before


def test_a_document_that_its_source_no_longer_gives_is_named_and_left_alone(closed: World) -> None:
    ref = ref_of(closed.status(), CHEAPER)
    with closed.objects("stripe/invoices") as invoices:
        invoices[:] = [one for one in invoices if one["number"] != CHEAPER]
    assert "missing_at_source" in named(closed.again(), ref)
    before = closed.books_text()

    reader = open_reader(closed.ledger, closed.log, "by hand")
    (plan,) = planned([ref], FrameReport(closed.frames), reader)
    assert plan.is_empty
    assert plan.why.startswith("its source does not give it (missing_at_source: it is posted in")
    done = closed.correct([ref], dry_run=False)
    assert done.success, why(done)
    assert closed.books_text() == before


def test_a_document_that_nobody_knows_is_an_error_that_says_so(closed: World) -> None:
    done = closed.correct(["stripe:acct_x:in_nobody"], dry_run=False)
    assert not done.success
    assert any("no built month has this document" in told for told in why(done))


def _change(world: World, number: str, make: Any) -> None:
    with (
        world.objects("stripe/invoices") as invoices,
        world.objects("stripe/invoice_payments") as paid,
    ):
        (invoice,) = (one for one in invoices if one["number"] == number)
        (payment,) = (one for one in paid if one["invoice"] == invoice["id"])
        make(invoice, payment)


def _voided(invoice: Json, payment: Json) -> None:
    """Taken back and voided: Stripe voids no invoice that is paid."""
    _never_paid(invoice, payment)
    c.stripe_void(invoice, payment)


def _cheaper(invoice: Json, payment: Json) -> None:
    """The first line 10.00 less, with all that sums it; it was paid in full before."""
    line = invoice["lines"]["data"][0]
    line["amount"] -= 1000
    line["pricing"]["unit_amount_decimal"] = str(line["amount"])
    for each in (*line["taxes"], *invoice["total_taxes"]):
        each["amount"] -= 130
        each["taxable_amount"] -= 1000
    less = {"subtotal": 1000, "subtotal_excluding_tax": 1000, "total_excluding_tax": 1000,
            "total": 1130, "amount_due": 1130}  # fmt: skip
    for name, amount in less.items():
        invoice[name] -= amount


def _never_paid(invoice: Json, payment: Json) -> None:
    invoice["status"] = payment["status"] = "open"
    payment["amount_paid"] = None
    payment["status_transitions"]["paid_at"] = None


def test_d5_what_the_ledger_refuses_of_one_document_stops_no_other(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = closed.status()
    _change(closed, VOIDED, _voided)
    _change(closed, TAKEN_BACK, _never_paid)
    voided, taken_back = (ref_of(before, number) for number in (VOIDED, TAKEN_BACK))
    closed.again()
    settle = BeancountLedger.settle

    def refusing(ledger: BeancountLedger, settlements: Sequence[Settlement]) -> object:
        if any(each.document == taken_back for each in settlements):
            raise ContractBreach("settling", "no")
        return settle(ledger, settlements)

    with monkeypatch.context() as refused:
        refused.setattr(BeancountLedger, "settle", refusing)
        done = closed.correct([taken_back, voided], dry_run=False)
    assert not done.success
    entries = closed.ledger.read_settlements(None)
    written = {(each.settlement.document, each.ref.rpartition(":")[2]) for each in entries}
    assert {(voided, "match"), (voided, "undone")} <= written
    assert (taken_back, "undone") not in written

    assert closed.correct([taken_back, voided], dry_run=False).success
    assert failed(closed.again()) == set()
