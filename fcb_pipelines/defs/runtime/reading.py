"""Assets and checks that read frames: their inputs are dependencies, read by the function's own step.

Dagster can load inputs itself. Then each is two events and a check of its type, and for the dozen inputs of
a step that is most of what a near-empty month costs.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, cast

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.defs.runtime.frame_io import FrameIOManager
from fcb_pipelines.defs.runtime.keys import MONTHLY, POST_REVIEWED

_READER = "io_manager"


def reading(
    decorator: Callable[..., Callable[[Callable[..., Any]], Any]],
    *,
    ins: Mapping[str, dg.AssetIn],
    **options: Any,
) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function as `decorator` (dg.asset, dg.multi_asset, …) does; `ins` are the frames it reads.

        @reading(dg.asset, key=keys.AGREEMENTS, partitions_def=MONTHS, ins={**month.FACTS, **month.COPIES})
        def agreements(context, **frames): ...

    The function gets each frame by its input's name, as a run of its month has it. The assets of `ins` become
    dependencies; those of a check stand in its specs. `options` are the decorator's own.
    """
    sources = {name: one.key or dg.AssetKey(name) for name, one in ins.items()}
    if decorator is not dg.multi_asset_check:
        options["deps"] = [*sources.values(), *options.get("deps", ())]
    # Dagster takes a step's resources as names or as parameters, but not some of each.
    if "required_resource_keys" in options:
        options["required_resource_keys"] = {_READER, *options["required_resource_keys"]}
        asked = []
    else:
        asked = [_parameter(_READER, cast(Any, dg.ResourceParam)[FrameIOManager])]

    def made(function: Callable[..., Any]) -> Any:
        return decorator(**options)(_with_frames(function, sources, asked))

    return made


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
    return cast(Callable[..., Any], made)


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
