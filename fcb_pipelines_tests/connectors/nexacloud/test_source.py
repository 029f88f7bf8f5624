"""The extract against a real Postgres: one snapshot, read only, in time limits, typed as agreed."""

import json
import logging
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.connectors.failures import (
    ContractBreach,
    Failure,
    NotAllowed,
    NotPrepared,
    TransientFailure,
    Unreachable,
)
from fcb_pipelines.connectors.nexacloud import copying
from fcb_pipelines.connectors.nexacloud import source as source_module
from fcb_pipelines.connectors.nexacloud.contracts import TWICE, breaches
from fcb_pipelines.connectors.nexacloud.row_faults import split_rows
from fcb_pipelines.connectors.nexacloud.source import NexaCloudSource, libpq_dsn
from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES, TABLES, ColumnType, column_names
from fcb_pipelines.connectors.store.frames import FrameFile, read_frame, write_frame
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.nexacloud_database import load_nexacloud
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.nexacloud_rows import extracted, records, uuid, write_dataset


@pytest.fixture(scope="module")
def template(
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A database with the sample rows, to be copied."""
    name = new_database()
    dataset = Dataset.open(write_dataset(tmp_path_factory.mktemp("dataset")))
    load_nexacloud(postgres, name, dataset)
    postgres.ensure_reader(name)
    return name


@pytest.fixture
def nexacloud(new_database: NewDatabase, template: str) -> str:
    """A NexaCloud database that this test may spoil."""
    return new_database(template=template)


@pytest.fixture
def source(postgres: EmbeddedPostgres, nexacloud: str) -> NexaCloudSource:
    """The extract, as the role that may only read."""
    return NexaCloudSource(postgres.ensure_reader(nexacloud))


@contextmanager
def writing(postgres: EmbeddedPostgres, database: str) -> Iterator[Cursor]:
    """A cursor of the owner; committed at the end."""
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        yield cursor


def test_the_sample_keeps_every_contract(source: NexaCloudSource) -> None:
    frames = extracted(source)
    assert set(frames) == set(ALL_TABLES)
    for table, frame in frames.items():
        assert breaches(table, frame) == ()
        assert set(column_names(table)) - set(frame.columns) <= {"created_at"}


def test_a_table_of_other_services_that_is_not_there_has_no_rows(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute("drop table service_usage")
    frame = extracted(source)["service_usage"]
    assert tuple(frame.columns) == column_names("service_usage")
    assert len(frame) == 0
    assert breaches("service_usage", frame) == ()
    assert source.describe().missing == ()


def test_values_come_as_the_frames_promise(source: NexaCloudSource) -> None:
    frames = extracted(source)
    paid, draft = records(frames["invoices"])
    assert paid == {
        "id": uuid(1),
        "user_id": uuid(1),
        "subscription_id": None,
        "stripe_invoice_id": "in_1",
        "invoice_number": "A-1",
        "created_at": datetime(2026, 5, 16, 13, tzinfo=UTC),
        "currency": "CAD",
        "status": "paid",
        "subtotal": Decimal("214.50"),
        "tax": Decimal("27.885"),
        "amount_due": Decimal("242.39"),
        "amount_paid": Decimal("242.39"),
        "paid_at": datetime(2026, 5, 16, 13, 0, 0, 123456, tzinfo=UTC),
    }
    assert (draft["paid_at"], draft["amount_paid"], draft["stripe_invoice_id"]) == (None,) * 3
    assert frames["invoices"]["created_at"].dtype == "datetime64[us, UTC]"
    assert records(frames["deployments"])[0]["next_due_date"] == date(2026, 6, 1)
    assert [plan["is_active"] for plan in records(frames["plans"])] == [True, None]
    assert records(frames["users"])[0]["billing_address"] == "1 Main St\nUnit 2"
    assert len(frames["usage_records"]) == 2


# Rows that a reader of text might misread, by table and column; all of them keep the contract.
ODD_VALUES: Mapping[tuple[str, str], Sequence[str]] = {
    ("users", "email"): ("", " ", "\\N", "\\.", "null", "NaN", 'a,"b"', "a\nb\r\nc", "ü 葉 🌿", "1e5", "x" * 9000),
    ("invoices", "subtotal"): ("0", "-0.00", "1e14", "-999999999999999.99", "0.000000000000000000001"),
    ("invoices", "created_at"): (
        "0002-01-01 00:00:00+00", "9998-12-31 23:59:59.999999+00", "1969-12-31 23:59:59.000001-05",
    ),
    ("deployments", "next_due_date"): ("0002-01-01", "9998-12-31", "1970-01-01"),
    ("plans", "is_active"): ("t", "f"),
}  # fmt: skip


def spoil_nothing(postgres: EmbeddedPostgres, database: str) -> None:
    """Add a row for each odd value, and a column that is a domain and one that is an enumeration."""
    with writing(postgres, database) as cursor:
        number = 100
        for (table, column), values in ODD_VALUES.items():
            for value in values:
                number += 1
                cursor.execute(
                    f"insert into {table} select (jsonb_populate_record(r, %s::jsonb)).* "
                    f"from {table} r limit 1",
                    (json.dumps({"id": uuid(number), column: value}),),
                )
        cursor.execute(
            "create type state as enum ('active', 'canceled'); create domain amount as numeric;"
            "alter table plans alter cpu_seconds_quota type bigint, alter price_monthly type amount;"
            "alter table deployments alter status type state using 'active'::state"
        )


@pytest.mark.parametrize("emptied", [False, True])
def test_a_table_that_is_copied_gives_the_frame_that_reading_its_rows_would_give(
    source: NexaCloudSource,
    postgres: EmbeddedPostgres,
    nexacloud: str,
    monkeypatch: pytest.MonkeyPatch,
    emptied: bool,
) -> None:
    spoil_nothing(postgres, nexacloud)
    if emptied:
        with writing(postgres, nexacloud) as cursor:
            cursor.execute(f"truncate {', '.join(TABLES)}")
    with monkeypatch.context() as patch:
        patch.setattr(NexaCloudSource, "_read", None)
        copied = extracted(source)
    monkeypatch.setattr(source_module, "as_copied", lambda *_: None)
    read = extracted(source)
    for table in ALL_TABLES:
        assert breaches(table, copied[table]) == ()
        pd.testing.assert_frame_equal(copied[table], read[table])
        assert records(copied[table]) == records(read[table])
        assert copied[table].attrs.keys() == {"snapshot"}
        for name in copied[table]:
            assert list(map(str, copied[table][name])) == list(map(str, read[table][name]))


def test_small_batches_are_the_same_frame(
    source: NexaCloudSource,
    postgres: EmbeddedPostgres,
    nexacloud: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil_nothing(postgres, nexacloud)
    whole = extracted(source)
    monkeypatch.setattr(copying, "BATCH_BYTES", 1)
    for table, frame in extracted(source).items():
        pd.testing.assert_frame_equal(frame, whole[table])


def test_a_file_of_a_snapshot_says_its_rows_and_shows_its_first(
    source: NexaCloudSource, tmp_path: Path
) -> None:
    snapshot = source.snapshot(tmp_path)
    file = snapshot.files["invoices"]
    assert (file.rows, len(file.head()), len(file.head(1))) == (2, 2, 1)
    assert file.head(1)["subscription_id"].tolist() == [None]
    assert read_frame(file.path).attrs == file.head().attrs == {"snapshot": snapshot.id}
    write_frame(file, tmp_path / "frames" / "invoices.parquet")
    assert not file.path.exists()
    assert stat.S_IMODE((tmp_path / "frames" / "invoices.parquet").stat().st_mode) == 0o600
    assert len(read_frame(tmp_path / "frames" / "invoices.parquet")) == 2
    assert [*(tmp_path / "frames").iterdir()] == [tmp_path / "frames" / "invoices.parquet"]


def test_all_tables_are_of_one_moment(
    source: NexaCloudSource,
    postgres: EmbeddedPostgres,
    nexacloud: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extract = NexaCloudSource._extract

    def extract_while_somebody_writes(self: NexaCloudSource, *table: Any) -> FrameFile:
        file = extract(self, *table)
        with writing(postgres, nexacloud) as cursor:
            cursor.execute("delete from invoice_items")
        return file

    monkeypatch.setattr(NexaCloudSource, "_extract", extract_while_somebody_writes)
    assert len(extracted(source)["invoice_items"]) == 1


def test_a_later_snapshot_has_a_greater_id_and_is_otherwise_the_same(
    source: NexaCloudSource, tmp_path: Path
) -> None:
    first, second = source.snapshot(tmp_path / "first"), source.snapshot(tmp_path / "second")
    assert first.id < second.id
    assert first.taken_at < second.taken_at
    for table in TABLES:
        before, after = (read_frame(each.files[table].path) for each in (first, second))
        assert (before.attrs.pop("snapshot"), after.attrs.pop("snapshot")) == (first.id, second.id)
        pd.testing.assert_frame_equal(before, after)


def test_more_rows_than_one_fetch_all_come(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute(
            "insert into usage_records select %s, now(), now(), n from generate_series(1, 25000) n",
            (uuid(1),),
        )
    frame = extracted(source)["usage_records"]
    assert len(frame) == 25_002
    assert frame["cpu_hours"].iloc[-1] == Decimal(25000)


def run(source: NexaCloudSource, statement: str) -> None:
    """Run a statement in a second transaction of the extract's own session."""
    with source.session() as connection, connection.cursor() as cursor:
        connection.rollback()
        cursor.execute(statement)


@pytest.mark.parametrize("owner", [False, True])
def test_the_session_refuses_writes_whoever_it_is(
    owner: bool, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    dsn = postgres.libpq_url(nexacloud) if owner else postgres.ensure_reader(nexacloud)
    with pytest.raises(NotAllowed, match="read-only transaction") as refused:
        run(NexaCloudSource(dsn), "create table mine ()")
    assert not refused.value.rerun_helps
    with pytest.raises(NotAllowed, match="read-only transaction"):
        run(NexaCloudSource(dsn), "create temporary table mine as select 1; delete from invoices")


def test_a_statement_that_takes_too_long_is_ended(
    postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    source = NexaCloudSource(postgres.libpq_url(nexacloud), statement_timeout_seconds=1)
    with pytest.raises(TransientFailure, match="took too long") as ended:
        run(source, "select pg_sleep(10)")
    assert ended.value.rerun_helps


SPOILED = {
    "a table renamed": (
        "alter table plans rename to tariffs",
        "nexacloud.plans.*: the table is missing",
    ),
    "a column renamed": (
        "alter table invoices rename subtotal to net",
        "nexacloud.invoices.subtotal: the column is missing",
    ),
    "money as a float": (
        "alter table invoice_items alter amount type double precision",
        "nexacloud.invoice_items.amount: wrong type, not numeric: 1 row",
    ),
    "a time without a zone": (
        "alter table invoices alter created_at type timestamp",
        "nexacloud.invoices.created_at: wrong type, not timestamptz: 2 rows",
    ),
    "an id that is a number": (
        "alter table users alter id type bigint using 7",
        "nexacloud.users.id: wrong type, not uuid: 2 rows",
    ),
    "a key twice": (
        "insert into invoices select * from invoices",
        "nexacloud.invoices.id: duplicate key: 2 rows",
    ),
    "a null": (
        "update invoices set status = null",
        "nexacloud.invoices.status: null where none may be: 2 rows",
    ),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_schema_that_changed_is_told_by_the_contract(
    spoiled: str, source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    statement, said = SPOILED[spoiled]
    with writing(postgres, nexacloud) as cursor:
        cursor.execute(statement)
    frames = extracted(source)
    told = [str(breach) for table in TABLES for breach in breaches(table, frames[table])]
    assert any(each.startswith(said) for each in told), told
    assert all(each.endswith("the schema may have changed") for each in told)


BAD_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e500", "-1e500", "1e-500")
BAD_MOMENTS = ("infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "12026-05-16 12:00:00+00")
BAD_VALUES = [
    (table, column.name, value)
    for table in ALL_TABLES
    for column in ALL_TABLES[table]
    for value in {
        ColumnType.NUMERIC: BAD_NUMBERS,
        ColumnType.TIMESTAMPTZ: BAD_MOMENTS,
        ColumnType.MOMENT: BAD_MOMENTS,
    }.get(column.type, ())
]


def test_a_value_that_nobody_can_count_with_is_named_of_every_table_and_survives_the_file(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str, tmp_path: Path
) -> None:
    """All of them in one snapshot: a row each, its name in a column of text where there is one."""
    keyed = {}
    with writing(postgres, nexacloud) as cursor:
        cursor.execute("alter table usage_records add created_at timestamptz")
        for number, (table, column, value) in enumerate(BAD_VALUES, start=1000):
            cursor.execute(
                "select column_name, data_type from information_schema.columns "
                "where table_name = %s",
                (table,),
            )
            filled = {
                name: {"numeric": "1", "boolean": "t"}.get(kind)
                or ("2026-05-01" if kind.startswith(("timestamp", "date")) else uuid(number))
                for name, kind in cursor.fetchall()
            }
            row = {**filled, column: value}
            cursor.execute(
                f"insert into {table} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",
                tuple(row.values()),
            )
            keyed[table, column, number] = value
    frames = extracted(source)
    for table, frame in frames.items():
        write_frame(frame, tmp_path / f"{table}.parquet")
        again = read_frame(tmp_path / f"{table}.parquet")
        assert [str(each) for each in breaches(table, again)] == [
            str(each) for each in breaches(table, frame)
        ]
        assert records(again) == records(frame)
        own = [(column, number) for (of, column, number) in keyed if of == table]
        found = split_rows(table, again)
        told = [row.why for row in found.broken]
        assert len(told) == len(own), table
        for column, number in own:
            (why,) = (one for one in told if uuid(number) in one)
            assert f"{column}: no " in why, why
        told_short = " ".join(str(breach) for breach in breaches(table, again))
        assert all(column in told_short for column, _ in own)
    numbers = " ".join(str(breach) for breach in breaches("plans", frames["plans"]))
    assert all(value in numbers for value in ("'NaN'", "'Infinity'", "'-Infinity'", "'1000"))


# What a column may turn into, with a value that psycopg2 itself, a frame or parquet stumbles over.
STRANGERS = {
    "bytea": "'\\xff00'",
    "jsonb": "'[1e400]'",
    "json": "'" + "[" * 3000 + "]" * 3000 + "'",
    "interval": "'-178000000 years'",
    "date[]": "'{infinity}'",
    "timestamptz[]": "array['0044-03-15 12:00:00+00 BC'::timestamptz]",
    "uuid[]": "array[gen_random_uuid()]",
    "numrange": "'[1,2]'",
    "tsrange": "'[2026-01-01,infinity)'",
    "timetz": "'24:00+15'",
    "point": "'(1,2)'",
    "money": "1",
    "bit(3)": "'101'",
    "real": "'NaN'",
}
SPOILT = {
    "id": "invoices",
    "created_at": "invoices",
    "subtotal": "invoices",
    "email": "users",
    "is_active": "plans",
    "next_due_date": "deployments",
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_column_of_a_type_that_no_contract_knows_is_told_before_and_after_the_file(
    kind: str, source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str, tmp_path: Path
) -> None:
    # A real is a number all the same, and told as what it is.
    spoilt = {name: of for name, of in SPOILT.items() if (name, kind) != ("subtotal", "real")}
    with writing(postgres, nexacloud) as cursor:
        for column, table in spoilt.items():
            cursor.execute(
                f"alter table {table} drop {column} cascade; "
                f"alter table {table} add {column} {kind}; "
                f"update {table} set {column} = {STRANGERS[kind]}"
            )
    frames = extracted(source)
    for column, table in spoilt.items():
        frame = frames[table]
        write_frame(frame, tmp_path / "frame.parquet")
        again = read_frame(tmp_path / "frame.parquet")
        found = [b for b in breaches(table, again) if b.column == column and b.rule != TWICE]
        assert [(b.rule.split(",")[0], b.count) for b in found] == [("wrong type", len(frame))]
        assert found == [
            b for b in breaches(table, frame) if b.column == column and b.rule != TWICE
        ]
        if kind != "real":
            assert "is of another type" in str(found[0])


def test_an_enumeration_and_a_domain_are_the_texts_and_numbers_that_they_are(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute(
            "create type state as enum ('paid', 'draft'); create domain amount as numeric;"
            "create domain net as amount; "
            "alter table invoices alter status type state using status::state, "
            "alter subtotal type net, alter invoice_number type varchar(9)"
        )
    frame = extracted(source)["invoices"]
    assert breaches("invoices", frame) == ()
    assert frame["status"].tolist() == ["paid", "draft"]


def test_a_text_in_another_encoding_is_a_breach_and_no_bare_error(
    postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    name = f"{nexacloud}_ascii"
    with postgres.maintenance() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"create database {name} encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' "
            "template template0"
        )
    with writing(postgres, name) as cursor:
        cursor.execute("create table users (id text, email text)")
        cursor.execute("insert into users values ('1', convert_from('\\xff', 'SQL_ASCII'))")
    with pytest.raises(ContractBreach, match="in another encoding") as told:
        extracted(NexaCloudSource(postgres.libpq_url(name)))
    assert not told.value.rerun_helps


def test_a_float_that_is_no_number_is_no_missing_value(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute(
            "alter table plans alter price_yearly type double precision using 'NaN'::float8"
        )
    (breach,) = breaches("plans", extracted(source)["plans"])
    assert (breach.column, breach.count) == ("price_yearly", 2)
    assert f"id {uuid(1)}: 'NaN'" in str(breach)


def test_a_column_that_is_new_is_not_read(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute("alter table users add password text default 'secret'")
    assert "password" not in extracted(source)["users"]


def test_an_integer_column_is_a_number_all_the_same(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute("alter table plans alter cpu_seconds_quota type bigint")
    frame = extracted(source)["plans"]
    assert breaches("plans", frame) == ()
    assert frame["cpu_seconds_quota"].tolist() == [Decimal(360000), None]


CORRECTED = {
    "postgresql+asyncpg://u:p@h:5432/db": "postgresql://u:p@h:5432/db",
    "postgres+psycopg://u:p@h/db": "postgresql://u:p@h/db",
    "postgresql+asyncpg://u:p@h/db?ssl=require": "postgresql://u:p@h/db?sslmode=require",
    "postgresql+asyncpg://h/db?prepared_statement_cache_size=0": "postgresql://h/db",
    "postgresql+psycopg2://u@/db?host=/run/pg": "postgresql://u@/db?host=/run/pg",
}


@pytest.mark.parametrize("given", CORRECTED)
def test_an_address_in_sqlalchemys_form_is_corrected_and_said_so(
    given: str, caplog: pytest.LogCaptureFixture
) -> None:
    dsn, told = libpq_dsn(given)
    assert dsn == CORRECTED[given]
    assert told
    assert "FCB_NEXACLOUD_DSN" in told
    with caplog.at_level(logging.WARNING):
        NexaCloudSource(given)
    assert caplog.messages == [told]


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://u:p@h/db", "postgres://u@h/db?sslmode=require", "host=h dbname=db user=u"],
)
def test_libpqs_own_forms_are_taken_as_they_are(dsn: str) -> None:
    assert libpq_dsn(dsn) == (dsn, None)


def test_a_corrected_address_works(postgres: EmbeddedPostgres, nexacloud: str) -> None:
    plain = postgres.ensure_reader(nexacloud)
    source = NexaCloudSource(plain.replace("postgresql://", "postgresql+asyncpg://"))
    assert source.describe().rows["invoices"] == 2
    assert "postgresql+asyncpg" in source.describe().warnings[0]


@pytest.mark.parametrize("dsn", ["mysql://u:hunter2@h/db", "nonsense hunter2", ""])
def test_what_is_no_postgres_address_is_refused_without_showing_it(dsn: str) -> None:
    with pytest.raises(NotPrepared, match="FCB_NEXACLOUD_DSN") as refused:
        NexaCloudSource(dsn)
    assert "hunter2" not in str(refused.value)


def test_no_message_shows_the_password() -> None:
    source = NexaCloudSource("postgresql+asyncpg://u:hunter2@127.0.0.1:1/db")
    with pytest.raises(Unreachable) as failed:
        extracted(source)
    assert failed.value.rerun_helps
    assert "hunter2" not in str(failed.value)
    assert "u@127.0.0.1:1/db" in str(failed.value)
    assert "hunter2" not in str(libpq_dsn("postgresql+asyncpg://u:hunter2@h/db")[1])


@pytest.mark.parametrize(("part", "other"), [("/test_", "/none_"), ("nexacloud_reader", "nobody_")])
def test_a_name_that_the_server_does_not_know_is_permanent(
    part: str, other: str, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    dsn = postgres.ensure_reader(nexacloud).replace(part, other)
    with pytest.raises(NotPrepared, match="does not exist"):
        extracted(NexaCloudSource(dsn))


def test_a_table_that_may_not_be_read_is_a_missing_right(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute("revoke select on plans from nexacloud_reader")
    with pytest.raises(NotAllowed, match="plans"):
        extracted(source)
    (problem,) = source.describe().problems
    assert "grant select on plans to nexacloud_reader" in problem


def test_the_description_of_a_sound_database(source: NexaCloudSource, nexacloud: str) -> None:
    told = source.describe()
    assert (told.database, told.role) == (nexacloud, "nexacloud_reader")
    assert told.version.startswith("18")
    assert told.rows == {
        "users": 2, "plans": 2, "deployments": 1, "subscriptions": 1, "usage_records": 2,
        "invoices": 2, "invoice_items": 1,
    }  # fmt: skip
    assert (told.missing, told.problems, told.warnings) == ((), (), ())


def test_the_description_warns_of_a_role_that_could_write(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute("grant update on users, plans to nexacloud_reader")
    assert source.describe().warnings == (
        "role nexacloud_reader could write users, plans: use a reading role",
    )
    (warning,) = NexaCloudSource(postgres.libpq_url(nexacloud)).describe().warnings
    assert "superuser" in warning


def test_the_description_names_every_table_and_column_that_is_missing(
    source: NexaCloudSource, postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    with writing(postgres, nexacloud) as cursor:
        cursor.execute("drop table usage_records; alter table invoices drop paid_at, drop tax")
    told = source.describe()
    assert set(told.missing) == {"usage_records", "invoices.paid_at", "invoices.tax"}
    changed = "is missing: the schema may have changed"
    assert set(told.problems) == {f"invoices.{name} {changed}" for name in ("paid_at", "tax")}
    # Only the dual run reads it: the books go on without.
    assert told.warnings == (f"usage_records {changed}",)
    assert told.rows["invoices"] == 2


def test_a_server_that_goes_away_in_between_is_transient(
    postgres: EmbeddedPostgres, nexacloud: str
) -> None:
    source = NexaCloudSource(postgres.libpq_url(nexacloud))
    with pytest.raises(Failure) as failed:
        run(source, "select pg_terminate_backend(pg_backend_pid())")
    assert failed.value.rerun_helps
