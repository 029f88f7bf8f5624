"""`fcb post`: post reviewed drafts."""

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.months import each_month, exit_of, outcome_json
from fcb_pipelines.cli.screen import emit_json, out
from fcb_pipelines.cli.work import connections, open_pipeline


def post(
    period: options.Periods = None,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Post the reviewed drafts and settle them.

    Extracts nothing, and writes or rebuilds no draft: the drafts in the ledger are posted as they are.
    Each is read back and compared first; one that a person edited is held, the others are posted.
    Without --period, every month with drafts.

    Examples:

        fcb post --period 2026-04
        fcb post --period 2026-04 --json
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        months = tuple(period) if period else pipeline.drafted()
        outcomes = each_month(pipeline, months, pipeline.post_month)
    if as_json:
        emit_json({"months": [outcome_json(one) for one in outcomes]})
    else:
        posted = sum(outcome.posted for outcome in outcomes)
        out().print(f"{posted} posted over {len(outcomes)} months.")
    code = exit_of(outcomes)
    if code:
        raise typer.Exit(code)
