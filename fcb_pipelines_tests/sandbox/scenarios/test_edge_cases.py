"""The packaged edge cases: complete, in the vendors' exact shape, and consistent in themselves."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import stripe
from lago_python_client.client import Client

from fcb_pipelines.connectors.nexacloud.tables import TABLES, column_names
from fcb_pipelines.core.codes import ExceptionCode, Reason
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.sandbox import lago_server, stripe_server
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.scenarios.edge_cases import LOCKED_UNTIL
from fcb_pipelines_tests.edge_cases import LATER, NOW, Fixture, expected, fixtures
from fcb_pipelines_tests.serving import served
from fcb_pipelines_tests.stripe_sdk import class_of, strangers

BOTH = pytest.mark.parametrize("folder", [NOW, LATER], ids=lambda folder: folder.name)
PAGE = (Path(__file__).parents[3] / "docs" / "cases.md").read_text("utf-8")
RULES = [
    *(f"A{n}" for n in (*range(1, 12), 13)),
    *(f"B{n}" for n in range(1, 14)),
    *(f"T{n}" for n in range(1, 7)),
    *(f"S{n}" for n in (*range(1, 10), 11, 12, 13)),
    *("D1", "D2", "D4"),
]


def objects(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return found


def copies(folder: Path) -> list[dict[str, str]]:
    with (folder / "nexacloud" / "invoices.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_rows() -> dict[str, list[str]]:
    """The cells of each rule's row in the page."""
    found = re.findall(r"^\| ([A-Z]\d+) \|(.*)\|$", PAGE, re.MULTILINE)
    return {rule: [cell.strip() for cell in cells.split("|")] for rule, cells in found}


def test_the_later_one_runs_over_the_books_of_the_first() -> None:
    now, later = Dataset.open(NOW), Dataset.open(LATER)
    assert now.name == later.name == NOW.name
    assert (now.stripe_account, now.lago_organization) == (
        later.stripe_account,
        later.lago_organization,
    )
    assert now.locked_until == later.locked_until == LOCKED_UNTIL
    assert now.overrides == later.overrides == {}
    assert now.as_of < later.as_of


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_fixture(rule: str) -> None:
    assert [each.case for each in fixtures(NOW) if each.rule == rule]


@BOTH
def test_every_case_stands_once_and_its_ref_too(folder: Path) -> None:
    told = fixtures(folder)
    for counted in (Counter(each.case for each in told), Counter(each.ref for each in told)):
        assert max(counted.values()) == 1
    assert {each.ref for each in told} == expected(folder)["documents"].keys()


@BOTH
def test_what_is_expected_agrees_with_the_table_of_cases(folder: Path) -> None:
    for each in fixtures(folder):
        document = each.document
        assert document["disposition"] == each.disposition
        assert document["reason"] == each.reason
        assert tuple(document["exceptions"]) == each.exceptions
        known = Reason.of(each.reason).verdict if each.reason else "post"
        assert known == each.disposition
        assert set(each.exceptions) <= set(ExceptionCode)


@BOTH
def test_every_case_is_an_object_that_names_it(folder: Path) -> None:
    named: dict[str, str] = {}
    for name in ("invoices", "credit_notes"):
        for each in objects(folder, f"stripe/{name}"):
            named[each["id"]] = each["metadata"]["case"]
    for each in objects(folder, "lago/invoices"):
        (case,) = (m["value"] for m in each["metadata"])
        named[each["lago_id"]] = case
    for each in objects(folder, "lago/credit_notes"):
        named[each["lago_id"]] = each["number"]
    for row in copies(folder):
        named[row["id"]] = row["invoice_number"]
    for told in fixtures(folder):
        if "missing_at_source" not in told.exceptions:
            assert named[told.ref.rsplit(":", 1)[-1]] == told.case


def test_what_a_source_has_lost_is_an_object_of_the_first_dataset_alone() -> None:
    gone = [
        each.ref.rsplit(":", 1)[-1]
        for each in fixtures(LATER)
        if "missing_at_source" in each.exceptions
    ]
    assert gone
    for folder, there in ((NOW, True), (LATER, False)):
        ids = {each["id"] for each in objects(folder, "stripe/invoices")}
        assert all((one in ids) == there for one in gone), folder


@BOTH
def test_every_posted_document_adds_up(folder: Path) -> None:
    for told in fixtures(folder):
        document = told.document
        assert document["total"] == document["net"] + document["tax"], told.case
        lines = document.get("lines")
        if lines:
            assert sum(line["net"] for line in lines) == document["net"], told.case
            assert sum(line["tax"] for line in lines) == document["tax"], told.case
        assert bool(lines) == (document["disposition"] == "post") or lines is None, told.case
        assert 0 <= document["paid"] <= document["total"], told.case
        if document["state"] == "none":
            assert (document["paid"], document["payment_state"]) == (0, "not_paid"), told.case


def debt(document: dict[str, Any]) -> int:
    """The older debt that an invoice collects, where nothing paid it (B9)."""
    told = document["settlements"]
    settled = sum(each["amount"] for each in told if each["method"] != "refund")
    return max(0, -settled)


@BOTH
def test_the_totals_are_those_of_the_documents(folder: Path) -> None:
    told = expected(folder)
    documents = told["documents"].values()
    for place, counted in told["periods"].items():
        here = [each for each in documents if (each["period"] or "unplaced") == place]
        assert counted["population"] == len(here), place
        for verdict in ("post", "skip", "hold"):
            assert counted[verdict] == sum(each["disposition"] == verdict for each in here), place
    for currency, totals in told["totals"].items():
        posted = [e for e in documents if e["state"] == "posted" and e["currency"] == currency]
        assert totals["posted_count"] == len(posted)
        if folder == NOW:
            assert totals["posted_total"] == sum(signed(each, each["total"]) for each in posted)
            owed = sum(signed(each, each["total"] - each["paid"] + debt(each)) for each in posted)
            assert totals["receivable"] == owed


@BOTH
def test_what_is_listed_has_its_code_and_its_amount(folder: Path) -> None:
    for told in fixtures(folder):
        codes = {told.reason, *told.document["exceptions"]}
        for row in told.document["listed"]:
            assert row["amount"], told.case
            assert row["why"] in codes, told.case
        without = {row["why"] for row in told.document["listed"]} & set(ExceptionCode)
        for code in ("cash_without_document", "credit_without_origin"):
            assert (code in told.document["exceptions"]) == (code in without), told.case


@BOTH
def test_every_amount_at_the_sources_is_posted_or_listed(folder: Path) -> None:
    told = expected(folder)
    for currency, measures in told["amounts"].items():
        for what, sums in measures.items():
            assert sums["source"] == sums["posted"] + sums["listed"], (currency, what)
        posted = told["totals"].get(currency, {}).get("posted_total", 0)
        assert posted == sum(measures.get(what, {}).get("posted", 0) for what in ("revenue", "tax"))


def signed(document: dict[str, Any], amount: int) -> int:
    return -amount if document["kind"] == "credit_note" else amount


def test_a_month_later_everything_is_still_there_as_it_was_issued() -> None:
    before = {each.case: each for each in fixtures(NOW)}
    after = {each.case: each for each in fixtures(LATER)}
    assert before.keys() <= after.keys()
    changed = {"EC-A3-2", "EC-D2-1"}  # a draft that was finalised, an invoice that was changed
    for case in before.keys() - changed:
        for field in ("number", "date", "kind", "currency", "net", "tax", "total"):
            assert before[case].document[field] == after[case].document[field], case


@BOTH
@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_has_the_columns_of_its_contract(folder: Path, name: str) -> None:
    with (folder / "nexacloud" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        assert tuple(next(csv.reader(file))) == column_names(name)


@BOTH
def test_stripes_own_client_reads_everything_and_knows_every_key(folder: Path) -> None:
    lists = ("invoices", "invoice_payments", "tax_rates", "credit_notes", "refunds", "disputes",
             "balance_transactions")  # fmt: skip
    with served(stripe_server.create_app(folder)) as address:
        v1: Any = stripe.StripeClient(
            "rk_live_1",
            base_addresses={"api": address},
            http_client=stripe.RequestsClient(timeout=5),
        ).v1
        for name in lists:
            read = getattr(v1, name).list({"limit": 100}).auto_paging_iter()
            bodies = objects(folder, f"stripe/{name}")
            assert sorted(each.id for each in read) == sorted(each["id"] for each in bodies)
            assert [key for body in bodies for key in strangers(body, class_of(body), name)] == []


@BOTH
def test_lagos_own_client_reads_everything(folder: Path) -> None:
    with served(lago_server.create_app(folder)) as address:
        client = Client(api_key="key", api_url=address)
        for name in ("invoices", "payments", "credit_notes"):
            read = getattr(client, name).find_all({"per_page": 100})[name]
            assert {each.lago_id for each in read} == {
                each["lago_id"] for each in objects(folder, f"lago/{name}")
            }
        for each in objects(folder, "lago/invoices"):
            found = client.invoices.find(each["lago_id"])
            assert found is not None
            assert found.total_due_amount_cents == each["total_due_amount_cents"]
            credits = found.credits.__root__ if found.credits else []
            assert sum(credit.amount_cents or 0 for credit in credits) == sum(
                credit["amount_cents"] for credit in each["credits"]
            )


@pytest.mark.parametrize("rule", RULES)
def test_the_page_has_the_fixtures_and_codes_of_every_rule(rule: str) -> None:
    _, codes, settings, named = table_rows()[rule]
    ours = {each.case: each for folder in (NOW, LATER) for each in all_of(folder, rule)}
    only_later = ours.keys() - {each.case for each in all_of(NOW, rule)}
    told = re.findall(r"(\*?)([A-Z]\d+-[\w-]+)", named)
    assert sorted(f"EC-{case}" for _, case in told) == sorted(ours)
    assert {f"EC-{case}" for italic, case in told if italic} == only_later
    raised = {
        code
        for folder in (NOW, LATER)
        for each in all_of(folder, rule)
        for code in (each.reason, *each.exceptions)
        if code
    }
    assert set(re.findall(r"`([a-z_]+)`", codes)) == raised
    for setting in re.findall(r"`([a-z_.]+)`", settings):
        assert is_setting(setting), setting


def all_of(folder: Path, rule: str) -> list[Fixture]:
    return [each for each in fixtures(folder) if each.rule == rule]


def is_setting(path: str) -> bool:
    fields: Any = Settings.model_fields
    for name in path.split("."):
        if name not in fields:
            return False
        fields = getattr(fields[name].annotation, "model_fields", {})
    return True
