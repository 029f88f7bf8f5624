"""Money from outside of the source whose sum or day moves after it was booked: corrected, and then all agrees."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from fcb_pipelines.core.refs import Suffix, correction_ref, suffixed
from fcb_pipelines_tests.defs.world import (
    PERIODS,
    Json,
    Snapshot,
    World,
    document,
    failed,
    named,
    ref_of,
    why,
)

MORE, LESS, DATED = PARTLY = "NXC-0002", "NXC-0004", "NXC-0007"
BEFORE = 10000


@pytest.fixture
def outside(
    snapshot: Callable[..., Snapshot],
    a_copy_of: Callable[[Snapshot], AbstractContextManager[World]],
) -> Iterator[World]:
    """A world after a close in which 100.00 of each of these was paid outside of Stripe, and booked."""

    def paid_in_part(world: World) -> None:
        world.reconfigure(policies={"off_platform_payment": "settle"})
        with (
            world.objects("stripe/invoices") as invoices,
            world.objects("stripe/invoice_payments") as paid,
        ):
            for one in _those(invoices):
                _paid_outside(one, BEFORE)
                one["status"], one["status_transitions"]["paid_at"] = "open", None
                paid[:] = [each for each in paid if each["invoice"] != one["id"]]
        world.close()

    with a_copy_of(snapshot("outside", paid_in_part)) as world:
        yield world


def test_s4_d2_the_difference_is_written_once_and_a_day_alone_is_none(outside: World) -> None:
    before = outside.status()
    refs = {number: ref_of(before, number) for number in PARTLY}
    assert {document(before, number)["paid"] for number in PARTLY} == {BEFORE}
    with (
        outside.objects("stripe/invoices") as invoices,
        outside.objects("stripe/invoice_payments") as paid,
    ):
        more, less, dated = sorted(_those(invoices), key=lambda one: PARTLY.index(one["number"]))
        _paid_outside(more, 15000)
        _paid_outside(less, 4000)
        paid.append(_the_rest(dated, like=paid[0]))
    listed = outside.again()
    assert {number: named(listed, refs[number]) & {"source_changed"} for number in PARTLY} == {
        MORE: {"source_changed"}, LESS: {"source_changed"}, DATED: set(),
    }  # fmt: skip
    assert failed(listed) == {"receivable_ties_out"}

    for _ in range(2):
        done = outside.correct(list(refs.values()), dry_run=False)
        assert done.success, why(done)
    status = outside.again()
    assert {number: document(status, number)["paid"] for number in PARTLY} == {
        MORE: 15000, LESS: 4000, DATED: document(status, DATED)["total"],
    }  # fmt: skip
    assert not {code for number in PARTLY for code in named(status, refs[number])} & {
        "source_changed", "edited_in_ledger", "not_written", "settlement_taken_back",
    }  # fmt: skip
    assert failed(status) == set()
    assert {period: failed(status, period) for period in PERIODS} == {
        period: set() for period in PERIODS
    }
    corrections = {
        entry.ref: entry.settlement.amount
        for entry in outside.ledger.read_settlements(None)
        if entry.ref.startswith(tuple(refs.values())) and "correction" in entry.ref
    }
    assert corrections == {
        _correction_of(refs[MORE]): 5000, _correction_of(refs[LESS]): -6000,
    }  # fmt: skip


def test_s7_a_settlement_that_comes_and_goes_stands_as_its_source_tells_it(
    outside: World,
) -> None:
    ref = ref_of(outside.status(), MORE)
    for amount in (0, BEFORE, 0):
        with outside.objects("stripe/invoices") as invoices:
            _paid_outside(next(one for one in invoices if one["number"] == MORE), amount)
        listed = outside.again()
        assert "settlement_taken_back" in named(listed, ref)
        assert failed(listed) == {"receivable_ties_out"}
        done = outside.correct([ref], dry_run=False)
        assert done.success, why(done)
        status = outside.again()
        assert document(status, MORE)["paid"] == amount
        assert "settlement_taken_back" not in named(status, ref)
        assert failed(status) == set()


def _those(invoices: list[Json]) -> list[Json]:
    return [one for one in invoices if one["number"] in PARTLY]


def _paid_outside(invoice: Json, amount: int) -> None:
    invoice.update(
        amount_paid_off_stripe=amount,
        amount_paid=amount,
        amount_remaining=invoice["amount_due"] - amount,
    )


def _the_rest(invoice: Json, like: Json) -> Json:
    """The payment of what is open, which dates the money from outside as well."""
    rest, paid_at = invoice["amount_remaining"], invoice["effective_at"] + 20 * 86400
    invoice.update(status="paid", amount_paid=invoice["amount_due"], amount_remaining=0)
    invoice["status_transitions"]["paid_at"] = paid_at
    return {
        **like,
        "id": "inpay_TheRest",
        "invoice": invoice["id"],
        "amount_paid": rest,
        "payment": {"type": "payment_intent", "payment_intent": "pi_TheRest"},
        "status_transitions": {"canceled_at": None, "paid_at": paid_at},
    }


def _correction_of(ref: str) -> str:
    return correction_ref(suffixed(ref, Suffix.OFF_STRIPE), 1)
