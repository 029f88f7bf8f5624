"""A slice is read while the frames are those that it was cut from, and never after."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fcb_pipelines.connectors.store.frames import FrameStore, write_frame
from fcb_pipelines.connectors.store.slices import SliceStore

INDEX, COPIES = ("stripe", "index"), ("nexacloud", "invoices")
MONTH = "2026-04"
PART = pd.DataFrame({"ref": ["in_1"], "number": [None]})


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    """Two frames, one of them with a slice."""
    store = FrameStore(tmp_path)
    whole = pd.DataFrame({"ref": ["in_1", "in_2", "in_3"], "number": [None, "7", 8]})
    for key in (INDEX, COPIES):
        write_frame(whole, store.path(key))
    slices = SliceStore(store, [INDEX, COPIES], "as configured")
    whole.attrs = {"snapshot": "one"}
    of_before = store.path(INDEX, "2026-03")
    write_frame(PART, of_before)
    slices.write(INDEX, whole, {"2026-03": [], MONTH: [0], "2026-05": [2, 1]}, slices.signature())
    assert not of_before.exists(), "it was a version's that wrote a file a month"
    return store


def slices(store: FrameStore) -> SliceStore:
    return SliceStore(store, [INDEX, COPIES], "as configured")


def test_a_slice_has_its_rows_and_the_facts_of_its_frame(store: FrameStore) -> None:
    found = slices(store).read(INDEX, MONTH)
    assert found is not None
    pd.testing.assert_frame_equal(found, PART, check_like=True)
    assert found.attrs == {"snapshot": "one"}
    rows = [slices(store).read(INDEX, period) for period in ("2026-03", "2026-05")]
    assert [row is not None and row.to_numpy().tolist() for row in rows] == [
        [],
        [["in_3", 8], ["in_2", "7"]],
    ]
    assert store.read(INDEX) is not None, "the whole frame stays"


def _written_again(store: FrameStore) -> None:
    write_frame(pd.DataFrame({"ref": ["in_1", "in_2", "in_3"]}), store.path(INDEX))


def _the_other_written_again(store: FrameStore) -> None:
    write_frame(pd.DataFrame({"ref": ["in_9"]}), store.path(COPIES))


def _gone(store: FrameStore) -> None:
    store.path(COPIES).unlink()


@pytest.mark.parametrize("change", [_written_again, _the_other_written_again, _gone])
def test_a_slice_of_frames_that_changed_since_is_not_used(
    store: FrameStore, change: Callable[[FrameStore], None]
) -> None:
    change(store)
    assert slices(store).read(INDEX, MONTH) is None


def test_a_slice_is_not_used_under_another_configuration(store: FrameStore) -> None:
    assert SliceStore(store, [INDEX, COPIES], "another").read(INDEX, MONTH) is None


@pytest.mark.parametrize(
    ("key", "period"), [(INDEX, "2026-06"), (COPIES, MONTH), (("nexacloud", "users"), MONTH)]
)
def test_what_was_not_cut_has_no_slice(
    store: FrameStore, key: tuple[str, str], period: str
) -> None:
    assert slices(store).read(key, period) is None
