"""`fcb post`: post reviewed drafts."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.months import each_month, exit_of, outcome_json
from fcb_pipelines.cli.review import approval_text, called
from fcb_pipelines.cli.screen import emit_json, out
from fcb_pipelines.cli.work import connections, open_pipeline, user_name
from fcb_pipelines.config import settings
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.core.close.review import DraftRow

if TYPE_CHECKING:
    from fcb_pipelines.cli.pipeline import MonthOutcome


def post(
    period: options.Periods = None,
    approved: Annotated[
        bool,
        typer.Option("--approved", help="Only those that somebody approved with `fcb review`."),
    ] = False,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Post the reviewed drafts and settle them.

    Extracts nothing, and writes or rebuilds no draft: the drafts in the ledger are posted as they are.
    Each is read back and compared first; one that a person edited is held, the others are posted.
    Without --period, every month with drafts.

    With --approved, exactly the drafts that `fcb review --approve` approved; one that changed since is not posted
    but named (exit code 1). Without, all drafts, and the count of those that nobody had approved. Where the
    configuration says `posting: second_person`, only with --approved, and only what another person than you approved.

    Examples:

        fcb post --period 2026-04
        fcb post --approved
        fcb post --period 2026-04 --json
    """
    with connections(dataset, ledger, quiet=as_json) as found:
        # One person alone posts nothing: who posts can't be the only one who approved.
        poster = user_name() if settings.current().posting == "second_person" else None
        if poster and not approved:
            raise ConfigError(
                "posting: second_person posts what another person approved: fcb post --approved"
            )
        pipeline = open_pipeline(found)
        months = tuple(period) if period else pipeline.drafted()
        run = partial(pipeline.post_approved, but=poster) if approved else pipeline.post_month
        outcomes = each_month(pipeline, months, run)
    left = [row for outcome in outcomes for row in outcome.left]
    if as_json:
        emit_json({"months": [_json(one) for one in outcomes]})
    else:
        for row in left:
            out().print(f"{called(row)} is not posted: {_why(row, poster)}.", soft_wrap=True)
        posted = sum(outcome.posted for outcome in outcomes)
        unapproved = sum(outcome.unapproved for outcome in outcomes)
        nobodys = f" Nobody had approved {unapproved} of them." if unapproved else ""
        out().print(f"{posted} posted over {len(outcomes)} months.{nobodys}")
    code = max(exit_of(outcomes), Exit.DIFFERENCE if left else Exit.OK)
    if code:
        raise typer.Exit(code)


def _why(row: DraftRow, poster: str | None) -> str:
    told = approval_text(row)
    holds = row["approval"] is not None and row["approval"]["holds"]
    if holds and row["approval"] and row["approval"]["by"] == poster:
        return (
            f"approved by {poster} alone, who posts: another person has to approve it, or to post"
        )
    return f"approved ({told}), but still a draft in the ledger" if holds else told


def _json(outcome: "MonthOutcome") -> dict[str, Any]:
    return {
        **outcome_json(outcome),
        "unapproved": outcome.unapproved,
        "approved_not_posted": [row["ref"] for row in outcome.left],
    }
