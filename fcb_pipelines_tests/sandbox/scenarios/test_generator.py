"""Generated datasets: repeatable, full of habits, and right about what must come out."""

from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fcb_pipelines.core.codes import Status
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.scenarios.generator import generate
from fcb_pipelines_tests.sandbox.scenarios.dataset_reading import (
    all_facts,
    counted,
    decided,
    differing,
    objects,
    table,
)

SIZE = {"customers": 12, "invoices": 240, "months": 4, "seed": 7}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("generated"), **SIZE)


def content(path: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()
    }


def test_the_same_arguments_write_the_same_files(folder: Path, tmp_path: Path) -> None:
    assert content(generate(tmp_path, **SIZE)) == content(folder)


def test_another_seed_writes_other_documents(folder: Path, tmp_path: Path) -> None:
    other = generate(tmp_path, **{**SIZE, "seed": 8})
    assert {each["id"] for each in objects(other, "stripe/invoices")}.isdisjoint(
        each["id"] for each in objects(folder, "stripe/invoices")
    )


@pytest.mark.parametrize("size", ["customers", "invoices", "months"])
def test_a_size_below_one_is_refused(size: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        generate(tmp_path, **{**SIZE, size: 0})
    assert not list(tmp_path.iterdir())


def test_the_sizes_are_as_asked(folder: Path) -> None:
    documents = objects(folder, "stripe/invoices") + objects(folder, "lago/invoices")
    assert (len(table(folder, "users")), len(documents)) == (12, 240)
    assert len(table(folder, "invoices")) == 240
    periods = Dataset.open(folder).expected["periods"]
    assert list(periods) == ["2026-02", "2026-03", "2026-04", "2026-05", "unplaced"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("customers", "invoices", "months"), [(1, 1, 1), (3, 9, 1), (15, 150, 18)])
def test_the_rules_decide_what_the_author_expects(
    customers: int, invoices: int, months: int, seed: int, tmp_path: Path
) -> None:
    generate(tmp_path, customers=customers, invoices=invoices, months=months, seed=seed)
    expected = Dataset.open(tmp_path).expected
    told = decided(tmp_path)
    assert told.keys() == expected["documents"].keys()
    for ref, document in told.items():
        assert document == {key: expected["documents"][ref][key] for key in document}, ref
    counts = counted(told)
    for period, each in expected["periods"].items():
        assert each == {
            "population": counts[period].total(),
            **{verdict: counts[period][verdict] for verdict in ("post", "skip", "hold")},
        }


def test_the_expected_totals_are_those_of_the_posted_documents(folder: Path) -> None:
    posted = [each for each in decided(folder).values() if each["disposition"] == "post"]
    totals = Dataset.open(folder).expected["totals"]["CAD"]
    assert totals["posted_count"] == len(posted)
    assert totals["posted_total"] == sum(each["total"] for each in posted)
    assert totals["receivable"] == sum(each["total"] - each["paid"] for each in posted) > 0
    assert sum(totals["by_family"].values()) == sum(each["net"] for each in posted)


def test_every_status_and_both_sources_occur(folder: Path) -> None:
    statuses = Counter((each.side.value, each.status) for each in all_facts(folder))
    for status in (Status.PAID, Status.OPEN):
        assert statuses["stripe", status]
        assert statuses["lago", status]
    assert {status for _, status in statuses} == {
        Status.PAID, Status.OPEN, Status.VOID, Status.DRAFT,
    }  # fmt: skip


def test_every_province_bills_its_own_taxes(folder: Path) -> None:
    billed = {
        frozenset((tax.type, tax.percentage) for tax in each.taxes)
        for each in all_facts(folder)
        if each.taxes
    }
    gst = ("gst", Decimal(5))
    assert billed == {
        frozenset({("hst", Decimal(13))}),
        frozenset({("hst", Decimal(14))}),
        frozenset({("hst", Decimal(15))}),
        frozenset({gst}),
        frozenset({gst, ("qst", Decimal("9.975"))}),
        frozenset({gst, ("pst", Decimal(7))}),
        frozenset({gst, ("pst", Decimal(6))}),
    }


def test_some_taxes_are_a_cent_off_their_rate_and_none_more(folder: Path) -> None:
    residues = Counter(
        abs(tax.amount - int((tax.base * tax.percentage / 100).quantize(Decimal(1), ROUND_HALF_UP)))
        for each in all_facts(folder)
        for tax in each.taxes
    )
    assert set(residues) == {0, 1}


def test_some_are_partly_paid_and_some_in_instalments(folder: Path) -> None:
    facts = all_facts(folder)
    assert any(0 < each.paid < each.total for each in facts)
    assert any(len(each.settlements) == 2 and each.owed == 0 for each in facts)


def test_some_are_issued_when_utc_already_says_the_next_month(folder: Path) -> None:
    instants = [each["effective_at"] for each in objects(folder, "stripe/invoices")]
    zones = ZoneInfo("America/Toronto"), ZoneInfo("UTC")
    months = [
        {datetime.fromtimestamp(instant, zone).month for zone in zones}
        for instant in instants
        if instant
    ]
    assert any(len(each) == 2 for each in months)


def test_no_payment_lies_after_the_last_day(folder: Path) -> None:
    days = {settlement.date for each in all_facts(folder) for settlement in each.settlements}
    assert max(days) <= Dataset.open(folder).as_of


def test_lines_are_prorated_and_some_take_back(folder: Path) -> None:
    lines = [line for each in all_facts(folder) for line in each.lines]
    assert any(line.proration and line.net > 0 for line in lines)
    assert any(line.description.startswith("Unused time on ") and line.net < 0 for line in lines)


def test_copies_lie_about_voids_and_lack_items(folder: Path) -> None:
    fields = Counter(row.field for rows in differing(folder).values() for row in rows)
    assert {"status", "lines", "net", "paid"} <= fields.keys()
    assert not fields.keys() & {"partner", "number", "currency", "kind"}
