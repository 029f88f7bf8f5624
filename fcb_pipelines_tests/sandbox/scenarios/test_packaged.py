"""Packaged datasets: a little of each is committed, the rest comes out the same every time."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fcb_pipelines.sandbox.scenarios import packaged

# One digest over everything that a dataset's builder makes. Another one is another dataset: if that is
# meant, `python -m fcb_pipelines.sandbox.scenarios.packaged` writes the committed part anew.
BUILT = {
    "edge-cases": "0ce77a5021d402f60b29c2f1568834589a713848fa9ffa29e1c142dc54c753e2",
    "edge-cases-later": "5bdef33e4bb0a82f50e34adcfaa06c72ac7b31564c82cc49be224e0d498860bc",
    "nexa-2026-05": "e2a0d9a4ffa1da8c592654a7cbb2ad91c4d0b54bfcd9b64b1848d4a90d8ff806",
    "services-small": "08ca2c16d6605a4224dc43383df4ebf1bdf1693a979fa1f0d1cef81afc7bd435",
}
EACH = pytest.mark.parametrize("name", BUILT)
DIGESTS = """
from fcb_pipelines_tests.sandbox.scenarios.test_packaged import BUILT, digest
print(*map(digest, BUILT))
"""


def digest(name: str) -> str:
    """SHA-256 over path and bytes of each file that the builder makes, in the order of the paths."""
    told = hashlib.sha256()
    for path, content in sorted(packaged.SCENARIOS[name]().contents().items()):
        told.update(f"{path}\0{len(content)}\0".encode() + content)
    return told.hexdigest()


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_packaged_dataset_has_its_digest() -> None:
    assert set(BUILT) == set(packaged.SCENARIOS)


def test_builds_in_other_processes_are_the_same_bytes() -> None:
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert told.stdout.split() == list(BUILT.values())


@EACH
def test_only_what_a_person_reads_is_committed(name: str) -> None:
    assert {"expected.json"} <= packaged.committed(name).keys()
    assert packaged.committed(name).keys() <= {"README.md", "cases.yaml", "expected.json"}


@EACH
def test_the_committed_expectation_is_what_its_builder_says(name: str) -> None:
    made, committed = packaged.SCENARIOS[name]().contents(), packaged.committed(name)
    for path in committed.keys() - {"README.md"}:
        assert committed[path] == made[path], path
    assert "cases.yaml" in committed or "cases.yaml" not in made


def test_a_folder_holds_what_is_committed_and_what_is_built(tmp_path: Path) -> None:
    folder = packaged.folder("services-small", tmp_path)
    assert folder == tmp_path / "datasets" / "services-small"
    assert files(folder) == packaged.contents("services-small")
    assert {"README.md", "dataset.yaml", "lago/invoices.json"} <= files(folder).keys()


def test_a_folder_that_is_right_is_not_touched(tmp_path: Path) -> None:
    folder = packaged.folder("services-small", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert packaged.folder("services-small", tmp_path) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_folder_that_was_changed_or_half_written_is_made_right(tmp_path: Path) -> None:
    folder = packaged.folder("services-small", tmp_path)
    (folder / "stripe" / "invoices.json").write_text("[]")
    (folder / "stripe" / "payouts.json").write_text("[]")
    (folder / "dataset.yaml").unlink()
    (folder / "lago" / "invoices.json.new").write_text("[")
    assert files(packaged.folder("services-small", tmp_path)) == packaged.contents("services-small")


def test_many_at_once_all_find_it_whole(tmp_path: Path) -> None:
    expected = packaged.contents("nexa-2026-05")

    def ask(_: int) -> bool:
        return files(packaged.folder("nexa-2026-05", tmp_path)) == expected

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(8)))


def test_a_copy_to_change_keeps_what_else_lies_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    command = [sys.executable, "-m", packaged.__name__, "services-small", str(tmp_path)]
    subprocess.run(command, check=True)
    assert files(tmp_path) == {**packaged.contents("services-small"), "notes.txt": b"mine"}
