"""Credits of our partners that others wrote into Odoo, and that nothing is matched with."""

from datetime import date

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

    A receivable line is of the company that a contact belongs to, so a link of any of its contacts counts.
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
    companies = sorted({id_of(line["partner_id"]) for line in lines})
    if not companies:
        return ()
    contacts = odoo.rows(
        PARTNER,
        [("commercial_partner_id", "in", companies)],
        ["commercial_partner_id"],
        archived=True,
    )
    of = {row["id"]: id_of(row["commercial_partner_id"]) for row in contacts}
    links: dict[int, str] = {}
    for link, _, partner in batches.find(PARTNER, ids=sorted(of)):
        links.setdefault(of[partner], link)
    return tuple(
        ForeignCredit(
            move=str(line["move_name"]),
            partner=links[partner],
            name=str(line["partner_id"][1]),
            date=date.fromisoformat(line["date"]),
            currency=(currency := str(line["currency_id"][1])),
            amount=-minor(line["amount_residual_currency"], currency),
        )
        for line in lines
        if (partner := id_of(line["partner_id"])) in links
    )
