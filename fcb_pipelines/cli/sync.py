"""`fcb sync`: the daily run, now."""

from typing import Annotated

import typer
from rich.text import Text

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.months import exit_of, outcome_json, run_months
from fcb_pipelines.cli.screen import emit_json, out, say
from fcb_pipelines.cli.work import connections, open_pipeline


def sync(
    period: options.Periods = None,
    every: Annotated[bool, typer.Option("--all", help="Every month, not only the window.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every source's full list, not only what changed.")
    ] = False,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Extract, verify and write, as the daily schedule does.

    Rebuilds the window (this month, last month, every month in which something changed or is
    unsettled; none where nothing at all changed since), then proves completeness. Drafts are posted,
    too, if the configuration's `posting` is auto.

    Examples:

        fcb sync
        fcb sync --period 2026-04 --period 2026-05
        fcb sync --all
        fcb sync --full
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        pipeline.extract(full=full)
        window = tuple(period or ()) or (pipeline.periods() if every else pipeline.window())
        outcomes = run_months(pipeline, window, post=None)
        say("proving completeness")
        complete = pipeline.completeness()
    if as_json:
        emit_json({"months": [outcome_json(one) for one in outcomes], "complete": complete})
    else:
        written, posted = sum(o.written for o in outcomes), sum(o.posted for o in outcomes)
        out().print(f"{len(outcomes)} months built: {written} written, {posted} posted.")
        lacking = Text.assemble(("Not complete", "bold red"), ": see `fcb status`.")
        out().print("Complete." if complete else lacking)
    code = max(exit_of(outcomes), Exit.OK if complete else Exit.DIFFERENCE)
    if code:
        raise typer.Exit(code)
