"""The dataset of three services: its files, and whose documents they are."""

from fcb_pipelines.connectors.nexacloud.tables import SERVICE_TABLES, column_names
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.pushing import handed_in
from fcb_pipelines.sandbox.scenarios.builders.services_small import PUSHING
from fcb_pipelines_tests.packaged import packaged
from fcb_pipelines_tests.sandbox.scenarios.dataset_reading import objects, table

FOLDER = packaged("services-small")


def test_the_registry_has_three_services_and_one_is_posted() -> None:
    settings = Dataset.open(FOLDER).settings()
    assert [service.key for service in settings.services] == ["nexacloud", "nexadesk", "nexamaps"]
    assert settings.service == "nexacloud"


def test_the_service_tables_have_the_columns_of_their_contract_and_no_id_twice() -> None:
    for name in SERVICE_TABLES:
        rows = table(FOLDER, name)
        assert rows
        assert tuple(rows[0]) == column_names(name)
        if name != "service_usage":
            assert len({(row["service"], row["id"]) for row in rows}) == len(rows)


def test_every_document_is_either_nexacloud_s_or_another_service_s() -> None:
    stripe = {each["id"] for each in objects(FOLDER, "stripe/invoices")}
    lago = {f"lago:{each['lago_id']}" for each in objects(FOLDER, "lago/invoices")}
    own = {row["stripe_invoice_id"] for row in table(FOLDER, "invoices")}
    others = {row["source_id"] for row in table(FOLDER, "service_invoices")}
    # Of nexamaps only Stripe says whose they are, by the subscription that they bill.
    sold = {one["source_subscription_id"] for one in handed_in(FOLDER)[PUSHING]["subscriptions"]}
    others |= {
        each["id"]
        for each in objects(FOLDER, "stripe/invoices")
        if each["parent"] and each["parent"]["subscription_details"]["subscription"] in sold
    }
    assert not own & others
    assert own | others == stripe | lago
    assert (len(own), len(others)) == (3, 7)


def test_nexamaps_has_no_row_in_any_table() -> None:
    content = handed_in(FOLDER)
    assert [*content] == [PUSHING]
    assert {name: len(rows) for name, rows in content[PUSHING].items()} == {
        "customers": 2, "subscriptions": 2, "usage": 8,
    }  # fmt: skip
    for name in SERVICE_TABLES:
        assert {row["service"] for row in table(FOLDER, name)} == {"nexadesk"}
