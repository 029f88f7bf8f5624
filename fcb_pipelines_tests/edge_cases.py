"""The packaged edge cases as their files tell them: each case, and what must come out of it."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fcb_pipelines_tests.packaged import packaged

NOW, LATER = packaged("edge-cases"), packaged("edge-cases-later")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """One row of `cases.yaml`, with the document that `expected.json` has of it."""

    case: str
    rule: str
    ref: str
    what: str
    disposition: str
    reason: str | None
    exceptions: tuple[str, ...]
    document: dict[str, Any]

    @property
    def sentence(self) -> str:
        """What the case is, for the name of a test."""
        return f"{self.case}: {self.what}"


def expected(folder: Path) -> dict[str, Any]:
    """The dataset's `expected.json`."""
    told: dict[str, Any] = json.loads((folder / "expected.json").read_text("utf-8"))
    return told


@cache
def fixtures(folder: Path) -> tuple[Fixture, ...]:
    """Every case of the dataset, in the order of its table."""
    documents = expected(folder)["documents"]
    rows = yaml.safe_load((folder / "cases.yaml").read_text("utf-8"))
    return tuple(
        Fixture(**{**row, "exceptions": tuple(row["exceptions"])}, document=documents[row["ref"]])
        for row in rows
    )
