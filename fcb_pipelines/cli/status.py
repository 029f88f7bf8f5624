"""`fcb status`: the state of every document."""

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.months import checked_periods
from fcb_pipelines.cli.screen import (
    emit_json,
    failed_gates,
    gate_lines,
    out,
    remedy_lines,
    status_tables,
)
from fcb_pipelines.cli.work import connections, open_pipeline


def status(
    period: options.Period = None,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Dispositions, totals, gates and exceptions, as the last builds read the sources and the ledger.

    Lists the findings of each gate that does not pass, and the remedies. Exit code 1 when a gate fails.
    docs/status.md explains the JSON.

    Examples:

        fcb status
        fcb status --period 2026-04 --json
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        if period is not None:
            checked_periods(pipeline, [period])
        report = pipeline.status(period)
    if as_json:
        emit_json(report)
    else:
        out().print(as_of(report["snapshot"]))
        for table in status_tables(report):
            out().print(table)
        for line in (*remedy_lines(report), *gate_lines(report)):
            # A ref is not wrapped, so that it can be copied.
            out().print(line, soft_wrap=True)
    if failed_gates(report):
        raise typer.Exit(Exit.DIFFERENCE)


def as_of(snapshot: str) -> str:
    """Of which extract a result is, as a line."""
    from fcb_pipelines.defs.sources.following import time_of

    if not snapshot:
        return "Nothing was extracted yet: fcb sync"
    at = time_of(snapshot)
    return f"As of the extract of {f'{at:%Y-%m-%d %H:%M} UTC' if at else snapshot}"
