"""The graph that a person looks at: few arrows, and all that an asset reads still comes before it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
import yaml

from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.connectors.store.frames import FrameStore, write_frame
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_io import FrameIOManager
from fcb_pipelines.defs.runtime.partitions import MONTHS
from fcb_pipelines.defs.runtime.reading import not_above, reading
from fcb_pipelines_tests.defs.world import DEFINITIONS

ARROWS = 4
PERIOD = MONTHS.get_first_partition_key()
A, B, C, D = (dg.AssetKey([name]) for name in "abcd")

# Of each job, and of the whole graph: the number of arrows into each asset, and what it reads in no order with it.
GRAPHS = """
import json
from fcb_pipelines.definitions import defs
from fcb_pipelines.defs.runtime.reading import graph_of, not_above
found, reads = defs(), {}
for one in found.assets:
    for key in getattr(one, "keys", ()):
        if one.is_executable:
            reads[key] = getattr(one.op.compute_fn.decorated_fn, "reads", ())
every = found.resolve_asset_graph()
graphs = {"": {key: every.get(key).parent_keys for key in every.executable_asset_keys}}
names = [job.name for job in found.jobs] if found.jobs else []
graphs |= {name: graph_of(found.resolve_job_def(name)) for name in names}
print(json.dumps({
    "reads": {str(key): len(some) for key, some in reads.items()},
    "arrows": {str(key): len(parents) for key, parents in graphs[""].items()},
    "jobs": [name for name, graph in graphs.items() if name and graph],
    "unordered": {
        f"{name} {key}": [str(one) for one in unordered]
        for name, graph in graphs.items() for key in graph
        if (unordered := not_above(key, reads.get(key, ()), graph))
    },
}))
"""


@pytest.fixture(scope="module", params=["off", "on"])
def graphs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The graphs as a process defines them whose configuration has cash off, or on."""
    config = tmp_path_factory.mktemp("cash") / "config.yaml"
    cash: dict[str, Any] = {"cash": {}} if request.param == "on" else {}
    config.write_text(yaml.safe_dump({**yaml.safe_load(PACKAGED.read_text("utf-8")), **cash}))
    done = subprocess.run(
        [sys.executable, "-c", GRAPHS],
        env={**os.environ, "FCB_CONFIG": str(config)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_few_arrows_lead_to_each_asset(graphs: Any) -> None:
    arrows = graphs["arrows"]
    assert len(arrows) > 50
    assert max(graphs["reads"].values()) > 12, "an asset reads many frames"
    many = {key for key, count in arrows.items() if count > ARROWS}
    # With cash the report also comes after what was written of it, and slices come after whatever an extract writes.
    assert many <= {str(keys.REPORT), str(keys.SLICES)}
    assert max(arrows.values()) <= ARROWS + 2


def test_all_that_an_extract_writes_is_there_before_it_is_digested() -> None:
    every = DEFINITIONS.resolve_asset_graph()
    above = every.get_ancestor_asset_keys(keys.SLICES)
    steps = {key: one.keys for one in DEFINITIONS.assets or () for key in getattr(one, "keys", ())}
    assert [key for key in keys.EXTRACTED if not above & steps[key]] == []


def test_in_the_whole_graph_and_in_each_job_an_asset_comes_after_all_that_it_reads(
    graphs: Any,
) -> None:
    assert {"extract", "month", "post_reviewed_drafts", "prove"} <= {*graphs["jobs"]}
    assert graphs["unordered"] == {}


@pytest.mark.parametrize(
    ("graph", "unordered"),
    [
        ({A: [], B: [A]}, []),
        ({A: [], B: [A], C: [B]}, []),
        # Built by another run.
        ({C: [B]}, []),
        ({A: [], C: [B]}, [A]),
        ({A: [], B: [], C: [B]}, [A]),
        ({A: [D], B: [], C: [D]}, [A, B]),
    ],
    ids=["an arrow", "a path", "neither is built", "a gap", "no path", "beside each other"],
)
def test_what_a_run_builds_in_no_order_with_its_reader_is_found(
    graph: dict[dg.AssetKey, list[dg.AssetKey]], unordered: list[dg.AssetKey]
) -> None:
    reader = max(graph, key=str)
    assert not_above(reader, [A, B] if len(graph) > 2 else [A], graph) == unordered


def _one(key: dg.AssetKey, reads: dg.AssetKey | None, after: dg.AssetKey | None) -> Any:
    ins = {} if reads is None else {"read": dg.AssetIn(reads)}
    options: dict[str, Any] = {} if after is None else {"after": [after]}

    @reading(dg.asset, key=key, partitions_def=MONTHS, ins=ins, **options)
    def asset(**frames: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"ref": ["new"]})

    return asset


@pytest.mark.parametrize(
    ("chosen", "success"),
    [
        ((keys.STANDING, keys.DISPOSITIONS, keys.DOCUMENTS), True),
        ((keys.DOCUMENTS,), True),
        ((keys.STANDING, keys.DOCUMENTS), False),
    ],
    ids=["with what is between", "alone", "without what is between"],
)
def test_a_run_that_would_build_later_what_is_read_now_is_refused(
    tmp_path: Path, chosen: tuple[dg.AssetKey, ...], success: bool
) -> None:
    store = FrameStore(tmp_path)
    write_frame(pd.DataFrame({"ref": ["old"]}), store.path(keys.STANDING.path, PERIOD))
    known = [
        _one(keys.STANDING, None, None),
        _one(keys.DISPOSITIONS, keys.STANDING, None),
        _one(keys.DOCUMENTS, keys.STANDING, keys.DISPOSITIONS),
    ]
    done = dg.materialize(
        known,
        partition_key=PERIOD,
        selection=[*chosen],
        resources={"io_manager": FrameIOManager(tmp_path)},
        raise_on_error=False,
    )
    assert done.success is success
    if not success:
        (failed,) = [one for one in done.all_events if one.is_step_failure]
        error = failed.step_failure_data.error
        assert error is not None
        assert "ledger/documents reads ledger/standing, which this run builds, too" in str(error)
