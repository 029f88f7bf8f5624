"""`fcb explain`: the story of a document, or what a payout is made of."""

from typing import Annotated

import typer
from rich.table import Table

from fcb_pipelines.cli import options
from fcb_pipelines.cli.screen import emit_json, money, out, table
from fcb_pipelines.cli.work import connections
from fcb_pipelines.config import settings
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.core.agreement.words import in_words
from fcb_pipelines.core.cash.shapes import PayoutStory
from fcb_pipelines.core.close.story import DocumentStory
from fcb_pipelines.core.naming import amount


def explain(
    name: Annotated[
        str, typer.Argument(metavar="REF|NUMBER|PAYOUT", help="A document, or a payout (po_…).")
    ],
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """One document: what each side says of it, the rule that placed it, what happened in order of time, and what
    waits. Or one payout of the balance: its transactions, and the invoices that they pay.

    From the last builds; nothing is read from a source or the ledger. Where several documents have the number, each is
    shown. Payouts are there with cash on (docs/cash.md).

    Examples:

        fcb explain A-0001
        fcb explain stripe:acct_1:in_1 --json
        fcb explain po_1QxYz
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        documents = _documents(found, name)
        payout = None if documents else _payout(found, name)
    if payout is not None:
        if as_json:
            emit_json(payout)
        else:
            _show_payout(payout)
        return
    if as_json:
        emit_json({"documents": documents})
        return
    for number, story in enumerate(documents):
        if number:
            out().print()
        _show(story)


def _documents(found: Environment, name: str) -> list[DocumentStory]:
    from fcb_pipelines.defs.reconciliation.stories import Stories
    from fcb_pipelines.defs.runtime import connections as connectors

    kept = connectors.decisions(found)
    return Stories(frames=connectors.frames(found), decisions=kept).of(name)


def _payout(found: Environment, name: str) -> PayoutStory:
    from fcb_pipelines.defs.reconciliation.cash_report import CashReport
    from fcb_pipelines.defs.runtime import connections as connectors

    story = CashReport(frames=connectors.frames(found)).payout(name)
    if story is None:
        without = " (cash is off: payouts are not read)" if settings.current().cash is None else ""
        raise NotFound(
            f"explaining {name}",
            f"no month that is built has a document or a payout of this name{without}",
            remedy="fcb sync",
        )
    return story


def _show(story: DocumentStory) -> None:
    document, currency = story["document"], story["document"]["currency"]
    number = document["number"] or "without a number"
    out().print(
        f"{number}: {document['kind'].replace('_', ' ')} of {document['date'] or 'no day'}, "
        f"{money(document['total'], currency)}, {document['disposition']}, in the books: {document['state']}"
        + (f", {document['payment_state']}" if document["state"] == "posted" else ""),
        soft_wrap=True,
    )
    out().print(document["ref"], soft_wrap=True)
    out().print(story["rule"], soft_wrap=True)
    tables = (_sides(story), _events(story), _differences(story))
    for made in tables:
        if made.row_count:
            out().print(made)
    for row in story["exceptions"]:
        known = row["acknowledged"]
        held = "hold " if row["is_held"] else ""
        waits = (
            f"Acknowledged by {known['by']}: {known['note']}"
            if known
            else f"Waits for {row['owner']}. {row['remedy']}"
        )
        since = f"since {row['first_seen']}, {row['age']} days"
        out().print(f"{held}{row['code']}, {since}: {row['description']} {waits}", soft_wrap=True)
    for side in story["sides"]:
        if side["evidence"]:
            out().print(f"evidence: {_file(side['side'], side['evidence'])}", soft_wrap=True)


def _file(side: str, body: str) -> str:
    return f"evidence/{side}/{body[:2]}/{body}.json.gz"


def _sides(story: DocumentStory) -> Table:
    sums = ("net", "tax", "total", "paid")
    made = table("What each side says", "side", "number", "date", "status", *sums, right=sums)
    for side in story["sides"]:
        figures = (side["net"], side["tax"], side["total"], side["paid"])
        made.add_row(
            side["side"], side["number"] or "-", side["date"] or "-", side["status"],
            *(amount(each, side["currency"]) for each in figures),
        )  # fmt: skip
    return made


def _events(story: DocumentStory) -> Table:
    currency = story["document"]["currency"]
    made = table("In order of time", "when", "side", "what", "amount", "in the ledger",
                 right=("amount",))  # fmt: skip
    for event in story["events"]:
        shown = "-" if event["amount"] is None else amount(event["amount"], currency)
        made.add_row(
            event["at"][:10],
            event["side"],
            event["what"],
            shown,
            event["ledger_number"] or event["ledger_id"] or "-",
        )
    return made


def _differences(story: DocumentStory) -> Table:
    made = table("What differs", "side", "field", "expected", "found")
    currency = story["document"]["currency"]
    for row in story["differences"]:
        expected, found = (
            in_words(row["field"], value, currency) for value in (row["expected"], row["actual"])
        )
        made.add_row(row["side"], row["field"], expected, found)
    return made


def _show_payout(story: PayoutStory) -> None:
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
