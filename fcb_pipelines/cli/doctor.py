"""`fcb doctor`: a check of every connection, with the command that mends each fault."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.screen import OUTCOMES, emit_json, out, say, table
from fcb_pipelines.cli.storage import lost_storage
from fcb_pipelines.cli.work import connections

if TYPE_CHECKING:
    from fcb_pipelines.cli.findings import Finding


def doctor(
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="End the runs that hang, and free their places.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Check every connection: rights, versions, row counts, missing parts, runs that hang.

    Reads only, without --fix. That puts each run whose process is gone on record as failed. Where a run
    of an earlier version has no sign of life by which to know, be sure that it is dead. Exit code 2 when
    something is not configured, 3 when a connection fails or is not ready; each row names the command that
    mends it.

    Examples:

        fcb doctor
        fcb doctor --dataset nexa-2026-05 --json
        fcb doctor --fix
    """
    from fcb_pipelines.cli import checkups

    with connections(dataset, ledger, quiet=as_json) as found:
        if fix:
            _end_hanging_runs()
        findings = checkups.all_of(found)
    if as_json:
        emit_json([asdict(finding) for finding in findings])
    else:
        out().print(_as_table(findings))
    raise typer.Exit(_exit(findings))


def _end_hanging_runs() -> None:
    """End them; where Dagster's Postgres does not answer, its row says so."""
    import dagster as dg

    from fcb_pipelines.instance.dead_runs import end_hanging_runs

    try:
        with dg.DagsterInstance.get() as instance:
            for ended in end_hanging_runs(instance):
                say(f"{ended} is on record as failed, its places are free: {ended.why}")
    except Exception as error:
        if lost_storage(error) is None:
            raise


def _as_table(findings: Sequence["Finding"]) -> Table:
    made = table("Connections", "of", "what", "", "found", "mend it with")
    for group, rows in _grouped(findings).items():
        made.add_section()
        for number, row in enumerate(rows):
            named = "" if number else group
            made.add_row(named, row.what, OUTCOMES[row.outcome], row.detail, row.remedy or "")
    return made


def _grouped(findings: Sequence["Finding"]) -> dict[str, list["Finding"]]:
    """The findings by group, each group where its first one is."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.group or "", []).append(finding)
    return found


def _exit(findings: Sequence["Finding"]) -> Exit:
    failed = {finding.kind for finding in findings if finding.outcome == "fail"}
    if "connection" in failed:
        return Exit.CONNECTION
    return Exit.USAGE if failed else Exit.OK
