"""The packaged dataset: every published figure, added up straight from its files."""

import json
from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines.connectors.nexacloud.tables import TABLES, column_names
from fcb_pipelines.core.codes import Status
from fcb_pipelines.core.documents.families import family_of
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines_tests.packaged import packaged
from fcb_pipelines_tests.sandbox.scenarios import dataset_reading
from fcb_pipelines_tests.sandbox.scenarios.dataset_reading import Row

TORONTO = ZoneInfo("America/Toronto")
FAMILIES = load(PACKAGED).families
FOLDER = packaged("nexa-2026-05")


def table(name: str) -> list[Row]:
    return dataset_reading.table(FOLDER, name)


def objects(name: str) -> list[dict[str, Any]]:
    return dataset_reading.objects(FOLDER, name)


def all_facts() -> list[InvoiceFacts]:
    return dataset_reading.all_facts(FOLDER)


def posted_on_stripe() -> list[dict[str, Any]]:
    return [
        each for each in objects("stripe/invoices") if each["status"] == "paid" and each["total"]
    ]


def subtotals(rows: list[Row]) -> Decimal:
    return sum((Decimal(row["subtotal"]) for row in rows), Decimal(0))


def billed(*, with_subscription: bool) -> list[Row]:
    return [
        row
        for row in table("invoices")
        if row["status"] != "draft" and bool(row["subscription_id"]) is with_subscription
    ]


def test_the_folder_opens_as_a_dataset() -> None:
    dataset = Dataset.open(FOLDER)
    assert (dataset.name, dataset.first_period) == ("nexa-2026-05", "2026-02")
    assert dataset.expected is not None


@pytest.mark.parametrize(
    ("name", "rows"), [("users", 7), ("plans", 232), ("subscriptions", 87), ("invoices", 31)]
)
def test_the_tables_have_the_published_sizes(name: str, rows: int) -> None:
    assert len(table(name)) == rows


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_the_columns_of_its_contract_and_no_key_twice(name: str) -> None:
    frame = pd.read_csv(FOLDER / "nexacloud" / f"{name}.csv", dtype=str)
    assert tuple(frame.columns) == column_names(name)
    for column in TABLES[name]:
        assert column.nullable or frame[column.name].notna().all()
        assert not column.key or frame[column.name].is_unique


def test_fourteen_are_posted_on_stripe_and_nine_on_lago() -> None:
    stripe, lago = posted_on_stripe(), objects("lago/invoices")
    assert (len(stripe), sum(each["subtotal"] for each in stripe)) == (14, 191365)
    assert (len(lago), sum(each["fees_amount_cents"] for each in lago)) == (9, 109823)


def test_the_documents_add_up_to_the_published_totals() -> None:
    stripe, lago = posted_on_stripe(), objects("lago/invoices")
    tax = sum(each["amount"] for invoice in stripe for each in invoice["total_taxes"])
    tax += sum(each["taxes_amount_cents"] for each in lago)
    total = sum(each["total"] for each in stripe)
    total += sum(each["sub_total_including_taxes_amount_cents"] for each in lago)
    assert (191365 + 109823, tax, total) == (301188, 39158, 340346)


def test_hst_rounds_half_up_on_every_document() -> None:
    for facts in all_facts():
        if facts.total:
            exact = Decimal(facts.net) * 13 / 100
            assert facts.tax == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def test_everything_posted_was_paid_by_the_sync_and_confirmed_by_its_source() -> None:
    for facts in all_facts():
        if facts.status is Status.PAID:
            assert sum(each.amount for each in facts.settlements) == facts.total == facts.paid
            assert all(each.date.isoformat() <= "2026-05-31" for each in facts.settlements)


def test_some_are_paid_in_the_month_after_their_own() -> None:
    later = [
        facts.number
        for facts in all_facts()
        for each in facts.settlements
        if facts.date and each.date.month > facts.date.month
    ]
    assert len(later) == 4


def test_one_void_two_drafts_and_five_zeros_are_skipped() -> None:
    stripe = objects("stripe/invoices")
    statuses = Counter(each["status"] for each in stripe)
    zeros = [each for each in stripe if each["status"] == "paid" and not each["total"]]
    assert (len(stripe), statuses["void"], statuses["draft"], len(zeros)) == (22, 1, 2, 5)


def test_nexacloud_calls_the_void_paid_and_has_no_items_of_it() -> None:
    (void,) = (each for each in objects("stripe/invoices") if each["status"] == "void")
    (copy,) = (row for row in table("invoices") if row["stripe_invoice_id"] == void["id"])
    assert (copy["status"], copy["subtotal"], copy["amount_paid"]) == ("paid", "49.99", "56.49")
    assert all(item["invoice_id"] != copy["id"] for item in table("invoice_items"))


def test_the_void_lies_in_the_subscription_month_of_the_invoice_that_replaced_it() -> None:
    void, good = (row for row in billed(with_subscription=True) if row["subtotal"] == "49.99")
    assert void["subscription_id"] == good["subscription_id"]
    spans = {
        (line["period"]["start"], line["period"]["end"])
        for each in objects("stripe/invoices")
        if each["id"] in (void["stripe_invoice_id"], good["stripe_invoice_id"])
        for line in each["lines"]["data"]
    }
    april = datetime(2026, 4, 1, tzinfo=TORONTO), datetime(2026, 5, 1, tzinfo=TORONTO)
    assert spans == {tuple(int(each.timestamp()) for each in april)}


def test_twenty_two_have_no_subscription_and_seven_have_one() -> None:
    without, having = billed(with_subscription=False), billed(with_subscription=True)
    assert (len(without), subtotals(without)) == (22, Decimal("2881.08"))
    assert (len(having), subtotals(having)) == (7, Decimal("180.79"))


def test_the_thirteen_on_stripe_are_three_months() -> None:
    copies = {row["stripe_invoice_id"] for row in billed(with_subscription=False)}
    months: dict[str, list[int]] = {}
    for facts in all_facts():
        source = facts.ref.rsplit(":", 1)[1]
        if source in copies and facts.date:
            months.setdefault(f"{facts.date:%Y-%m}", []).append(facts.net)
    assert {month: sum(nets) for month, nets in months.items()} == {
        "2026-03": 87799, "2026-04": 87266, "2026-05": 3220,
    }  # fmt: skip
    assert sum(map(len, months.values())) == 13


def test_one_item_an_invoice_keeps_those_months_whole_when_items_are_joined() -> None:
    paid = {row["id"]: row for row in billed(with_subscription=False) if row["subtotal"] != "0.00"}
    joined = Counter(item["invoice_id"] for item in table("invoice_items"))
    assert {
        joined[each] for each in paid if not paid[each]["stripe_invoice_id"].startswith("lago:")
    } == {1}


def test_the_invoiced_shares_of_a_list_price_are_to_the_second() -> None:
    plans = {
        row["id"]: Decimal(row["price_monthly"]) for row in table("plans") if row["price_monthly"]
    }
    price_of = {
        row["id"]: plans[row["plan_id"]]
        for row in table("subscriptions")
        if row["plan_id"] in plans
    }
    sources = {each["id"]: each for each in objects("stripe/invoices")}
    may = [datetime(2026, month, 1, tzinfo=TORONTO).timestamp() for month in (5, 6)]
    shares = {}
    for row in billed(with_subscription=True):
        (line,) = sources[row["stripe_invoice_id"]]["lines"]["data"]
        price, span = price_of[row["subscription_id"]], line["period"]
        if line["parent"]["subscription_item_details"]["proration"]:
            seconds = Decimal(span["end"] - span["start"])
            share = price * seconds / Decimal(may[1] - may[0])
            shares[row["subtotal"]] = price
            assert share.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) == Decimal(
                row["subtotal"]
            )
        else:
            assert price == Decimal(row["subtotal"])
    assert shares == {"9.11": 200, "9.13": 50, "9.15": 200, "9.17": 50}


def test_every_lago_copy_has_totals_and_no_items_and_no_subscription() -> None:
    lago = [row for row in table("invoices") if row["stripe_invoice_id"].startswith("lago:")]
    items = {item["invoice_id"] for item in table("invoice_items")}
    assert len(lago) == 9
    assert all(row["invoice_number"].startswith("NEX-") for row in lago)
    assert not any(row["subscription_id"] for row in lago)
    assert not items & {row["id"] for row in lago}
    assert {each["version_number"] for each in objects("lago/invoices")} == {4}


def test_every_copy_was_created_on_the_day_of_the_sync() -> None:
    assert {row["created_at"][:10] for row in table("invoices")} == {"2026-05-31"}


def test_one_was_issued_late_on_a_months_last_day() -> None:
    late = [
        datetime.fromtimestamp(each["effective_at"], TORONTO)
        for each in objects("stripe/invoices")
        if each["effective_at"]
    ]
    assert [f"{at:%Y-%m-%d %H:%M}" for at in late if at.hour == 23] == ["2026-04-30 23:30"]


def test_the_source_facts_of_every_object_are_read_without_a_problem() -> None:
    facts = all_facts()
    assert len(facts) == 31
    assert {each.problem for each in facts} == {None}
    assert all(each.livemode for each in facts)
    assert {tax.state for each in facts for tax in each.taxes} == {"ON"}


def test_no_line_falls_outside_of_the_families() -> None:
    families = Counter(
        family_of(line.description, FAMILIES) for facts in all_facts() for line in facts.lines
    )
    assert set(families) == {"hosting", "managed", "addons"}


def test_hosting_is_mostly_214_50_and_a_backup_was_prorated() -> None:
    facts = all_facts()
    assert sum(each.net == 21450 and each.status is Status.PAID for each in facts) == 8
    told = [line.description for each in facts for line in each.lines]
    assert "Remaining time on Daily Backup Protection after 27 May 2026" in told


def test_what_must_come_out_has_the_published_totals() -> None:
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    totals = expected["totals"]["CAD"]
    assert (totals["posted_count"], totals["posted_total"], totals["receivable"]) == (23, 340346, 0)
    assert sum(totals["by_family"].values()) == 301188
    documents = expected["documents"].values()
    reasons = Counter(each["reason"] for each in documents)
    assert reasons == {None: 23, "void_at_source": 1, "draft_at_source": 2, "zero_amount": 5}
    unplaced = expected["periods"]["unplaced"]
    assert unplaced == {"population": 2, "post": 0, "skip": 2, "hold": 0}
    assert sum(each["population"] for each in expected["periods"].values()) == 31


def test_what_must_come_out_agrees_with_the_facts_of_the_sources() -> None:
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))["documents"]
    for facts in all_facts():
        told = expected.pop(facts.ref)
        assert told["date"] == (facts.date.isoformat() if facts.date else None)
        assert (told["net"], told["tax"], told["total"]) == (facts.net, facts.tax, facts.total)
        if told["disposition"] == "post":
            lines = [
                (family_of(line.description, FAMILIES), line.net, sum(t.amount for t in line.taxes))
                for line in facts.lines
            ]
            assert [(each["family"], each["net"], each["tax"]) for each in told["lines"]] == lines
    assert not expected


def test_usage_stays_below_the_quota_and_only_invoiced_subscriptions_have_any() -> None:
    plans = {row["id"]: row["cpu_seconds_quota"] for row in table("plans")}
    quota = {row["id"]: plans[row["plan_id"]] for row in table("subscriptions")}
    used: Counter[str] = Counter()
    for row in table("usage_records"):
        used[row["subscription_id"]] += Decimal(row["cpu_hours"]) * 3600
    assert set(used) == {row["subscription_id"] for row in billed(with_subscription=True)}
    assert all(0 < seconds <= Decimal(quota[each]) for each, seconds in used.items())


def test_every_row_refers_to_a_row_that_is_there() -> None:
    ids = {name: {row["id"] for row in table(name)} for name in TABLES if name != "usage_records"}
    refers = {"user_id": "users", "plan_id": "plans", "deployment_id": "deployments"}
    refers |= {"subscription_id": "subscriptions", "invoice_id": "invoices"}
    for name in TABLES:
        for row in table(name):
            for column, target in refers.items():
                assert not row.get(column) or row[column] in ids[target], (name, column, row)


def test_the_rules_decide_what_the_author_expects() -> None:
    expected = Dataset.open(FOLDER).expected["documents"]
    told = dataset_reading.decided(FOLDER)
    assert told.keys() == expected.keys()
    for ref, document in told.items():
        assert document == {key: expected[ref][key] for key in document}


def test_the_copies_differ_from_their_sources_in_the_void_and_in_missing_items_only() -> None:
    differing = Counter(
        row.field for rows in dataset_reading.differing(FOLDER).values() for row in rows
    )
    assert differing == {"lines": 10, "status": 1, "paid": 1}
