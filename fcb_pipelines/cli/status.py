"""`fcb status`: where every document stands."""

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.months import known
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
    """Dispositions, totals, gates and exceptions, from the last builds and the ledger as it is.

    Of each gate that does not pass it says what the gate names, and of all what mends it. Exit code 1 when a
    gate fails. docs/status.md explains the JSON.

    Examples:

        fcb status
        fcb status --period 2026-04 --json
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        if period is not None:
            known(pipeline, [period])
        told = pipeline.status(period)
    if as_json:
        emit_json(told)
    else:
        for table in status_tables(told):
            out().print(table)
        for line in (*remedy_lines(told), *gate_lines(told)):
            # A ref stays in one piece, to be copied.
            out().print(line, soft_wrap=True)
    if failed_gates(told):
        raise typer.Exit(Exit.DIFFERENCE)
