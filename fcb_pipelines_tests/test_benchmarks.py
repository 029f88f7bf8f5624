"""The benchmarks run, small: what they measure is there, and nothing differs in it."""

from pathlib import Path

import pytest

from benchmarks import books, core, extract, history, index, intake, posting, year
from fcb_pipelines_tests.odoo_server import OdooServer


def test_the_rules_are_measured_month_by_month() -> None:
    found = core.measure(300, a_month=200)
    assert found["invoices"] == 300
    assert 0 < found["documents"] < 300
    assert found["cpu_seconds"].keys() >= set(core.STAGES)


def test_a_day_of_changes_at_stripe_costs_few_calls_whatever_is_behind_it() -> None:
    found = index.measure(1_500, 20)
    assert [found[sync]["listing"] for sync in ("full", "a_day", "scattered")] == [
        "full", "incremental", "incremental",
    ]  # fmt: skip
    assert (found["a_day"]["calls"], found["a_day"]["new"]) == (14, 10)
    assert found["scattered"]["calls"] <= found["full"]["calls"] + 12


@pytest.mark.slow
def test_a_month_of_usage_is_measured_with_as_much_around_it() -> None:
    found = intake.measure(1_000)
    # Those of the month's last evening lie in the next month in UTC, and in this one in the company's.
    assert 0.9 * 1_000 <= found["read records"] <= 1_000
    assert found["received again"]["cpu"] > 0


@pytest.mark.slow
def test_the_extract_is_measured_beside_a_copy() -> None:
    found = extract.measure(50)
    assert found["rows"] == 200
    assert found["cpu_seconds"].keys() == found["memory_mb"].keys() == {"copy", "extract", "parse"}


@pytest.mark.long
def test_a_month_is_measured_alone_and_with_its_history() -> None:
    found = history.measure(invoices=6, months=2)
    assert found.keys() == {"one month", "with history"}
    assert all(figures.keys() == {*history.MEASURED} for figures in found.values())
    assert all(figure > 0 for figures in found.values() for figure in figures.values())


@pytest.mark.slow
def test_a_whole_history_is_measured_stage_by_stage() -> None:
    found = year.measure(invoices=6, months=2)
    assert found["posted"] > 0
    assert all(found[stage].keys() == {"seconds", "python", "postgres"} for stage in year.STAGES)


@pytest.mark.slow
def test_a_month_in_the_embedded_books_is_measured_by_what_is_behind_it() -> None:
    found = books.measure(months=2, documents=5, repeat=1, cash=True)
    assert books.above(found, "month", 2) > 0


@pytest.mark.odoo
def test_posting_is_measured_beside_one_at_a_time_and_the_servers_own_limit(
    odoo_server: OdooServer, tmp_path: Path
) -> None:
    ways = ("one_at_a_time", "batches", "inside")
    stage = posting.Stage(
        home=tmp_path,
        postgres=odoo_server.postgres,
        odoo=odoo_server.odoo,
        process=odoo_server.process,
    )
    found = posting.measure(stage, posting.documents(4), sample=2, chosen=ways)
    assert found.keys() == {*ways}
    # A batch takes as many calls for 4 as for 200: those above are the pages of what it reads back.
    assert found["one_at_a_time"].calls == 2 * 6
    assert found["batches"].calls == 47
    assert found["inside"].balances == found["batches"].balances
    assert all(one.usage.total > 0 for one in found.values())
