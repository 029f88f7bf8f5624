"""Assets read their frames themselves: by dependencies, as a run of their month has them."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.store.frames import FrameStore, write_frame
from fcb_pipelines.definitions import defs
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_io import FrameIOManager
from fcb_pipelines.defs.runtime.partitions import MONTHS
from fcb_pipelines.defs.runtime.reading import reading

INDEX = keys.source_key("stripe", "index")
OF_CASH = {"balance_transactions", "payouts", "entries", "statement_lines"}
PERIOD = MONTHS.get_first_partition_key()


@reading(
    dg.asset,
    key=keys.PARTNERS,
    partitions_def=MONTHS,
    ins={"index": dg.AssetIn(INDEX), "documents": dg.AssetIn(keys.DOCUMENTS)},
)
def an_asset(index: pd.DataFrame, **frames: pd.DataFrame) -> pd.DataFrame:
    """One row of both."""
    return pd.DataFrame({"ref": [*index["ref"], *frames["documents"]["ref"]]})


def test_the_frames_of_an_asset_are_its_dependencies_and_reach_it_by_name(tmp_path: Path) -> None:
    store = FrameStore(tmp_path)
    write_frame(pd.DataFrame({"ref": ["in_1"]}), store.path(INDEX.path))
    write_frame(pd.DataFrame({"ref": ["in_2"]}), store.path(keys.DOCUMENTS.path, PERIOD))
    assert {one.asset_key for one in an_asset.get_asset_spec().deps} == {INDEX, keys.DOCUMENTS}
    done = dg.materialize(
        [an_asset], partition_key=PERIOD, resources={"io_manager": FrameIOManager(tmp_path)}
    )
    loaded = [one for one in done.all_events if one.event_type is dg.DagsterEventType.LOADED_INPUT]
    frame = store.read(keys.PARTNERS.path, PERIOD)
    assert (done.success, loaded) == (True, [])
    assert frame is not None
    assert frame["ref"].tolist() == ["in_1", "in_2"]


def test_a_frame_that_was_never_built_is_named_with_what_builds_it(tmp_path: Path) -> None:
    write_frame(pd.DataFrame({"ref": ["in_1"]}), FrameStore(tmp_path).path(INDEX.path))
    with pytest.raises(NotPrepared, match=rf"reading ledger/documents of {PERIOD}.*fcb sync"):
        dg.materialize(
            [an_asset], partition_key=PERIOD, resources={"io_manager": FrameIOManager(tmp_path)}
        )


def test_the_keys_of_the_months_assets_are_those_of_the_definitions() -> None:
    known = [one for one in defs().assets or () if isinstance(one, dg.AssetsDefinition)]
    monthly = {key for one in known if one.partitions_def for key in one.keys}
    # Those of cash are none of the definitions where cash is off.
    of_cash = {key for key in keys.MONTHLY if key.path[-1] in OF_CASH}
    assert monthly == keys.MONTHLY - of_cash
