"""The Lago stand-in against Lago's own Python client: shapes, paging, filters, errors."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from lago_python_client.client import Client
from lago_python_client.exceptions import LagoApiError, LagoRateLimitError

from fcb_pipelines.sandbox.lago_server import create_app
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.serving import served

ALL = {"per_page": 100}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_dataset.write(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def address(dataset: Path) -> Iterator[str]:
    with served(create_app(dataset)) as base:
        yield base


@pytest.fixture
def client(address: str) -> Client:
    return Client(api_key="key", api_url=address)


def test_the_vendors_client_reads_every_list(client: Client) -> None:
    invoices = client.invoices.find_all(ALL)
    assert {each.lago_id for each in invoices["invoices"]} == {
        each["lago_id"] for each in small_dataset.lago_invoices()
    }
    assert invoices["meta"]["total_count"] == len(small_dataset.lago_invoices())
    assert {each.fees for each in invoices["invoices"]} == {None}
    fees = client.fees.find_all(ALL)["fees"]
    assert {each.lago_invoice_id for each in fees} >= {"paid", "coupon"}
    assert fees[0].applied_taxes is not None
    payments = client.payments.find_all(ALL)["payments"]
    assert {each.lago_id for each in payments} == {
        each["lago_id"] for each in small_dataset.lago_payments()
    }
    assert client.credit_notes.find_all(ALL)["credit_notes"][0].total_amount_cents == 1130


def test_the_vendors_client_reads_single_objects(client: Client) -> None:
    invoice = client.invoices.find("paid")
    assert invoice is not None
    assert (invoice.total_amount_cents, invoice.total_due_amount_cents) == (24239, 0)
    assert invoice.fees is not None
    assert [fee.amount_cents for fee in invoice.fees.__root__] == [21450]
    assert invoice.customer is not None
    assert invoice.customer.external_id == "user-1"
    note = client.credit_notes.find("note-1")
    assert note is not None
    assert note.number == "NEX-coupon-CN1"
    assert (note.credit_amount_cents, note.balance_amount_cents) == (1130, 1130)
    assert note.items is not None
    assert [item.amount_cents for item in note.items.__root__] == [1000]


def test_pages_name_their_neighbours(client: Client) -> None:
    seen = []
    page = 1
    while page:
        answer = client.invoices.find_all({"per_page": 5, "page": page})
        seen += [each.lago_id for each in answer["invoices"]]
        assert answer["meta"]["current_page"] == page
        page = answer["meta"]["next_page"]
    assert len(seen) == len(set(seen)) == len(small_dataset.lago_invoices())


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"status": "draft"}, 1),
        ({"statuses[]": ["draft", "voided"]}, 2),
        ({"external_customer_id": "user-2"}, 0),
        ({"issuing_date_from": "2026-05-01"}, 0),
        ({"issuing_date_from": "no date"}, 12),  # Lago ignores what it can't read
        ({"invoice_type": "credit"}, 1),
    ],
)
def test_filters_select(address: str, params: dict[str, str], count: int) -> None:
    headers = {"Authorization": "Bearer key"}
    answer = httpx.get(f"{address}/api/v1/invoices", params=params, headers=headers).json()
    assert len(answer["invoices"]) == count


def test_what_lago_refuses_is_refused(client: Client, dataset: Path) -> None:
    with pytest.raises(LagoApiError) as missing:
        client.invoices.find("gone")
    assert missing.value.status_code == 404
    assert missing.value.response == {
        "status": 404,
        "error": "Not Found",
        "code": "invoice_not_found",
    }
    with served(create_app(dataset, api_key="own", faults=Faults(throttle=1))) as address:
        with pytest.raises(LagoApiError) as unauthorized:
            Client(api_key="other", api_url=address).invoices.find_all()
        assert unauthorized.value.status_code == 401
        own = Client(api_key="own", api_url=address, retry_on_rate_limit=False)
        with pytest.raises(LagoRateLimitError):
            own.invoices.find_all()


def test_a_rate_limit_is_told_in_headers(dataset: Path) -> None:
    with served(create_app(dataset, rate_limit=50)) as address:
        headers = {"Authorization": "Bearer key"}
        answer = httpx.get(f"{address}/api/v1/payments", headers=headers)
    assert answer.headers["x-ratelimit-limit"] == "50"
    assert int(answer.headers["x-ratelimit-remaining"]) < 50
