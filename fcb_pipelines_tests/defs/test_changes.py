"""Every field that the policy table believes or compares, changed on each side after the posting.

One document a change, all of one side in one run: whatever was changed must be named beside that
very document, and nothing that was posted is touched.
"""

from fcb_pipelines.core.agreement.policy import FIELD_POLICIES, Policy
from fcb_pipelines_tests.defs import changes as c
from fcb_pipelines_tests.defs.changes import Change, change
from fcb_pipelines_tests.defs.journal import (
    both,
    edit_entry,
    removed,
    replacing,
    settlement_of,
)
from fcb_pipelines_tests.defs.world import PERIODS, World, failed, named, ref_of

# Lago's copies in NexaCloud have no items, changed or not.
USUAL = {"nexacloud_items_missing"}

AT_THE_SOURCE = (
    change("kind", "NXC-0001", c.stripe_kind, "source_changed", "nexacloud_differs"),
    change("number", "NXC-0002", c.setting("number", "NXC-9002"), "source_changed", "nexacloud_differs"),
    change("status", "NXC-0004", c.stripe_void, "void_at_source", "voided_after_posting", "nexacloud_differs"),
    change("date", "NXC-0005", c.stripe_date, "source_changed"),
    change("currency", "NXC-0007", c.setting("currency", "sek"), "currency_unsupported", "source_changed", "nexacloud_differs"),
    change("net", "NXC-0009", c.stripe_net, "source_changed", "nexacloud_differs", "off_stripe_payment"),
    change("tax", "NXC-0011", c.stripe_tax, "source_changed", "nexacloud_differs", "off_stripe_payment"),
    change("stripe_invoice_id", "NXC-0013", c.stripe_identity, "missing_at_source", "missing_in_nexacloud"),
    change("paid", "NXC-0014", c.stripe_paid, "source_changed", "nexacloud_differs"),
    change("lines", "NXC-0016", c.stripe_no_lines, "source_changed", "unitemised", "nexacloud_differs"),
    change("line.description", "NXC-0017", c.on_line("description", "Managed Odoo - Basic"), "source_changed", "nexacloud_differs"),
    change("line.quantity", "NXC-0018", c.stripe_quantity, "source_changed", "nexacloud_differs"),
    change("line.net", "NXC-0019", c.stripe_line_net, "lines_do_not_sum", "source_changed", "nexacloud_differs"),
    change("line.taxes", "NXC-0020", c.stripe_line_taxes, "lines_do_not_sum", "source_changed"),
    change("taxes", "NEX-2026-0001", c.lago_rate, "tax_unknown", "source_changed"),
    change("partner", "NEX-2026-0002", c.lago_customer, "nexacloud_differs"),
    change("settlement", "NEX-2026-0003", c.lago_paid_on, "source_changed"),
    change("total", "NEX-2026-0006", c.lago_total, "lines_do_not_sum", "source_changed", "nexacloud_differs", "cash_without_document"),
    change("net", "NEX-2026-0004", c.lago_fee, "source_changed", "nexacloud_differs", "off_stripe_payment"),
    change("tax", "NEX-2026-0005", c.lago_tax, "lines_do_not_sum", "source_changed", "nexacloud_differs"),
    change("number", "NEX-2026-0007", c.setting("number", "NEX-2026-9007"), "source_changed", "nexacloud_differs"),
    change("status", "NEX-2026-0008", c.setting("status", "voided"), "void_at_source", "voided_after_posting", "nexacloud_differs"),
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
    change("lines", "NXC-0006", c.copy_lost_item, "zero_amount", "nexacloud_differs"),
    change("line.description", "NXC-0016", c.on_item("description", "Something else"), "nexacloud_differs"),
    change("line.quantity", "NXC-0017", c.on_item("quantity", "2"), "nexacloud_differs"),
    change("line.net", "NXC-0018", c.on_item("amount", "32.21"), "nexacloud_differs"),
    change("partner", "NXC-0019", c.copy_of_another_user, "nexacloud_differs", "source_changed"),
    change("nexacloud_invoice_id", "NXC-0020", c.copy_identity, "settings_changed"),
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
    assert all("read_back_equals_intent" in failed(status, period) for period in PERIODS)
    assert "dates_as_intended" in failed(status, "2026-03")
    assert "residuals_match_source" in failed(status, "2026-05")
    assert failed(status) == {"receivable_ties_out"}
    assert closed.books_text() == books


def test_a_change_in_nexacloud_of_what_is_posted_is_named(closed: World) -> None:
    books, before = closed.books_text(), closed.status()
    for each in IN_NEXACLOUD:
        _change_copy(closed, each)
    status = closed.again()
    assert _told(IN_NEXACLOUD, before, status) == _wanted(IN_NEXACLOUD)
    # Whose invoice it is stands on the move; another id is told, and all else is only compared.
    assert {period: failed(status, period) for period in PERIODS} == {
        period: {"read_back_equals_intent"} if period == "2026-05" else set() for period in PERIODS
    }
    assert {
        status["periods"][period]["gates"]["nexacloud_agrees_with_source"] for period in PERIODS
    } == {"warn"}
    assert closed.books_text() == books


def _counted(side: str) -> set[str]:
    """The fields, those of a settlement as one.

    The reference is left out: a document of another id is another document, and only Odoo keeps it apart
    from the id (its own tests clear it there).
    """
    return {
        "settlement" if name.startswith("settlement.") else name
        for name, row in FIELD_POLICIES.items()
        if getattr(row, side) is not Policy.IGNORED and name != "ref"
    }


def _wanted(table: tuple[Change, ...]) -> dict[str, set[str]]:
    return {f"{each.number} {each.field}": set(each.named) for each in table}


def _told(table: tuple[Change, ...], before: dict, status: dict) -> dict[str, set[str]]:
    told = {}
    for each in table:
        found = named(status, ref_of(before, each.number)) | named(status, each.number)
        told[f"{each.number} {each.field}"] = found - (USUAL - each.named)
    return told


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


# Field, number, what a person does to the entry; to the settlement's entry where it is `paid` ones.
IN_THE_LEDGER = (
    ("kind", "NXC-0001", replacing('kind: "invoice"', 'kind: "credit_note"')),
    ("number", "NXC-0002", replacing('number: "NXC-0002"', 'number: "NXC-9002"')),
    ("date", "NXC-0004", replacing(r"^2026-03-12", "2026-03-13")),
    ("currency", "NXC-0005", lambda entry: entry.replace(" CAD", " USD")),
    ("net", "NXC-0007", both(replacing("-214.50 CAD", "-214.51 CAD"), replacing("242.39", "242.40"))),
    ("tax", "NXC-0009", both(replacing("-6.50 CAD", "-6.51 CAD"), replacing("56.49", "56.50"))),
    ("total", "NXC-0011", both(replacing("-14.66 CAD", "-15.66 CAD"), replacing("16.57", "17.57"))),
    ("lines", "NEX-2026-0009", both(replacing("-35.95 CAD", "-36.38 CAD"), replacing(r"^  Income\S+  -0\.43 CAD\n(    .*\n)+", ""))),
    ("line.description", "NXC-0014", replacing(r'^    description: "', '    description: "Edited ')),
    ("line.quantity", "NXC-0016", replacing("quantity: 1", "quantity: 2")),
    ("line.unit_price", "NXC-0017", replacing("unit_price: 9.13", "unit_price: 9.14")),
    ("line.net", "NXC-0018", both(replacing("-32.20 CAD", "-32.19 CAD"), replacing("-4.19 CAD", "-4.20 CAD"))),
    ("line.account", "NXC-0019", replacing(r"Income:\S+", "Income:411900-NexaCloud-Other-Revenue")),
    ("line.taxes", "NXC-0020", replacing('    taxes: "hst_13"', '    taxes: ""')),
    ("taxes", "NEX-2026-0001", replacing("base: 214.50", "base: 214.40")),
    ("partner", "NEX-2026-0002", replacing('partner: "nexacloud:74960f03-54a8-5245-ae77-92a02ce984be"', 'partner: "nexacloud:3a174e7c-1f3a-5bea-a128-27452edd082b"')),
    ("nexacloud_invoice_id", "NEX-2026-0003", replacing(r'^  nexacloud_invoice_id: ".*"', '  nexacloud_invoice_id: "edited"')),
    ("stripe_invoice_id", "NXC-0013", replacing(r'^  stripe_invoice_id: ".*"', '  stripe_invoice_id: "in_Edited"')),
    ("state", "NEX-2026-0004", replacing(r"^(\S+) \*", r"\1 !")),
)  # fmt: skip

OF_THE_PAYMENT = (
    ("paid", "NEX-2026-0005", removed),
    ("settlement", "NEX-2026-0006", replacing(r"^2026-\d\d-\d\d", "2026-05-31")),
    ("settlement", "NEX-2026-0007", lambda entry: entry.replace("242.39", "242.38")),
    ("settlement", "NEX-2026-0008", replacing('memo: ".*"', 'memo: "pi_Edited"')),
)  # fmt: skip


def test_a_persons_edit_of_what_is_posted_is_named_and_stays(closed: World) -> None:
    before = closed.status()
    for _, number, edit in IN_THE_LEDGER:
        edit_entry(closed, ref_of(before, number), edit)
    for _, number, edit in OF_THE_PAYMENT:
        edit_entry(closed, settlement_of(closed, ref_of(before, number)), edit)
    edited = closed.books_text()
    status = closed.again()
    told = {
        f"{number} {field}": named(status, ref_of(before, number)) - USUAL
        for field, number, _ in (*IN_THE_LEDGER, *OF_THE_PAYMENT)
    }
    assert told == {place: {"edited_in_ledger"} for place in told}
    assert closed.books_text() == edited
    assert {period: failed(status, period) for period in ("2026-03",)} == {
        "2026-03": {"read_back_equals_intent", "dates_as_intended", "residuals_match_source"}
    }
    assert {field for field, _, _ in (*IN_THE_LEDGER, *OF_THE_PAYMENT)} - {"state"} == _counted(
        "ledger"
    )
