"""`fcb report`: the close report of a month, and whether one is still as it was signed."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.months import checked_periods
from fcb_pipelines.cli.screen import emit_json, out
from fcb_pipelines.cli.work import connections, open_pipeline
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.core.close.report import digest_of


def report(
    period: Annotated[
        str | None, typer.Option("--period", metavar="YYYY-MM", help="The month.")
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option("--verify", metavar="FILE.json", help="Tell whether a report was changed."),
    ] = None,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Write the close report of one month (an HTML page and its JSON), or verify one that was signed.

    A report carries the digest of its own data, which its page shows beside the signatures. Exit code 1
    where a verified report does not match its digest.

    Examples:

        fcb report --period 2026-04
        fcb report --verify reports/2026-04.json
    """
    if (period is None) == (verify is None):
        raise ConfigError("`fcb report` takes either --period YYYY-MM or --verify FILE.json")
    if verify is not None:
        _verify(verify, as_json=as_json)
        return
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        checked_periods(pipeline, [str(period)])
        page = pipeline.report(str(period))
    if as_json:
        emit_json({"period": period, "page": str(page)})
    else:
        out().print(str(page), soft_wrap=True)


def _verify(file: Path, *, as_json: bool) -> None:
    try:
        report = json.loads(file.read_text("utf-8"))
        carried, found = str(report["generated_from"]["digest"]), digest_of(report)
    except OSError as error:
        raise ConfigError(f"reading {file}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        told = f"{file} is no close report with a digest: `fcb report --period YYYY-MM` writes one"
        raise ConfigError(told) from error
    if as_json:
        emit_json({"file": str(file), "unchanged": carried == found, "digest": carried})
    elif carried == found:
        out().print(f"{file} is as it was made: digest {carried}", soft_wrap=True, markup=False)
    else:
        told = f"{file} was changed: it carries the digest {carried}, and its data has {found}"
        out().print(told, soft_wrap=True, markup=False)
    if carried != found:
        raise typer.Exit(Exit.DIFFERENCE)
