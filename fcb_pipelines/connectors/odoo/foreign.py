"""Credits of our partners that others wrote into Odoo, and that nothing is matched with."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from fcb_pipelines.connectors.odoo.action import Batches
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.fields import SOURCE_REF
from fcb_pipelines.connectors.odoo.partners import PARTNER
from fcb_pipelines.connectors.odoo.reading import id_of, minor
from fcb_pipelines.core.ledger.moves import ForeignCredit


def foreign_credits(
    odoo: OdooConnection, batches: Batches, since: date
) -> tuple[ForeignCredit, ...]:
    """The posted lines on a receivable with something open to the credit of a partner that we bill.

    A line may be of a company or of a contact of it: a link of any of them counts.
    """
    lines = odoo.rows(
        "account.move.line",
        [
            ("company_id", "=", odoo.company),
            ("account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("amount_residual_currency", "<", 0),
            ("partner_id", "!=", False),
            ("date", ">=", since.isoformat()),
            (f"move_id.{SOURCE_REF}", "=", False),
        ],
        ["move_name", "partner_id", "date", "currency_id", "amount_residual_currency"],
        order="date, id",
    )
    named = sorted({id_of(line["partner_id"]) for line in lines})
    if not named:
        return ()
    own = _companies(odoo, [("id", "in", named)])
    contacts = _companies(odoo, [("commercial_partner_id", "in", sorted({*own.values()}))])
    links: dict[int, str] = {}
    for link, _, partner in batches.find(PARTNER, ids=sorted(contacts)):
        links.setdefault(contacts[partner], link)
    return tuple(
        ForeignCredit(
            move=str(line["move_name"]),
            partner=links[company],
            name=str(line["partner_id"][1]),
            date=date.fromisoformat(line["date"]),
            currency=(currency := str(line["currency_id"][1])),
            amount=-minor(line["amount_residual_currency"], currency),
        )
        for line in lines
        if (company := own[id_of(line["partner_id"])]) in links
    )


def _companies(odoo: OdooConnection, domain: Sequence[Any]) -> dict[int, int]:
    """Partner id -> id of the company that it belongs to, of the partners of a domain."""
    found = odoo.rows(PARTNER, domain, ["commercial_partner_id"], archived=True)
    return {row["id"]: id_of(row["commercial_partner_id"]) for row in found}
