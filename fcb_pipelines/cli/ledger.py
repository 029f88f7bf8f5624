"""`fcb ledger`: set up or export a ledger, release an id, correct a posted move."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.months import run_months
from fcb_pipelines.cli.screen import emit_json, marked, out, say, table
from fcb_pipelines.cli.work import connections, open_pipeline
from fcb_pipelines.config import settings
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.connectors.ledger import CashLedger, Ledger, Writer
from fcb_pipelines.core.ledger.description import TrialBalanceRow
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.naming import amount

app = typer.Typer(
    no_args_is_help=True,
    help="Set up a ledger, export it, release a deleted id, correct a posted document.",
)


@app.command()
def setup(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the missing parts; create nothing.")
    ] = False,
    unarchive: Annotated[
        bool, typer.Option("--unarchive", help="Bring back accounts and journals archived in Odoo.")
    ] = False,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Create the accounts, journals and fields that are missing; find the taxes. Idempotent.

    Exit code 1 when something is still missing that setup must not create (a tax, for instance). A
    currency without rates is listed and is no failure: only documents in it are held. An account or
    journal that somebody archived in Odoo is listed, and brought back with --unarchive only.

    Examples:

        fcb ledger setup --dry-run
        fcb ledger setup
        fcb ledger setup --unarchive
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        books = _books(found)
        steps = books.setup(dry_run=dry_run, unarchive=unarchive)
        missing = () if dry_run else books.describe().missing
    if as_json:
        emit_json(
            {
                "steps": [{"what": s.what, "name": s.name, "outcome": s.outcome} for s in steps],
                "missing": [{"what": m.what, "name": m.name, "remedy": m.remedy} for m in missing],
            }
        )
    else:
        made = table("Ledger setup", "what", "name", "outcome")
        for step in steps:
            made.add_row(step.what, step.name, step.outcome)
        out().print(made)
        for part in missing:
            detail = f"{part.what} {part.name}: {part.remedy}"
            out().print(marked("missing", "bold red", detail))
    if any(part.is_needed for part in missing):
        raise typer.Exit(Exit.DIFFERENCE)


@app.command()
def export(
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write CSV files there.")
    ] = None,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """The trial balance of our entries, read from the ledger; with --out, moves and settlements, too.

    The same documents give the same trial balance in both ledgers.

    Examples:

        fcb ledger export
        fcb ledger export --ledger odoo --out ./export
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        books = _books(found)
        balances = books.trial_balance()
        if folder is not None:
            _write_files(folder, books, balances)
    if as_json:
        rows = [{"account": b.account, "name": b.name, "currency": b.currency, "balance": b.balance}
                for b in balances]  # fmt: skip
        emit_json({"trial_balance": rows})
        return
    made = table("Trial balance", "account", "name", "currency", "debit", "credit",
                 right=("debit", "credit"))  # fmt: skip
    for row in balances:
        shown = amount(abs(row.balance), row.currency)
        sides = (shown, "") if row.balance >= 0 else ("", shown)
        made.add_row(row.account, row.name, row.currency, *sides)
    out().print(made)


@app.command()
def release(
    name: Annotated[
        str, typer.Argument(metavar="REF|NUMBER", help="The id or number as `fcb status` shows it.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
) -> None:
    """Allow an id that was deleted in the ledger to be written again.

    An id once read back and now absent is not written again (`edited_in_ledger`) until it is released. An
    entry that is cancelled still has its id, as has a cash entry that was set back to draft: delete it first, or
    post it again instead.

    Example:

        fcb ledger release stripe:acct_1:in_1 --reason "deleted by mistake"
    """
    from fcb_pipelines.connectors.store.readback_log import ReadBackLog

    with connections(dataset, ledger) as found:
        from fcb_pipelines.defs.reconciliation.naming import numbers, ref_called
        from fcb_pipelines.defs.runtime import connections as connectors

        books = _books(found)
        ref = ref_called(name, numbers(connectors.frames(found)), "releasing")
        assert_gone(books, ref)
        identity = books.describe().identity
        ReadBackLog(found.postgres_url()).release(identity, ref, reason)
    out().print(f"{ref} may be written again in {identity}; the next sync does it.")


def assert_gone(books: Ledger, ref: str) -> None:
    """Raise NotAllowed for an entry that keeps its id in the ledger: a release of it would have no effect."""
    states = [one.state for one in books.read_moves([ref])]
    states += [one.state for one in books.read_settlements([ref])]
    held = [str(state) for state in states if state is MoveState.CANCELLED]
    if settings.current().cash is not None and isinstance(books, CashLedger):
        held += [str(one.state) for one in books.read_cash([ref])]
    if held:
        raise NotAllowed(
            f"releasing {ref}",
            f"it is still in the ledger, {held[0]}",
            remedy="delete the entry in the ledger and release it then; or post it again there",
        )


@app.command()
def correct(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="REF|NUMBER…", help="The ids or numbers as `fcb status` shows them."
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Write it; without, only show it.")] = False,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Correct posted documents whose source was voided or changed, by one more document each.

    The posted move stays. A voided document is reversed on the void date or the first open day, a
    changed one is corrected by the difference of its lines, a payment that the source withdrew is
    reversed. Shows each correction and the figures of the books before and after it, credit notes
    included; writes it with --yes. Refuses a correction after which books and source would differ. The
    credit notes that were voided with an invoice are corrected with it.

    Examples:

        fcb ledger correct stripe:acct_1:in_1
        fcb ledger correct stripe:acct_1:in_1 lago:nexacloud:1b2c --yes
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        plans = pipeline.correct(names, write=yes)
        if yes:
            run_months(pipeline, pipeline.touched(), post=None)
    if as_json:
        corrections = {ref: plan["why"] for ref, plan in plans.items()}
        outlook = {ref: {"now": plan["now"], "after": plan["after"]} for ref, plan in plans.items()}
        emit_json({"written": yes, "corrections": corrections, "outlook": outlook})
        return
    made = table(
        "Corrections" if yes else "Corrections that would be written", "document", "correction"
    )
    for ref, plan in plans.items():
        made.add_row(ref, plan["why"])
    out().print(made)
    out().print(_outlook(plans))
    if not yes:
        out().print("Nothing is written yet: repeat with --yes.")


def _outlook(plans: Mapping[str, Mapping[str, Any]]) -> Table:
    """The figures of each document with its credit notes in the books, before and after."""
    figures = ("revenue", "tax", "cash", "receivable")
    made = table(
        "Figures in the books, credit notes included", "document", "", *figures, right=figures
    )
    for ref, plan in plans.items():
        for when in ("now", "after"):
            if plan[when] is not None:
                sums = [amount(plan[when][name], plan["currency"]) for name in figures]
                made.add_row(ref if when == "now" else "", when, *sums)
    return made


def _books(found: Environment) -> Ledger:
    from fcb_pipelines.defs.runtime import connections as connectors
    from fcb_pipelines.instance.waiting import SaidWaits, Waiting

    said = SaidWaits(say=say)

    def waits(other: str) -> None:
        said(
            Waiting(run_id="", pool="", holders=(f"{other} has it",), lock="the lock of the books")
        )

    books = connectors.ledger(found, settings.current())
    books.begin_writing(Writer(name="fcb ledger", waits=waits))
    return books


def _write_files(folder: Path, books: Ledger, balances: Sequence[TrialBalanceRow]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write(
        folder / "trial_balance.csv",
        ["account", "currency", "balance", "name"],
        [[row.account, row.currency, row.balance, row.name] for row in balances],
    )
    columns = ["ref", "kind", "number", "date", "state", "payment_state", "currency", "net", "tax",
               "total", "residual"]  # fmt: skip
    _write(folder / "moves.csv", columns, [_move(move) for move in books.read_moves()])
    settlements = [
        [s.ref, s.settlement.document, s.settlement.date, s.settlement.amount,
         s.settlement.currency, s.state, s.reconciled]
        for s in books.read_settlements()
    ]  # fmt: skip
    columns = ["ref", "document", "date", "amount", "currency", "state", "reconciled"]
    _write(folder / "settlements.csv", columns, settlements)
    out().print(str(folder), soft_wrap=True)


def _move(move: LedgerMove) -> list[Any]:
    document = move.document
    return [
        move.ref, document.kind, document.number, document.date, move.state, move.payment_state,
        document.currency, document.net, document.tax, document.total, move.residual,
    ]  # fmt: skip


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """One CSV file; amounts are integer minor units."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
