"""Each rule of a table's contract, broken once, is told with table, column and count."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fcb_pipelines.connectors.nexacloud.contracts import CHANGED, breaches
from fcb_pipelines.connectors.nexacloud.row_faults import split_rows
from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES, TABLES, ColumnType
from fcb_pipelines.connectors.nexacloud.whole_columns import is_sound
from fcb_pipelines_tests.nexacloud_rows import uuid

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)

VALUES: dict[ColumnType, Callable[[int], Any]] = {
    ColumnType.UUID: uuid,
    ColumnType.TEXT: lambda n: f"text {n}",
    ColumnType.NUMERIC: lambda n: Decimal(n) / 8,
    ColumnType.TIMESTAMPTZ: lambda n: NOON.replace(day=n),
    ColumnType.MOMENT: lambda n: date(2026, 5, n),
    ColumnType.BOOLEAN: lambda n: n % 2 == 0,
}


def a_frame(table: str, rows: int = 3) -> pd.DataFrame:
    """A frame that keeps the contract: every column filled, ids counted from 1."""
    return pd.DataFrame(
        {
            column.name: pd.Series(
                [VALUES[column.type](n + 1) for n in range(rows)],
                dtype="datetime64[us, UTC]" if column.type is ColumnType.TIMESTAMPTZ else object,
            )
            for column in TABLES[table]
        }
    )


def with_value(frame: pd.DataFrame, column: str, value: object, *rows: int) -> pd.DataFrame:
    """The frame with `value` in these rows of one column."""
    values: list[object] = list(frame[column].astype(object))
    for row in rows:
        values[row] = value
    return frame.assign(**{column: pd.Series(values, dtype=object)})


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("rows", [0, 3])
def test_a_table_as_agreed_breaks_nothing(table: str, rows: int) -> None:
    assert breaches(table, a_frame(table, rows)) == ()


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_not_there_is_told(table: str) -> None:
    (breach,) = breaches(table, pd.DataFrame())
    assert str(breach) == f"nexacloud.{table}.*: the table is missing; {CHANGED}"


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column.name) for table in TABLES for column in TABLES[table] if not column.optional],
)
def test_a_column_that_is_not_there_is_told(table: str, column: str) -> None:
    (breach,) = breaches(table, a_frame(table, 3).drop(columns=column))
    assert str(breach) == f"nexacloud.{table}.{column}: the column is missing: 3 rows; {CHANGED}"


def test_a_column_that_may_be_missing_is_checked_where_it_is_there() -> None:
    frame = a_frame("usage_records")
    assert breaches("usage_records", frame.drop(columns="created_at")) == ()
    (breach,) = breaches("usage_records", with_value(frame, "created_at", "today", 1))
    assert breach.column == "created_at"


@pytest.mark.parametrize(
    ("table", "column", "nullable"),
    [(table, column.name, column.nullable) for table in TABLES for column in TABLES[table]],
)
def test_null_is_told_where_none_may_be(table: str, column: str, nullable: bool) -> None:
    found = breaches(table, with_value(a_frame(table), column, None, 0, 2))
    if nullable:
        assert found == ()
    else:
        (breach,) = found
        start = f"nexacloud.{table}.{column}: null where none may be: 2 rows ("
        assert str(breach).startswith(start)
        assert str(breach).endswith(f": null); {CHANGED}")
        key = "subscription_id" if table == "usage_records" else "id"
        wanted = [(key, None if column == key else uuid(row)) for row in (1, 3)]
        for (name, value), shown in zip(wanted, breach.sample, strict=True):
            assert shown.startswith(f"{name} {value}")


@pytest.mark.parametrize("table", [name for name in TABLES if name != "usage_records"])
def test_a_duplicate_key_is_told_with_the_key(table: str) -> None:
    (breach,) = breaches(table, with_value(a_frame(table, 4), "id", uuid(1), 1, 3))
    assert (breach.table, breach.column, breach.rule) == (table, "id", "duplicate key")
    assert breach.count == 2
    assert uuid(1) in str(breach)


def test_usage_may_be_told_twice() -> None:
    frame = a_frame("usage_records", 1)
    assert breaches("usage_records", pd.concat([frame, frame])) == ()


@pytest.mark.parametrize(
    ("table", "column", "value", "said"),
    [
        ("invoices", "id", "17", "uuid"),
        ("invoices", "user_id", 17, "uuid"),
        ("invoices", "subtotal", 1.5, "numeric"),
        ("invoices", "tax", "1.5", "numeric"),
        ("invoices", "paid_at", "2026-05-16", "timestamptz"),
        ("invoices", "created_at", datetime(2026, 5, 16), "timestamptz"),  # noqa: DTZ001 - the fault
        ("invoices", "currency", 1, "text"),
        ("usage_records", "period_start", datetime(2026, 5, 16), "timestamptz or date"),  # noqa: DTZ001 - the fault
        ("plans", "is_active", "yes", "boolean"),
        ("plans", "is_active", 1, "boolean"),
    ],
)
def test_a_wrong_type_is_told_with_a_sample(
    table: str, column: str, value: object, said: str
) -> None:
    (breach,) = breaches(table, with_value(a_frame(table), column, value, 1))
    assert breach.count == 1
    start = f"nexacloud.{table}.{column}: wrong type, not {said}: 1 row ("
    assert str(breach).startswith(start)
    assert str(breach).endswith(CHANGED)


NO_NUMBER = "no finite number of at most 15 digits before the point"
NO_MOMENT = "no moment in the years 1 to 9999"


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("tax", Decimal("NaN"), NO_NUMBER),
        ("amount_paid", Decimal("NaN"), NO_NUMBER),
        ("tax", Decimal("Infinity"), NO_NUMBER),
        ("tax", Decimal("1e500"), NO_NUMBER),
        ("tax", Decimal("1e-500"), NO_NUMBER),
        ("tax", "NaN", NO_NUMBER),
        ("tax", "-Infinity", NO_NUMBER),
        ("tax", "1" + "0" * 500, NO_NUMBER),
        ("created_at", "infinity", NO_MOMENT),
        ("paid_at", "-infinity", NO_MOMENT),
        ("paid_at", "0044-03-15 12:00:00+00 BC", NO_MOMENT),
        ("paid_at", "12026-05-16 12:00:00+00", NO_MOMENT),
        ("paid_at", datetime(1, 1, 1, tzinfo=UTC), NO_MOMENT),
        ("paid_at", datetime(9999, 12, 31, 23, tzinfo=UTC), NO_MOMENT),
    ],
)
def test_a_value_that_nobody_can_count_with_is_told_with_its_row(
    column: str, value: object, rule: str
) -> None:
    (breach,) = breaches("invoices", with_value(a_frame("invoices"), column, value, 1))
    shown = str(value) if len(str(value)) <= 60 else f"{str(value)[:60]}…"
    assert str(breach) == (
        f"nexacloud.invoices.{column}: {rule}: 1 row (id {uuid(2)}: {shown!r}); "
        f"correct the row in NexaCloud, then `fcb sync`"
    )


@pytest.mark.parametrize(
    "value", [date(9999, 12, 31), date(1600, 1, 1), datetime(9999, 12, 31, tzinfo=UTC)]
)
def test_a_day_far_away_is_a_day(value: date) -> None:
    frame = with_value(a_frame("subscriptions"), "current_period_end", value, 1)
    assert breaches("subscriptions", frame) == ()


def test_a_table_is_parted_into_rows_that_can_be_read_and_rows_that_cannot() -> None:
    frame = with_value(a_frame("plans", 5), "price_monthly", Decimal("NaN"), 1)
    frame = with_value(frame, "id", uuid(4), 4)
    found = split_rows("plans", frame)
    assert found.sound["id"].tolist() == [uuid(1), uuid(3)]
    assert [row.values["id"] for row in found.broken] == [uuid(2), uuid(4), uuid(4)]
    assert found.broken[0].why == (
        f"nexacloud.plans id {uuid(2)}: price_monthly: {NO_NUMBER} ('NaN')"
    )
    assert all("duplicate key" in row.why for row in found.broken[1:])
    assert found.table_fault is None


def test_of_a_table_that_lacks_a_column_no_row_can_be_read() -> None:
    found = split_rows("plans", a_frame("plans").drop(columns="price_yearly"))
    assert (len(found.sound), len(found.broken)) == (0, 3)
    assert found.table_fault == "nexacloud.plans.price_yearly: the column is missing"
    assert {row.why for row in found.broken} == {found.table_fault}
    assert (
        split_rows("plans", pd.DataFrame()).table_fault == "nexacloud.plans.*: the table is missing"
    )
    assert split_rows("plans", a_frame("plans")).broken == ()


def test_every_breach_of_a_table_is_told_at_once() -> None:
    frame = with_value(a_frame("invoices"), "status", None, 0, 1, 2).drop(columns="tax")
    frame = with_value(frame, "subtotal", "x", 0)
    assert {(each.column, each.count) for each in breaches("invoices", frame)} == {
        ("tax", len(frame)),
        ("status", 3),
        ("subtotal", 1),
    }


def test_a_sample_is_short() -> None:
    frame = a_frame("users", 28).assign(company=pd.Series(range(28), dtype=object))
    (breach,) = breaches("users", frame)
    assert breach.count == 28
    assert len(breach.sample) == 5


def test_a_column_beyond_the_contract_is_nobodys_business() -> None:
    assert breaches("plans", a_frame("plans").assign(colour="blue")) == ()


def as_stored(values: list[object]) -> str:
    """The dtype that such a column has where it was read from a file."""
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, datetime) and value.tzinfo for value in there):
        return "datetime64[us, UTC]"
    return "str" if all(isinstance(value, str) for value in there) else "object"


ANY_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.floats(),
    st.decimals(allow_nan=False),
    st.just(Decimal("NaN")),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**16),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.sampled_from([uuid(1), uuid(2), uuid(1) + "\n", uuid(3).upper(), "", "NaN", b"\x00"]),
)


@given(
    st.sampled_from([(table, c.name) for table in ALL_TABLES for c in ALL_TABLES[table]]),
    st.one_of(
        st.lists(ANY_VALUES, max_size=4),
        ANY_VALUES.flatmap(lambda one: st.lists(st.sampled_from([one, None]), max_size=4)),
    ),
    st.booleans(),
)
@example(("invoices", "paid_at"), [NOON, None], True)
@example(("invoices", "paid_at"), [NOON.replace(year=9999, month=12, day=31), None], True)
@example(("deployments", "next_due_date"), [date(1, 1, 1)], False)
def test_a_column_seen_as_a_whole_is_told_as_its_rows_would_be(
    place: tuple[str, str], values: list[object], stored: bool
) -> None:
    table, column = place
    rule = next(each for each in ALL_TABLES[table] if each.name == column)
    frame = pd.DataFrame({column: pd.Series(values, dtype=as_stored(values) if stored else object)})
    told = [each for each in breaches(table, frame) if each.column == column]
    sound = is_sound(frame[column], rule.type, nullable=rule.nullable, key=rule.key)
    assert not (sound and told)
