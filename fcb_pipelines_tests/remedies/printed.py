"""A command that a message prints, taken out of that message and run as a person would run it.

`fcb` runs a verb through the command line itself, in the environment of the test. What a sync or a post has
Dagster do is done by the same functions without Dagster's steps (`WorldPipeline`): that both come to the same is
proved elsewhere, and it is most of a sync's time.
"""

import re
import shlex
from collections.abc import Callable
from typing import Any

from typer.testing import CliRunner

from fcb_pipelines_tests.defs.world import DEFINITIONS, FUNCTIONS, Frames, World, why

# isort: split
from fcb_pipelines.cli.exits import Exit, GateStopped
from fcb_pipelines.cli.main import app
from fcb_pipelines.cli.pipeline import MonthOutcome, Pipeline
from fcb_pipelines.defs.billing.listing import ListingConfig
from fcb_pipelines.defs.ledger.posting import PostingConfig
from fcb_pipelines.defs.reconciliation.review import Review
from fcb_pipelines.defs.runtime import connections, keys
from fcb_pipelines_tests.defs.runs import Run

RUNNER = CliRunner(env={"COLUMNS": "250", "NO_COLOR": "1"})


def printed(text: object, command: str) -> str:
    """The command out of the message that prints it, where nothing else stands; `command` is a pattern."""
    found = re.search(rf"(?<![\w/-]){command}(?![\w-])", " ".join(str(text).split()))
    assert found, f"{text} names no {command}"
    return found[0]


def fcb(command: str, *, code: int | None = Exit.OK, **environment: str) -> str:
    """The output of a command as printed; it must end with this code, None: with any."""
    first, *arguments = shlex.split(command)
    assert first == "fcb"
    done = RUNNER.invoke(app, arguments, env=environment)
    assert done.exit_code == code or code is None, (
        f"{command}: {done.exit_code} {done.output[-700:]}"
    )
    return done.output


class WorldPipeline(Pipeline):
    """The pipeline of the command line over a world's functions, without Dagster's storage."""

    def __init__(self, world: World, say: Callable[[str], None]) -> None:
        """As the verbs make it."""
        self._world, self._found, self._say = world, world.found, say
        self._frames = connections.frames(world.found)
        self._decisions = connections.decisions(world.found)

    def extract(self, *, full: bool = False) -> None:
        """Raises GateStopped with what the steps that failed said."""
        job = DEFINITIONS.resolve_job_def("extract")
        self._checked(FUNCTIONS.run(job, Frames(self._frames), config=ListingConfig(full=full)))

    def run_month(self, period: str, *, post: bool | None) -> MonthOutcome:
        """One month, as `fcb sync` has it built."""
        return self._became(period, self._world.month(period, post=post))

    def _posted(self, period: str, config: PostingConfig) -> MonthOutcome:
        """The month's drafts posted, as `fcb post` has it."""
        run = self._world.run(keys.POST_REVIEWED, period, **config.model_dump())
        return self._became(period, run)

    def completeness(self) -> bool:
        """The proof over all months."""
        return self._world.prove().success

    def report(self, period: str) -> Any:
        """The report of a month, written anew."""
        self._checked(self._world.run("close_report", period))
        return connections.reports(self._found) / f"{period}.html"

    @property
    def review(self) -> Review:
        """The drafts of all months."""
        return Review(frames=self._frames, decisions=self._decisions)

    def _checked(self, run: Run) -> None:
        if not run.success:
            said = [str(each.description) for each in run.checks if not each.passed]
            raise GateStopped((), "; ".join(said or why(run)))

    def _became(self, period: str, run: Run) -> MonthOutcome:
        if not run.success:
            self._say("; ".join(why(run)))
        facts = run.metadata
        return MonthOutcome(
            period=period,
            ok=run.success,
            failed_gates=(),
            written=int(facts.get(keys.DRAFT_MOVES, {}).get("created", 0)),
            posted=int(facts.get(keys.POSTED_MOVES, {}).get("posted", 0)),
            settled=int(facts.get(keys.SETTLEMENTS, {}).get("settled", 0)),
        )
