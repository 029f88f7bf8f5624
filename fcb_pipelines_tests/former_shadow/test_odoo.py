"""The metered shadow removed from a real Odoo with the app Sales."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.former_shadow import odoo as odoo_shadow
from fcb_pipelines.former_shadow.odoo import OdooShadow
from fcb_pipelines.former_shadow.removal import Pruned
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = pytest.mark.odoo

Outcomes = dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Books as the former dual run left them."""

    books: OdooBooks
    customer: int

    def order(self, *products: int, marked: bool = True, name: str | None = None) -> int:
        """A draft order with one line a product."""
        lines = [[0, 0, {"product_id": each, "price_unit": 10}] for each in products]
        values = {"partner_id": self.customer, "order_line": lines, "x_fc_shadow": marked}
        named = {"name": name} if name else {}
        (made,) = self.books.do("sale.order", "create", [values | named])
        return int(made)

    def product(self, code: str) -> int:
        """A service of one variant."""
        values = {"name": code, "default_code": code, "type": "service"}
        (made,) = self.books.do("product.product", "create", [values])
        return int(made)

    def invoice(self, order: int) -> int:
        """The order confirmed and its invoice posted, as a person does it."""
        self.books.do("sale.order", "action_confirm", [order])
        (wizard,) = self.books.do(
            "sale.advance.payment.inv",
            "create",
            [{"sale_order_ids": [[6, 0, [order]]], "advance_payment_method": "delivered"}],
        )
        self.books.do("sale.advance.payment.inv", "create_invoices", [wizard])
        (row,) = self.books.do("sale.order", "read", [order], ["invoice_ids"])
        self.books.do("account.move", "action_post", row["invoice_ids"])
        return int(row["invoice_ids"][0])

    def names(self, model: str, field: str, domain: Sequence[Any] = ()) -> list[str]:
        """What is there, archived ones too."""
        found = self.books.do(
            model, "search_read", list(domain), [field], context={"active_test": False}
        )
        return sorted(str(row[field]) for row in found)


def add_mark(books: OdooBooks) -> None:
    """The field of the former dual run."""
    (model,) = books.do("ir.model", "search", [("model", "=", "sale.order")])
    books.do(
        "ir.model.fields",
        "create",
        [{"model_id": model, "name": "x_fc_shadow", "ttype": "boolean",
          "field_description": "Shadow"}],
    )  # fmt: skip


@pytest.fixture
def shadow(selling_books: OdooBooks) -> Shadow:
    """A customer, and the field that marks shadow orders."""
    add_mark(selling_books)
    (customer,) = selling_books.do("res.partner", "create", [{"name": "Acme"}])
    return Shadow(books=selling_books, customer=customer)


def by_name(report: Sequence[Pruned]) -> Outcomes:
    """Name -> outcome and reason."""
    return {each.name: (each.outcome, each.reason) for each in report}


def test_drafts_go_and_what_was_sent_confirmed_or_invoiced_stays(shadow: Shadow) -> None:
    do = shadow.books.do
    cpu, ram, disk, other = (shadow.product(code) for code in ("NC-CPU", "NC-RAM", "NC-DISK", "X"))
    shadow.order(cpu, other, name="DRAFT")
    shadow.order(cpu, marked=False, name="PERSONS")
    do("sale.order", "write", [shadow.order(ram, name="SENT")], {"state": "sent"})
    do("sale.order", "action_confirm", [shadow.order(ram, name="CONFIRMED")])
    do("sale.order", "write", [shadow.order(name="CANCELLED")], {"state": "cancel"})
    move = shadow.invoice(billed := shadow.order(disk, name="INVOICED"))
    # Set back to draft by a person: it looks like any other draft, but for its invoice.
    do("sale.order", "write", [billed], {"state": "draft", "locked": False})

    pruning = OdooShadow(shadow.books.connection())
    would = by_name(pruning.dry_run())
    assert would == {
        "DRAFT": ("would delete", ""),
        "SENT": ("left", "it was sent to the customer"),
        "CONFIRMED": ("left", "it is confirmed"),
        "CANCELLED": ("left", "it is cancelled, and only drafts go"),
        "INVOICED": ("left", "invoices of it: 1, payments: 0"),
        "NC-CPU": ("would archive", "in use: sale orders that stay 1, journal items 0"),
        "NC-RAM": ("would archive", "in use: sale orders that stay 2, journal items 0"),
        "NC-DISK": ("would archive", "in use: sale orders that stay 1, journal items 1"),
    }
    assert by_name(pruning.dry_run()) == would

    done = by_name(pruning.prune())
    assert {name: outcome for name, (outcome, _) in done.items()} == {
        name: {"would delete": "deleted", "would archive": "archived"}.get(outcome, outcome)
        for name, (outcome, _) in would.items()
    }
    assert shadow.names("sale.order", "name") == [
        "CANCELLED", "CONFIRMED", "INVOICED", "PERSONS", "SENT",
    ]  # fmt: skip
    codes = [("default_code", "in", ["NC-CPU", "NC-RAM", "NC-DISK", "X"])]
    assert shadow.names("product.product", "default_code", [*codes, ("active", "=", True)]) == ["X"]
    assert len(shadow.names("product.product", "default_code", codes)) == 4
    assert shadow.names("account.move", "state", [("id", "=", move)]) == ["posted"]
    again = pruning.prune()
    assert {each.outcome for each in again} == {"left"}


def test_a_template_goes_with_its_last_variant_and_stays_with_another(shadow: Shadow) -> None:
    do = shadow.books.do
    shadow.product("NC-ONE")
    (attribute,) = do("product.attribute", "create", [{"name": "Size"}])
    values = do(
        "product.attribute.value",
        "create",
        [{"name": size, "attribute_id": attribute} for size in ("S", "M", "L")],
    )
    line = {"attribute_id": attribute, "value_ids": [[6, 0, values]]}
    (template,) = do(
        "product.template", "create", [{"name": "Sizes", "attribute_line_ids": [[0, 0, line]]}]
    )
    variants = do("product.product", "search", [("product_tmpl_id", "=", template)], order="id")
    for variant, code in zip(variants, ("NC-S", "NC-M", "PLAIN"), strict=True):
        do("product.product", "write", [variant], {"default_code": code})
    shadow.order(variants[1], marked=False)

    assert by_name(OdooShadow(shadow.books.connection()).prune()) == {
        "NC-ONE": ("deleted", ""),
        "NC-S": ("deleted", ""),
        "NC-M": ("archived", "in use: sale orders that stay 1, journal items 0"),
    }
    assert shadow.names("product.template", "name", [("name", "in", ["NC-ONE", "Sizes"])]) == [
        "Sizes"
    ]
    left = [("product_tmpl_id", "=", template)]
    assert shadow.names("product.product", "default_code", left) == ["NC-M", "PLAIN"]


def test_an_archived_product_that_nothing_uses_goes_and_a_kept_one_stays(shadow: Shadow) -> None:
    idle = shadow.product("NC-IDLE")
    shadow.books.do("product.product", "action_archive", [idle])
    shadow.order(shadow.product("NC-MINE"), name="KEPT")
    report = OdooShadow(shadow.books.connection(), ["NC-MINE", "KEPT"]).prune()
    kept = ("left", "the configuration of the run keeps it")
    assert by_name(report) == {"KEPT": kept, "NC-IDLE": ("deleted", ""), "NC-MINE": kept}


def test_what_odoo_refuses_to_delete_is_found_in_its_batch_and_archived(shadow: Shadow) -> None:
    """A table of another app refers to the product; nothing here knows of it."""
    for number in range(5):
        shadow.product(f"NC-{number}")
    (model,) = shadow.books.do("ir.model", "search", [("model", "=", "res.partner")])
    shadow.books.do(
        "ir.model.fields",
        "create",
        [{"model_id": model, "name": "x_product", "ttype": "many2one",
          "relation": "product.product", "on_delete": "restrict",
          "field_description": "Product"}],
    )  # fmt: skip
    (used,) = shadow.books.do("product.product", "search", [("default_code", "=", "NC-3")])
    shadow.books.do("res.partner", "write", [shadow.customer], {"x_product": used})

    report = by_name(OdooShadow(shadow.books.connection()).prune())
    outcome, reason = report.pop("NC-3")
    assert outcome == "archived"
    assert reason.startswith("Odoo refused: ")
    assert set(report.values()) == {("deleted", "")}


def test_another_company_s_shadow_is_not_touched(shadow: Shadow) -> None:
    (company,) = shadow.books.do("res.company", "create", [{"name": "Other"}])
    shadow.books.do(
        "sale.order",
        "create",
        [{"partner_id": shadow.customer, "company_id": company, "x_fc_shadow": True}],
    )
    assert OdooShadow(shadow.books.connection()).prune() == ()
    assert len(shadow.names("sale.order", "name")) == 1


def test_batches_cost_a_constant_number_of_calls(
    shadow: Shadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def calls(count: int) -> int:
        codes = [f"NC-{number}" for number in range(count)]
        products = shadow.books.do(
            "product.product", "create", [{"name": code, "default_code": code} for code in codes]
        )
        order = {"partner_id": shadow.customer, "x_fc_shadow": True}
        shadow.books.do("sale.order", "create", [
            order | {"order_line": [[0, 0, {"product_id": product}]]} for product in products
        ])  # fmt: skip
        connection = shadow.books.connection()
        before = connection.calls
        report = OdooShadow(connection).prune()
        assert [each.outcome for each in report] == ["deleted"] * 2 * count
        return connection.calls - before

    once = calls(2)
    assert calls(12) == once
    monkeypatch.setattr(odoo_shadow, "BATCH", 5)
    # Three batches instead of one, each with a read and a deletion of orders, three and one of
    # products.
    assert calls(12) == once + 2 * (2 + 4)


def test_a_user_without_the_right_to_delete_is_told_and_nothing_is_touched(shadow: Shadow) -> None:
    shadow.order(shadow.product("NC-CPU"))
    groups = shadow.books.do("ir.model.data", "search_read", [
        ("module", "=", "account"), ("name", "=", "group_account_invoice")], ["res_id"])  # fmt: skip
    shadow.books.do(
        "res.users",
        "create",
        [{"name": "Books", "login": "books", "password": "books-books",
          "group_ids": [[4, groups[0]["res_id"]]]}],
    )  # fmt: skip
    clerk = OdooShadow(shadow.books.connection("books", "books-books"))
    assert len(clerk.dry_run()) == 2
    with pytest.raises(NotAllowed, match=r"may not delete .*nothing was done"):
        clerk.prune()
    assert len(shadow.names("sale.order", "name")) == 1


def test_books_without_the_app_or_without_the_mark_hold_no_shadow(
    prepared_books: OdooBooks, selling_books: OdooBooks
) -> None:
    lacking = OdooShadow(prepared_books.connection()).lacking()
    assert lacking is not None
    assert "has no app Sales" in lacking
    unmarked = OdooShadow(selling_books.connection())
    lacking = unmarked.lacking()
    assert lacking is not None
    assert "has no field sale.order.x_fc_shadow" in lacking
    add_mark(selling_books)
    assert unmarked.lacking() is None
