"""Every column of every asset says in words what it holds and of what type it is."""

import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
import yaml

from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.columns import COLUMNS, OF_ONE
from fcb_pipelines.core.ledger.entries import DocumentTax
from fcb_pipelines.core.lineage import LINEAGE, in_words
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.columns import type_in_words
from fcb_pipelines.defs.runtime.frame_rows import row_metadata, sums
from fcb_pipelines_tests.defs.world import DEFINITIONS

# Every asset's columns, as a process with this configuration defines them.
SCHEMAS = """
import json
from fcb_pipelines.definitions import defs
columns = {}
for one in defs.load_fn().assets:
    for key in getattr(one, "keys", ()):
        schema = (one.metadata_by_key.get(key) or {}).get("dagster/column_schema")
        if schema is not None:
            columns[key.to_user_string()] = [[c.name, c.type, c.description] for c in schema.columns]
print(json.dumps(columns))
"""


def schemas(tmp_path: Path, **section: object) -> dict[str, list[list[str]]]:
    config = tmp_path / "config.yaml"
    told = yaml.safe_load(PACKAGED.read_text("utf-8"))
    config.write_text(yaml.safe_dump({**told, **section}), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCHEMAS],
        env={**os.environ, "FCB_CONFIG": str(config)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[list[str]]] = json.loads(done.stdout)
    return found


def test_every_column_is_described_and_none_is_described_that_no_asset_has(
    tmp_path: Path,
) -> None:
    # With cash on: its assets are of that configuration alone.
    found = schemas(tmp_path, cash={})
    assert len(found) > 60
    columns = [one for some in found.values() for one in some]
    assert [one for one in columns if not one[2]] == []
    assert {one[0] for one in columns} - {"65"} == {*COLUMNS}
    plain = " ".join(one[1] for one in columns)
    assert not any(mark in plain for mark in ("|", "[", "None", "."))


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (str, "text"),
        (int, "integer"),
        (bool, "yes or no"),
        (Decimal, "decimal"),
        (date, "date"),
        (Verdict, "code"),
        (tuple[str, ...], "list of text"),
        (tuple[DocumentTax, ...], "list of record"),
        (DocumentTax, "record"),
        ("timestamptz", "timestamptz"),
    ],
)
def test_a_type_is_told_in_plain_words(hint: object, words: str) -> None:
    assert type_in_words(hint) == words


def test_a_preview_shows_amounts_in_major_units_of_their_currency() -> None:
    frame = pd.DataFrame(
        [
            {"ref": "a", "currency": "CAD", "total": 123456, "readings": 5},
            {"ref": "b", "currency": "JPY", "total": 500, "readings": 6},
            {"ref": "c", "currency": None, "total": 7, "readings": 7},
        ]
    )
    preview = row_metadata(frame)["preview"]
    assert isinstance(preview, dg.TableMetadataValue)
    assert [row.data["total"] for row in preview.records] == ["1,234.56", "500", "7"]
    assert [row.data["readings"] for row in preview.records] == ["5", "6", "7"]


def test_a_sum_is_read_in_major_units_and_plotted_as_a_number() -> None:
    amounts = [("JPY", 500), ("CAD", 100), ("CAD", 123356)]
    assert sums("posted", amounts) == {
        "posted CAD": "1,234.56",
        "posted CAD, minor units": 123456,
        "posted JPY": "500",
        "posted JPY, minor units": 500,
    }
    assert sums("posted", []) == {}


def test_what_one_type_of_rows_calls_otherwise_is_a_column_too() -> None:
    assert {name for _, name in OF_ONE} <= {*COLUMNS}


def test_every_column_whose_origin_is_told_is_one_and_comes_from_columns_further_up() -> None:
    graph = DEFINITIONS.resolve_asset_graph()
    columns = {
        spec.key: {one.name for one in spec.metadata["dagster/column_schema"].columns}
        for spec in DEFINITIONS.resolve_all_asset_specs()
    }
    told = {
        spec.key: spec.metadata["dagster/column_lineage"].deps_by_column
        for spec in DEFINITIONS.resolve_all_asset_specs()
        if "dagster/column_lineage" in spec.metadata
    }
    assert {key.to_user_string() for key in told} == {*LINEAGE}
    for key, deps in told.items():
        assert {*LINEAGE[key.to_user_string()]} == columns[key], key
        above = graph.get_ancestor_asset_keys(key)
        origins = {(one.asset_key, one.column_name) for some in deps.values() for one in some}
        assert [one for one in origins if one[1] not in columns[one[0]]] == []
        assert {one[0] for one in origins} <= above, key


def test_a_move_comes_from_its_document_and_the_document_from_every_source() -> None:
    told = {
        spec.key: spec.metadata["dagster/column_lineage"].deps_by_column
        for spec in DEFINITIONS.resolve_all_asset_specs()
        if "dagster/column_lineage" in spec.metadata
    }
    stored = told[keys.POSTED_MOVES]["stored_hash"]
    assert [(one.asset_key, one.column_name) for one in stored] == [
        (keys.DOCUMENTS, "content_hash")
    ]
    lines = {one.asset_key for one in told[keys.DOCUMENTS]["account"]}
    assert lines == {
        keys.source_key(name, noun)
        for name in keys.SOURCES
        for noun in ("invoices", "credit_notes")
    }
    assert "ledger_number" not in told[keys.POSTED_MOVES], "it is the ledger's own"


def test_where_a_column_comes_from_is_told_asset_by_asset() -> None:
    origins = (("*/invoices", "lines"), ("*/notes", "lines"), ("a/b", "id"), ("*/invoices", "net"))
    assert in_words(origins) == "*/invoices: lines, net; */notes: lines; a/b: id"
    assert in_words((("x/y", "id"), ("x/z", "id"))) == "x/y, x/z: id"
