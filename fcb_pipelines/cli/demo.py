"""`fcb demo`: the whole month-end close of a dataset on this machine, proved."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.expected import differences, gates_to_fail
from fcb_pipelines.cli.foreground import until_stopped
from fcb_pipelines.cli.months import exit_of, run_months
from fcb_pipelines.cli.screen import (
    emit_json,
    failed_gates,
    marked,
    money,
    out,
    say,
    status_tables,
)
from fcb_pipelines.cli.work import open_pipeline, prepare_ledger, working_in
from fcb_pipelines.config import environment, settings
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.shapes import StatusJson
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.session import DEFAULT_DATASET, Sandbox, open_dataset
from fcb_pipelines.sandbox.told import FILE, Told
from fcb_pipelines.sandbox.told import told as told_to

if TYPE_CHECKING:
    from fcb_pipelines.cli.pipeline import MonthOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The status JSON after a demo, its report pages, and every fault found (none: it is proved).

    `told` are the events that the dataset's receiver took, those of earlier runs too; `failed_outside` the months
    that something outside made fail.
    """

    status: StatusJson
    reports: tuple[Place, ...]
    posted_now: int
    told: tuple[Told, ...]
    faults: tuple[str, ...]
    failed_outside: tuple["MonthOutcome", ...]


def demo(
    dataset: Annotated[
        str,
        typer.Option("--dataset", metavar="DIR|NAME", help="A dataset folder, or a packaged name."),
    ] = DEFAULT_DATASET,
    ledger: Annotated[
        str, typer.Option("--ledger", metavar="beancount|odoo", help="Ledger to close.")
    ] = "beancount",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over: delete the data of earlier runs.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the sandbox running for the other verbs.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Close every month of a dataset: extract, verify, post, prove, report.

    Starts its own Postgres, Stripe and Lago on loopback, posts every period, and compares the status
    with the dataset's expected.json where it has one. A second run finds everything posted and posts
    nothing. A real Odoo 19 with: --ledger odoo

    Examples:

        fcb demo
        fcb demo --ledger odoo --keep
        fcb demo --dataset ./my-dataset --fresh --json
    """
    here = environment.read({**os.environ, "FCB_LEDGER": ledger})
    opened = open_dataset(dataset, here.home)
    box = Sandbox(opened, here.home, ledger=here.ledger, odoo_folder=here.odoo_cache, say=say)
    if fresh:
        box.start_over()
    with box.running(keep=keep) as lent, working_in(lent, quiet=as_json) as found:
        prepare_ledger(found, opened)
        result = _close(open_pipeline(found), opened.expected, lambda: _tell(found, opened))
    if as_json:
        emit_json(result.status)
        for fault in result.faults:
            say(fault)
    else:
        _show(result)
    code = max(exit_of(result.failed_outside), Exit.DIFFERENCE if result.faults else Exit.OK)
    if code:
        raise typer.Exit(code)


def _close(pipeline: Any, expected: Any, tell: Callable[[], tuple[Told, ...]]) -> DemoResult:
    pipeline.extract()
    outcomes = run_months(pipeline, pipeline.periods(), post=True)
    told = tell()
    say("proving completeness")
    complete = pipeline.completeness()
    say("writing the close reports")
    reports = tuple(pipeline.report(period) for period in pipeline.periods())
    status = pipeline.status()
    failed, wanted = failed_gates(status), gates_to_fail(expected or {})
    faults = [f"gate failed: {gate}" for gate in failed if gate not in wanted]
    stopped = [one.period for one in outcomes if not one.ok and not one.failed_gates]
    faults += [f"{period}: the run failed" for period in stopped]
    if not complete and not failed and not faults:
        faults.append("completeness is not proved")
    faults += differences(expected or {}, status)
    return DemoResult(
        status=status,
        reports=reports,
        posted_now=sum(outcome.posted for outcome in outcomes),
        told=told,
        faults=tuple(faults),
        failed_outside=tuple(one for one in outcomes if one.failure is not None),
    )


def _tell(found: Environment, dataset: Dataset) -> tuple[Told, ...]:
    """Send what the close has queued; everything that the dataset's receiver was told, of earlier runs too."""
    if not dataset.events:
        return ()
    say("telling the services what the books know")
    from fcb_pipelines.defs.runtime import connections as connectors

    until_stopped(connectors.deliverer(found, settings.current(), "the demo", say).deliver)
    return told_to(found.data_home / FILE)


def _show(result: DemoResult) -> None:
    screen = out()
    for table in status_tables(result.status):
        screen.print(table)
    periods = result.status["periods"].values()
    skipped, held = (sum(entry[what] for entry in periods) for what in ("skip", "hold"))
    for currency, totals in result.status["totals"].items():
        screen.print(
            Text.assemble(
                (f"{totals['posted_count']} posted", "bold"),
                f", {money(totals['posted_total'], currency)}, "
                f"receivable {money(totals['receivable'], currency)}",
            )
        )
    screen.print(f"{skipped} skipped, {held} held; {result.posted_now} posted by this run")
    if result.reports:
        screen.print(f"close reports: {result.reports[-1].parent}", soft_wrap=True)
    if result.told:
        screen.print(f"the receiver was told, signed and once each, {len(result.told)} events:")
    for one in result.told:
        screen.print(f"  {_line(one)}", soft_wrap=True)
    for fault in result.faults:
        screen.print(marked("✗", "bold red", fault))
    if not result.faults:
        screen.print(Text("✓ Proved.", style="bold green"))


def _line(event: Told) -> str:
    """One event for a person: `nexamaps invoice.payment_failed: M-0001, 111.87 CAD of 111.87 CAD owed`."""
    if event["document"]:
        owed, total = (money(event[name], event["currency"]) for name in ("owed", "total"))
        what = f"{event['number']}, {owed} of {total} owed"
    else:
        what = f"{event['subscription']} of {event['customer']}"
    return f"{event['service']} {event['type']}: {what}, {event['occurred_at'][:10]}"
