"""The record of a running sandbox, by which other processes find it and `down` stops it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.processes import Process

FILE = "sandbox.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One dataset's sandbox: its processes and the environment variables that lead to it.

    `folder` is the dataset's own. `environment` holds the sandbox's made-up keys, no real secret.
    """

    dataset: str
    folder: str
    processes: tuple[Process, ...]
    environment: Mapping[str, str]

    @property
    def whole(self) -> bool:
        """Whether every one of its processes still runs."""
        return all(processes.alive(process) for process in self.processes)


def read(folder: Path) -> Running | None:
    """The record in `folder` (FCB_HOME/<dataset>); None when there is none.

    An unreadable one (after a crash while it was first written) counts as none.
    """
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Running(
            dataset=content["dataset"],
            folder=content["folder"],
            processes=tuple(Process(**process) for process in content["processes"]),
            environment=content["environment"],
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write(folder: Path, running: Running) -> None:
    """Write the record atomically, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f"{FILE}.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(running), indent=2), encoding="utf-8")
    draft.replace(folder / FILE)


def forget(folder: Path) -> None:
    """Delete the record, if there is one."""
    (folder / FILE).unlink(missing_ok=True)


def running(home: Path) -> tuple[Running, ...]:
    """The sandboxes under FCB_HOME of which every process runs, by name."""
    found = (read(path.parent) for path in sorted(home.glob(f"*/{FILE}")))
    return tuple(one for one in found if one is not None and one.whole)
