"""The balance of Stripe through the connector, against the stand-in: spans, payouts, a balance that moves."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.sources import KeepsBalance
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines.sandbox.stripe_server import create_app
from fcb_pipelines_tests.serving import served
from fcb_pipelines_tests.source_shapes import (
    Json,
    stripe_balance_transaction,
    stripe_charge,
    stripe_payout,
    stripe_refund,
)

COUNT = 230
Connect = Callable[..., StripeSource]


def charge(number: int) -> Json:
    whole = stripe_charge(
        f"ch_{number}", 1130, created=number, payment_intent=f"pi_{number}", customer="cus_1"
    )
    return whole | {"billing_details": {"name": "Ada", "email": "ada@example.test"}}


def rows() -> list[Json]:
    found = [
        stripe_balance_transaction(
            f"txn_{n}", 1130, type="charge", source=charge(n), created=n, fee=33
        )
        for n in range(1, COUNT + 1)
    ]
    refund = stripe_refund("re_1", 130, created=500, charge="ch_1") | {"charge": charge(1)}
    found.append(
        stripe_balance_transaction("txn_re", -130, type="refund", source=refund, created=500)
    )
    found.append(
        stripe_balance_transaction("txn_1po", -967, type="payout", source="po_1po", created=600)
    )
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    content = {
        "balance_transactions": rows(),
        "payouts": [
            stripe_payout("po_1po", 967, created=600),
            stripe_payout("po_now", 10, created=650, automatic=False, method="instant"),
            stripe_payout("po_new", 10, created=700) | {"reconciliation_status": "in_progress"},
        ],
        "payout_transactions": [{"payout": "po_1po", "transactions": ["txn_1", "txn_re"]}],
    }
    (tmp_path / "stripe").mkdir()
    for name, objects in content.items():
        (tmp_path / "stripe" / f"{name}.json").write_text(json.dumps(objects))
    return tmp_path


@pytest.fixture
def connect(folder: Path) -> Iterator[Connect]:
    with ExitStack() as stack:

        def start(faults: Faults | None = None) -> StripeSource:
            address = stack.enter_context(served(create_app(folder, faults=faults)))
            quick = Pace(100_000, sleep=lambda seconds: None)
            return StripeSource("rk_live_test", "acct_1", 100, api_base=address, pace=quick)

        yield start


def test_stripe_keeps_a_balance(connect: Connect) -> None:
    assert isinstance(connect(), KeepsBalance)
    assert connect().balance_problems() == ()


def test_a_right_that_the_key_lacks_is_named_before_anything_is_read(connect: Connect) -> None:
    (said,) = connect(Faults(forbidden=frozenset({"payouts"}))).balance_problems()
    assert "/v1/payouts" in said
    assert "required permissions" in said


def test_a_span_has_its_beginning_and_not_its_end_at_a_hundred_a_page(connect: Connect) -> None:
    found = connect().transactions(11, 216)
    assert [each["created"] for each in found.bodies] == [*range(215, 10, -1)]
    assert (found.calls, found.problem) == (3, None)
    nothing = connect().transactions(1000, 2000)
    assert (nothing.bodies, nothing.calls) == ((), 1)


def test_a_transaction_names_its_payer_and_holds_nothing_else_of_them(connect: Connect) -> None:
    refund, *_, first = connect().transactions(1, 501).bodies
    assert refund["source"]["charge"]["customer"] == "cus_1"
    assert first["source"]["payment_intent"] == "pi_1"
    assert "example.test" not in json.dumps([refund, first])


def test_a_page_that_is_lost_is_a_problem_of_the_list(connect: Connect) -> None:
    faults = Faults(skip=frozenset({"balance_transactions"}))
    assert "does not join" in str(connect(faults).transactions(1, 501).problem)


def test_a_payout_comes_with_its_transactions_once_it_is_reconciled(connect: Connect) -> None:
    found = connect().payouts(0, 1000)
    assert [each["id"] for each in found.bodies] == ["po_new", "po_now", "po_1po"]
    assert {own: [each["id"] for each in claimed] for own, claimed in found.claims.items()} == {
        "po_1po": ["txn_1po", "txn_re", "txn_1"]
    }
    assert (found.calls, found.problem) == (2, None)


def test_the_transactions_of_a_payout_that_are_known_are_not_asked_for_again(
    connect: Connect,
) -> None:
    known: dict[str, tuple[Json, ...]] = {"po_1po": ({"id": "txn_kept"},)}
    found = connect().payouts(0, 1000, known)
    assert (found.claims, found.calls) == (known, 1)


def test_the_balance_comes_with_the_newest_transactions(connect: Connect) -> None:
    found = connect().balance()
    (cad,) = found.body["available"]
    assert cad["amount"] == sum(each["net"] for each in rows())
    assert (found.newest[0], len(found.newest)) == ({"id": "txn_1po", "created": 600}, 100)
    assert (found.is_sure, found.calls) == (True, 3)


@pytest.mark.parametrize(("moves", "is_sure", "calls"), [(1, True, 5), (9, False, 7)])
def test_a_balance_that_moves_while_it_is_read_is_read_again_and_then_not_sure(
    folder: Path,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    moves: int,
    is_sure: bool,
    calls: int,
) -> None:
    source = connect()
    left = [moves]
    plain = source._reader.get
    file = folder / "stripe" / "balance_transactions.json"

    def get(path: str, params: Any = None) -> Json:
        answer = plain(path, params)
        if path == "/v1/balance" and left[0]:
            left[0] -= 1
            one = stripe_balance_transaction(
                f"txn_late_{left[0]}", 100, type="charge", source="ch_1", created=900 - left[0]
            )
            file.write_text(json.dumps([*json.loads(file.read_text()), one]))
        return answer

    monkeypatch.setattr(source._reader, "get", get)
    found = source.balance()
    assert (found.is_sure, found.calls) == (is_sure, calls)


def test_a_key_without_the_right_to_read_payouts_is_told_what_it_lacks(connect: Connect) -> None:
    source = connect(Faults(forbidden=frozenset({"payouts"})))
    with pytest.raises(NotAllowed, match="restricted key with read rights"):
        source.payouts(0, 1000)
