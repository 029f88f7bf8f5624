"""The Lago connector against the stand-in: whole lists, counts, joins, failures."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from fcb_pipelines.connectors.failures import ContractBreach, NotAllowed, Throttled, Unreachable
from fcb_pipelines.connectors.lago.source import LagoSource
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.sources import Source, SourceBody
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.facts.lago.documents import document_facts
from fcb_pipelines.sandbox.lago_server import create_app
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.serving import served
from fcb_pipelines_tests.source_shapes import (
    lago_credit,
    lago_customer,
    lago_fee,
    lago_invoice,
    lago_payment,
)

READING = {"organization": small_dataset.ORGANIZATION, "timezone": small_dataset.TIMEZONE}


def quick() -> Pace:
    return Pace(100_000, sleep=lambda seconds: None)


class Connect(Protocol):
    """Serves a dataset with these faults and connects to it."""

    def __call__(self, dataset: Path, faults: Faults | None = None, **more: str) -> LagoSource: ...


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def start(dataset: Path, faults: Faults | None = None, **more: str) -> LagoSource:
            app = create_app(dataset, faults=faults, api_key="key")
            address = stack.enter_context(served(app))
            return LagoSource(address, more.get("api_key", "key"), "nexa", 100, pace=quick())

        yield start


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_dataset.write(tmp_path)


def many(folder: Path, count: int) -> Path:
    """A dataset of `count` invoices of one fee."""
    customer = lago_customer("user-1", name="Acme")
    invoices = [
        lago_invoice(
            f"inv-{n:04d}", number=str(n), issuing_date="2026-04-30", customer=customer,
            fees=[lago_fee(f"fee-{n:04d}", f"inv-{n:04d}", 100 + n, name="x")],
        )
        for n in range(count)
    ]  # fmt: skip
    path = folder / "lago" / "invoices.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(invoices))
    return folder


def test_it_is_a_source(small: Path, connect: Connect) -> None:
    source: Source = connect(small)
    assert source.name == "lago"


def test_the_list_is_whole_and_its_bodies_tell_the_same_facts(
    small: Path, connect: Connect
) -> None:
    faults = Faults()
    source = connect(small, faults)
    listing = source.listing()
    # A page of each of four lists, and the one invoice that used a credit note.
    assert (listing.problem, listing.calls) == (None, 5)
    faults.calls.clear()
    completed = source.complete(listing.documents)
    assert faults.calls == []
    assert completed == listing.documents
    ids = {each.id for each in listing.documents}
    assert ids == {each["lago_id"] for each in small_dataset.lago_invoices()} | {"note-1"}
    for body in listing.documents:
        if body.kind is Kind.INVOICE:
            expected = small_dataset.lago_body(body.id)
            assert document_facts(body.body, **READING) == document_facts(expected, **READING)


@pytest.mark.parametrize(("count", "calls"), [(0, 4), (100, 4), (101, 6), (350, 10)])
def test_calls_grow_with_pages(tmp_path: Path, connect: Connect, count: int, calls: int) -> None:
    listing = connect(many(tmp_path, count)).listing()
    assert (len(listing.documents), listing.calls, listing.problem) == (count, calls, None)


@pytest.mark.parametrize("faults", [
    Faults(skip=frozenset({"invoices"})),
    Faults(repeat=frozenset({"invoices"})),
])  # fmt: skip
def test_a_page_that_is_lost_or_comes_again_fails_the_listing(
    tmp_path: Path, connect: Connect, faults: Faults
) -> None:
    listing = connect(many(tmp_path, 350), faults).listing()
    assert "Lago counts 350" in (listing.problem or "")


def test_fees_that_the_sweep_lost_cost_one_call_an_invoice(
    tmp_path: Path, connect: Connect
) -> None:
    faults = Faults(skip=frozenset({"fees"}))
    source = connect(many(tmp_path, 150), faults)
    listing = source.listing()
    assert listing.problem is None
    faults.calls.clear()
    completed = source.complete(listing.documents)
    assert len(faults.calls) == 50
    facts = [
        document_facts(each.body, **READING) for each in completed if isinstance(each, SourceBody)
    ]
    assert all(each.problem is None and len(each.lines) == 1 for each in facts)
    assert len(facts) == 150


def test_which_credit_notes_an_invoice_used_is_asked_of_it_and_told_of_the_note(
    tmp_path: Path, connect: Connect
) -> None:
    small_dataset.write(tmp_path)
    file = tmp_path / "lago" / "invoices.json"
    invoices = json.loads(file.read_text())
    used = lago_credit("credit-1", "credited", 1000, type="credit_note", item="note-1",
                       code="NEX-coupon-CN1", name="NEX-coupon-CN1")  # fmt: skip
    next(each for each in invoices if each["lago_id"] == "credited")["credits"] = [used]
    file.write_text(json.dumps(invoices))
    listing = connect(tmp_path).listing()
    assert listing.problem is None
    bodies = {each.id: each for each in listing.documents}
    assert bodies["credited"].body["invoice"]["credits"] == [used]
    (told,) = bodies["note-1"].body["applied_on"]
    assert (told["lago_id"], told["credits"]) == ("credited", [used])
    faults = Faults(broken=frozenset({"credited"}))
    assert "credited" in (connect(tmp_path, faults).listing().problem or "")


def test_s11_a_confirmed_payment_of_an_invoice_that_is_not_listed_is_a_document_of_its_own(
    tmp_path: Path, connect: Connect
) -> None:
    small_dataset.write(tmp_path)
    file = tmp_path / "lago" / "payments.json"
    payments = json.loads(file.read_text())
    loose = lago_payment("p-1", "gone", "G-1", 777, created_at="2026-05-01T02:30:00Z")
    part = {**loose, "lago_id": "p-2", "invoice_ids": ["open", "gone"]}
    file.write_text(
        json.dumps(
            [*payments, loose, part, {**loose, "lago_id": "p-3", "payment_status": "failed"}]
        )
    )
    faults = Faults()
    source = connect(tmp_path, faults)
    listing = source.listing()
    found = {each.id: each for each in listing.documents if "payment" in each.body}
    assert listing.problem is None
    assert {name: each.body["listed_invoices"] for name, each in found.items()} == {
        "p-1": [],
        "p-2": ["open"],
    }
    faults.calls.clear()
    assert source.complete([*found.values()]) == tuple(found.values())
    assert faults.calls == []


def test_an_id_that_does_not_exist_and_one_that_does_not_answer_are_told_apart(
    small: Path, connect: Connect
) -> None:
    source = connect(small, Faults(broken=frozenset({"open"})))
    answers = source.ask(["gone", "open", "shared-1", "", "../fees"])
    assert [getattr(each, "reason", "found") for each in answers] == [
        "does_not_exist",
        "unreachable",
        "found",
        "does_not_exist",
        "does_not_exist",
    ]
    found = answers[2]
    assert isinstance(found, SourceBody)
    facts = document_facts(found.body, **READING)
    assert facts == document_facts(small_dataset.lago_body("shared-1"), **READING)


def test_a_404_that_is_not_lagos_own_proves_nothing() -> None:
    async def proxy(scope: object, receive: object, send: object) -> None:
        response = PlainTextResponse("no route", status_code=404)
        await response(scope, receive, send)  # type: ignore[arg-type]

    app = Starlette()
    app.mount("/", proxy)
    with served(app) as address:
        [answer] = LagoSource(address, "key", "nexa", 100, pace=quick()).ask(["inv-1"])
    assert getattr(answer, "reason", None) == "unreachable"


def test_an_address_with_the_api_path_is_the_same_address(small: Path) -> None:
    with served(create_app(small)) as address:
        source = LagoSource(f"{address}/api/v1/", "key", "nexa", 100, pace=quick())
        assert source.describe().counts["invoices"] == len(small_dataset.lago_invoices())


def test_no_answer_at_all_is_unreachable() -> None:
    source = LagoSource("http://127.0.0.1:9", "key", "nexa", 100, pace=quick())
    with pytest.raises(Unreachable, match="no answer"):
        source.listing()


def test_an_answer_that_is_no_list_is_a_breach() -> None:
    def page(_request: Request) -> JSONResponse:
        return JSONResponse({"invoices": [{"number": "1"}], "meta": {}})

    with served(Starlette(routes=[Route("/api/v1/{table}", page)])) as address:
        source = LagoSource(address, "key", "nexa", 100, pace=quick())
        with pytest.raises(ContractBreach, match="no lago_id"):
            source.listing()


def test_throttled_calls_are_tried_again_and_not_for_ever(small: Path, connect: Connect) -> None:
    assert connect(small, Faults(throttle=4)).listing().problem is None
    with pytest.raises(Throttled):
        connect(small, Faults(throttle=5)).listing()


def test_a_used_up_limit_is_waited_for(small: Path) -> None:
    slept: list[float] = []
    pace = Pace(100_000, sleep=slept.append)
    with served(create_app(small, rate_limit=1)) as address, suppress(Throttled):
        LagoSource(address, "key", "nexa", 100, pace=pace).listing()
    assert any(seconds > 0.5 for seconds in slept)


def test_a_key_without_rights_stops_the_listing(small: Path, connect: Connect) -> None:
    with pytest.raises(NotAllowed, match="FCB_LAGO_API_KEY"):
        connect(small, Faults(forbidden=frozenset({"fees"}))).listing()
    with pytest.raises(NotAllowed):
        connect(small, api_key="other").listing()


def test_describe_counts_and_never_raises(small: Path, connect: Connect) -> None:
    well = connect(small).describe()
    assert (well.problems, well.counts["payments"]) == ((), len(small_dataset.lago_payments()))
    barred = connect(small, Faults(forbidden=frozenset({"payments"}))).describe()
    assert len(barred.problems) == 1
    assert "payments" not in barred.counts


def test_the_newest_page_tells_that_something_changed(small: Path, connect: Connect) -> None:
    source = connect(small)
    before = source.newest()
    assert source.newest() == before
    invoices = small / "lago" / "invoices.json"
    invoices.write_text(invoices.read_text().replace('"succeeded"', '"failed"', 1))
    assert source.newest() != before
