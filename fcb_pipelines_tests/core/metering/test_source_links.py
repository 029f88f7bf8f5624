"""Whose an invoice is where a service has no tables: what the document at its source says, one fact at a time."""

from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.facts.index import IndexRow, Lookup, NamedSale, Origin
from fcb_pipelines.core.metering.source_links import source_invoicings

REF, AT_SOURCE = "stripe:acct_1:in_1", "stripe:acct_1:sub_1"
OURS = Subscription(
    service="nexamaps",
    id="s1",
    customer="c1",
    plan_id="p",
    status="active",
    billing_cycle="monthly",
    start=None,
    end=None,
    at_source="sub_1",
)
ROW = IndexRow(
    ref=REF,
    source_id="in_1",
    origin=Origin.INVOICE,
    answer=Lookup.LISTED,
    in_scope=False,
    claimed=False,
    sale=NamedSale(at_source=AT_SOURCE),
)


def links(*rows: IndexRow, services: Any = ("nexamaps",)) -> list[tuple[str, str, str, str | None]]:
    found = source_invoicings(rows, services, {(OURS.service, OURS.id): OURS}, {AT_SOURCE: OURS})
    return [(one.ref, one.service, one.customer, one.subscription_id) for one in found]


def sale(**named: str) -> dict[str, NamedSale]:
    return {"sale": NamedSale(**named)}


@pytest.mark.parametrize(
    ("changed", "whose"),
    [
        ({}, ("nexamaps", "c1", "s1")),
        (sale(at_source="stripe:acct_1:sub_2"), None),
        ({"sale": None}, None),
        ({"in_scope": True}, None),
        ({"claimed": True}, None),
        ({"answer": Lookup.DOES_NOT_EXIST}, None),
        (sale(service="nexamaps", customer="c9"), ("nexamaps", "c9", None)),
        (sale(service="nexamaps", customer="c9", subscription="s9"), ("nexamaps", "c9", "s9")),
        (sale(service="nexamaps", subscription="s1"), ("nexamaps", "c1", "s1")),
        # Nobody knows whose it is.
        (sale(service="nexamaps", subscription="s9"), None),
        (sale(service="nexamaps"), None),
        (sale(service="nexadesk", customer="c9"), None),
        # What the metadata leaves open, the billed subscription says; where both speak, the metadata.
        (sale(service="nexadesk", customer="c9", at_source=AT_SOURCE), ("nexamaps", "c1", "s1")),
        (sale(service="nexamaps", customer="c9", at_source=AT_SOURCE), ("nexamaps", "c9", None)),
    ],
)  # fmt: skip
def test_a_document_is_of_the_service_that_its_source_names(
    changed: dict[str, Any], whose: tuple[str, str, str | None] | None
) -> None:
    assert links(replace(ROW, **changed)) == ([(REF, *whose)] if whose else [])


def test_a_credit_note_is_of_whom_its_invoice_is() -> None:
    note = replace(
        ROW, ref="stripe:acct_1:cn_1", source_id="cn_1", origin=Origin.CREDIT_NOTE, credits=REF, sale=None
    )  # fmt: skip
    assert links(note, ROW) == [
        ("stripe:acct_1:cn_1", "nexamaps", "c1", "s1"),
        (REF, "nexamaps", "c1", "s1"),
    ]
    assert links(note) == []


def test_a_service_whose_subscriptions_lie_in_tables_is_not_linked_by_its_source() -> None:
    assert links(ROW, services=()) == []
