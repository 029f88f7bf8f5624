"""The store does the same in a folder and in an object store; only the folder has files and rights."""

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pandas as pd
import pytest
from upath import UPath

from fcb_pipelines.connectors.failures import ContractBreach, NotFound, NotPrepared, Unreachable
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.connectors.store.evidence import EvidenceStore, canonical
from fcb_pipelines.connectors.store.frames import FrameFile, FrameStore, write_frame
from fcb_pipelines.connectors.store.places import Place, place_of
from fcb_pipelines.connectors.store.slices import SliceStore
from fcb_pipelines.core.close.decisions import Decision

INDEX = ("stripe", "index")
FRAME = pd.DataFrame({"ref": ["in_1", "in_2"]})


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk is full after the content was written and before it is in its place."""

    def __call__(self, file: str) -> None:
        """Write half, and fail."""
        Path(file).write_bytes(b"half")
        raise OSError("disk full")


@pytest.fixture(params=["folder", "url of a folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty store of each kind."""
    made: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "store"),
        "url of a folder": lambda: f"file://{tmp_path}/store",
        "memory": lambda: f"memory://{tmp_path.name}",
        "s3": lambda: f"{request.getfixturevalue('bucket')}/production",
    }
    return place_of(made[request.param]())


def test_decisions_are_kept_in_every_store(store: Place) -> None:
    kept = DecisionStore(store / "decisions")
    assert kept.all() == ()
    at = datetime(2026, 5, 2, 9, 15, tzinfo=UTC)
    both = [
        Decision(ref="stripe:a:in_1", code="overpaid", by=by, at=at + timedelta(days=n))
        for n, by in enumerate(("jane", "ada"))
    ]
    for one in both:
        kept.keep(one)
    assert kept.all() == (*both,)


def test_a_file_is_read_as_it_was_written_until_it_is_removed(store: Place) -> None:
    place = store / "reports" / "2026-05.html"
    assert not places.exists(place)
    with pytest.raises(FileNotFoundError):
        places.read_bytes(place)
    with pytest.raises(FileNotFoundError):
        places.signature(place)
    places.write_bytes(place, b"one")
    assert places.read_bytes(place) == b"one"
    places.write_bytes(place, "zwei, größer".encode())
    assert places.read_bytes(place).decode() == "zwei, größer"
    assert places.exists(place)
    places.remove(place)
    assert not places.exists(place)
    places.remove(place)


def test_a_signature_differs_once_the_file_says_something_else(store: Place) -> None:
    place = store / "frame"
    places.write_bytes(place, b"before")
    before = places.signature(place)
    assert places.signature(place) == before
    places.write_bytes(place, b"after!")
    assert places.signature(place) != before


def test_of_two_files_the_one_written_later_is_known(store: Place) -> None:
    first, second = store / "frames" / "first", store / "frames" / "second"
    places.write_bytes(first, b"one")
    # An object store tells whole seconds.
    time.sleep(1.1)
    places.write_bytes(second, b"two")
    assert places.written(first) < places.written(second)
    with pytest.raises(FileNotFoundError):
        places.written(store / "frames" / "none")


def test_a_write_that_dies_leaves_what_was_there(store: Place) -> None:
    place = store / "frames" / "a.parquet"
    places.write_bytes(place, b"whole")
    with pytest.raises(OSError, match="disk full"):
        places.write_file(place, Disk())
    assert places.read_bytes(place) == b"whole"
    if isinstance(place, Path):
        assert [one.name for one in place.parent.iterdir()] == ["a.parquet"]


def test_frames_and_their_slices_are_kept_in_any_store(store: Place, tmp_path: Path) -> None:
    frames = FrameStore(store / "frames", once=True)
    assert frames.read(INDEX) is None
    assert frames.signature(INDEX) == ""
    write_frame(FRAME, frames.path(INDEX))
    first = frames.read(INDEX)
    assert first is not None
    assert first["ref"].tolist() == ["in_1", "in_2"]
    assert frames.read(INDEX) is first
    slices = SliceStore(frames, [INDEX], "as configured")
    slices.write(INDEX, FRAME, {"2026-05": [0]}, slices.signature())
    part = slices.read(INDEX, "2026-05")
    assert part is not None
    assert part["ref"].tolist() == ["in_1"]
    extracted = tmp_path / "extracted.parquet"
    pd.DataFrame({"ref": ["in_9"]}).to_parquet(extracted)
    write_frame(FrameFile(path=extracted, rows=1), frames.path(INDEX))
    again = frames.read(INDEX)
    assert again is not None
    assert again["ref"].tolist() == ["in_9"]
    assert slices.read(INDEX, "2026-05") is None, "it was cut from another"
    assert not extracted.exists()


def test_evidence_is_kept_and_proved_in_any_store(store: Place) -> None:
    evidence = EvidenceStore(store / "evidence")
    body = {"invoice": {"id": "in_1"}}
    with pytest.raises(NotFound):
        evidence.get("stripe", "0" * 64)
    name = evidence.put("stripe", body)
    assert evidence.put("stripe", body) == name
    assert evidence.get("stripe", name) == body
    place = store / "evidence" / "stripe" / name[:2] / f"{name}.json.gz"
    places.write_bytes(place, gzip.compress(canonical({"invoice": {}})))
    with pytest.raises(ContractBreach, match="changed after it was kept"):
        evidence.get("stripe", name)


def test_a_customers_bodies_are_found_and_erased_in_any_store(store: Place) -> None:
    evidence = EvidenceStore(store / "evidence")
    theirs = evidence.put("stripe", {"id": "in_1", "customer": "cus_1"})
    others = evidence.put("stripe", {"id": "in_2", "customer": "cus_11"})
    assert list(evidence.containing(["cus_1"])) == [("stripe", theirs)]
    evidence.erase("stripe", theirs)
    assert list(evidence.containing(["cus_1", "cus_11"])) == [("stripe", others)]


def test_what_another_machine_writes_is_seen_at_once(bucket: str) -> None:
    here = place_of(bucket)
    assert isinstance(here, UPath)
    assert [*here.iterdir()] == []
    other = boto3.client("s3")
    other.put_object(Bucket=bucket.removeprefix("s3://"), Key="frames/a", Body=b"theirs")
    assert places.read_bytes(here / "frames" / "a") == b"theirs"
    assert places.exists(here / "frames" / "a")
    before = places.signature(here / "frames" / "a")
    other.put_object(Bucket=bucket.removeprefix("s3://"), Key="frames/a", Body=b"theirs too")
    assert places.signature(here / "frames" / "a") != before


def test_a_file_of_many_parts_is_not_there_before_all_of_it_is(bucket: str, tmp_path: Path) -> None:
    place = place_of(bucket) / "frames" / "large"
    large = b"0123456789abcdef" * (7 << 20)
    places.write_file(place, lambda file: _write(file, large))
    assert places.read_bytes(place) == large


def _write(file: str, content: bytes) -> None:
    Path(file).write_bytes(content)


def test_a_bucket_that_is_not_there_is_named_with_its_remedy(bucket: str) -> None:
    with pytest.raises(NotFound, match="FCB_STORE_URL"):
        places.write_bytes(place_of(f"{bucket}-not") / "a", b"")


def test_a_server_that_does_not_answer_is_a_failure_that_may_pass(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    place = place_of(f"{bucket}/elsewhere")
    assert isinstance(place, UPath)
    place.fs.clear_instance_cache()
    place = place_of(f"{bucket}/elsewhere")
    for act in (places.exists, places.read_bytes, places.signature):
        with pytest.raises(Unreachable, match="bucket-"):
            act(place)
    place.fs.clear_instance_cache()


def test_a_url_of_no_known_kind_says_what_to_install() -> None:
    with pytest.raises(NotPrepared, match=r"fcb_pipelines\[s3\]"):
        place_of("nowhere://bucket/prefix")
