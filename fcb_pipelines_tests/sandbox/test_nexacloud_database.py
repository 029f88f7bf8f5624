"""A dataset's CSV files become just the tables that they describe."""

import shutil
from pathlib import Path

import pytest

from fcb_pipelines.connectors.nexacloud.contracts import breaches
from fcb_pipelines.connectors.nexacloud.source import NexaCloudSource
from fcb_pipelines.connectors.nexacloud.tables import TABLES, column_names
from fcb_pipelines.sandbox.dataset import Dataset, DatasetProblem
from fcb_pipelines.sandbox.nexacloud_database import load_nexacloud
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.nexacloud_rows import extracted, uuid, write_dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """A copy of the sample that this test may change."""
    return Dataset.open(write_dataset(tmp_path / "small"))


def columns(postgres: EmbeddedPostgres, database: str, table: str) -> dict[str, str]:
    """The table's columns and their types."""
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select attname, format_type(atttypid, null) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 order by attnum",
            (table,),
        )
        return dict(cursor.fetchall())


def rewrite(dataset: Dataset, table: str, text: str) -> None:
    (dataset.path / "nexacloud" / f"{table}.csv").write_text(text, encoding="utf-8")


def test_columns_have_the_contracts_types(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    load_nexacloud(postgres, database, dataset)
    found = columns(postgres, database, "invoices")
    assert tuple(found) == column_names("invoices")
    assert (found["id"], found["subtotal"], found["currency"], found["paid_at"]) == (
        "uuid",
        "numeric",
        "text",
        "timestamp with time zone",
    )
    assert columns(postgres, database, "deployments")["next_due_date"] == "date"
    assert columns(postgres, database, "plans")["is_active"] == "boolean"


def test_a_table_without_a_file_is_empty_and_keeps_its_contract(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    shutil.rmtree(dataset.path / "nexacloud")
    load_nexacloud(postgres, database, dataset)
    frames = extracted(NexaCloudSource(postgres.ensure_reader(database)))
    assert all(len(frame) == 0 and not breaches(table, frame) for table, frame in frames.items())


def test_the_header_decides_which_columns_there_are(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    rewrite(dataset, "plans", f"colour,name,id\nblue,Standard,{uuid(1)}\n")
    load_nexacloud(postgres, database, dataset)
    assert columns(postgres, database, "plans") == {"colour": "text", "name": "text", "id": "uuid"}
    frames = extracted(NexaCloudSource(postgres.ensure_reader(database)))
    missing = {breach.column for breach in breaches("plans", frames["plans"])}
    assert missing == set(column_names("plans")) - {"id", "name"}


@pytest.mark.parametrize("cell", ["", '""'])
def test_an_empty_cell_is_null_quoted_or_not(
    cell: str, postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    rewrite(dataset, "plans", f"id,name,price_monthly\n{uuid(1)},{cell},{cell}\n")
    load_nexacloud(postgres, database, dataset)
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("select name, price_monthly from plans")
        assert cursor.fetchall() == [(None, None)]


def test_keys_and_nulls_are_not_enforced_here(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    rewrite(dataset, "users", f"id,email\n{uuid(1)},\n{uuid(1)},a@b.test\n")
    load_nexacloud(postgres, database, dataset)
    frames = extracted(NexaCloudSource(postgres.ensure_reader(database)))
    found = breaches("users", frames["users"])
    rules = {breach.rule for breach in found if breach.column in ("id", "email")}
    assert rules == {"duplicate key", "null where none may be"}


def test_a_file_as_a_spreadsheet_saves_it_is_read(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    rewrite(dataset, "users", f"\ufeffid,email\r\n{uuid(1)},a@b.test\r\n")
    load_nexacloud(postgres, database, dataset)
    assert list(columns(postgres, database, "users")) == ["id", "email"]


def test_what_is_loaded_is_not_replaced_and_what_changed_is(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    assert load_nexacloud(postgres, database, dataset)
    assert not load_nexacloud(postgres, database, dataset)
    rewrite(dataset, "users", f"id,email\n{uuid(7)},a@b.test\n")
    assert load_nexacloud(postgres, database, dataset)
    (dataset.path / "nexacloud" / "invoices.csv").unlink()
    assert load_nexacloud(postgres, database, dataset)
    source = NexaCloudSource(postgres.ensure_reader(database))
    assert extracted(source)["users"]["id"].tolist() == [uuid(7)]
    assert source.describe().rows["invoices"] == 0


def test_the_reading_role_may_read_tables_that_are_replaced_later(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    load_nexacloud(postgres, database, dataset)
    source = NexaCloudSource(postgres.ensure_reader(database))
    rewrite(dataset, "users", f"id,email\n{uuid(7)},a@b.test\n")
    load_nexacloud(postgres, database, dataset)
    assert source.describe().rows.keys() == TABLES.keys()
    assert not any("may not read" in problem for problem in source.describe().problems)


BROKEN = {
    "a cell of another type": ("id,price_monthly\n{id},cheap\n", "line 2.*price_monthly.*cheap"),
    "a row with too few cells": ("id,name\n{id}\n", "line 2"),
    "a row with too many cells": ("id,name\n{id},a,b\n", "line 2"),
    "a column named twice": ("id,name,name\n{id},a,b\n", "first line names each column once"),
    "a column without a name": ("id,,name\n{id},a,b\n", "first line names each column once"),
    "an empty file": ("", "first line names each column once"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_file_is_told_with_its_line_and_nothing_changes(
    broken: str, postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    load_nexacloud(postgres, database, dataset)
    text, said = BROKEN[broken]
    rewrite(dataset, "plans", text.format(id=uuid(1)))
    rewrite(dataset, "users", f"id,email\n{uuid(7)},a@b.test\n")
    with pytest.raises(DatasetProblem, match=rf"plans\.csv: .*{said}"):
        load_nexacloud(postgres, database, dataset)
    rows = NexaCloudSource(postgres.ensure_reader(database)).describe().rows
    assert (rows["users"], rows["plans"]) == (2, 2)


def test_text_in_another_encoding_is_told(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    (dataset.path / "nexacloud" / "users.csv").write_bytes(b"id,email\n,\xe9lodie\n")
    with pytest.raises(DatasetProblem, match=r"users\.csv is not UTF-8"):
        load_nexacloud(postgres, database, dataset)


def test_a_file_for_no_table_is_told(
    postgres: EmbeddedPostgres, database: str, dataset: Dataset
) -> None:
    rewrite(dataset, "invoice", "id\n")
    with pytest.raises(DatasetProblem, match=r"no table for invoice\.csv; use users, plans"):
        load_nexacloud(postgres, database, dataset)
