"""The index places each document of a source and says whose it is."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.core.facts import InvoiceFacts, Kind, Side
from fcb_pipelines.core.index import (
    Answer,
    IndexRow,
    Origin,
    Scope,
    absent_row,
    found_row,
    lago_customers,
    named_but_not_listed,
    source_ref,
    stripe_customers,
)
from fcb_pipelines_tests.facts import an_invoice

SCOPE = Scope(
    customers=frozenset({"cus_1"}),
    claimed=frozenset({"stripe:acct_nexacloud:in_claimed"}),
    metadata_key="nexacloud_user_id",
)
STRANGER = an_invoice("in_1", customer="cus_stranger")


def indexed(facts: InvoiceFacts) -> IndexRow:
    return found_row(
        facts,
        source_id="in_1",
        origin=Origin.INVOICE,
        answer=Answer.LISTED,
        body_hash="h",
        scope=SCOPE,
        first_period="2026-01",
        last_period="2026-05",
    )


@pytest.mark.parametrize(
    ("facts", "ours"),
    [
        (an_invoice(), True),
        (STRANGER, False),
        (replace(STRANGER, metadata=(("nexacloud_user_id", "u"),)), True),
        (replace(STRANGER, metadata=(("other_user_id", "u"),)), False),
        (replace(STRANGER, ref="stripe:acct_nexacloud:in_claimed"), True),
        (replace(STRANGER, customer=None, customer_account="acct_stranger"), False),
        (replace(STRANGER, customer=None, customer_account="cus_1"), True),
        (replace(STRANGER, customer_account="cus_1"), False),
        (replace(STRANGER, customer=None), True),
        (replace(STRANGER, customer=None, credits="stripe:acct_nexacloud:in_other"), False),
    ],
)
def test_a6_a_document_is_nexaclouds_by_customer_claim_or_mark(
    facts: InvoiceFacts, ours: bool
) -> None:
    assert indexed(facts).in_scope is ours


@pytest.mark.parametrize(
    ("day", "period"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), "2026-01"),
        (date(2026, 5, 31), "2026-05"),
        (date(2026, 6, 1), None),
        (None, None),
    ],
)
def test_a_document_lies_in_the_month_of_its_date_where_that_is_in_range(
    day: date | None, period: str | None
) -> None:
    row = indexed(an_invoice(date=day))
    assert (row.date, row.period) == (day, period)


def test_b5_a_credit_note_counts_negative_in_the_index() -> None:
    assert indexed(an_invoice(kind=Kind.CREDIT_NOTE)).total == -22600
    assert indexed(an_invoice()).total == 22600


def test_a5_what_the_source_did_not_give_is_a_row_that_says_so() -> None:
    row = absent_row("stripe:a:in_1", "in_1", Answer.UNREACHABLE, "503")
    assert (row.found, row.in_scope, row.claimed, row.detail) == (False, True, True, "503")
    assert [answer for answer in Answer if replace(row, answer=answer).found] == [
        Answer.LISTED,
        Answer.ASKED,
    ]


def test_only_this_sources_claims_that_the_list_lacks_are_asked_for() -> None:
    claimed = {"stripe:a:in_2", "stripe:a:in_1", "lago:o:1", "stripe:b:in_3"}
    assert named_but_not_listed(claimed, ["stripe:a:in_1"], "stripe:a:") == ["stripe:a:in_2"]


def test_customers_are_those_that_users_name() -> None:
    users = [
        {"id": "u1", "stripe_customer_id": "cus_1"},
        {"id": "u2", "stripe_customer_id": None},
        {"id": "u3", "stripe_customer_id": ""},
    ]
    assert stripe_customers(users) == {"cus_1"}
    assert lago_customers(users) == {"u1", "u2", "u3"}


def test_a10_identity_is_the_source_and_its_id_never_the_number() -> None:
    assert source_ref(Side.STRIPE, "acct_1", "in_1") == "stripe:acct_1:in_1"
    assert source_ref(Side.LAGO, "nexa", "x") == "lago:nexa:x"
