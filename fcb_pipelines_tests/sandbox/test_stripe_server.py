"""The Stripe stand-in against Stripe's own SDK: shapes, paging, filters, errors."""

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import stripe

from fcb_pipelines.connectors.stripe.client import API_VERSION
from fcb_pipelines.connectors.stripe.events import TYPES
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines.sandbox.stripe_server import create_app
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.edge_cases import NOW
from fcb_pipelines_tests.serving import served
from fcb_pipelines_tests.source_shapes import (
    stripe_balance_transaction,
    stripe_charge,
    stripe_payout,
    stripe_refund,
)
from fcb_pipelines_tests.stripe_sdk import class_of, fields, strangers

LISTS = (
    "invoices", "invoice_payments", "tax_rates", "credit_notes", "refunds", "disputes",
    "balance_transactions", "payouts", "events",
)  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_dataset.write(tmp_path_factory.mktemp("small"))


def client_of(address: str, key: str = "rk_live_1", version: str | None = None) -> Any:
    return stripe.StripeClient(
        key,
        base_addresses={"api": address},
        stripe_version=version,
        http_client=stripe.RequestsClient(timeout=5),
    ).v1


@pytest.fixture(scope="module")
def v1(dataset: Path) -> Iterator[Any]:
    with served(create_app(dataset)) as address:
        yield client_of(address)


def test_the_pinned_version_is_the_sdks_own() -> None:
    assert stripe.api_version == API_VERSION


@pytest.mark.parametrize("name", LISTS)
def test_the_sdk_parses_every_list_and_knows_every_key(v1: Any, name: str) -> None:
    expand = {"expand": ["data.payments"]} if name == "invoices" else {}
    page = getattr(v1, name).list({"limit": 100, **expand})
    bodies = json.loads(page.last_response.body)["data"]
    assert bodies
    assert [each.id for each in page.data] == [each["id"] for each in bodies]
    assert type(page.data[0]).__name__ != "StripeObject"
    assert [key for body in bodies for key in strangers(body, class_of(body), name)] == []


@pytest.mark.parametrize("name", LISTS)
def test_the_sdk_parses_every_object_by_id(v1: Any, name: str) -> None:
    service = getattr(v1, name)
    listed = service.list().data[0]
    assert service.retrieve(listed.id).id == listed.id


def test_an_invoice_carries_every_field_that_the_sdk_promises(v1: Any) -> None:
    body = json.loads(v1.invoices.retrieve("in_paid").last_response.body)
    absent = fields(stripe.Invoice) - body.keys()
    assert absent == {"confirmation_secret", "deleted", "payments"}
    line = body["lines"]["data"][0]
    assert fields(stripe.InvoiceLineItem) - line.keys() == set()
    rate = json.loads(v1.tax_rates.retrieve(small_dataset.HST).last_response.body)
    assert fields(stripe.TaxRate) - rate.keys() == set()
    payment = json.loads(v1.invoice_payments.list().last_response.body)["data"][0]
    assert fields(stripe.InvoicePayment) - payment.keys() == set()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("credit_notes", stripe.CreditNote),
        ("refunds", stripe.Refund),
        ("disputes", stripe.Dispute),
        ("balance_transactions", stripe.BalanceTransaction),
        ("payouts", stripe.Payout),
    ],
)
def test_what_changes_a_payment_carries_every_field_that_the_sdk_promises(
    v1: Any, name: str, kind: type
) -> None:
    (body,) = json.loads(getattr(v1, name).list().last_response.body)["data"]
    assert fields(kind) - body.keys() <= {"deleted"}
    if kind is stripe.CreditNote:
        assert fields(stripe.CreditNoteLineItem) - body["lines"]["data"][0].keys() == set()


def test_the_balance_is_what_its_transactions_come_to(v1: Any) -> None:
    found = v1.balance.retrieve()
    body = json.loads(found.last_response.body)
    assert strangers(body, stripe.Balance, "balance") == []
    moved = v1.balance_transactions.list().data
    assert found.available[0].amount == sum(each.net for each in moved)
    assert (found.available[0].currency, found.pending[0].amount) == ("cad", 0)


@pytest.fixture(scope="module")
def cash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A payout of one charge; a second charge, still pending, and a manual payout that claims none."""
    folder = tmp_path_factory.mktemp("cash")
    charges = [
        stripe_charge(f"ch_{n}", 1130, created=n, payment_intent=f"pi_{n}", customer="cus_1")
        for n in (1, 2)
    ]
    refund = stripe_refund("re_1", 130, created=3, charge="ch_1") | {"charge": charges[0]}
    rows = [
        stripe_balance_transaction("txn_1", 1130, type="charge", source=charges[0], created=1, fee=33, fee_tax=4),
        stripe_balance_transaction("txn_2", 1130, type="charge", source=charges[1], created=2, status="pending"),
        stripe_balance_transaction("txn_3", -130, type="refund", source=refund, created=3),
        stripe_balance_transaction("txn_po", -963, type="payout", source="po_po", created=4),
    ]  # fmt: skip
    payouts = [
        stripe_payout("po_po", 963, created=4),
        stripe_payout("po_now", 10, created=5, automatic=False, method="instant"),
    ]
    claims = [{"payout": "po_po", "transactions": ["txn_1", "txn_3"]}]
    (folder / "stripe").mkdir()
    for name, content in (
        ("balance_transactions", rows),
        ("payouts", payouts),
        ("payout_transactions", claims),
    ):
        (folder / "stripe" / f"{name}.json").write_text(json.dumps(content))
    with served(create_app(folder)) as address:
        yield client_of(address)


def test_a_payout_lists_its_transactions_and_its_own(cash: Any) -> None:
    found = cash.balance_transactions.list({"payout": "po_po"}).data
    assert [each.id for each in found] == ["txn_po", "txn_3", "txn_1"]
    assert sum(each.net for each in found) == 0
    with pytest.raises(stripe.InvalidRequestError, match="only be filtered on automatic"):
        cash.balance_transactions.list({"payout": "po_now"})
    with pytest.raises(stripe.InvalidRequestError, match="No such payout: 'po_none'"):
        cash.balance_transactions.list({"payout": "po_none"})


def test_what_is_pending_and_what_is_available_are_told_apart(cash: Any) -> None:
    found = cash.balance.retrieve()
    assert (found.available[0].amount, found.pending[0].amount) == (0, 1130)


def test_the_source_of_a_transaction_and_its_charge_are_shown_as_they_are_expanded(
    cash: Any,
) -> None:
    def refund(**params: Any) -> Any:
        return cash.balance_transactions.list(params).data[1].source

    assert refund() == "re_1"
    assert (refund(expand=["data.source"]).id, refund(expand=["data.source"]).charge) == (
        "re_1",
        "ch_1",
    )
    whole = refund(expand=["data.source", "data.source.charge"])
    assert (whole.charge.customer, whole.charge.payment_intent) == ("cus_1", "pi_1")


def test_the_objects_of_the_balance_have_no_key_that_the_sdk_does_not_know(cash: Any) -> None:
    listed = cash.balance_transactions.list({"expand": ["data.source.charge"]})
    bodies = json.loads(listed.last_response.body)["data"]
    assert [key for body in bodies for key in strangers(body, class_of(body), "txn")] == []
    payouts = json.loads(cash.payouts.list().last_response.body)["data"]
    assert [key for body in payouts for key in strangers(body, class_of(body), "po")] == []


def test_the_sdk_walks_all_pages_of_invoices_and_lines(v1: Any) -> None:
    walked = [each.id for each in v1.invoices.list({"limit": 3}).auto_paging_iter()]
    assert sorted(walked) == sorted(each["id"] for each in small_dataset.stripe_invoices())
    invoice = v1.invoices.retrieve("in_many")
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    lines = v1.invoices.line_items.list("in_many", {"limit": 7}).auto_paging_iter()
    assert [each.id for each in lines] == [f"il_many_{n}" for n in range(1, 26)]


def test_pages_go_backwards_too(v1: Any) -> None:
    ids = [each.id for each in v1.invoices.list({"limit": 100}).data]
    page = v1.invoices.list({"limit": 2, "ending_before": ids[4]})
    assert ([each.id for each in page.data], page.has_more) == (ids[2:4], True)


def test_a_failure_names_its_charge_and_shows_it_where_it_is_expanded() -> None:
    failed = {"type": "payment_failure_refund"}
    with served(create_app(NOW)) as address:
        listed = client_of(address).balance_transactions
        plain = listed.list(failed).data
        shown = listed.list({**failed, "expand": ["data.source"]}).data
    assert [each.source for each in plain] == [each.source.id for each in shown]
    assert any(each.source.payment_intent for each in shown)


def test_payments_come_only_where_they_are_expanded(v1: Any) -> None:
    assert "payments" not in v1.invoices.retrieve("in_instalments")
    expanded = v1.invoices.retrieve("in_instalments", {"expand": ["payments"]})
    assert (len(expanded.payments.data), expanded.payments.has_more) == (10, True)
    found = v1.invoice_payments.list({"invoice": "in_instalments", "limit": 100})
    assert len(found.data) == 12


@pytest.mark.parametrize(
    ("params", "ids"),
    [
        ({"status": "draft"}, {"in_draft"}),
        ({"customer": "cus_2"}, set()),
        ({"created": {"gte": small_dataset.MAY_2}}, set()),
        ({"created": {"lt": small_dataset.MAY_2}, "status": "void"}, {"in_void"}),
        ({"subscription": "sub_1"}, set()),
    ],
)
def test_filters_select(v1: Any, params: dict[str, Any], ids: set[str]) -> None:
    assert {each.id for each in v1.invoices.list(params).data} == ids


def test_what_stripe_refuses_is_refused(v1: Any, dataset: Path) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such invoice") as missing:
        v1.invoices.retrieve("in_gone")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        v1.invoices.list({"effective_at": 1})
    with pytest.raises(stripe.InvalidRequestError, match="Limit"):
        v1.invoices.list({"limit": 101})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        v1.invoices.list({"expand": ["data.charge"]})
    with pytest.raises(stripe.InvalidRequestError, match="No such object"):
        v1.invoices.list({"starting_after": "in_gone"})
    faults = Faults(throttle=1, retry_after="3", forbidden=frozenset({"payouts"}))
    with served(create_app(dataset, api_key="rk_live_own", faults=faults)) as address:
        with pytest.raises(stripe.AuthenticationError):
            client_of(address).invoices.list()
        own = client_of(address, "rk_live_own")
        with pytest.raises(stripe.RateLimitError) as throttled:
            own.invoices.list()
        assert throttled.value.headers["retry-after"] == "3"
        with pytest.raises(stripe.PermissionError):
            own.payouts.list()
        with pytest.raises(stripe.InvalidRequestError, match="API version"):
            client_of(address, "rk_live_own", "2020-08-27").invoices.list()


def test_more_calls_a_second_than_the_limit_are_turned_away(dataset: Path) -> None:
    def ask_often(v1: Any) -> None:
        for _ in range(6):
            v1.tax_rates.list()

    with served(create_app(dataset, rate_limit=2)) as address:
        v1 = client_of(address)
        with pytest.raises(stripe.RateLimitError):
            ask_often(v1)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    with served(create_app(small_dataset.write(tmp_path))) as address:
        v1 = client_of(address)
        assert v1.invoices.retrieve("in_paid").total == 24239
        path = tmp_path / "stripe" / "invoices.json"
        path.write_text(path.read_text().replace("24239", "24240"))
        assert v1.invoices.retrieve("in_paid").total == 24240
        path.unlink()
        assert v1.invoices.list().data == []


def test_every_change_between_two_looks_is_an_event_and_the_newest_comes_first(
    tmp_path: Path,
) -> None:
    folder = small_dataset.write(tmp_path) / "stripe"
    with served(create_app(tmp_path)) as address:
        v1 = client_of(address)
        opening, own = v1.events.list().data
        assert (opening.type, own.id) == ("invoice.updated", "evt_1")

        def change(name: str, edit: Callable[[list[Any]], object]) -> None:
            rows = json.loads((folder / f"{name}.json").read_text())
            edit(rows)
            (folder / f"{name}.json").write_text(json.dumps(rows))

        change("invoices", lambda rows: rows[0].update(metadata={"a": "b"}))
        change("invoices", lambda rows: rows.append({**rows[0], "id": "in_new"}))
        change("invoices", lambda rows: rows.remove(rows[1]))
        change("refunds", lambda rows: rows[0].update(status="failed"))
        change("invoice_payments", lambda rows: rows[0].update(status="canceled"))
        told = v1.events.list({"limit": 100})
        ids = [each.id for each in told.data]
        assert ids[-2:] == [opening.id, own.id]
        assert sorted(each.type for each in told.data[:-2]) == [
            "invoice.created", "invoice.deleted", "invoice.updated", "invoice_payment.paid",
            "refund.updated",
        ]  # fmt: skip
        assert [each.created for each in told.data] == sorted(
            (each.created for each in told.data), reverse=True
        )
        assert [each.id for each in v1.events.list({"limit": 100}).data] == ids
        body = json.loads(told.last_response.body)["data"][0]
        assert fields(stripe.Event) - body.keys() <= {"account", "context"}
        assert v1.events.retrieve(ids[0]).id == ids[0]
        chosen = v1.events.list({"types": ["refund.updated", "invoice.deleted"]}).data
        assert {each.type for each in chosen} == {"refund.updated", "invoice.deleted"}
        with pytest.raises(stripe.InvalidRequestError, match="20 types"):
            v1.events.list({"types": ["refund.updated"] * 21})


def test_the_types_that_are_polled_are_the_sdks_own_and_no_more_than_stripe_takes() -> None:
    known = set(get_args(get_type_hints(stripe.Event)["type"]))
    assert set(TYPES) <= known
    assert len(TYPES) <= 20


@pytest.mark.parametrize("name", ["Invoice", "CreditNote", "Refund", "Dispute", "Event"])
def test_the_filters_by_which_changes_are_read_are_the_sdks_own(name: str) -> None:
    params = getattr(stripe.params, f"{name}ListParams")
    known = {key for each in params.__mro__ for key in inspect.get_annotations(each)}
    wanted = {"Invoice": {"created", "status"}, "Event": {"created", "types"}}
    assert wanted.get(name, {"created"}) <= known
