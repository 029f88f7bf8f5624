"""A slice is read while the frames are those that it was cut from, and never after."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fcb_pipelines.connectors.store.frames import FrameStore, write_frame
from fcb_pipelines.connectors.store.slices import SliceStore

INDEX, COPIES = ("stripe", "index"), ("nexacloud", "invoices")
MONTH = "2026-04"
PART = pd.DataFrame({"ref": ["in_1"]})


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    """Two frames, one of them with a slice."""
    store = FrameStore(tmp_path)
    for key in (INDEX, COPIES):
        write_frame(pd.DataFrame({"ref": ["in_1", "in_2"]}), store.path(key))
    slices = SliceStore(store, [INDEX, COPIES], "as configured")
    part = PART.copy()
    part.attrs = {"snapshot": "one"}
    slices.write(INDEX, {MONTH: part}, slices.signature())
    return store


def test_a_slice_has_its_rows_and_the_facts_of_its_frame(store: FrameStore) -> None:
    found = SliceStore(store, [INDEX, COPIES], "as configured").read(INDEX, MONTH)
    assert found is not None
    pd.testing.assert_frame_equal(found, PART, check_like=True)
    assert found.attrs["snapshot"] == "one"
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
    assert SliceStore(store, [INDEX, COPIES], "as configured").read(INDEX, MONTH) is None


def test_a_slice_is_not_used_under_another_configuration(store: FrameStore) -> None:
    assert SliceStore(store, [INDEX, COPIES], "another").read(INDEX, MONTH) is None


@pytest.mark.parametrize(
    ("key", "period"), [(INDEX, "2026-05"), (COPIES, MONTH), (("nexacloud", "users"), MONTH)]
)
def test_what_was_not_cut_has_no_slice(
    store: FrameStore, key: tuple[str, str], period: str
) -> None:
    assert SliceStore(store, [INDEX, COPIES], "as configured").read(key, period) is None
