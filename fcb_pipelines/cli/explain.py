"""`fcb explain`: what a payout is made of."""

from typing import Annotated

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.screen import emit_json, money, out, table
from fcb_pipelines.cli.work import connections
from fcb_pipelines.config import settings
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.failures import NotFound, NotPrepared
from fcb_pipelines.core.cash.shapes import PayoutStory


def explain(
    payout: Annotated[str, typer.Argument(help="A payout: po_…, or its ref.")],
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """One payout of the balance: its transactions, and the invoices that they pay.

    From the last builds; nothing is read from a source. With cash on (docs/cash.md).

    Example:

        fcb explain po_1QxYz
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        story = _story(found, payout)
    if as_json:
        emit_json(story)
        return
    currency = story["currency"]
    out().print(
        f"{story['id']} of {story['date']}: {money(story['amount'], currency)}, {story['status']}, "
        f"arrives {story['arrives']}"
    )
    if story["transactions"] is None:
        out().print(
            "Its source can't say what is in it: it is manual, instant or not reconciled yet."
        )
        return
    made = table("Transactions", "day", "transaction", "category", "documents", "fees", "net", "",
                 right=("fees", "net"))  # fmt: skip
    for line in story["transactions"]:
        documents = ", ".join(each["number"] or each["ref"] for each in line["documents"])
        fees = "-" if line["fees"] is None else money(line["fees"], currency)
        made.add_row(
            line["date"], line["id"], line["category"], documents or "-", fees,
            money(line["net"], currency), line["reason"] or "",
        )  # fmt: skip
    out().print(made)


def _story(found: Environment, payout: str) -> PayoutStory:
    from fcb_pipelines.defs.reconciliation.cash_report import CashReport
    from fcb_pipelines.defs.runtime import connections as connectors

    if settings.current().cash is None:
        raise NotPrepared(f"explaining {payout}", "cash is off", remedy="`cash: on`, then fcb sync")
    story = CashReport(frames=connectors.frames(found)).payout(payout)
    if story is None:
        raise NotFound(
            f"explaining {payout}", "no month that is built has this payout", remedy="fcb sync"
        )
    return story
