"""What all months know of the receivable, read from their frames: each entry once, as it was read last."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, write_frame
from fcb_pipelines.core.agreement.compare import Agreement
from fcb_pipelines.core.close.history import receivable_of
from fcb_pipelines.core.codes import ExceptionCode, Method
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState, MoveState
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.defs.reconciliation import history as reading
from fcb_pipelines.defs.reconciliation.history import BuiltMonths
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.compatibility import before
from fcb_pipelines_tests.documents import SETTINGS, a_settlement
from fcb_pipelines_tests.facts import BOOKS, LAST_PERIOD, a_case, a_move, an_invoice, document_of

INVOICE = document_of(a_case())
OPEN = a_move(INVOICE, residual=INVOICE.total)
PAID = a_move(INVOICE, residual=0)


@pytest.fixture
def frames(tmp_path: Path) -> FrameStore:
    return FrameStore(tmp_path)


def written(frames: FrameStore, period: str, *states: LedgerState, at: int) -> None:
    """The month's read-back, written at this second."""
    path = frames.path(keys.SETTLEMENTS.path, period)
    write_frame(to_frame(states, LedgerState), path)
    os.utime(str(path), (at, at))


@pytest.mark.parametrize(("april", "may", "open_"), [(1, 2, 0), (2, 1, INVOICE.total)])
def test_a_document_that_two_months_read_is_as_the_later_one_read_it(
    frames: FrameStore, april: int, may: int, open_: int
) -> None:
    written(frames, "2026-04", LedgerState(ref=OPEN.ref, move=OPEN), at=april)
    written(frames, "2026-05", LedgerState(ref=OPEN.ref, move=PAID, elsewhere=True), at=may)
    [entry] = BuiltMonths(frames).history("2026-05").entries
    assert entry.open == open_


def test_a_document_that_is_gone_from_the_ledger_is_gone(frames: FrameStore) -> None:
    written(frames, "2026-05", LedgerState(ref=OPEN.ref, move=OPEN, elsewhere=True), at=1)
    written(frames, "2026-04", LedgerState(ref=OPEN.ref), at=2)
    assert BuiltMonths(frames).history("2026-05").entries == ()


def test_a_month_that_is_built_anew_is_read_anew(frames: FrameStore) -> None:
    written(frames, "2026-04", at=1)
    assert BuiltMonths(frames).history("2026-05").entries == ()
    written(frames, "2026-04", LedgerState(ref=OPEN.ref, move=OPEN), at=2)
    assert len(BuiltMonths(frames).history("2026-05").entries) == 1


@pytest.mark.parametrize("empty", [("2026-03", 1), ("2026-05", 3)], ids=["before", "after"])
def test_a_month_without_a_document_stands_beside_others(
    frames: FrameStore, empty: tuple[str, int]
) -> None:
    period, at = empty
    written(frames, "2026-04", LedgerState(ref=OPEN.ref, move=OPEN), at=2)
    written(frames, period, at=at)
    assert [each.ref for each in BuiltMonths(frames).history("2026-05").entries] == [OPEN.ref]


def test_a_built_month_sold_what_its_own_documents_did(frames: FrameStore) -> None:
    written(frames, "2026-04", LedgerState(ref=OPEN.ref, move=OPEN), at=1)
    written(frames, "2026-05", LedgerState(ref=OPEN.ref, move=OPEN, elsewhere=True), at=1)
    [line] = INVOICE.lines
    assert BuiltMonths(frames).history("2026-05").sold == {
        "2026-04": {(INVOICE.currency, line.account): line.net},
        "2026-05": {},
    }


def test_due_dates_and_what_may_be_settled_by_hand_come_from_the_frames(
    frames: FrameStore,
) -> None:
    due = an_invoice("in_1", due=date(2026, 5, 3))
    listed = decide(a_case(an_invoice("in_2")), SETTINGS, BOOKS, LAST_PERIOD)
    written(frames, "2026-04", LedgerState(ref=OPEN.ref, move=OPEN), at=1)
    assert due.ref == OPEN.ref
    for key, rows, kind in (
        (keys.source_key("stripe", "invoices"), [due, an_invoice("in_2")], InvoiceFacts),
        (keys.DISPOSITIONS, [listed], Disposition),
    ):
        write_frame(to_frame(rows, kind), frames.path(key.path, "2026-04"))
    assert BuiltMonths(frames).history("2026-05").due == {due.ref: date(2026, 5, 3)}
    assert BuiltMonths(frames).history("2026-05").listed == frozenset()
    # What is listed is asked for only where the books have something that our entries do not explain.
    half = a_move(INVOICE, residual=INVOICE.total // 2)
    written(frames, "2026-04", LedgerState(ref=half.ref, move=half), at=2)
    off = LedgerDelta(
        ref=listed.ref,
        entry=listed.ref,
        field="paid",
        kind=Agreement.DIFFERS,
        expected="0",
        actual="1",
        difference=1,
        aspect="read_back",
        code=ExceptionCode.OFF_STRIPE_PAYMENT,
    )
    write_frame(to_frame([off], LedgerDelta), frames.path(keys.LEDGER_DELTAS.path, "2026-04"))
    assert BuiltMonths(frames).history("2026-05").listed == {listed.ref}


def test_what_was_settled_before_the_month_is_not_read_and_what_is_open_or_moves_is(
    frames: FrameStore,
) -> None:
    paid = LedgerState(ref=PAID.ref, move=PAID)
    settlement = a_settlement(INVOICE, day=date(2026, 4, 20))
    pays = LedgerState(ref=settlement.ref, settlement=settled(settlement, INVOICE.total))
    written(frames, "2026-04", paid, pays, at=1)
    assert len(BuiltMonths(frames).history("2026-04").entries) == 2
    assert BuiltMonths(frames).history("2026-05").entries == ()
    # A month later its failure is known: the document is read again, whole.
    undone = a_settlement(INVOICE, -INVOICE.total, name="failed", day=date(2026, 5, 2),
                          method=Method.PAYMENT_FAILURE, undoes=settlement.ref)  # fmt: skip
    fails = LedgerState(ref=undone.ref, settlement=settled(undone, -INVOICE.total))
    still = LedgerState(ref=OPEN.ref, move=OPEN, elsewhere=True)
    written(frames, "2026-05", still, fails, at=2)
    for period in ("2026-04", "2026-05", "2026-06"):
        receivable = receivable_of(BuiltMonths(frames).history(period), period, {})
        (row,) = receivable["roll_forward"]
        assert row["unexplained"] == 0, period
        assert row["closing"] == (0 if period == "2026-04" else INVOICE.total)


PAYMENT = a_settlement(INVOICE, day=date(2026, 6, 3))


@pytest.mark.parametrize(
    ("case", "april", "june", "differs"),
    [
        ("nothing", [LedgerState(ref=OPEN.ref, move=OPEN)], [], False),
        ("it is gone", [LedgerState(ref=OPEN.ref)], [], True),
        ("it has another partner", [LedgerState(ref=OPEN.ref, move=a_move(replace(INVOICE, partner="x"), residual=INVOICE.total))], [], True),
        ("a person settled it", [LedgerState(ref=PAID.ref, move=PAID)], [], True),
        ("it is paid in June", [LedgerState(ref=PAID.ref, move=PAID)], ["paid"], False),
        ("its payment is of May", [LedgerState(ref=PAID.ref, move=PAID)], ["in May"], True),
        ("another was billed in June", [LedgerState(ref=OPEN.ref, move=OPEN)], ["billed"], False),
    ],
)  # fmt: skip
def test_a_month_s_digest_tells_what_was_booked_by_its_end(
    frames: FrameStore, case: str, april: list[LedgerState], june: list[str], differs: bool
) -> None:
    written(frames, "2026-04", LedgerState(ref=OPEN.ref, move=OPEN), at=1)
    written(frames, "2026-05", at=1)
    before = BuiltMonths(frames).digest("2026-05")
    later = document_of(a_case(an_invoice("in_2", date=date(2026, 6, 1))))
    in_may = replace(PAYMENT, date=date(2026, 5, 30))
    states = {
        "paid": LedgerState(ref=PAYMENT.ref, settlement=settled(PAYMENT, INVOICE.total)),
        "in May": LedgerState(ref=PAYMENT.ref, settlement=settled(in_may, INVOICE.total)),
        "billed": LedgerState(ref=later.ref, move=a_move(later, accounting_date=later.date)),
    }
    written(frames, "2026-04", *april, at=2)
    written(frames, "2026-06", *(states[each] for each in june), at=2)
    assert (BuiltMonths(frames).digest("2026-05") != before) is differs, case


def settled(settlement: Settlement, matched: int) -> LedgerSettlement:
    return LedgerSettlement(
        ref=settlement.ref,
        settlement=settlement,
        move_id="1",
        state=MoveState.POSTED,
        reconciled=matched,
        stored_hash=settlement.content_hash,
    )


def test_the_edge_cases_of_the_version_before_roll_forward_with_nothing_unexplained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before.unpack(tmp_path)
    store = FrameStore(tmp_path / "frames")
    months = sorted(
        path.stem for path in store.path((*keys.SETTLEMENTS.path, "x")).parent.iterdir()
    )
    monkeypatch.setattr(reading, "periods", lambda: months)
    opening = dict[str, int]()
    assert len(months) > 4
    for period in months:
        receivable = receivable_of(BuiltMonths(store).history(period), period, {})
        for row in receivable["roll_forward"]:
            assert row["opening"] == opening.get(row["currency"], 0)
            assert (row["by_hand"], row["unexplained"], row["differing"]) == (0, 0, [])
            aged = [one for one in receivable["ageing"] if one["currency"] == row["currency"]]
            assert sum(one["total"] for one in aged) == row["open"] == row["closing"]
        opening = {row["currency"]: row["closing"] for row in receivable["roll_forward"]}
