"""Writes a dataset folder: byte for byte the same for the same content."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fcb_pipelines.connectors.nexacloud.contracts import ALL_TABLES, column_names
from fcb_pipelines.sandbox.scenarios.builders.copies import Row
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFiles:
    """Everything that a dataset folder holds.

    `described` is dataset.yaml, `nexacloud` rows by table, `sources` objects by file
    (`stripe/invoices`), `expected` what must come out, `more` texts by file name.
    """

    described: Mapping[str, Any]
    nexacloud: Mapping[str, Sequence[Row]]
    sources: Mapping[str, Sequence[Json]]
    expected: Mapping[str, Any]
    more: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the files into `folder`, made if it isn't there; it is returned."""
        folder.mkdir(parents=True, exist_ok=True)
        described = yaml.safe_dump(dict(self.described), sort_keys=False)
        _write(folder / "dataset.yaml", described)
        for table in (each for each in ALL_TABLES if each in self.nexacloud):
            _write_table(folder / "nexacloud" / f"{table}.csv", table, self.nexacloud[table])
        for name, objects in self.sources.items():
            _write(folder / f"{name}.json", _json(objects))
        _write(folder / "expected.json", _json(self.expected))
        for name, text in self.more.items():
            _write(folder / name, text)
        return folder


def _write_table(path: Path, table: str, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, column_names(table), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
