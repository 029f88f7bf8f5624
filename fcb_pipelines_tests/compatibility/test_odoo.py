"""Odoo records as the version before left them: found, as they stand, and not written again.

Made record by record over plain remote calls, in the very values that were written then: one posted
invoice and its payment, with their external ids, fields and hashes out of `before/entries.csv`. Of the
other kinds of entries (failures, credit notes and what is matched with them, receipts of several invoices)
and of a whole old database this proves nothing; there it is the names, the fields and the hashes that are
held to be the same (`test_names`, `test_entries`).
"""

import pytest

from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState, is_same_document
from fcb_pipelines_tests.compatibility.before import ENTRIES, rows
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = pytest.mark.odoo

INVOICE = "stripe:acct_1NexaCloudToronto:in_hBfk9fOf48LZid4Y5xLKPIlc"
PAYMENT = "stripe:acct_1NexaCloudToronto:inpay_8CA7OchaUZvYk1oFQH12tUnt"
PARTNER = "nexacloud:11e7b164-cc93-57c1-8210-eddf66b93e25"
BEFORE = {row["ref"]: row for row in rows(ENTRIES)}


class Old:
    """Records of the version before, made by a person's remote calls."""

    def __init__(self, books: OdooBooks) -> None:
        self.books = books
        self.partner = self.create("res.partner", {"name": "Maple Ledger Ltd."}, PARTNER)

    def create(self, model: str, values: dict[str, object], name: str) -> int:
        """A record and its external id."""
        made: int = self.books.do(model, "create", values)
        named = {"module": "fcb_pipelines", "name": name, "model": model, "res_id": made}
        self.books.do("ir.model.data", "create", named | {"noupdate": True})
        return made

    def one(self, model: str, **wanted: object) -> int:
        """The id of the one record with these values."""
        (found,) = self.books.do(model, "search", [(name, "=", v) for name, v in wanted.items()])
        return int(found)

    def invoice(self) -> int:
        """The posted invoice EC-A1-1."""
        row = BEFORE[INVOICE]
        line = {
            "sequence": 10,
            "name": "Odoo ERP Hosting - Standard",
            "quantity": "1",
            "price_unit": "214.5",
            "account_id": self.one("account.account", code="411310"),
            "tax_ids": [[6, 0, [self.one("account.tax", name="13% HST", type_tax_use="sale")]]],
        }
        day = "2025-03-31"
        values = {
            "move_type": "out_invoice",
            "journal_id": self.one("account.journal", code="INV"),
            "partner_id": self.partner,
            "fiscal_position_id": False,
            "invoice_payment_term_id": False,
            "invoice_date": day,
            "invoice_date_due": day,
            "date": day,
            "currency_id": self.one("res.currency", name="CAD"),
            "ref": "EC-A1-1",
            "x_fc_source_ref": INVOICE,
            "x_fc_nexacloud_invoice_id": "689994db-d1c6-54b3-8b57-2d60956e09ec",
            "x_fc_stripe_invoice_id": "in_hBfk9fOf48LZid4Y5xLKPIlc",
            "x_fc_content_hash": row["content_hash"],
            "x_fc_source_hash": row["source_hash"],
            "invoice_line_ids": [[0, 0, line]],
        }
        made = self.create("account.move", values, row["odoo_name"])
        self.books.do("account.move", "action_post", [made])
        return made

    def payment(self, invoice: int) -> None:
        """Its payment, posted and matched with it."""
        row = BEFORE[PAYMENT]
        values = {
            "partner_id": self.partner,
            "date": "2025-04-01",
            "currency_id": self.one("res.currency", name="CAD"),
            "journal_id": self.one("account.journal", code="NCSTR"),
            "payment_type": "inbound",
            "partner_type": "customer",
            "amount": "242.39",
            "memo": "pi_lRi9z4v8cWyaoSZSE40EQvnL",
        }
        made = self.create("account.payment", values, row["odoo_name"])
        self.books.do("account.payment", "action_post", [made])
        (told,) = self.books.do("account.payment", "read", [made], ["move_id"])
        entry = told["move_id"][0]
        ours = {
            "x_fc_source_ref": PAYMENT,
            "x_fc_document_ref": INVOICE,
            "x_fc_content_hash": row["content_hash"],
        }
        self.books.do("account.move", "write", [entry], ours)
        lines = [
            self.one("account.move.line", move_id=move, account_type="asset_receivable")
            for move in (invoice, entry)
        ]
        self.books.do("account.move.line", "reconcile", lines)

    def count(self) -> tuple[int, int, int]:
        """How many entries, payments and external ids of ours there are."""
        return (
            self.books.do("account.move", "search_count", [("x_fc_source_ref", "!=", False)]),
            self.books.do("account.payment", "search_count", []),
            self.books.do("ir.model.data", "search_count", [("module", "=", "fcb_pipelines")]),
        )


def test_an_old_invoice_and_its_payment_are_found_as_they_stand_and_not_written_again(
    prepared_books: OdooBooks, odoo_ledger: OdooLedger
) -> None:
    old = Old(prepared_books)
    old.payment(old.invoice())
    before = old.count()

    (listed,) = odoo_ledger.list_moves()
    (move,) = odoo_ledger.read_moves([INVOICE])
    (entry,) = odoo_ledger.read_settlements([], of=[INVOICE])
    assert listed.ref == move.ref == INVOICE
    assert move.stored_hash == BEFORE[INVOICE]["content_hash"]
    assert move.stored_source_hash == BEFORE[INVOICE]["source_hash"]
    assert is_same_document(move, BEFORE[INVOICE]["content_hash"])
    assert (move.state, move.payment_state) == (MoveState.POSTED, PaymentState.PAID)
    assert move.partner_links == (PARTNER,)
    assert (entry.ref, entry.settlement.method) == (PAYMENT, Method.PAYMENT)
    assert entry.stored_hash == entry.settlement.content_hash == BEFORE[PAYMENT]["content_hash"]
    assert entry.reconciled == entry.settlement.amount == 24239

    odoo_ledger.setup()
    odoo_ledger.write_drafts([move.document])
    odoo_ledger.post([INVOICE])
    odoo_ledger.settle([entry.settlement])
    assert old.count() == before
    assert odoo_ledger.read_moves() == (move,)
    assert odoo_ledger.read_settlements() == (entry,)
