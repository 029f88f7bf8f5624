"""`fcb report`: the close report of a month."""

from typing import Annotated

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.months import checked_periods
from fcb_pipelines.cli.screen import emit_json, out
from fcb_pipelines.cli.work import connections, open_pipeline


def report(
    period: Annotated[str, typer.Option("--period", metavar="YYYY-MM", help="The month.")],
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Write the close report of one month: an HTML page and its JSON.

    Example:

        fcb report --period 2026-04
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        checked_periods(pipeline, [period])
        page = pipeline.report(period)
    if as_json:
        emit_json({"period": period, "page": str(page)})
    else:
        out().print(str(page), soft_wrap=True)
