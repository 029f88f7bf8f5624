"""What a month costs against the history behind it, and a sync in which nothing changed.

    python -m benchmarks.history [--invoices 2000] [--months 24] [--json]

The same number of invoices a month and the same customers, once alone and once as the last of so many months: each dataset is
generated and extracted into the embedded books, and its last month is built twice, first into books without
it. With all months built and proved ("all closed", without the second build), a sync follows that finds nothing
new, by its parts. Beside them stand two jobs that do nothing: the
month's own assets and checks with empty functions, and a chain of as many empty steps. A figure is CPU
seconds (user + sys) of the process and of Postgres.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from benchmarks.apart import apart, customers_of
from benchmarks.measure import Clock, measured, own, tree

if TYPE_CHECKING:
    from fcb_pipelines.cli.pipeline import MonthOutcome, Pipeline

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
EMPTY = ("empty assets", "empty steps")
SYNC = ("no-change extract", "no-change window", "no-change months", "no-change proof")
MEASURED = ("extract", "month", "month again", "all closed", *SYNC, *EMPTY)


def measure(invoices: int, months: int) -> dict[str, dict[str, float]]:
    """CPU seconds by what was done, of `one month` alone and `with history`."""
    # The same month: a company with a history has its customers in one month too.
    few, everyone = max(1, invoices // months), customers_of(invoices)
    alone = apart("benchmarks.history", invoices=few, months=1, customers=everyone)
    behind = apart("benchmarks.history", invoices=invoices, months=months)
    return {"one month": alone, "with history": behind}


def table(found: dict[str, dict[str, float]]) -> str:
    """The figures as text; the last column is the ratio of the second to the first."""
    lines = [f"{'':16}{'one month':>12}{'with history':>14}{'ratio':>8}"]
    for name in MEASURED:
        alone, behind = found["one month"][name], found["with history"][name]
        lines.append(f"{name:16}{alone:>12.2f}{behind:>14.2f}{behind / alone:>8.2f}")
    behind = found["with history"]
    again = {
        "month again": behind["month again"],
        "no-change sync": sum(behind[part] for part in SYNC),
    }
    lines += [
        f"{name}: {cost / behind[empty]:.1f} times {empty}"
        for name, cost in again.items()
        for empty in EMPTY
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--invoices", type=int, default=2000, help="over all months (2000)")
    parser.add_argument("--months", type=int, default=24, help="months of history (24)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.of:
        print(json.dumps(_one(Path(given.of))))
        return
    found = measure(given.invoices, given.months)
    print(json.dumps(found) if given.json else table(found))


def _one(data: Path) -> dict[str, float]:
    # Imported once FCB_HOME is set: a process has one dataset's months.
    from fcb_pipelines.cli.work import open_pipeline, prepare_ledger, working_in
    from fcb_pipelines.instance.storage import open_instance
    from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
    from fcb_pipelines.sandbox.session import Sandbox, open_dataset

    home = Path(os.environ["FCB_HOME"])
    dataset = open_dataset(str(data), home)
    with Sandbox(dataset, home).running() as lent, working_in(lent, quiet=True) as found:
        prepare_ledger(found, dataset)
        pipeline = open_pipeline(found)
        server = EmbeddedPostgres(home).pid
        if server is None:
            sys.exit("the embedded Postgres does not run")
        parts: dict[str, Clock] = {"python": own, "postgres": tree(server)}
        figures = {}
        *earlier, last = pipeline.periods()
        with measured(parts) as used:
            pipeline.extract()
        figures["extract"] = used.total
        for name in ("month", "month again"):
            with measured(parts) as used:
                _build(pipeline, last)
            figures[name] = used.total
        with measured(parts) as used:
            for period in earlier:
                _build(pipeline, period)
            _prove(pipeline)
        figures["all closed"] = figures["extract"] + figures["month"] + used.total
        # The first sync builds again what was changed by a month after its own build.
        _sync(pipeline, parts)
        figures |= _sync(pipeline, parts)
        instance = open_instance()
        empty = {"empty assets": _empty_assets(), "empty steps": _empty_steps(_steps_of_a_month())}
        for name, job in empty.items():
            partition = last if name == "empty assets" else None
            with measured(parts) as used:
                job.execute_in_process(
                    instance=instance, run_config=_QUIET, partition_key=partition
                )
            figures[name] = used.total
        return figures


def _build(pipeline: "Pipeline", period: str) -> "MonthOutcome":
    outcome = pipeline.run_month(period, post=True)
    if not outcome.ok:
        sys.exit(f"{period}: {outcome}")
    return outcome


def _prove(pipeline: "Pipeline") -> None:
    if not pipeline.completeness():
        sys.exit("the proof failed")


def _sync(pipeline: "Pipeline", parts: dict[str, Clock]) -> dict[str, float]:
    """What `fcb sync` does: the CPU seconds of each of its parts."""
    with measured(parts) as extract:
        pipeline.extract()
    with measured(parts) as chosen:
        window = pipeline.window()
    with measured(parts) as months:
        outcomes = [_build(pipeline, period) for period in window]
        if any(outcome.may_touch_others for outcome in outcomes):
            for period in pipeline.touched():
                _build(pipeline, period)
    with measured(parts) as proof:
        _prove(pipeline)
    return dict(zip(SYNC, (each.total for each in (extract, chosen, months, proof)), strict=True))


def _steps_of_a_month() -> int:
    from fcb_pipelines.definitions import defs

    return len(defs().resolve_job_def("month").nodes_in_topological_order)


def _empty_assets() -> dg.JobDefinition:
    """The job of the same assets and checks, in the same order, whose functions do nothing."""
    from fcb_pipelines.definitions import defs
    from fcb_pipelines.defs.runtime.partitions import MONTHS

    known = defs()
    wanted = known.resolve_job_def("month").asset_layer.executable_asset_keys
    assets = [
        _empty_asset(spec, MONTHS)
        for one in known.assets or ()
        if isinstance(one, dg.AssetsDefinition)
        for spec in one.specs
        if spec.key in wanted
    ]
    checks = [
        _empty_checks(one.node_def.name, [*one.check_specs])
        for one in known.asset_checks or ()
        if isinstance(one, dg.AssetChecksDefinition) and {*one.check_keys}
        if {key.asset_key for key in one.check_keys} <= wanted
    ]
    selection = dg.AssetSelection.assets(*(one.key for one in assets))
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[dg.define_asset_job("empty_assets", selection)],
        executor=dg.in_process_executor,
    ).resolve_job_def("empty_assets")


def _apart_from_ours(key: dg.AssetKey) -> dg.AssetKey:
    return dg.AssetKey(["empty", *key.path])


def _empty_asset(spec: dg.AssetSpec, months: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=_apart_from_ours(spec.key),
        deps=[_apart_from_ours(one.asset_key) for one in spec.deps],
        partitions_def=months,
    )
    def nothing() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": 0})

    return nothing


def _empty_checks(name: str, specs: list[dg.AssetCheckSpec]) -> dg.AssetChecksDefinition:
    ours = [dg.AssetCheckSpec(one.name, asset=_apart_from_ours(one.asset_key)) for one in specs]

    @dg.multi_asset_check(name=f"empty_{name}", specs=ours)
    def nothing() -> Iterator[dg.AssetCheckResult]:
        for one in ours:
            yield dg.AssetCheckResult(check_name=one.name, asset_key=one.asset_key, passed=True)

    return nothing


def _empty_steps(steps: int) -> dg.JobDefinition:
    """A job of so many steps, one after the other, which do nothing."""

    @dg.op(ins={"before": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
    def nothing() -> None:
        pass

    @dg.job(executor_def=dg.in_process_executor)
    def empty() -> None:
        last = nothing.alias("step_0")()
        for number in range(1, steps):
            last = nothing.alias(f"step_{number}")(last)

    return empty


if __name__ == "__main__":
    main()
