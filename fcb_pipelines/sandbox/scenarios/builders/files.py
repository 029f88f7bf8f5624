"""The files of a dataset: byte for byte the same for the same content."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES, column_names
from fcb_pipelines.sandbox.scenarios.builders.copies import Row
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFiles:
    """The content of a dataset folder.

    `described` is dataset.yaml, `nexacloud` rows by table, `sources` objects by file
    (`stripe/invoices`), `expected` the expected status, `more` texts by file name.
    """

    described: Mapping[str, Any]
    nexacloud: Mapping[str, Sequence[Row]]
    sources: Mapping[str, Sequence[Json]]
    expected: Mapping[str, Any]
    more: Mapping[str, str] = field(default_factory=dict)

    def contents(self) -> dict[str, bytes]:
        """Each file's bytes (UTF-8) by its path in the folder: `nexacloud/users.csv`."""
        texts = {"dataset.yaml": yaml.safe_dump(dict(self.described), sort_keys=False)}
        for table in (each for each in ALL_TABLES if each in self.nexacloud):
            texts[f"nexacloud/{table}.csv"] = csv_of(table, self.nexacloud[table])
        for name, objects in self.sources.items():
            texts[f"{name}.json"] = pretty(objects)
        texts["expected.json"] = pretty(self.expected)
        return {name: text.encode() for name, text in {**texts, **self.more}.items()}

    def write(self, folder: Path) -> Path:
        """Write the files into `folder`, created if need be; return it."""
        for name, content in self.contents().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def csv_of(table: str, rows: Sequence[Row]) -> str:
    """Rows of a table as the text of its file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, column_names(table), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def pretty(value: object) -> str:
    """A value as the text of a JSON file."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
