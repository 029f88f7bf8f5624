"""The Stripe connector against the stand-in: whole lists, proof, completion, failures."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fcb_pipelines.connectors.failures import ContractBreach, NotAllowed, Throttled, Unreachable
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.sources import Absent, Known, ListInFull, Source, SourceBody
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.facts.stripe.documents import document_facts
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines.sandbox.stripe_server import create_app
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.serving import served
from fcb_pipelines_tests.source_shapes import stripe_invoice, stripe_line

KEY = "rk_live_test"


class Connect(Protocol):
    """Serves a dataset with these faults and connects to it."""

    def __call__(
        self, dataset: Path, faults: Faults | None = None, **more: object
    ) -> StripeSource: ...


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def start(dataset: Path, faults: Faults | None = None, **more: object) -> StripeSource:
            address = stack.enter_context(served(create_app(dataset, faults=faults)))
            quick = Pace(100_000, sleep=lambda seconds: None)
            chosen = {"api_key": KEY, "account": small_dataset.ACCOUNT, **more}
            return StripeSource(
                str(chosen["api_key"]), str(chosen["account"]), 100, api_base=address, pace=quick
            )

        yield start


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_dataset.write(tmp_path)


def many(folder: Path, count: int) -> Path:
    """A dataset of `count` one-line invoices."""
    invoices = [
        stripe_invoice(
            f"in_{n:04d}", number=str(n), status="open", customer="cus_1", created=1775000000 + n,
            finalized_at=1775000000 + n,
            lines=[stripe_line(f"il_{n}", f"in_{n:04d}", "x", 100, period_start=1, period_end=2)],
        )
        for n in range(count)
    ]  # fmt: skip
    path = folder / "stripe" / "invoices.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(invoices))
    told = f"name: many\nstripe: {{account: {small_dataset.ACCOUNT}}}\n"
    (folder / "dataset.yaml").write_text(told)
    return folder


def test_it_is_a_source(small: Path, connect: Connect) -> None:
    source: Source = connect(small)
    assert source.name == "stripe"


def test_the_list_is_whole_and_its_bodies_tell_the_same_facts(
    small: Path, connect: Connect
) -> None:
    source = connect(small)
    told: list[int] = []
    listing = source.listing(told.append)
    assert listing.problem is None
    assert told[-1] == len(small_dataset.stripe_invoices())
    ids = {each.id for each in listing.documents}
    assert ids == {each["id"] for each in small_dataset.stripe_invoices()} | {"cn_1"}
    money = small_dataset.stripe_money_objects()
    joined = {
        "in_discount": {"credit_notes": small_dataset.stripe_notes()},
        "in_instalments": {
            "refunds": money["stripe/refunds"],
            "disputes": money["stripe/disputes"],
        },
    }
    for body in source.complete(listing.documents):
        assert isinstance(body, SourceBody)
        if body.kind is Kind.INVOICE:
            assert joined.get(body.id, {}).keys() == body.body.keys() - {"invoice", "tax_rates"}
            expected = {**small_dataset.stripe_body(body.id), **joined.get(body.id, {})}
            reading = {"account": "acct_test", "timezone": small_dataset.TIMEZONE}
            assert document_facts(body.body, **reading) == document_facts(expected, **reading)
        else:
            invoice = small_dataset.stripe_body("in_discount")["invoice"]
            (billed_to,) = body.body["billed_to"]
            assert billed_to["customer_address"] == invoice["customer_address"]
            assert billed_to == {name: invoice[name] for name in billed_to}


@pytest.mark.parametrize(("count", "calls"), [(0, 7), (1, 7), (100, 7), (101, 8), (250, 9)])
def test_calls_grow_with_pages(tmp_path: Path, connect: Connect, count: int, calls: int) -> None:
    source = connect(many(tmp_path, count))
    listing = source.listing()
    assert (len(listing.documents), listing.calls, listing.problem) == (count, calls, None)


@pytest.mark.parametrize(
    "odd",
    [
        {"data": {"object": {"object": "invoice"}}},
        {"data": {"object": {"object": "payout", "id": "po_1"}}},
        {"data": None},
        {},
    ],
)
def test_an_event_that_can_not_be_read_asks_for_the_full_list(
    small: Path, connect: Connect, odd: dict[str, object]
) -> None:
    source = connect(small)
    followed = source.follow(None)
    assert followed.mark
    known = Known(
        documents=followed.listing.documents,
        rest={**followed.rest, "events": []},
        mark=followed.mark,
    )
    assert source.follow(known).listing.problem is None
    events = small / "stripe" / "events.json"
    told = json.loads(events.read_text())
    told[0] |= {"created": followed.mark["created"], **odd}
    if not odd:
        del told[0]["data"]
    events.write_text(json.dumps(told))
    with pytest.raises(ListInFull, match="an event can't be read"):
        source.follow(known)


def test_a_key_of_another_account_fails_the_listing(small: Path, connect: Connect) -> None:
    listing = connect(small, account="acct_other").listing()
    assert "configured is acct_other" in (listing.problem or "")


def test_a_page_that_is_lost_fails_the_listing(tmp_path: Path, connect: Connect) -> None:
    faults = Faults(skip=frozenset({"invoices"}))
    listing = connect(many(tmp_path, 350), faults).listing()
    assert "does not join" in (listing.problem or "")


def test_a_page_that_comes_again_fails_the_listing(tmp_path: Path, connect: Connect) -> None:
    faults = Faults(repeat=frozenset({"invoices"}))
    listing = connect(many(tmp_path, 350), faults).listing()
    assert "page 2" in (listing.problem or "")


def test_only_what_a_listed_body_lacks_is_fetched(small: Path, connect: Connect) -> None:
    faults = Faults()
    source = connect(small, faults)
    documents = {each.id: each for each in source.listing().documents}
    faults.calls.clear()
    source.complete([documents["in_paid"], documents["cn_1"]])
    assert faults.calls == []
    [lines, payments] = source.complete([documents["in_many"], documents["in_instalments"]])
    assert isinstance(lines, SourceBody)
    assert isinstance(payments, SourceBody)
    assert faults.calls == ["/v1/invoices/in_many/lines"]
    assert len(lines.body["invoice"]["lines"]["data"]) == 25
    assert len(payments.body["invoice"]["payments"]["data"]) == 12


def test_an_id_that_does_not_exist_and_one_that_does_not_answer_are_told_apart(
    small: Path, connect: Connect
) -> None:
    source = connect(small, Faults(broken=frozenset({"in_late"})))
    answers = source.ask(["in_gone", "in_late", "in_many", ""])
    assert [getattr(each, "reason", "found") for each in answers] == [
        "does_not_exist",
        "unreachable",
        "found",
        "does_not_exist",
    ]
    found = answers[2]
    assert isinstance(found, SourceBody)
    assert len(found.body["invoice"]["lines"]["data"]) == 25


def test_a_document_asked_for_is_the_same_as_listed_and_completed(
    small: Path, connect: Connect
) -> None:
    source = connect(small)
    listed = {each.id: each for each in source.listing().documents}
    [completed] = source.complete([listed["in_instalments"]])
    [asked] = source.ask(["in_instalments"])
    assert asked == completed
    assert source.ask(["cn_1"]) == (listed["cn_1"],)


def test_a_rate_that_exists_nowhere_leaves_the_document_readable(
    small: Path, connect: Connect
) -> None:
    (small / "stripe" / "tax_rates.json").write_text("[]")
    [answer] = connect(small).ask(["in_paid"])
    assert isinstance(answer, SourceBody)
    facts = document_facts(answer.body, account="a", timezone="UTC")
    assert (facts.total, facts.problem) == (24239, "unreadable")


def test_a_source_that_is_down_is_not_asked_for_every_id(small: Path, connect: Connect) -> None:
    ids = [f"in_{n}" for n in range(20)]
    faults = Faults(broken=frozenset(ids))
    answers = connect(small, faults).ask(ids)
    assert {each.reason for each in answers if isinstance(each, Absent)} == {"unreachable"}
    assert len(answers) == 20
    assert len(faults.calls) == 3 * 5


def test_no_answer_at_all_is_unreachable() -> None:
    quick = Pace(100_000, sleep=lambda seconds: None)
    source = StripeSource(KEY, "acct_1", 10, api_base="http://127.0.0.1:9", pace=quick)
    with pytest.raises(Unreachable, match="no answer"):
        source.listing()


def test_a_document_that_lacks_everything_does_not_stop_the_others() -> None:
    def page(request: Request) -> JSONResponse:
        rows = [{"id": "in_odd", "object": "invoice"}] if "invoices" in request.url.path else []
        return JSONResponse({"object": "list", "data": rows, "has_more": False})

    with served(Starlette(routes=[Route("/v1/{table}", page)])) as address:
        source = StripeSource(KEY, "acct_1", 1000, api_base=address)
        [body] = source.listing().documents
        facts = document_facts(body.body, account="acct_1", timezone="UTC")
    assert (facts.ref, facts.problem) == ("stripe:acct_1:in_odd", "unreadable")


def test_an_answer_that_is_no_list_is_a_breach() -> None:
    def page(_request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "items": []})

    with served(Starlette(routes=[Route("/v1/{table}", page)])) as address:
        source = StripeSource(KEY, "acct_1", 1000, api_base=address)
        with pytest.raises(ContractBreach, match="no list"):
            source.listing()


def test_throttled_calls_are_tried_again_and_not_for_ever(small: Path, connect: Connect) -> None:
    assert connect(small, Faults(throttle=4)).listing().problem is None
    with pytest.raises(Throttled):
        connect(small, Faults(throttle=5)).listing()


def test_a_key_without_rights_stops_the_listing(small: Path, connect: Connect) -> None:
    with pytest.raises(NotAllowed, match="FCB_STRIPE_API_KEY"):
        connect(small, Faults(forbidden=frozenset({"invoices"}))).listing()
    with pytest.raises(NotAllowed):
        connect(small, api_key="nonsense").listing()


def test_describe_says_what_is_in_the_way_and_never_raises(small: Path, connect: Connect) -> None:
    well = connect(small).describe()
    assert (well.problems, well.livemode, well.counts["credit_notes"]) == ((), True, 1)
    other = connect(small, account="acct_other").describe()
    assert "configured is acct_other" in other.problems[0]
    writes = connect(small, api_key="sk_live_1").describe()
    assert "restricted key" in writes.warnings[0]
    assert not writes.problems
    barred = connect(small, Faults(forbidden=frozenset({"invoices", "account"}))).describe()
    assert len(barred.problems) == 1
    unwatched = connect(small, Faults(forbidden=frozenset({"events"}))).describe()
    assert (unwatched.problems, unwatched.warnings) == (
        (), ("each sync lists in full: the key may not read events",),
    )  # fmt: skip


def test_links_that_open_the_document_are_no_evidence(small: Path, connect: Connect) -> None:
    [answer] = connect(small).ask(["in_paid"])
    assert isinstance(answer, SourceBody)
    assert not {"hosted_invoice_url", "invoice_pdf"} & answer.body["invoice"].keys()


def test_the_newest_page_tells_that_something_changed(small: Path, connect: Connect) -> None:
    source = connect(small)
    before = source.newest()
    assert source.newest() == before
    payments = small / "stripe" / "invoice_payments.json"
    payments.write_text(payments.read_text().replace('"paid"', '"open"', 1))
    assert source.newest() != before
