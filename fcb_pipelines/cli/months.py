"""Runs of several months, one after another, with the outcome of each."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.screen import err, marked, show_failure
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import Failure

if TYPE_CHECKING:
    from fcb_pipelines.cli.pipeline import MonthOutcome, Pipeline


def run_months(
    pipeline: "Pipeline", periods: Iterable[str], *, post: bool | None
) -> list["MonthOutcome"]:
    """Build each month. One that a gate stops is shown, and the others go on.

    A month that a later one changed (its credit note, its receipt) is built once more. `post` true
    posts, false leaves drafts, None follows the configuration. Raises ConfigError for a period that
    the pipeline does not have.
    """

    def run(period: str) -> "MonthOutcome":
        return pipeline.run_month(period, post=post)

    outcomes = {outcome.period: outcome for outcome in each_month(pipeline, periods, run)}
    # Where nothing was written there is no need to read the whole ledger for it.
    changed = any(outcome.may_touch_others for outcome in outcomes.values())
    for again in each_month(pipeline, pipeline.touched() if changed else (), run):
        first = outcomes.get(again.period)
        written, posted = (first.written, first.posted) if first else (0, 0)
        outcomes[again.period] = replace(
            again, written=written + again.written, posted=posted + again.posted
        )
    return list(outcomes.values())


def each_month(
    pipeline: "Pipeline", periods: Iterable[str], run: Callable[[str], "MonthOutcome"]
) -> list["MonthOutcome"]:
    """Run each month in order, with progress. Raises ConfigError for an unknown period."""
    wanted = checked_periods(pipeline, periods)
    outcomes: list[MonthOutcome] = []
    if not wanted:
        return outcomes
    columns = (
        TextColumn("· {task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as progress:
        task = progress.add_task("months", total=len(wanted))
        for period in wanted:
            progress.update(task, description=period)
            outcome = run(period)
            outcomes.append(outcome)
            progress.advance(task)
            progress.console.print(_line(outcome))
    return outcomes


def checked_periods(pipeline: "Pipeline", periods: Iterable[str]) -> tuple[str, ...]:
    """These periods, each once, in order. Raises ConfigError naming the first unknown one."""
    wanted = tuple(sorted(set(periods)))
    ours = pipeline.periods()
    for period in wanted:
        if not re.fullmatch(r"\d{4}-\d{2}", period) or period not in ours:
            span = f"{ours[0]} to {ours[-1]}" if ours else "none"
            raise ConfigError(f"--period {period} is no period of this company ({span})")
    return wanted


def outcome_json(outcome: "MonthOutcome") -> dict[str, Any]:
    """One month's outcome as plain JSON values."""
    return {
        "period": outcome.period,
        "ok": outcome.ok,
        "failed_gates": list(outcome.failed_gates),
        "written": outcome.written,
        "posted": outcome.posted,
        "failure": str(outcome.failure) if outcome.failure else None,
    }


def exit_of(outcomes: Iterable["MonthOutcome"]) -> Exit:
    """The exit code of these months. What came back from outside is shown, the same of several months once."""
    alike: dict[tuple[type[Failure], str, str | None], list[str]] = {}
    failed = False
    for one in outcomes:
        failed = failed or not one.ok
        if one.failure is not None:
            key = type(one.failure), one.failure.came_back, one.failure.remedy
            alike.setdefault(key, []).append(one.period)
    for (kind, came_back, remedy), periods in alike.items():
        show_failure(kind(f"building {', '.join(periods)}", came_back, remedy=remedy))
    if alike:
        return Exit.CONNECTION
    return Exit.DIFFERENCE if failed else Exit.OK


def _line(outcome: "MonthOutcome") -> Text:
    if outcome.ok:
        counts = f"{outcome.period}  written {outcome.written}, posted {outcome.posted}"
        return marked("✓", "green", counts)
    if not outcome.failed_gates:
        return marked("✗", "bold red", f"{outcome.period}  the run failed")
    return marked(
        "✗", "bold red", f"{outcome.period}  stopped by {', '.join(outcome.failed_gates)}"
    )
