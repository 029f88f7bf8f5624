"""The packaged datasets, and the folder of each.

    packaged.folder("edge-cases", Path(".fcb"))     .fcb/datasets/edge-cases, with every file

Only the files that a person reads are committed: README.md, cases.yaml and expected.json, in
`sandbox/datasets`. The builders make the rest in a fraction of a second, the same bytes every time.

    python -m fcb_pipelines.sandbox.scenarios.packaged nexa-2026-05 ./mine     a copy to change
    python -m fcb_pipelines.sandbox.scenarios.packaged                         the committed files, written anew
"""

import argparse
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

from filelock import FileLock

from fcb_pipelines.sandbox.scenarios import edge_cases, nexa, services
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles

COMMITTED = Path(__file__).parents[1] / "datasets"

SCENARIOS: Mapping[str, Callable[[], DatasetFiles]] = {
    nexa.NAME: nexa.nexa_files,
    services.NAME: services.services_files,
    edge_cases.NAME: partial(edge_cases.edge_files, later=False),
    edge_cases.LATER: partial(edge_cases.edge_files, later=True),
}
"""The builder of each packaged dataset's content, by the dataset's name."""

# The folder of FCB_HOME that packaged datasets are built in.
FOLDER = "datasets"


def folder(name: str, home: Path) -> Path:
    """The folder of a packaged dataset under FCB_HOME (`home`), with every file.

    Missing and differing files are written, others stay untouched; any number of processes may call this
    at once. Raises KeyError where no packaged dataset has this name.
    """
    content = contents(name)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    parent = home.absolute() / FOLDER
    parent.mkdir(exist_ok=True)
    with FileLock(parent / f"{name}.lock", timeout=60):
        _remove_others(parent / name, content)
        _write_files(parent / name, content)
    return parent / name


def contents(name: str) -> dict[str, bytes]:
    """Every file of a packaged dataset: bytes by path in its folder. A committed file has priority."""
    return {**SCENARIOS[name]().contents(), **committed(name)}


def committed(name: str) -> dict[str, bytes]:
    """The committed files of a packaged dataset: bytes by path in its folder."""
    root = COMMITTED / name
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def write_committed() -> None:
    """Write each committed file anew from its builder; files without a builder stay."""
    for name, build in SCENARIOS.items():
        made = build().contents()
        for path in committed(name).keys() & made.keys():
            (COMMITTED / name / path).write_bytes(made[path])


def _remove_others(root: Path, names: Collection[str]) -> None:
    for path in [each for each in root.rglob("*") if each.is_file()]:
        if path.relative_to(root).as_posix() not in names:
            path.unlink()


def _write_files(root: Path, content: Mapping[str, bytes]) -> None:
    """Write these files into `root`, each atomically."""
    for name, expected in content.items():
        path = root / name
        if path.is_file() and path.read_bytes() == expected:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.new")
        draft.write_bytes(expected)
        draft.replace(path)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fcb_pipelines.sandbox.scenarios.packaged")
    parser.add_argument("name", nargs="?", choices=sorted(SCENARIOS))
    parser.add_argument("folder", nargs="?", type=Path)
    chosen = parser.parse_args()
    if chosen.name is None:
        write_committed()
    elif chosen.folder is None:
        parser.error("name the folder to write it into")
    else:
        _write_files(chosen.folder, contents(chosen.name))


if __name__ == "__main__":
    _main()
