"""Odoo's records as the port's values.

Odoo's numbers come as floats of exact decimals; each becomes a Decimal by its text and minor units
at once. A record leaves some facts open: which of a partner's links was used, or which of the methods
that share a journal. So it is read in every possible way, and the reading with the hash stored in the
record is the written one. After a person's edit no reading has it, and the first one is returned.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from fcb_pipelines.connectors.odoo.chart import Chart
from fcb_pipelines.connectors.odoo.connection import Row
from fcb_pipelines.connectors.odoo.fields import CONTENT_HASH, REVERSES_REF, SOURCE_HASH, SOURCE_REF
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import (
    DocumentLine,
    DocumentTax,
    LedgerDocument,
    Settlement,
    taxes_on,
    with_tax_shares,
)
from fcb_pipelines.core.ledger.moves import LedgerMove, ListedMove, MoveState, PaymentState
from fcb_pipelines.core.money import exponent, from_major

MOVE_FIELDS = (
    "name", "move_type", "state", "payment_state", "ref", "invoice_date", "date", "currency_id",
    "partner_id", "amount_residual", "amount_total", "x_fc_nexacloud_invoice_id",
    "x_fc_stripe_invoice_id", CONTENT_HASH, REVERSES_REF, SOURCE_HASH, SOURCE_REF,
)  # fmt: skip
LINE_FIELDS = (
    "move_id", "display_type", "name", "quantity", "price_unit", "price_subtotal", "account_id",
    "tax_ids", "tax_line_id", "amount_currency",
)  # fmt: skip
LINE_LINKS = ("move_id", "account_id", "tax_line_id")

# Lines without an account.
_REMARKS = {"line_section", "line_subsection", "line_note"}
KINDS = {"out_invoice": Kind.INVOICE, "out_refund": Kind.CREDIT_NOTE}
STATES = {"draft": MoveState.DRAFT, "posted": MoveState.POSTED, "cancel": MoveState.CANCELLED}

Entry = TypeVar("Entry", LedgerDocument, Settlement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """Values needed to read moves and settlements. `accounts` is account id -> code.

    `links` has the external ids of each partner, `families` the family of an account code,
    `journals` the methods that settle through a journal id.
    """

    chart: Chart
    accounts: Mapping[int, str]
    links: Mapping[int, tuple[str, ...]]
    families: Mapping[str, str]
    journals: Mapping[int, tuple[Method, ...]]


def minor(amount: object, currency: str) -> int:
    """Odoo's amount in minor units of the currency: 226.0, CAD -> 22600."""
    exact = Decimal(str(amount)).quantize(Decimal(1).scaleb(-exponent(currency)))
    return from_major(exact, currency)


def text(value: object) -> str | None:
    """A text of Odoo's; its False is None."""
    return str(value) if value else None


def listed_move(ref: str, row: Row) -> ListedMove:
    """A customer invoice or credit note in short."""
    return ListedMove(ref=ref, state=STATES[row["state"]], date=_day(row))


def ledger_move(
    ref: str,
    row: Row,
    lines: Sequence[Row],
    lookups: Lookups,
    *,
    reversed_whole: bool,
    open_entries: Mapping[int, int],
) -> LedgerMove:
    """A customer invoice or credit note with its lines, as a ledger move.

    `reversed_whole`: only credit notes settle it. `open_entries` is the open amount of the entries that
    settle it, by direction (1 owed by the customer, -1 owed to the customer), minor units.
    """
    links = lookups.links.get(id_of(row["partner_id"]), ())
    stored = text(row[CONTENT_HASH])
    state = STATES[row["state"]]
    document = as_written(_documents(row, lines, links, lookups), stored)
    own = abs(minor(row["amount_residual"], document.currency))
    beside = open_entries.get(document.kind.sign, 0)
    return LedgerMove(
        ref=ref,
        move_id=str(row["id"]),
        state=state,
        payment_state=_payment_state(row, own, state, reversed_whole, document.currency),
        document=document,
        partner_links=links,
        accounting_date=date.fromisoformat(row["date"]),
        residual=own + beside,
        stored_hash=stored,
        stored_source_hash=text(row[SOURCE_HASH]),
        put_back=beside,
        # A draft may have the number that it would get.
        ledger_number=text(row["name"]) or "" if state is MoveState.POSTED else "",
    )


def _documents(
    row: Row, lines: Sequence[Row], links: Sequence[str], lookups: Lookups
) -> list[LedgerDocument]:
    """The possible readings of one move: each link of its partner, with and without zero taxes.

    Its ref is that of the field, which a person may have changed; the external id found the move.
    """
    currency = str(row["currency_id"][1])
    kind = KINDS[row["move_type"]]
    charged = [line for line in lines if _is_line(line)]
    own = [_line(line, currency, lookups) for line in charged]
    taxes = _taxes(lines, own, kind, currency, lookups.chart)
    billed = tuple(tax for tax in taxes if tax.amount)
    plain = LedgerDocument(
        ref=text(row[SOURCE_REF]) or "",
        kind=kind,
        number=text(row["ref"]) or "",
        date=_day(row),
        currency=currency,
        partner="",
        lines=with_tax_shares(own, taxes),
        taxes=billed,
        nexacloud_invoice_id=text(row["x_fc_nexacloud_invoice_id"]),
        stripe_invoice_id=text(row["x_fc_stripe_invoice_id"]),
        reverses=text(row[REVERSES_REF]),
    )
    return [
        replace(plain, partner=link, taxes=some)
        for some in dict.fromkeys((billed, taxes))
        for link in (links or ("",))
    ]


def as_written(readings: Sequence[Entry], stored: str | None) -> Entry:
    """The reading whose content hash is `stored`; the first where none has it."""
    return next((each for each in readings if each.content_hash == stored), readings[0])


def _is_line(line: Row) -> bool:
    kind = line["display_type"]
    return kind not in _REMARKS and kind != "payment_term" and not line["tax_line_id"]


def _line(line: Row, currency: str, lookups: Lookups) -> DocumentLine:
    account = lookups.accounts.get(id_of(line["account_id"]), "")
    return DocumentLine(
        description=text(line["name"]) or "",
        quantity=Decimal(str(line["quantity"])),
        unit_price=Decimal(str(line["price_unit"])),
        net=minor(line["price_subtotal"], currency),
        account=account,
        family=lookups.families.get(account, ""),
        taxes=lookups.chart.keys(line["tax_ids"]),
    )


def _taxes(
    rows: Iterable[Row], lines: Sequence[DocumentLine], kind: Kind, currency: str, chart: Chart
) -> tuple[DocumentTax, ...]:
    """Every tax that is on a line or has a tax line, zero amounts included."""
    amounts = {key: 0 for line in lines for key in line.taxes}
    for row in rows:
        if row["tax_line_id"]:
            (key,) = chart.keys([id_of(row["tax_line_id"])])
            amount = -kind.sign * minor(row["amount_currency"], currency)
            amounts[key] = amounts.get(key, 0) + amount
    return taxes_on(lines, amounts)


def _payment_state(
    row: Row, residual: int, state: MoveState, reversed_whole: bool, currency: str
) -> PaymentState:
    """The payment state by the residual: Odoo's own state for a paid move depends on its edition."""
    if state is not MoveState.POSTED:
        return PaymentState.NOT_PAID
    if residual == 0:
        return PaymentState.REVERSED if reversed_whole else PaymentState.PAID
    whole = abs(minor(row["amount_total"], currency))
    return PaymentState.NOT_PAID if residual == whole else PaymentState.PARTIAL


def _day(row: Row) -> date:
    """The date printed on a document; one that a person emptied leaves the accounting date."""
    return date.fromisoformat(row["invoice_date"] or row["date"])


def id_of(pair: object) -> int:
    """The id of a many2one's [id, name]; 0 where it is empty."""
    return int(pair[0]) if isinstance(pair, (list, tuple)) else 0
