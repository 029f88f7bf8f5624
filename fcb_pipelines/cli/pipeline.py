"""The pipeline in this process: the same jobs that the daemon runs, month by month."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import dagster as dg
from dagster._core.utils import make_new_run_id

from fcb_pipelines.cli.exits import GateStopped
from fcb_pipelines.cli.foreground import until_stopped
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors import failures
from fcb_pipelines.connectors.failures import Failure, TransientFailure
from fcb_pipelines.connectors.stopping import Stopped, stop_if_asked
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.review import DraftRow
from fcb_pipelines.core.close.shapes import StatusJson
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.defs.automation.window import touched_months, window
from fcb_pipelines.defs.billing.listing import ListingConfig
from fcb_pipelines.defs.ledger.correcting import CorrectionConfig
from fcb_pipelines.defs.ledger.posting import PostingConfig, posting
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.reconciliation.queue import Queue
from fcb_pipelines.defs.reconciliation.review import Review
from fcb_pipelines.defs.runtime import connections, keys
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.instance.dead_runs import end_dead_runs
from fcb_pipelines.instance.storage import open_instance
from fcb_pipelines.instance.waiting import SaidWaits, Waiting, listening

# Dagster's page lists a job's runs by this label, which it gives to those that it launches itself.
_OF_THIS_LOCATION = {".dagster/repository": "__repository__@fcb_pipelines"}
_SILENT = "it failed without saying why"
_FAILURES = failures.__name__
_KNOWN = {
    name: kind
    for name, kind in vars(failures).items()
    if isinstance(kind, type) and issubclass(kind, Failure)
}
_TRANSIENT = frozenset(name for name, kind in _KNOWN.items() if issubclass(kind, TransientFailure))


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOutcome:
    """The outcome of one month's run; `written` and `posted` count documents, `settled` settlements.

    `failure` is what came back from outside where that alone made the run fail. Of a run that posts reviewed
    drafts, `unapproved` counts the posted documents that nobody had approved, and `left` are the approved drafts
    that it did not post.
    """

    period: str
    ok: bool
    failed_gates: tuple[str, ...]
    written: int
    posted: int
    settled: int
    failure: Failure | None = None
    unapproved: int = 0
    left: tuple[DraftRow, ...] = ()

    @property
    def may_touch_others(self) -> bool:
        """Whether the ledger may have changed, and with it a record of another month."""
        return not self.ok or self.written + self.posted + self.settled > 0


class Pipeline:
    """Runs the project's jobs in process against the connections of the environment.

    `say` is called with each line of progress, as text.
    """

    def __init__(self, found: Environment, *, say: Callable[[str], None]) -> None:
        self._found = found
        self._say = say
        self._frames = connections.frames(found)
        self._decisions = connections.decisions(found)
        self._instance = open_instance()
        self._waits = SaidWaits(say=say)
        for ended in end_dead_runs(self._instance):
            say(
                f"{ended} was killed and is on record as failed; its place in the queue is free again"
            )

    def extract(self, *, full: bool = False) -> None:
        """Read one snapshot and every index; `full`: each by its source's full list.

        Raises the Failure of a source, or GateStopped.
        """
        *others, last = (name.capitalize() for name in keys.SOURCES)
        self._say(f"extracting NexaCloud, {', '.join(others)} and {last}")
        indexes = {name: keys.source_key(name, "index") for name in keys.SOURCES}
        listing = {key.to_python_identifier(): ListingConfig(full=full) for key in indexes.values()}
        result = self._run("extract", None, listing if full else None)
        for name, key in indexes.items():
            for how in _told(result, key, "how"):
                self._say(f"{name.capitalize()}: {how}")
        if not result.success:
            self._raise(result)

    def window(self) -> tuple[str, ...]:
        """The months that the daily sync would rebuild now."""
        log = connections.read_back_log(self._found)
        return until_stopped(lambda: window(self._frames, self._ledger, log, self._decisions))

    def touched(self) -> tuple[str, ...]:
        """The months that another month's run changed in the ledger after they were built."""
        return until_stopped(lambda: touched_months(self._frames, self._ledger))

    def periods(self) -> tuple[str, ...]:
        """Every period, oldest first."""
        return periods()

    def drafted(self) -> tuple[str, ...]:
        """The periods with drafts to review."""
        proof = FrameReport(self._frames)
        built = {period: proof.month(period) for period in periods()}
        return tuple(
            period
            for period, month in built.items()
            if month and any(move.state is MoveState.DRAFT for move in month.moves.values())
        )

    def run_month(self, period: str, *, post: bool | None) -> MonthOutcome:
        """Build one month; `post` true posts, false leaves drafts, None as configured."""
        ops = posting(PostingConfig(post=post))
        return self._outcome(period, self._run("month", period, ops))

    def post_month(self, period: str) -> MonthOutcome:
        """Post the month's drafts as they were built, without extracting or rebuilding."""
        return self._posted(period, PostingConfig(post=True))

    def post_approved(self, period: str, *, but: str | None = None) -> MonthOutcome:
        """The same, of the drafts alone that somebody `but` this person approved and that did not change since.

        Without any nothing runs: a run that posts writes the month's cash and settlements, too.
        """
        approved = self.review.approved(period, but=but)
        if approved:
            outcome = self._posted(period, PostingConfig(post=True, approved=approved))
        else:
            outcome = MonthOutcome(
                period=period, ok=True, failed_gates=(), written=0, posted=0, settled=0
            )
        return replace(outcome, left=self.review.left(period))

    def correct(self, refs: Sequence[str], *, write: bool) -> dict[str, dict[str, Any]]:
        """The correction of each posted document by ref; with `write` it is written, too.

        `why` is the correction as text; `now` and `after` are the document's figures in the books, in
        minor units, before and after it.
        """
        config = CorrectionConfig(refs=list(refs), dry_run=not write)
        result = self._run("correct_posted", None, {"correct_documents": config})
        if not result.success:
            self._raise(result)
        plan: Any
        outlook: Any
        ((plan, outlook),) = (
            (facts["plan"].value, facts["outlook"].value)
            for event in result.all_node_events
            if event.is_successful_output and "plan" in (facts := event.step_output_data.metadata)
        )
        return {str(ref): {"why": str(plan[ref]), **outlook[ref]} for ref in plan}

    def completeness(self) -> bool:
        """Run the proof over all months; return whether it holds."""
        return self._run("prove").success

    def status(self, period: str | None = None) -> StatusJson:
        """The status JSON of the last builds, of all periods or of one."""
        return FrameReport(self._frames, self._decisions.all()).status(period)

    @property
    def review(self) -> Review:
        """The drafts of all months, and which of them people approved."""
        return Review(frames=self._frames, decisions=self._decisions)

    @property
    def queue(self) -> Queue:
        """The exceptions of all months, and what people decided about them."""
        return Queue(frames=self._frames, decisions=self._decisions)

    def report(self, period: str) -> Place:
        """The page of a month's close report, written anew from its frames where it was built."""
        page = connections.reports(self._found) / f"{period}.html"
        if self._frames.read(keys.SETTLEMENTS.path, period) is not None:
            result = self._run("close_report", period)
            if not result.success:
                self._raise(result)
        return page

    @cached_property
    def _ledger(self) -> Any:
        return connections.kept_ledger(self._found, current())

    @cached_property
    def _definitions(self) -> dg.Definitions:
        from fcb_pipelines.definitions import defs

        return defs()

    def _run(
        self, job: str, period: str | None = None, ops: Mapping[str, dg.Config] | None = None
    ) -> dg.ExecuteInProcessResult:
        config = dg.RunConfig(
            ops=dict(ops or {}),
            # `say` shows progress; the run's own log is in Dagster's storage.
            loggers={"console": {"config": {"log_level": "CRITICAL"}}},
        )
        run_id = make_new_run_id()

        def execute() -> dg.ExecuteInProcessResult:
            return self._definitions.resolve_job_def(job).execute_in_process(
                instance=self._instance,
                partition_key=period,
                run_config=config,
                raise_on_error=False,
                run_id=run_id,
                tags=_OF_THIS_LOCATION,
            )

        def cancel() -> None:
            run = self._instance.get_run_by_id(run_id)
            # Dagster ends a run that is interrupted as canceled where that was asked for, else as failed.
            if run is not None and not run.is_finished:
                self._instance.report_run_canceling(run, "stopped at the command line")

        try:
            with listening(self._waits_for_a_pool):
                return until_stopped(execute, cancel)
        except Stopped:
            self._instance.event_log_storage.free_concurrency_slots_for_run(run_id)
            raise

    def _waits_for_a_pool(self, waiting: Waiting) -> None:
        self._waits(waiting)
        stop_if_asked()

    def _posted(self, period: str, config: PostingConfig) -> MonthOutcome:
        outcome = self._outcome(period, self._run(keys.POST_REVIEWED, period, posting(config)))
        nobodys = self.review.unapproved(period) if outcome.posted else ()
        return replace(outcome, unapproved=len(nobodys))

    def _outcome(self, period: str, result: dg.ExecuteInProcessResult) -> MonthOutcome:
        gates = _failed_gates(result)
        failure = None if result.success or gates else _failure(result, tried=f"building {period}")
        if failure is not None and not all(one.kind in _KNOWN for one in _errors(result)):
            # A fault of ours, and none of the outside.
            self._say(str(failure))
            failure = None
        return MonthOutcome(
            period=period,
            ok=result.success and not gates,
            failed_gates=gates,
            written=_count(result, keys.DRAFT_MOVES, "created", "rebuilt"),
            posted=_count(result, keys.POSTED_MOVES, "posted"),
            settled=_count(result, keys.SETTLEMENTS, "settled"),
            failure=failure,
        )

    def _raise(self, result: dg.ExecuteInProcessResult) -> None:
        for event in result.all_events:
            if event.is_step_failure:
                error = event.step_failure_data.user_failure_data
                if error is not None:
                    raise GateStopped(_failed_gates(result), str(error.description))
        gates = _failed_gates(result)
        if gates:
            detail = "; ".join(
                f"{check.check_name}: {check.description}"
                for check in result.get_asset_check_evaluations()
                if not check.passed
            )
            raise GateStopped(gates, detail)
        raise _failure(result)


def _failed_gates(result: dg.ExecuteInProcessResult) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            check.check_name
            for check in result.get_asset_check_evaluations()
            if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepError:
    """What a failed step raised: the name of its class, what it said, and what mends it."""

    kind: str
    said: str
    remedy: str | None


def _failure(result: dg.ExecuteInProcessResult, tried: str = "running the job") -> Failure:
    """Why a run failed; a rerun helps where it helps each of the steps that did."""
    errors = _errors(result)
    passing = bool(errors) and all(error.kind in _TRANSIENT for error in errors)
    messages = "; ".join(error.said for error in errors) or _SILENT
    remedies = dict.fromkeys(error.remedy for error in errors if error.remedy)
    kind = TransientFailure if passing else Failure
    return kind(tried, messages, remedy="; ".join(remedies) or None)


def _errors(result: dg.ExecuteInProcessResult) -> list[StepError]:
    found = []
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error.cause or event.step_failure_data.error
            said, _, remedy = error.message.strip().partition(" Mend it with: ")
            # One of ours says by its class whether a rerun helps; its name is of no use to a person.
            said = said.removeprefix(f"{_FAILURES}.{error.cls_name}: ")
            said = said.removesuffix(" A rerun may help.").removesuffix(
                " A rerun alone will not help."
            )
            found.append(
                StepError(
                    kind=error.cls_name or "", said=said.removesuffix("."), remedy=remedy or None
                )
            )
    return found


def _count(result: dg.ExecuteInProcessResult, key: dg.AssetKey, *facts: str) -> int:
    return sum(int(each) for each in _told(result, key, *facts))


def _told(result: dg.ExecuteInProcessResult, key: dg.AssetKey, *facts: str) -> list[Any]:
    """These facts of an asset's metadata, as far as it was built."""
    found: Mapping[str, Any] = {}
    for event in result.get_asset_materialization_events():
        if event.asset_key == key:
            found = event.materialization.metadata
    return [found[fact].value for fact in facts if fact in found]
