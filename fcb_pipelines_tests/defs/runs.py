"""One run of a job: through Dagster, or on the job's own functions without Dagster's steps.

What a step costs beside its function (events, versions of inputs, types) is most of a run's time, so a
scenario runs on the functions alone. Their order, inputs and partitions, and what blocks whom, are
those of the job that Dagster resolved: a node that fails, or whose check blocks, keeps everything
behind it from running. A test of test_whole_graph proves that both ways come to the same.
"""

import inspect
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import FrameStore, write_frame
from fcb_pipelines.defs.runtime.frame_io import FrameIOManager

Checked = dg.AssetCheckEvaluation | dg.AssetCheckResult
Metadata = dict[dg.AssetKey, dict[str, Any]]

_LOG = logging.getLogger(__name__)
_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of a run: failures as `step: message`, its checks, the frames' metadata by key.

    `dagster` is Dagster's own record of it, if there is one.
    """

    success: bool
    failures: tuple[str, ...]
    checks: tuple[Checked, ...]
    metadata: Metadata
    dagster: dg.DagsterRun | None = None


def through_dagster(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    period: str | None = None,
    ops: Mapping[str, dg.Config] | None = None,
) -> Run:
    """The job as Dagster runs it, in this process; `ops` is configuration by step."""
    result = job.execute_in_process(
        instance=instance,
        partition_key=period,
        run_config=dg.RunConfig(ops=dict(ops or {}), loggers=_QUIET),
        raise_on_error=False,
    )
    return Run(
        success=result.success,
        failures=failures(result),
        checks=tuple(result.get_asset_check_evaluations()),
        metadata={
            event.asset_key: {
                name: told.value for name, told in event.materialization.metadata.items()
            }
            for event in result.get_asset_materialization_events()
            if event.asset_key
        },
        dagster=result.dagster_run,
    )


def failures(result: dg.ExecuteInProcessResult) -> tuple[str, ...]:
    """What the steps that failed said, as `step: message`."""
    told = []
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            told.append(f"{event.step_key}: {(error.cause or error).message.strip()}")
    return tuple(told)


@dataclass(slots=True)
class Frames:
    """The frames of one home, written as the IO manager does, and the one that reads what is unchanged once."""

    store: FrameStore
    manager: FrameIOManager = field(init=False)

    def __post_init__(self) -> None:
        """The project's own IO manager, which asks nothing of Dagster but a context."""
        self.manager = FrameIOManager(self.store.root)

    def write(self, frame: pd.DataFrame, key: dg.AssetKey, period: str | None) -> None:
        """Whole or not at all."""
        write_frame(frame, self.store.path(key.path, period))


@dataclass(slots=True)
class Functions:
    """The functions of all assets and checks, and the resources that they ask for."""

    definitions: dg.Definitions
    _of: dict[str, dg.AssetsDefinition] = field(init=False)
    _partitioned: set[dg.AssetKey] = field(init=False)
    _job: dg.JobDefinition | None = None

    def __post_init__(self) -> None:
        """Every definition by its node's name."""
        every = (*(self.definitions.assets or ()), *(self.definitions.asset_checks or ()))
        known = [one for one in every if isinstance(one, dg.AssetsDefinition)]
        self._of = {one.node_def.name: one for one in known}
        self._partitioned = {key for one in known if one.partitions_def for key in one.keys}

    def run(
        self,
        job: dg.JobDefinition,
        frames: Frames,
        period: str | None = None,
        config: dg.Config | None = None,
        lent: Mapping[str, Any] | None = None,
    ) -> Run:
        """The job's functions one after the other; `config` is for the step that takes one of its kind.

        `lent` are resources in place of the project's own.
        """
        given = {
            **(self.definitions.resources or {}),
            "io_manager": frames.manager,
            "config": config,
            **(lent or {}),
        }
        self._job = job
        waits_for = {
            node.alias or node.name: {
                each.node for one in inputs.values() for each in one.get_node_dependencies()
            }
            for node, inputs in job.graph.dependencies.items()
        }
        failed: list[str] = []
        left_out: set[str] = set()
        checks: list[Checked] = []
        metadata: Metadata = {}
        for name in [node.name for node in job.nodes_in_topological_order]:
            if waits_for.get(name, set()) & left_out:
                left_out.add(name)
                continue
            try:
                self._step(name, frames, period, given, checks, metadata)
            except Exception as error:
                told = getattr(error, "description", None) or str(error)
                failed.append(f"{name}: {type(error).__name__}: {told}")
                left_out.add(name)
        return Run(
            success=not failed,
            failures=tuple(failed),
            checks=tuple(checks),
            metadata=metadata,
        )

    def _step(
        self,
        name: str,
        frames: Frames,
        period: str | None,
        given: Mapping[str, Any],
        checks: list[Checked],
        metadata: Metadata,
    ) -> None:
        """One asset or check. Raises what it raises, and dg.Failure where a check of it blocks."""
        of, blocked = self._of[name], []
        for one in self._call(of, frames, period, given):
            if isinstance(one, dg.AssetCheckResult):
                checks.append(one)
                spec = next(spec for spec in of.check_specs if spec.name == one.check_name)
                stops = one.severity is dg.AssetCheckSeverity.ERROR and spec.blocking
                blocked += [one.check_name] if stops and not one.passed else []
                continue
            named = one.output_name if isinstance(one, dg.Output) else None
            key = of.keys_by_output_name[named] if named else (one.asset_key or of.key)
            frames.write(one.value, key, self._partition(key, period))
            metadata[key] = {
                fact: getattr(told, "value", told) for fact, told in (one.metadata or {}).items()
            }
        if blocked:
            raise dg.Failure(f"blocked by {', '.join(blocked)}")

    def _call(
        self,
        of: dg.AssetsDefinition,
        frames: Frames,
        period: str | None,
        given: Mapping[str, Any],
    ) -> Iterable[Any]:
        function = of.op.compute_fn.decorated_fn  # type: ignore[union-attr]
        context = SimpleNamespace(
            partition_key=period,
            has_partition_key=period is not None,
            job_def=self._job,
            op_execution_context=SimpleNamespace(log_event=_LOG.debug),
            run=dg.DagsterRun(job_name=self._job.name if self._job else "", run_id="functions"),
            log=_LOG,
            resources=SimpleNamespace(**given),
        )
        given = {**given, "context": context}
        asked = inspect.signature(function).parameters
        if "config" in asked and not isinstance(given["config"], asked["config"].annotation):
            given["config"] = asked["config"].annotation()
        result = function(**{name: given[name] for name in asked if name in given})
        return (
            [result] if isinstance(result, dg.MaterializeResult | dg.AssetCheckResult) else result
        )

    def _partition(self, key: dg.AssetKey, period: str | None) -> str | None:
        return period if key in self._partitioned else None
