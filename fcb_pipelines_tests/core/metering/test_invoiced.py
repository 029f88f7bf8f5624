"""What was invoiced: which documents count, in which month their lines do, and to the second when."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.core.codes import Kind, Reason, Status
from fcb_pipelines.core.company.services import Invoicing
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts
from fcb_pipelines.core.facts.stripe.documents import document_facts
from fcb_pipelines.core.metering.cycles import Span
from fcb_pipelines.core.metering.invoiced import (
    Invoiced,
    claimants,
    invoiced,
    lines_of,
    still_holds,
)
from fcb_pipelines.core.metering.service_rows import service_invoicings
from fcb_pipelines.core.metering.service_spans import lago_spans, no_spans, stripe_spans
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.facts import a_line, an_invoice
from fcb_pipelines_tests.metering import MAY, ZONE, at, span

LINK = Invoicing(
    service="cloud", invoice_id="i1", ref="stripe:a:in_1", customer="u1", subscription_id="s1"
)
JUNE_1 = date(2026, 6, 1)


def lines(*nets: int) -> tuple[LineFacts, ...]:
    return tuple(replace(a_line(net), key=f"l{n}") for n, net in enumerate(nets, 1))


def facts(*own: LineFacts, net: int | None = None, **changes: object) -> InvoiceFacts:
    total = sum(line.net for line in own) if net is None else net
    told = {"lines": own, "net": total, "tax": 0, "total": total, "date": JUNE_1, "taxes": ()}
    return replace(an_invoice("in_1"), **{**told, **changes})


def told(of: InvoiceFacts, spans: dict[str, Span] | None = None, **link: object) -> Invoiced | None:
    return invoiced(replace(LINK, **link), of, spans or {}, ZONE, "hash")


def months(document: Invoiced | None) -> list[tuple[str, int]]:
    assert document is not None
    assert sum(line.net for line in document.lines) == document.net
    return [(line.period, line.net) for line in document.lines]


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"status": Status.OPEN}, True),
        ({"status": Status.UNCOLLECTIBLE}, True),
        ({"status": Status.DRAFT}, False),
        ({"status": Status.VOID}, False),
        ({"status": Status.UNKNOWN}, False),
        ({"livemode": False}, False),
        ({"date": None}, False),
    ],
)
def test_only_what_was_really_billed_counts(changes: dict[str, object], counts: bool) -> None:
    assert (told(facts(*lines(100), **changes)) is not None) is counts


def test_an_invoice_of_june_for_may_counts_in_may() -> None:
    spans = {"l1": span("2026-05-01", "2026-06-01"), "l2": span("2026-06-01", "2026-07-01")}
    document = told(facts(*lines(500, 20000)), spans)
    assert months(document) == [(MAY, 500), ("2026-06", 20000)]
    assert document is not None
    assert [line.net for _, line in lines_of([document], MAY)] == [500]


def test_the_month_of_a_service_is_the_company_s() -> None:
    late = {"l1": Span(start=at("2026-04-30 23:30"), end=at("2026-06-01"))}
    assert months(told(facts(*lines(100)), late)) == [("2026-04", 100)]


def test_a_line_without_a_time_counts_in_the_document_s_month() -> None:
    assert months(told(facts(*lines(100)))) == [("2026-06", 100)]


def test_what_no_line_bills_counts_in_the_document_s_month() -> None:
    may = {"l1": span("2026-05-01", "2026-06-01")}
    assert months(told(facts(*lines(100), net=130), may)) == [(MAY, 100), ("2026-06", 30)]
    assert months(told(facts(net=130))) == [("2026-06", 130)]
    assert months(told(facts())) == [("2026-06", 0)]


def test_a_credit_note_counts_below_zero() -> None:
    assert months(told(facts(*lines(100), kind=Kind.CREDIT_NOTE))) == [("2026-06", -100)]


def test_lines_that_cannot_be_trusted_are_none() -> None:
    document = told(facts(*lines(100), problem=Reason.LINES_DO_NOT_SUM))
    assert document is not None
    assert (document.problem, document.lines, document.net) == ("lines_do_not_sum", (), 100)


def test_a_one_off_counts_as_a_whole() -> None:
    document = told(facts(*lines(100), problem=Reason.LINES_DO_NOT_SUM), subscription_id=None)
    assert document is not None
    assert (document.problem, document.lines, document.net) == (None, (), 100)


def test_the_spans_of_stripe_s_lines_are_those_of_its_facts() -> None:
    body = small_dataset.stripe_body("in_many")
    keys = {line.key for line in document_facts(body, account="a", timezone=ZONE).lines}
    spans = stripe_spans(body, ZONE)
    assert spans.keys() == keys
    assert set(spans.values()) == {span("2026-05-01", "2026-06-01")}


def fee(**changes: object) -> dict[str, object]:
    day = {"lago_id": "f1", "from_date": "2026-05-01T00:00:00Z", "to_date": "2026-05-31T23:59:59Z"}
    return {**day, **changes}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"fees": [fee()]}, span("2026-05-01", "2026-06-01")),
        (  # the customer's midnights as instants
            {"fees": [fee(from_date="2026-05-27T17:00:00Z", to_date="2026-06-01T03:59:59Z")]},
            span("2026-05-27 13:00", "2026-06-01"),
        ),
        ({"fees": [fee(from_date=None)]}, None),
        ({"fees": [fee(to_date="2026-05-31")]}, None),
        ({"fees": None}, None),
    ],
)
def test_a_span_of_lago_is_told_to_the_second_or_not_at_all(
    body: dict[str, object], expected: Span | None
) -> None:
    assert lago_spans(body, ZONE) == ({"f1": expected} if expected else {})


def claim(service: str, invoice_id: str, source: str | None = "in_1") -> dict[str, object]:
    """A row of service_invoices."""
    return {
        "service": service,
        "id": invoice_id,
        "customer_id": "c1",
        "subscription_id": "",
        "source_id": source,
    }


def by_stripe(named: str | None) -> str | None:
    return f"stripe:a:{named}" if named else None


def test_a_row_that_names_no_document_claims_none() -> None:
    rows = claim("dns", "2", "in_2"), claim("dns", "1", None), claim("dns", "0")
    found = [(one.invoice_id, one.ref) for one in service_invoicings(rows, by_stripe)]
    assert found == [("0", "stripe:a:in_1"), ("2", "stripe:a:in_2")]


@pytest.mark.parametrize("turned", [False, True])
def test_a7_the_posted_service_has_what_it_claims_and_else_the_smaller_id_has_it(
    turned: bool,
) -> None:
    rows = [claim("mail", "2"), claim("dns", "1"), claim("dns", "0", "in_9")]
    others = service_invoicings(rows[::-1] if turned else rows, by_stripe)
    own = replace(LINK, ref="stripe:a:in_9")
    found = claimants([own], others)
    assert found["stripe:a:in_9"] == own
    assert (found["stripe:a:in_1"].service, found["stripe:a:in_1"].invoice_id) == ("dns", "1")


@pytest.mark.parametrize(
    ("changes", "link", "source", "holds"),
    [
        ({}, {}, "hash", True),
        ({}, {}, "another", False),
        ({}, {}, None, False),
        ({}, {"subscription_id": "s2"}, "hash", False),
        ({}, {"customer": "u2"}, "hash", False),
        ({}, {"service": "dns"}, "hash", False),
        ({"problem": "unreadable"}, {}, "hash", False),
    ],
)
def test_a_document_is_read_again_once_its_body_or_its_owner_is_another(
    changes: dict[str, object], link: dict[str, object], source: str | None, holds: bool
) -> None:
    known = told(facts(*lines(100)))
    assert known is not None
    assert still_holds(replace(known, **changes), replace(LINK, **link), source) is holds


@pytest.mark.parametrize(
    "body",
    [
        {"invoice": {"lines": {"data": [{"id": "f1", "period": {"start": 5, "end": 5}}]}}},
        {"invoice": {"lines": {"data": [{"id": "f1", "period": None}]}}},
        {"invoice": {"lines": {"data": [{"id": "f1", "period": {"start": "x", "end": 1}}]}}},
        {"invoice": None},
    ],
)
def test_a_span_of_stripe_that_is_none_is_not_told(body: dict[str, object]) -> None:
    assert stripe_spans(body, ZONE) == {}


def test_a_source_that_tells_no_times_has_no_spans() -> None:
    assert no_spans({"fees": [fee()]}, ZONE) == {}
