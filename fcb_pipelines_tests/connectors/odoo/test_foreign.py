"""Credits that others wrote into a real Odoo, and that none of our documents explains."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.core.ledger.moves import ForeignCredit
from fcb_pipelines_tests.documents import a_partner, a_settlement, an_invoice
from fcb_pipelines_tests.ledgers import written

pytestmark = pytest.mark.odoo

SINCE, MAY = date(2026, 4, 1), date(2026, 5, 4)
INVOICE = an_invoice("in_1")


@pytest.fixture
def books(odoo_ledger: OdooLedger) -> OdooLedger:
    """Books with one invoice that is posted and paid more than it bills."""
    odoo_ledger.upsert_partners([a_partner()])
    written(odoo_ledger, INVOICE)
    odoo_ledger.settle([a_settlement(INVOICE, INVOICE.total + 500)])
    return odoo_ledger


def partner_of(books: OdooLedger) -> int:
    """The partner of the invoice in Odoo."""
    (row,) = books.connection.rows(
        "account.move", [("x_fc_source_ref", "=", INVOICE.ref)], ["partner_id"]
    )
    return int(row["partner_id"][0])


def by_hand(
    books: OdooLedger, partner: int, amount: float, *, day: date = MAY, post: bool = True
) -> int:
    """A person's entry in the journal of miscellaneous entries: a credit on the receivable; the line's id."""
    odoo = books.connection
    (journal, *_) = odoo.rows("account.journal", [("type", "=", "general")], ["id"])
    (receivable,) = odoo.rows("account.account", [("code", "=", "112110")], ["id"])
    (income,) = odoo.rows("account.account", [("code", "=", "411310")], ["id"])
    lines = [
        [0, 0, {"account_id": receivable["id"], "partner_id": partner, "credit": amount}],
        [0, 0, {"account_id": income["id"], "partner_id": partner, "debit": amount}],
    ]
    values = {
        "journal_id": journal["id"],
        "date": str(day),
        "line_ids": lines,
        "move_type": "entry",
    }
    (move,) = odoo.call("account.move", "create", [values])
    if post:
        odoo.call("account.move", "action_post", [move])
    (line,) = odoo.rows(
        "account.move.line", [("move_id", "=", move), ("account_id", "=", receivable["id"])], ["id"]
    )
    return int(line["id"])


@contextmanager
def counted(books: OdooLedger) -> Iterator[list[str]]:
    """The calls to Odoo within the block."""
    calls: list[str] = []
    real = books.connection._execute

    def execute(model: str, method: str, arguments: Any, options: Any) -> Any:
        calls.append(f"{model}.{method}")
        return real(model, method, arguments, options)

    books.connection._execute = execute  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        books.connection._execute = real  # type: ignore[method-assign]


def test_a_credit_by_hand_is_told_until_it_is_matched_and_nothing_else_is(
    books: OdooLedger,
) -> None:
    odoo, partner = books.connection, partner_of(books)
    assert books.foreign_credits(SINCE) == ()
    (stranger,) = odoo.call("res.partner", "create", [{"name": "Stranger"}])
    contact = odoo.call("res.partner", "create", [{"name": "Contact", "parent_id": partner}])
    by_hand(books, stranger, 7)
    by_hand(books, partner, 7, day=date(2026, 3, 31))
    by_hand(books, partner, 7, post=False)
    assert books.foreign_credits(SINCE) == ()

    line = by_hand(books, partner, 12.5)
    (found,) = books.foreign_credits(SINCE)
    assert replace(found, move="") == ForeignCredit(
        move="",
        partner=INVOICE.partner,
        name="Maple Bakery Inc.",
        date=MAY,
        currency="CAD",
        amount=1250,
    )
    (row,) = odoo.rows("account.move.line", [("id", "=", line)], ["move_name"])
    assert found.move == row["move_name"]

    # Of a contact of the partner it is the partner's; however many there are, the calls are as many.
    for day in range(5, 9):
        by_hand(books, contact[0], 1, day=date(2026, 5, day))
    with counted(books) as calls:
        assert [each.amount for each in books.foreign_credits(SINCE)] == [1250, 100, 100, 100, 100]
    assert len(calls) == 4

    # A person matches it with an invoice: partly, then nothing of it is left open.
    other = an_invoice("in_2")
    written(books, other)
    (owed,) = odoo.rows(
        "account.move.line",
        [("move_id.x_fc_source_ref", "=", other.ref), ("account_type", "=", "asset_receivable")],
        ["id"],
    )
    odoo.call("account.move.line", "reconcile", [line, owed["id"]])
    assert [each.amount for each in books.foreign_credits(SINCE)] == [100, 100, 100, 100]
