"""What a person can do to a document in Odoo's page, by the calls that the page makes.

Each takes the books and the id of the move, and of the other move where there are two.
"""

from typing import Any

from fcb_pipelines_tests.odoo_server import OdooBooks

_MOVE, _LINE, _PAYMENT = "account.move", "account.move.line", "account.payment"


def _write(books: OdooBooks, move: int, **values: Any) -> None:
    books.do(_MOVE, "write", [move], values)


def _field(books: OdooBooks, move: int, name: str) -> Any:
    (row,) = books.do(_MOVE, "read", [move], [name])
    return row[name]


def _lines(books: OdooBooks, move: int, kind: str) -> list[int]:
    found = [("move_id", "=", move), ("display_type", "=", kind)]
    return [int(line) for line in books.do(_LINE, "search", found)]


def _change_line(books: OdooBooks, move: int, **values: Any) -> None:
    (line, *_) = _lines(books, move, "product")
    books.do(_LINE, "write", [line], values)


def _receivable(books: OdooBooks, move: int) -> int:
    found = [("move_id", "=", move), ("account_type", "=", "asset_receivable")]
    (line,) = books.do(_LINE, "search", found)
    return int(line)


def _payment_line(books: OdooBooks, move: int) -> int:
    """The line on the receivable of the one payment that is matched with this move."""
    pairs = [("debit_move_id", "=", _receivable(books, move))]
    (row,) = books.do("account.partial.reconcile", "search_read", pairs, fields=["credit_move_id"])
    return int(row["credit_move_id"][0])


def _payment(books: OdooBooks, move: int) -> int:
    (row,) = books.do(_LINE, "read", [_payment_line(books, move)], ["payment_id"])
    return int(row["payment_id"][0])


def another_number(books: OdooBooks, move: int) -> None:
    """The number that customers know."""
    _write(books, move, ref="ANOTHER")


def another_text(books: OdooBooks, move: int) -> None:
    """The text of its first line."""
    _change_line(books, move, name="Another text")


def another_account(books: OdooBooks, move: int) -> None:
    """The income account of its first line."""
    (line,) = _lines(books, move, "product")[:1]
    (row,) = books.do(_LINE, "read", [line], ["account_id"])
    others = [("account_type", "=", "income"), ("id", "!=", row["account_id"][0])]
    (account, *_) = books.do("account.account", "search", others)
    books.do(_LINE, "write", [line], {"account_id": account})


def another_price(books: OdooBooks, move: int) -> None:
    """The price of its first line."""
    _change_line(books, move, price_unit=1.0)


def no_tax(books: OdooBooks, move: int) -> None:
    """The taxes of its first line."""
    _change_line(books, move, tax_ids=[[6, 0, []]])


def to_draft(books: OdooBooks, move: int) -> None:
    """The button Reset to Draft."""
    books.do(_MOVE, "button_draft", [move])


def cancelled(books: OdooBooks, move: int) -> None:
    """Reset to Draft, then Cancel."""
    to_draft(books, move)
    draft_cancelled(books, move)


def draft_cancelled(books: OdooBooks, move: int) -> None:
    """The button Cancel."""
    books.do(_MOVE, "button_cancel", [move])


def deleted(books: OdooBooks, move: int) -> None:
    """Reset to Draft, then Delete."""
    to_draft(books, move)
    draft_deleted(books, move)


def draft_deleted(books: OdooBooks, move: int) -> None:
    """Delete."""
    books.do(_MOVE, "unlink", [move])


def posted(books: OdooBooks, move: int) -> None:
    """The button Confirm."""
    books.do(_MOVE, "action_post", [move])


def another_draft_day(books: OdooBooks, move: int) -> None:
    """The date of the invoice, a day earlier or later in its month."""
    day = _field(books, move, "invoice_date")
    _write(books, move, invoice_date=f"{day[:8]}{'16' if day[8:] != '16' else '17'}")


def another_day(books: OdooBooks, move: int) -> None:
    """Reset to Draft, another date, Confirm."""
    to_draft(books, move)
    another_draft_day(books, move)
    posted(books, move)


def one_more_line(books: OdooBooks, move: int) -> None:
    """Reset to Draft, one more line, Confirm."""
    to_draft(books, move)
    values = {"name": "By hand", "price_unit": 1.0, "quantity": 1.0}
    _write(books, move, invoice_line_ids=[[0, 0, values]])
    posted(books, move)


def another_draft_customer(books: OdooBooks, move: int) -> None:
    """A customer of the bookkeeper's own."""
    (partner,) = books.do("res.partner", "create", [{"name": "Another Inc."}])
    _write(books, move, partner_id=partner)


def another_customer(books: OdooBooks, move: int) -> None:
    """Reset to Draft, another customer, Confirm."""
    to_draft(books, move)
    another_draft_customer(books, move)
    posted(books, move)


def ref_cleared(books: OdooBooks, move: int) -> None:
    """The field with our id."""
    _write(books, move, x_fc_source_ref=False)


def hash_cleared(books: OdooBooks, move: int) -> None:
    """The field with our hash."""
    _write(books, move, x_fc_content_hash=False)


def external_id_deleted(books: OdooBooks, move: int) -> None:
    """The record's external id, in the technical settings."""
    ours = [("model", "=", _MOVE), ("res_id", "=", move), ("module", "=", "fcb_pipelines")]
    books.do("ir.model.data", "unlink", books.do("ir.model.data", "search", ours))


def unmatched(books: OdooBooks, move: int) -> None:
    """The link Unreconcile."""
    books.do(_LINE, "remove_move_reconcile", [_receivable(books, move)])


def payments_swapped(books: OdooBooks, move: int, other: int) -> None:
    """Each payment unmatched, and matched with the other invoice."""
    paid = {one: _payment_line(books, one) for one in (move, other)}
    for one in (move, other):
        unmatched(books, one)
    for one, payer in ((move, other), (other, move)):
        books.do(_LINE, "reconcile", [_receivable(books, one), paid[payer]])


def _register_payment(books: OdooBooks, move: int) -> None:
    context = {"active_model": _MOVE, "active_ids": [move]}
    wizard = books.do("account.payment.register", "create", [{}], context=context)
    books.do("account.payment.register", "action_create_payments", wizard, context=context)


def paid_in_place(books: OdooBooks, move: int) -> None:
    """Our payment unmatched, and one of the bookkeeper's own in its place."""
    unmatched(books, move)
    _register_payment(books, move)


def posted_and_paid(books: OdooBooks, move: int) -> None:
    """Confirm, then Pay."""
    posted(books, move)
    _register_payment(books, move)


def credited_in_place(books: OdooBooks, move: int) -> None:
    """Our payment unmatched, and a credit note of the bookkeeper's own in its place."""
    unmatched(books, move)
    context = {"active_model": _MOVE, "active_ids": [move]}
    values = {"journal_id": _field(books, move, "journal_id")[0], "reason": "By hand"}
    wizard = books.do("account.move.reversal", "create", [values], context=context)
    books.do("account.move.reversal", "refund_moves", wizard, context=context)
    (note,) = books.do(_MOVE, "search", [("reversed_entry_id", "=", move)])
    posted(books, note)
    lines = [_receivable(books, move), _receivable(books, note)]
    open_ = books.do(_LINE, "search", [("id", "in", lines), ("reconciled", "=", False)])
    if len(open_) == len(lines):
        books.do(_LINE, "reconcile", lines)


def payment_to_draft(books: OdooBooks, move: int) -> None:
    """Reset to Draft on the payment."""
    books.do(_PAYMENT, "action_draft", [_payment(books, move)])


def payment_deleted(books: OdooBooks, move: int) -> None:
    """Reset to Draft on the payment, then Delete."""
    payment = _payment(books, move)
    books.do(_PAYMENT, "action_draft", [payment])
    books.do(_PAYMENT, "unlink", [payment])


def a_note(books: OdooBooks, move: int) -> None:
    """A note and a section between the lines."""
    for kind in ("line_note", "line_section"):
        values = {"move_id": move, "display_type": kind, "name": "Seen."}
        books.do(_LINE, "create", [values])


def copied(books: OdooBooks, move: int) -> None:
    """Duplicate, then Confirm."""
    copy = books.do(_MOVE, "copy", [move])
    (copy,) = copy if isinstance(copy, list) else [copy]
    _write(books, copy, invoice_date=_field(books, move, "invoice_date"))
    posted(books, copy)


def _customer(books: OdooBooks, move: int) -> int:
    return int(_field(books, move, "partner_id")[0])


def customer_renamed(books: OdooBooks, move: int) -> None:
    """The customer's name."""
    books.do("res.partner", "write", [_customer(books, move)], {"name": "Renamed Inc."})


def customer_archived(books: OdooBooks, move: int) -> None:
    """Archive, on the customer."""
    books.do("res.partner", "write", [_customer(books, move)], {"active": False})
