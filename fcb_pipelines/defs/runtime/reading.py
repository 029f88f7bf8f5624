"""Assets and checks that read frames: their inputs are dependencies, read by the function's own step.

Dagster can load inputs itself. Then each is two events and a check of its type, and for the dozen inputs of
a step that is most of what a near-empty month costs.

Nor is each of the dozen an arrow of the graph: an asset says which it comes right after, and what it reads besides
lies further up. A run that builds both without the assets between them has no order, and is refused.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, cast

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.defs.runtime.frame_io import FrameIOManager
from fcb_pipelines.defs.runtime.keys import MONTHLY, POST_REVIEWED

_READER = "io_manager"
Graph = Mapping[dg.AssetKey, Iterable[dg.AssetKey]]


def reading(
    decorator: Callable[..., Callable[[Callable[..., Any]], Any]],
    *,
    ins: Mapping[str, dg.AssetIn],
    after: Iterable[dg.AssetKey | dg.AssetDep] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function as `decorator` (dg.asset, dg.multi_asset, …) does; `ins` are the frames it reads.

        @reading(dg.asset, key=keys.AGREEMENTS, partitions_def=MONTHS, ins={**month.FACTS, **month.COPIES},
                 after=month.PAYMENTS)
        def agreements(context, **frames): ...

    The function gets each frame by its input's name, as a run of its month has it. Its dependencies are the assets
    of `after`, above which all others of `ins` lie; without `after` those of `ins`. Those of a check stand in its
    specs. `options` are the decorator's own.
    """
    sources = {name: one.key or dg.AssetKey(name) for name, one in ins.items()}
    if decorator is not dg.multi_asset_check:
        options["deps"] = [*(sources.values() if after is None else after)]
    if decorator is dg.asset:
        told = ", ".join(sorted({key.to_user_string() for key in sources.values()}))
        options["metadata"] = {**options.get("metadata", {}), "reads": told}
    # Dagster takes a step's resources as names or as parameters, but not some of each.
    if "required_resource_keys" in options:
        options["required_resource_keys"] = {_READER, *options["required_resource_keys"]}
        asked = []
    else:
        asked = [_parameter(_READER, cast(Any, dg.ResourceParam)[FrameIOManager])]

    def made(function: Callable[..., Any]) -> Any:
        return decorator(**options)(_with_frames(function, sources, asked))

    return made


def not_above(key: dg.AssetKey, read: Iterable[dg.AssetKey], graph: Graph) -> list[dg.AssetKey]:
    """The assets among `read` that a run builds in no order with `key`; `graph` has the parents of each that it builds."""
    above: set[dg.AssetKey] = set()
    ahead = [key]
    while ahead:
        new = {*graph.get(ahead.pop(), ())} - above
        above |= new
        ahead += new
    return sorted({one for one in read if one in graph} - above, key=str)


def graph_of(job: dg.JobDefinition) -> Graph:
    """The assets that a run of this job builds, each with its parents."""
    known = job.asset_layer.asset_graph
    return {key: known.get(key).parent_keys for key in known.executable_asset_keys}


def _with_frames(
    function: Callable[..., Any],
    sources: Mapping[str, dg.AssetKey],
    asked: Sequence[inspect.Parameter],
) -> Callable[..., Any]:
    """The function with the parameters `asked` in place of its frames, which are read when it is called."""
    signature = inspect.signature(function)
    takes_context = "context" in signature.parameters
    own = [
        one
        for name, one in signature.parameters.items()
        if name not in {"context", *sources} and one.kind is not one.VAR_KEYWORD
    ]

    def called(context: Any, given: dict[str, Any]) -> Any:
        if isinstance(context, dg.AssetExecutionContext):
            _refuse_disorder(context, sources.values())
        manager = given.pop(_READER, None) or context.resources.io_manager
        period = context.partition_key if context.has_partition_key else None
        as_built = context.run.job_name == POST_REVIEWED
        frames = {
            name: _read(manager, key, period, as_built=as_built) for name, key in sources.items()
        }
        if takes_context:
            given["context"] = context
        return function(**given, **frames)

    @wraps(function)
    def with_frames(context: Any, **given: Any) -> Any:
        return called(context, given)

    @wraps(function)
    def yields_with_frames(context: Any, **given: Any) -> Iterator[Any]:
        yield from called(context, given)

    # Dagster tells a function that yields its results by what kind of function it is.
    made: Any = yields_with_frames if inspect.isgeneratorfunction(function) else with_frames
    parameters = [_parameter("context"), *asked, *own]
    made.__signature__ = signature.replace(parameters=parameters)
    made.reads = frozenset(sources.values())
    return cast(Callable[..., Any], made)


def _refuse_disorder(context: dg.AssetExecutionContext, read: Iterable[dg.AssetKey]) -> None:
    """Raise dg.Failure where this run may build later what is read now."""
    key, graph = next(iter(context.assets_def.keys)), graph_of(context.job_def)
    if found := not_above(key, read, graph):
        named = ", ".join(one.to_user_string() for one in found)
        raise dg.Failure(
            f"{key.to_user_string()} reads {named}, which this run builds, too, and nothing tells the run which of "
            "them comes first. A rerun of it will not help. Select the assets between them as well, or run the job "
            "that has them",
            allow_retries=False,
        )


def _read(
    manager: FrameIOManager, key: dg.AssetKey, period: str | None, *, as_built: bool
) -> pd.DataFrame:
    try:
        return manager.read(key, period, as_built=as_built)
    except FileNotFoundError as error:
        of = f" of {period}" if key in MONTHLY else ""
        raise NotPrepared(
            f"reading {key.to_user_string()}{of}", "it was never built", remedy="fcb sync"
        ) from error


def _parameter(name: str, annotation: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
