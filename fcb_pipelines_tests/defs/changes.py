"""One change a field: what a document looks like when a single thing about it is otherwise.

Each takes the object of its side and changes it in place: a Stripe invoice with its payment, a Lago
invoice with its payment, a NexaCloud row with its items.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`field` (of the policy table) of the document `number` is made otherwise by `make`.

    `named` is all that the status must then say of it.
    """

    field: str
    number: str
    make: Callable[[Json, Json], None]
    named: frozenset[str]


def change(field: str, number: str, make: Callable[[Json, Json], None], *named: str) -> Change:
    """One row of a table of changes."""
    return Change(field=field, number=number, make=make, named=frozenset(named))


def stripe_kind(invoice: Json, payment: Json) -> None:
    """Everything billed the other way round."""
    for name in ("amount_due", "amount_paid", "subtotal", "subtotal_excluding_tax", "total",
                 "total_excluding_tax"):  # fmt: skip
        invoice[name] = -invoice[name]
    for amounts in (invoice["total_taxes"], *(_taxes(line) for line in _lines(invoice))):
        for tax in amounts:
            tax["amount"], tax["taxable_amount"] = -tax["amount"], -tax["taxable_amount"]
    for line in _lines(invoice):
        line["amount"], line["subtotal"] = -line["amount"], -line["subtotal"]


def stripe_net(invoice: Json, payment: Json) -> None:
    """One cent more on the line, and so on the invoice."""
    line = _lines(invoice)[0]
    line["amount"] += 1
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax",
                 "amount_due"):  # fmt: skip
        invoice[name] += 1


def stripe_tax(invoice: Json, payment: Json) -> None:
    """One cent more tax, on the line and on the invoice."""
    _taxes(_lines(invoice)[0])[0]["amount"] += 1
    invoice["total_taxes"][0]["amount"] += 1
    for name in ("total", "amount_due"):
        invoice[name] += 1


def stripe_line_net(invoice: Json, payment: Json) -> None:
    """One cent more on the line alone."""
    _lines(invoice)[0]["amount"] += 1


def stripe_no_lines(invoice: Json, payment: Json) -> None:
    """The line is gone."""
    invoice["lines"]["data"] = []


def stripe_line_taxes(invoice: Json, payment: Json) -> None:
    """The line names a tax rate that nobody has."""
    _taxes(_lines(invoice)[0])[0]["tax_rate_details"]["tax_rate"] = "txr_1NexaSomethingElse000"


def stripe_taxes(invoice: Json, payment: Json) -> None:
    """The invoice's tax is gone from its list, and stands in its total."""
    invoice["total_taxes"] = []


def stripe_quantity(invoice: Json, payment: Json) -> None:
    """Three pieces instead of one, for the same amount."""
    _lines(invoice)[0]["quantity"], _lines(invoice)[0]["quantity_decimal"] = 3, "3"


def stripe_date(invoice: Json, payment: Json) -> None:
    """Effective a day later."""
    invoice["effective_at"] += DAY


def stripe_void(invoice: Json, payment: Json) -> None:
    """Voided."""
    invoice["status"] = "void"
    invoice["status_transitions"]["voided_at"] = invoice["effective_at"] + DAY


def stripe_identity(invoice: Json, payment: Json) -> None:
    """Another document altogether stands where this one stood."""
    invoice["id"] = payment["invoice"] = "in_NotTheOneThatWasPosted00"


def stripe_paid(invoice: Json, payment: Json) -> None:
    """One cent of it was never paid."""
    invoice["amount_paid"] -= 1
    invoice["amount_remaining"] += 1
    invoice["status"] = "open"
    payment["amount_paid"] -= 1


def stripe_paid_on(invoice: Json, payment: Json) -> None:
    """Paid a day later."""
    payment["status_transitions"]["paid_at"] += DAY


def lago_fee(invoice: Json, payment: Json) -> None:
    """One cent more on a fee, and so on the invoice."""
    invoice["fees"][0]["amount_cents"] += 1
    for name in ("fees_amount_cents", "sub_total_excluding_taxes_amount_cents",
                 "sub_total_including_taxes_amount_cents", "total_amount_cents"):  # fmt: skip
        invoice[name] += 1


def lago_tax(invoice: Json, payment: Json) -> None:
    """One cent more tax, on the invoice alone."""
    invoice["taxes_amount_cents"] += 1


def setting(name: str, value: object) -> Callable[[Json, Json], None]:
    """Set one plain field of the document."""

    def make(document: Json, _: Json) -> None:
        assert document[name] != value
        document[name] = value

    return make


def on_line(name: str, value: object) -> Callable[[Json, Any], None]:
    """Set one field of a Stripe invoice's first line."""

    def make(invoice: Json, _: Any) -> None:
        assert _lines(invoice)[0][name] != value
        _lines(invoice)[0][name] = value

    return make


def on_item(name: str, value: str) -> Callable[[Json, Any], None]:
    """Set one cell of a NexaCloud invoice's first item."""

    def make(_: Json, items: list[Json]) -> None:
        assert items[0][name] != value
        items[0][name] = value

    return make


def _lines(invoice: Json) -> list[Json]:
    lines: list[Json] = invoice["lines"]["data"]
    return lines


def _taxes(line: Json) -> list[Json]:
    taxes: list[Json] = line["taxes"]
    return taxes


def lago_rate(invoice: Json, payment: Json) -> None:
    """Taxed at a rate that no configured tax has."""
    for taxes in (invoice["applied_taxes"], *(fee["applied_taxes"] for fee in invoice["fees"])):
        for tax in taxes:
            tax["tax_rate"] = 14


def lago_customer(invoice: Json, payment: Json) -> None:
    """Billed to somebody else."""
    invoice["customer"]["external_id"] = "3a174e7c-1f3a-5bea-a128-27452edd082b"


def lago_paid_on(invoice: Json, payment: Json) -> None:
    """Paid in another month."""
    payment["created_at"] = "2026-04-29T15:00:00Z"


def lago_total(invoice: Json, payment: Json) -> None:
    """One cent more in total alone."""
    invoice["sub_total_including_taxes_amount_cents"] += 1
    invoice["total_amount_cents"] += 1


def lago_lost_fee(invoice: Json, payment: Json) -> None:
    """The last fee is gone."""
    invoice["fees"].pop()


def copy_kind(row: Json, items: list[Json]) -> None:
    """Everything the other way round."""
    for each, names in ((row, ("subtotal", "tax", "amount_due", "amount_paid")),
                        *((item, ("amount",)) for item in items)):  # fmt: skip
        for name in names:
            each[name] = f"-{each[name]}"


def copy_no_items(row: Json, items: list[Json]) -> None:
    """No items at all."""
    items.clear()


def copy_lost_item(row: Json, items: list[Json]) -> None:
    """The last of several items is gone."""
    assert len(items) > 1
    items.pop()


def copy_of_another_user(row: Json, items: list[Json]) -> None:
    """Another user's invoice."""
    row["user_id"] = "3a174e7c-1f3a-5bea-a128-27452edd082b"


def copy_identity(row: Json, items: list[Json]) -> None:
    """Another id in NexaCloud."""
    row["id"] = "00000000-0000-4000-8000-000000000020"
    for item in items:
        item["invoice_id"] = row["id"]
