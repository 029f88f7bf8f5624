"""What goes, what is archived and what stays of the metered shadow."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.former_shadow.removal import (
    Fate,
    Planned,
    Pruned,
    ShadowOrder,
    ShadowProduct,
    outcomes,
    plan,
    preview,
)

ORDER = ShadowOrder(
    id=1,
    name="S00001",
    state="draft",
    shadow=True,
    locked=False,
    signed=False,
    invoices=0,
    payments=0,
)
PRODUCT = ShadowProduct(id=7, code="NC-CPU", active=True, orders=frozenset(), journal_items=0)


def fate(*orders: ShadowOrder, keep: tuple[str, ...] = ()) -> tuple[Fate, str]:
    """What becomes of the one order, and why."""
    (planned,) = plan(orders, (), keep)
    return planned.fate, planned.reason


def product_fate(product: ShadowProduct, *orders: ShadowOrder) -> tuple[Fate, str]:
    """What becomes of the product where these orders are there, and why."""
    *_, planned = plan(orders, (product,))
    return planned.fate, planned.reason


def test_a_draft_with_the_mark_goes() -> None:
    assert fate(ORDER) == (Fate.DELETE, "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"shadow": False}, "it is not marked x_fc_shadow"),
        ({"state": "sent"}, "it was sent to the customer"),
        ({"state": "sale"}, "it is confirmed"),
        ({"state": "cancel"}, "it is cancelled, and only drafts go"),
        ({"state": "done"}, "its state is done, and only drafts go"),
        ({"locked": True}, "it is locked"),
        ({"signed": True}, "the customer signed it"),
        ({"invoices": 1}, "invoices of it: 1, payments: 0"),
        ({"payments": 1}, "invoices of it: 0, payments: 1"),
    ],
    ids=str,
)
def test_one_fact_makes_an_order_stay(change: dict[str, Any], reason: str) -> None:
    assert fate(replace(ORDER, **change)) == (Fate.LEAVE, reason)


def test_what_the_run_is_told_to_keep_stays() -> None:
    kept = (Fate.LEAVE, "the configuration of the run keeps it")
    assert fate(ORDER, keep=("S00001",)) == kept
    (planned,) = plan((), (PRODUCT,), ("NC-CPU",))
    assert (planned.fate, planned.reason) == kept


@pytest.mark.parametrize(
    ("change", "becomes", "reason"),
    [
        ({}, Fate.DELETE, ""),
        ({"active": False}, Fate.DELETE, ""),
        ({"orders": frozenset({1})}, Fate.DELETE, ""),
        ({"code": "NCX"}, Fate.LEAVE, "its code does not begin with NC-"),
        ({"code": "nc-cpu"}, Fate.LEAVE, "its code does not begin with NC-"),
        (
            {"orders": frozenset({1, 2})},
            Fate.ARCHIVE,
            "in use: sale orders that stay 1, journal items 0",
        ),
        (
            {"journal_items": 3},
            Fate.ARCHIVE,
            "in use: sale orders that stay 0, journal items 3",
        ),
        (
            {"journal_items": 3, "active": False},
            Fate.LEAVE,
            "archived already, in use: sale orders that stay 0, journal items 3",
        ),
    ],
    ids=str,
)
def test_a_product_goes_with_the_orders_that_alone_held_it(
    change: dict[str, Any], becomes: Fate, reason: str
) -> None:
    confirmed = replace(ORDER, id=2, name="S00002", state="sale")
    assert product_fate(replace(PRODUCT, **change), ORDER, confirmed) == (becomes, reason)


def test_a_dry_run_says_would() -> None:
    sold = replace(PRODUCT, id=8, code="NC-RAM", journal_items=1)
    report = preview(plan((ORDER, replace(ORDER, state="sale")), (PRODUCT, sold)))
    assert [each.outcome for each in report] == [
        "would delete",
        "left",
        "would delete",
        "would archive",
    ]


def test_the_outcome_is_what_odoo_holds_afterwards_not_what_was_planned() -> None:
    gone, changed, new = (replace(ORDER, id=n, name=f"S{n}") for n in (1, 2, 3))
    idle = replace(PRODUCT, active=False)
    planned = plan((gone, changed), (PRODUCT, replace(PRODUCT, id=9, code="NC-9")))
    refused = {("product.product", 7): "Odoo refused: it is on a purchase order"}
    report = outcomes(planned, (changed, new, idle), refused)
    assert [(each.name, each.outcome, each.reason) for each in report] == [
        ("S1", "deleted", ""),
        ("S2", "left", "it changed while this ran"),
        ("NC-CPU", "archived", "Odoo refused: it is on a purchase order"),
        ("NC-9", "deleted", ""),
        ("S3", "left", "it came while this ran"),
    ]
    assert report[-1] == Pruned(
        model="sale.order", name="S3", outcome="left", reason="it came while this ran"
    )


ORDERS = st.lists(
    st.builds(
        ShadowOrder,
        id=st.integers(1, 9),
        name=st.just("S"),
        state=st.sampled_from(["draft", "sent", "sale", "cancel"]),
        shadow=st.booleans(),
        locked=st.booleans(),
        signed=st.booleans(),
        invoices=st.integers(0, 1),
        payments=st.integers(0, 1),
    ),
    unique_by=lambda order: order.id,
)
PRODUCTS = st.lists(
    st.builds(
        ShadowProduct,
        id=st.integers(1, 9),
        code=st.sampled_from(["NC-1", "NC-2", "X"]),
        active=st.booleans(),
        orders=st.frozensets(st.integers(1, 12), max_size=3),
        journal_items=st.integers(0, 1),
    ),
    unique_by=lambda product: product.id,
)


@given(orders=ORDERS, products=PRODUCTS)
def test_nothing_goes_that_something_which_stays_refers_to(
    orders: list[ShadowOrder], products: list[ShadowProduct]
) -> None:
    planned = plan(orders, products)
    assert len(planned) == len(orders) + len(products)

    def going(model: str) -> set[int]:
        return {e.id for e in planned if e.model == model and e.fate is Fate.DELETE}

    gone = going("sale.order")
    assert all(order.shadow and order.state == "draft" for order in orders if order.id in gone)
    for product in products:
        if product.id in going("product.product"):
            assert product.orders <= gone
            assert not product.journal_items


@given(orders=ORDERS, products=PRODUCTS)
def test_a_second_run_finds_nothing_left_to_do(
    orders: list[ShadowOrder], products: list[ShadowProduct]
) -> None:
    left_orders, left_products = after(orders, products, plan(orders, products))
    assert {each.fate for each in plan(left_orders, left_products)} <= {Fate.LEAVE}


def after(
    orders: list[ShadowOrder], products: list[ShadowProduct], planned: tuple[Planned, ...]
) -> tuple[list[ShadowOrder], list[ShadowProduct]]:
    """What Odoo holds once all of it was done."""
    fates = {each.key: each.fate for each in planned}
    stay = [each for each in orders if fates["sale.order", each.id] is not Fate.DELETE]
    gone = {each.id for each in orders} - {each.id for each in stay}
    kept = []
    for each in products:
        becomes = fates["product.product", each.id]
        if becomes is not Fate.DELETE:
            active = each.active and becomes is not Fate.ARCHIVE
            kept.append(replace(each, active=active, orders=each.orders - gone))
    return stay, kept
