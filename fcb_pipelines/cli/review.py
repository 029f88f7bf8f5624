"""`fcb review`: the drafts against their source, and their approval."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.months import checked_periods
from fcb_pipelines.cli.screen import emit_json, money, out, table
from fcb_pipelines.cli.status import as_of
from fcb_pipelines.cli.work import connections, open_pipeline, user_name
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.core.close.review import DraftRow, ReviewJson
from fcb_pipelines.core.naming import amount

# So many characters of the list's digest are shown, and taken by --seen.
SHORT = 12


def review(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REF|NUMBER]...", help="These drafts alone."),
    ] = None,
    period: options.Period = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve each draft that is shown.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Withdraw each approval of a draft that is shown.")
    ] = False,
    but: Annotated[
        list[str] | None,
        typer.Option(
            "--except", metavar="REF|NUMBER", help="But not this one; may be given again."
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="A note to the approval; it is kept.")] = "",
    seen: Annotated[
        str | None,
        typer.Option(
            "--seen",
            metavar="DIGEST",
            help="Approve only while the list has this digest, as it was read.",
        ),
    ] = None,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """The drafts of a month (of all, without --period) against their source, the odd ones first and why.

    From the last builds; nothing is read from a source or the ledger. With --approve each draft that is shown is
    approved as it is now, with your name on this machine: `fcb post --approved` posts exactly these. A
    draft that is not the document to be posted is not approved (exit code 1). An approval lapses when the
    document changes. The last line has the digest of the list: `--approve --seen DIGEST` approves nothing where
    the list is another by then (exit code 1).

    Examples:

        fcb review --period 2026-04
        fcb review --period 2026-04 --approve --except A-0003 --note "read with J."
        fcb review --period 2026-04 --approve --seen 3f0c9a1b2d4e
        fcb review A-0003 --approve
        fcb review A-0003 --withdraw
    """
    _check(approve=approve, withdraw=withdraw, more=bool(but or note), seen=seen)
    refused: list[DraftRow] = []
    said, moved = "", False
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        if period is not None:
            checked_periods(pipeline, [period])
        drafts = pipeline.review
        told = drafts.told(period, names or ())
        moved = seen is not None and not told["digest"].startswith(seen)
        if approve and not moved:
            left_out = drafts.refs(but or (), told["drafts"], "excepting")
            wanted = [row for row in told["drafts"] if row["ref"] not in left_out]
            refused = drafts.approve(wanted, by=user_name(), note=note.strip())
            said = f"{len(wanted) - len(refused)} approved: fcb post --approved posts them."
        elif withdraw:
            had = drafts.withdraw(told["drafts"], by=user_name())
            said = f"The approvals of {had} drafts are withdrawn."
        if said:
            told = drafts.told(period, names or ())
    if as_json:
        emit_json(told)
    else:
        _show(told)
        _say(refused, said)
    if moved and not as_json:
        out().print(
            f"Nothing is approved: this is no longer the list that was {seen}. Read it, then approve."
        )
    if refused or moved:
        raise typer.Exit(Exit.DIFFERENCE)


def _check(*, approve: bool, withdraw: bool, more: bool, seen: str | None) -> None:
    if seen is not None and not approve:
        raise ConfigError("--seen goes with --approve")
    if seen is not None and len(seen) < SHORT:
        raise ConfigError(
            f"--seen has the {SHORT} characters that the last line of `fcb review` ends with"
        )
    if approve and withdraw:
        raise ConfigError("--approve and --withdraw exclude each other")
    if more and not approve:
        raise ConfigError("--except and --note go with --approve")


def _say(refused: Sequence[DraftRow], said: str) -> None:
    for row in refused:
        out().print(
            f"{called(row)} is not approved: it is not the document to be posted.", soft_wrap=True
        )
    if said:
        out().print(said)


def called(row: DraftRow) -> str:
    """The name of a draft for people."""
    return row["number"] or row["ref"]


def approval_text(row: DraftRow) -> str:
    """Who approved a draft and when, and whether it changed since; `-` where nobody did."""
    known = row["approval"]
    if known is None:
        return "-"
    given = f"{known['by']}, {known['at'][:10]}"
    return given if known["holds"] else f"changed since it was approved ({given})"


def _show(told: ReviewJson) -> None:
    out().print(as_of(told["snapshot"]))
    odd = [row for row in told["drafts"] if row["odd"]]
    others = [row for row in told["drafts"] if not row["odd"]]
    for made in (_drafts("Odd drafts", odd), _drafts("Drafts", others), _totals(told)):
        if made.row_count:
            out().print(made)
    for row in odd:
        for one in row["odd"]:
            out().print(f"{called(row)}: {one['text']}", soft_wrap=True)
    count = len(told["drafts"])
    out().print(f"{count} drafts, {len(odd)} of them odd; {told['approved']} approved.")
    if count:
        out().print(f"Digest of this list: {told['digest'][:SHORT]}")


def _drafts(title: str, rows: Sequence[DraftRow]) -> Table:
    made = table(
        title, "document", "date", "customer", "total", "families", "in the ledger", "exceptions",
        "as its document", "approved", right=("total",),
    )  # fmt: skip
    for row in rows:
        made.add_row(
            called(row),
            row["date"] or "-",
            row["customer"] or row["partner"] or "-",
            _total(row),
            _families(row["families"], row["currency"]),
            _record(row),
            ", ".join(row["exceptions"]) or "-",
            "yes" if row["matches"] else "no",
            approval_text(row),
        )
    return made


def _record(row: DraftRow) -> str:
    """The draft's number or id in the ledger; embedded books know it by its ref alone."""
    known = row["ledger_number"] or row["ledger_id"]
    return "-" if known == row["ref"] else known


def _total(row: DraftRow) -> str:
    """The source's total, and the draft's where it is another."""
    total = money(row["total"], row["currency"])
    note = "credit note " if row["kind"] == "credit_note" else ""
    if row["draft_total"] == row["total"]:
        return f"{note}{total}"
    return f"{note}{total} (draft {amount(row['draft_total'], row['currency'])})"


def _families(sums: dict[str, int], currency: str) -> str:
    return ", ".join(f"{name} {amount(net, currency)}" for name, net in sums.items() if net) or "-"


def _totals(told: ReviewJson) -> Table:
    sums = ("drafts", "at the source", "in the books", "tax")
    made = table("Totals, credit notes negative", "currency", *sums, "net by family", right=sums)
    for currency, of in told["totals"].items():
        shown = (of["total"], of["draft_total"], of["tax"])
        made.add_row(
            currency, str(of["count"]), *(amount(each, currency) for each in shown),
            _families(of["by_family"], currency),
        )  # fmt: skip
    return made
