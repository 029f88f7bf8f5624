"""The window holds this month, the last, what is open, and every month that moved."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.dispositions.opening import OpeningCash
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, User
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, MoveState
from fcb_pipelines.core.proof.window import (
    Fingerprint,
    fingerprints,
    months_to_rebuild,
    waiting_months,
)
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_move,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
)

PERIODS = ("2026-02", "2026-03", "2026-04", "2026-05")
NAMES = ("in_1", "in_2", "in_3")
CASES = {name: a_case(an_invoice(name), claimant=a_copy(source_id=name)) for name in NAMES}
MOVES = [a_move(document_of(case)) for case in CASES.values()]
ENTRIES = [an_entry(one) for case in CASES.values() for one in settlements_of(case)]
COPIES = [a_copy(source_id=name, invoice_id=f"inv-{name}") for name in NAMES]
USERS = {
    copy.user_id: User(
        id=copy.user_id,
        email="a@example.com",
        full_name="Ana",
        company=None,
        billing_email=None,
        billing_address=None,
        billing_city=None,
        billing_state="ON",
        billing_postal_code=None,
        billing_country="CA",
        tax_id=None,
        stripe_customer_id="cus_1",
    )
    for copy in COPIES
}
INDEX = [
    IndexRow(
        ref=case.facts.ref,
        source_id=name,
        origin=Origin.INVOICE,
        answer=Lookup.LISTED,
        in_scope=True,
        claimed=True,
        period="2026-04",
        body_hash=f"hash-{name}",
    )
    for name, case in CASES.items()
]
# An invoice of before the cutover, paid in April and in May.
EARLY = "stripe:acct_nexacloud:in_early"
ON_ACCOUNT = an_entry(replace(ENTRIES[0].settlement, ref="early:1", document=EARLY))
OPENING = {
    EARLY: OpeningCash(
        periods=frozenset({"2026-04", "2026-05"}), refs=frozenset({"early:1"}), basis="a payment"
    )
}
COPIES.append(replace(COPIES[0], invoice_id="inv-early", claims=EARLY))
ENTRIES.append(ON_ACCOUNT)
ROW = decide(CASES["in_1"], SETTINGS, BOOKS, LAST_PERIOD)


def april(
    index: list[IndexRow] = INDEX,
    rows: list[NexaCloudInvoice] = COPIES,
    moves: list[LedgerMove] = MOVES,
    entries: list[LedgerSettlement] = ENTRIES,
    users: Mapping[str, User] = USERS,
    opening: Mapping[str, OpeningCash] = OPENING,
) -> Fingerprint:
    return fingerprints(PERIODS, index, rows, users, moves, entries, opening)["2026-04"]


NOW = april()


@given(
    st.permutations(INDEX),
    st.permutations(COPIES),
    st.permutations(MOVES),
    st.permutations(ENTRIES),
)
def test_a_fingerprint_does_not_depend_on_the_order_of_rows(
    index: list[IndexRow],
    rows: list[NexaCloudInvoice],
    moves: list[LedgerMove],
    entries: list[LedgerSettlement],
) -> None:
    assert april(index, rows, moves, entries) == NOW


def moved(print_: Fingerprint) -> set[str]:
    return {
        one.name
        for one in fields(Fingerprint)
        if getattr(print_, one.name) != getattr(NOW, one.name)
    }


@pytest.mark.parametrize(
    "change",
    [
        {"invoice_id": "inv-9"},
        {"user_id": "another"},
        {"subscription_id": "another"},
        {"created_at": datetime(2026, 1, 1, tzinfo=UTC)},
        *(
            {"facts": replace(COPIES[0].facts, **facts)}
            for facts in (
                {"status": "void"},
                {"net": 1},
                {"tax": 1},
                {"total": 1},
                {"paid": 1},
                {"number": "x"},
                {"currency": "USD"},
                {"lines": ()},
                {"lines": (replace(COPIES[0].facts.lines[0], quantity=Decimal(2)),)},
                {"lines": (replace(COPIES[0].facts.lines[0], description="x"),)},
            )
        ),
    ],
    ids=lambda change: str(next(iter(change))),
)
def test_a_change_of_nexaclouds_row_moves_its_month(change: dict[str, Any]) -> None:
    assert moved(april(rows=[replace(COPIES[0], **change), *COPIES[1:]])) == {"nexacloud"}


def test_a_change_of_a_documents_user_moves_its_month() -> None:
    user = USERS[COPIES[0].user_id]
    changed = {user.id: replace(user, stripe_customer_id="cus_another")}
    assert moved(april(users=changed)) == {"nexacloud"}


@pytest.mark.parametrize(
    "change",
    [
        {"state": MoveState.DRAFT},
        {"residual": 1},
        {"accounting_date": date(2026, 5, 1)},
        {"stored_hash": "0"},
        {"document": replace(MOVES[0].document, number="edited")},
        {"document": replace(MOVES[0].document, date=date(2026, 5, 1))},
    ],
    ids=str,
)
def test_a_change_of_a_move_moves_its_month(change: dict[str, Any]) -> None:
    assert moved(april(moves=[replace(MOVES[0], **change), *MOVES[1:]])) == {"ledger"}


@pytest.mark.parametrize(
    "change",
    [
        {"state": MoveState.CANCELLED},
        {"reconciled": 0},
        {"settlement": replace(ENTRIES[0].settlement, amount=1)},
    ],
    ids=str,
)
def test_a_change_of_a_payment_moves_its_documents_month(change: dict[str, Any]) -> None:
    assert moved(april(entries=[replace(ENTRIES[0], **change), *ENTRIES[1:]])) == {"ledger"}


@pytest.mark.parametrize(
    ("sides", "aspect"),
    [
        ({"index": INDEX[1:]}, "index"),
        ({"index": [replace(INDEX[0], body_hash="changed"), *INDEX[1:]]}, "index"),
        ({"rows": COPIES[1:]}, "nexacloud"),
        ({"moves": MOVES[1:]}, "ledger"),
        ({"entries": ENTRIES[1:]}, "ledger"),
    ],
)
def test_a_row_that_changed_or_went_moves_its_month(sides: dict[str, Any], aspect: str) -> None:
    assert aspect in moved(april(**sides))


@pytest.mark.parametrize(
    ("sides", "aspects"),
    [
        ({"opening": {}, "rows": COPIES[:-1], "entries": ENTRIES[:-1]}, {"index", "nexacloud", "ledger"}),
        ({"opening": {EARLY: replace(OPENING[EARLY], basis="another payment")}}, {"index"}),
        ({"rows": [*COPIES[:-1], replace(COPIES[-1], user_id="another")]}, {"nexacloud"}),
        ({"entries": ENTRIES[:-1]}, {"ledger"}),
        ({"entries": [*ENTRIES[:-1], replace(ON_ACCOUNT, state=MoveState.CANCELLED)]}, {"ledger"}),
        ({"entries": [*ENTRIES, replace(ON_ACCOUNT, ref="no longer reported")]}, set()),
    ],
    ids=["all of it", "the cash", "whose it is", "not booked", "taken away", "of a payment no longer reported"],
)  # fmt: skip
def test_s11_cash_of_before_the_cutover_moves_the_month_of_its_date(
    sides: dict[str, Any], aspects: set[str]
) -> None:
    assert moved(april(**sides)) == aspects


def test_rows_of_other_months_services_and_documents_move_nothing() -> None:
    march = replace(INDEX[0], ref="stripe:acct_nexacloud:in_9", period="2026-03")
    stranger = replace(INDEX[0], ref="stripe:acct_nexacloud:in_8", in_scope=False)
    unplaced = a_copy(source_id=None)
    assert moved(april([*INDEX, march, stranger], [*COPIES, unplaced])) == set()


@pytest.mark.parametrize("of", ["2026-03", None], ids=["an earlier month", "no month in range"])
def test_b12_what_becomes_of_an_invoice_moves_the_month_of_its_credit_note(of: str | None) -> None:
    invoice = replace(INDEX[0], ref="stripe:acct_nexacloud:in_9", period=of)
    note = replace(INDEX[0], ref="stripe:acct_nexacloud:cn_9", credits=invoice.ref)
    before = april([*INDEX, invoice, note])
    after = april([*INDEX, replace(invoice, body_hash="void"), note])
    assert before.index != after.index


def test_b12_whose_an_invoice_is_moves_the_month_of_its_credit_note() -> None:
    invoice = replace(INDEX[0], ref="stripe:acct_nexacloud:in_9", period="2026-03")
    note = replace(INDEX[0], ref="stripe:acct_nexacloud:cn_9", credits=invoice.ref)
    copy = a_copy(source_id="in_9", invoice_id="inv-9")
    here, erased = ([*COPIES, copy], COPIES)
    assert (
        april([*INDEX, note, invoice], here).nexacloud
        != april([*INDEX, note, invoice], erased).nexacloud
    )
    assert april([*INDEX, invoice], here).nexacloud == april([*INDEX, invoice], erased).nexacloud


def prints(**changed: str) -> dict[str, Fingerprint]:
    same = Fingerprint(index="i", nexacloud="n", ledger="l")
    return {
        period: replace(same, index=changed.get(period.replace("-", "_"), "i"))
        for period in PERIODS
    }


QUIET = dict.fromkeys(PERIODS, (ROW,))


@pytest.mark.parametrize(
    ("case", "rows", "built", "window"),
    [
        ("nothing moved", QUIET, prints(), ("2026-04", "2026-05")),
        ("nothing was ever built", {}, {}, PERIODS),
        ("an old month moved", QUIET, {**prints(), "2026-02": Fingerprint(index="x", nexacloud="n", ledger="l")}, ("2026-02", "2026-04", "2026-05")),
        ("an old document is owed", {**QUIET, "2026-03": (replace(ROW, owed=1),)}, prints(), ("2026-03", "2026-04", "2026-05")),
        ("an old document is held", {**QUIET, "2026-02": (replace(ROW, verdict=Verdict.HOLD),)}, prints(), ("2026-02", "2026-04", "2026-05")),
        ("an old document is skipped", {**QUIET, "2026-02": (replace(ROW, verdict=Verdict.SKIP, owed=1),)}, prints(), ("2026-04", "2026-05")),
    ],
)  # fmt: skip
def test_the_window_is_rebuilt_and_no_other_month(
    case: str,
    rows: dict[str, tuple[Disposition, ...]],
    built: dict[str, Fingerprint],
    window: tuple[str, ...],
) -> None:
    assert months_to_rebuild(PERIODS, rows, built, prints()) == window, case


@pytest.mark.parametrize(
    ("case", "rows", "changed", "waiting"),
    [
        ("an old document is owed", {"2026-03": (replace(ROW, owed=1),)}, {}, {"2026-02", "2026-03"}),
        ("its month moved", {"2026-03": (replace(ROW, owed=1),)}, {"2026_03": "x"}, {"2026-02"}),
        ("another is held", {"2026-03": (replace(ROW, owed=1), replace(ROW, verdict=Verdict.HOLD))}, {}, {"2026-02"}),
        ("one of the last two is owed", {"2026-04": (replace(ROW, owed=1),)}, {}, {"2026-02", "2026-03"}),
    ],
)  # fmt: skip
def test_only_an_old_month_as_it_was_built_may_wait_for_its_money(
    case: str,
    rows: dict[str, tuple[Disposition, ...]],
    changed: dict[str, str],
    waiting: set[str],
) -> None:
    found = waiting_months(PERIODS, {**QUIET, **rows}, prints(), prints(**changed))
    assert found == waiting, case


def test_without_periods_there_is_no_window() -> None:
    assert months_to_rebuild((), {}, {}, {}) == ()
    assert waiting_months((), {}, {}, {}) == frozenset()
