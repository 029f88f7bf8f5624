"""Every field that the policy table believes or compares, changed on each side after the posting.

One document a change, all of one side in one run: whatever was changed must be named beside that
very document, and nothing that was posted is touched.
"""

from collections.abc import Callable

import pytest

from fcb_pipelines.core.policies import FIELD_POLICIES, Policy
from fcb_pipelines_tests.defs import changes as c
from fcb_pipelines_tests.defs.changes import DAY, Change, change
from fcb_pipelines_tests.defs.world import World, failed, named, ref_of

# Lago's copies in NexaCloud have no items, changed or not.
USUAL = {"nexacloud_items_missing"}

AT_THE_SOURCE = (
    change("kind", "NXC-0001", c.stripe_kind, "source_changed", "nexacloud_differs"),
    change("number", "NXC-0002", c.setting("number", "NXC-9002"), "source_changed", "nexacloud_differs"),
    change("status", "NXC-0004", c.stripe_void, "voided_after_posting"),
    change("date", "NXC-0005", c.stripe_date, "source_changed"),
    change("currency", "NXC-0007", c.setting("currency", "usd"), "x"),
    change("net", "NXC-0009", c.stripe_net, "source_changed", "nexacloud_differs"),
    change("tax", "NXC-0011", c.stripe_tax, "source_changed", "nexacloud_differs"),
    change("stripe_invoice_id", "NXC-0013", c.stripe_identity, "missing_in_nexacloud"),
    change("paid", "NXC-0014", c.stripe_paid, "source_changed", "nexacloud_differs"),
    change("lines", "NXC-0016", c.stripe_no_lines, "source_changed", "unitemised"),
    change("line.description", "NXC-0017", c.on_line("description", "Managed Odoo - Basic"), "source_changed", "nexacloud_differs"),
    change("line.quantity", "NXC-0018", c.stripe_quantity, "source_changed", "nexacloud_differs"),
    change("line.net", "NXC-0019", c.stripe_line_net, "lines_do_not_sum", "source_changed"),
    change("line.taxes", "NXC-0020", c.stripe_line_taxes, "unreadable"),
    change("taxes", "NEX-2026-0001", c.lago_rate, "tax_unknown"),
    change("partner", "NEX-2026-0002", c.lago_customer, "nexacloud_differs"),
    change("settlement", "NEX-2026-0003", c.lago_paid_on, "source_changed"),
    change("total", "NEX-2026-0006", c.lago_total, "lines_do_not_sum", "source_changed"),
    change("net", "NEX-2026-0004", c.lago_fee, "source_changed", "nexacloud_differs"),
    change("tax", "NEX-2026-0005", c.lago_tax, "lines_do_not_sum", "source_changed"),
    change("number", "NEX-2026-0007", c.setting("number", "NEX-2026-9007"), "source_changed"),
    change("status", "NEX-2026-0008", c.setting("status", "voided"), "voided_after_posting"),
    change("lines", "NEX-2026-0009", c.lago_lost_fee, "lines_do_not_sum", "source_changed"),
)  # fmt: skip

IN_NEXACLOUD = (
    change("kind", "NXC-0001", c.copy_kind, "nexacloud_differs"),
    change("number", "NXC-0002", c.setting("invoice_number", "NXC-9002"), "nexacloud_differs"),
    change("status", "NXC-0004", c.setting("status", "void"), "nexacloud_differs"),
    change("currency", "NXC-0005", c.setting("currency", "USD"), "nexacloud_differs"),
    change("net", "NXC-0007", c.setting("subtotal", "214.51"), "nexacloud_differs"),
    change("tax", "NXC-0009", c.setting("tax", "6.51"), "nexacloud_differs"),
    change("total", "NXC-0011", c.setting("tax", "1.90"), "nexacloud_differs"),
    change("paid", "NXC-0013", c.setting("amount_paid", "969.53"), "nexacloud_differs"),
    change("lines", "NXC-0014", c.copy_no_items, "nexacloud_items_missing"),
    change("lines", "NXC-0006", c.copy_lost_item, "nexacloud_differs"),
    change("line.description", "NXC-0016", c.on_item("description", "Something else"), "nexacloud_differs"),
    change("line.quantity", "NXC-0017", c.on_item("quantity", "2"), "nexacloud_differs"),
    change("line.net", "NXC-0018", c.on_item("amount", "32.21"), "nexacloud_differs"),
    change("partner", "NXC-0019", c.copy_of_another_user, "nexacloud_differs", "source_changed"),
    change("nexacloud_invoice_id", "NXC-0020", c.copy_identity, "source_changed"),
)  # fmt: skip


def test_the_tables_change_every_field_that_a_side_is_believed_or_compared_on() -> None:
    for side, table in (("source", AT_THE_SOURCE), ("nexacloud", IN_NEXACLOUD)):
        assert {each.field for each in table} == _counted(side)


def test_a_change_at_the_source_of_what_is_posted_is_named(closed: World) -> None:
    books, before = closed.books_text(), closed.status()
    for each in AT_THE_SOURCE:
        _change_at_source(closed, each)
    status = closed.again()
    assert _told(AT_THE_SOURCE, before, status) == _wanted(AT_THE_SOURCE)
    assert closed.books_text() == books


def test_a_change_in_nexacloud_of_what_is_posted_is_named(closed: World) -> None:
    books, before = closed.books_text(), closed.status()
    for each in IN_NEXACLOUD:
        _change_copy(closed, each)
    status = closed.again()
    assert _told(IN_NEXACLOUD, before, status) == _wanted(IN_NEXACLOUD)
    assert closed.books_text() == books


def _counted(side: str) -> set[str]:
    return {
        name for name, row in FIELD_POLICIES.items() if getattr(row, side) is not Policy.IGNORED
    }


def _wanted(table: tuple[Change, ...]) -> dict[str, set[str]]:
    return {f"{each.number} {each.field}": set(each.named) for each in table}


def _told(table: tuple[Change, ...], before: dict, status: dict) -> dict[str, set[str]]:
    return {
        f"{each.number} {each.field}": named(status, ref_of(before, each.number)) - USUAL
        | (USUAL & each.named & named(status, ref_of(before, each.number)))
        for each in table
    }


def _change_at_source(world: World, each: Change) -> None:
    name = "stripe" if each.number.startswith("NXC") else "lago"
    payments = "stripe/invoice_payments" if name == "stripe" else "lago/payments"
    with world.objects(f"{name}/invoices") as invoices, world.objects(payments) as paid:
        (invoice,) = (one for one in invoices if one["number"] == each.number)
        if name == "stripe":
            (payment,) = (one for one in paid if one["invoice"] == invoice["id"])
        else:
            (payment,) = (one for one in paid if invoice["lago_id"] in one["invoice_ids"])
        each.make(invoice, payment)


def _change_copy(world: World, each: Change) -> None:
    with world.table("invoices") as invoices, world.table("invoice_items") as items:
        (invoice,) = (one for one in invoices if one["invoice_number"] == each.number)
        own = [one for one in items if one["invoice_id"] == invoice["id"]]
        rest = [one for one in items if one not in own]
        each.make(invoice, own)
        items[:] = rest + own
