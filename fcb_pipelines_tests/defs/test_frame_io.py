"""The IO manager keeps frames at a URL as it does in a folder."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from fcb_pipelines.connectors.store.frames import FrameStore
from fcb_pipelines.connectors.store.places import place_of
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_io import FrameIOManager
from fcb_pipelines.defs.runtime.partitions import MONTHS

INDEX = dg.AssetKey(["stripe", "index"])
AFTER = dg.AssetKey(["ledger", "documents"])


@dg.asset(key=INDEX)
def index() -> pd.DataFrame:
    return pd.DataFrame({"ref": ["in_1", "in_2"]})


@dg.asset(key=AFTER, partitions_def=MONTHS, ins={"rows": dg.AssetIn(INDEX)})
def documents(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.head(1)


@dg.asset(partitions_def=MONTHS, ins={"rows": dg.AssetIn(AFTER)})
def checked(rows: pd.DataFrame) -> pd.DataFrame:
    assert rows["ref"].tolist() == ["in_1"]
    return rows


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_frames_are_written_and_loaded_by_asset_and_month(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("bucket") if kind == "s3" else str(tmp_path)
    root = place_of(url) / "frames"
    period = MONTHS.get_first_partition_key()
    done = dg.materialize(
        [index, documents, checked],
        partition_key=period,
        resources={"io_manager": FrameIOManager(root)},
    )
    assert done.success
    frame = FrameStore(root).read(AFTER.path, period)
    assert frame is not None
    assert frame["ref"].tolist() == ["in_1"]
    assert any((tmp_path / "frames").rglob("*.parquet")) == (kind == "folder")


def test_a_frame_that_an_earlier_version_did_not_build_is_empty_and_any_other_is_missed(
    bucket: str,
) -> None:
    manager = FrameIOManager(place_of(bucket) / "frames")
    (later, *_) = keys.LATER
    assert manager.read(later, None).empty
    with pytest.raises(FileNotFoundError):
        manager.read(INDEX, None)
