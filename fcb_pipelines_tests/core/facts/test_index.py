"""The index places each document of a source and says whose it is."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.facts.index import (
    IndexRow,
    ListedFacts,
    Lookup,
    NamedSale,
    Origin,
    Scope,
    absent_row,
    found_row,
    named_but_not_listed,
)
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines.core.ledger.moves import ListedMove, MoveState
from fcb_pipelines_tests.facts import DAY, an_invoice

SCOPE = Scope(
    customers=frozenset({"cus_1"}),
    claimed=frozenset({"stripe:acct_nexacloud:in_claimed"}),
    metadata_key="nexacloud_user_id",
)
STRANGER = an_invoice("in_1", customer="cus_stranger")


SPAN = {"first_period": "2026-01", "last_period": "2026-05"}


def listed(*refs: str, day: date = DAY) -> dict[str, ListedMove]:
    return {ref: ListedMove(ref=ref, state=MoveState.POSTED, date=day) for ref in refs}


def indexed(facts: InvoiceFacts, scope: Scope = SCOPE, bills: str | None = None) -> IndexRow:
    return found_row(
        ListedFacts.of(facts, bills),
        source_id="in_1",
        origin=Origin.INVOICE,
        answer=Lookup.LISTED,
        body_hash="h",
        scope=scope,
        **SPAN,
    )


SUBSCRIPTION = "stripe:acct_nexacloud:sub_1"


@pytest.mark.parametrize(
    ("facts", "bills", "sale"),
    [
        (STRANGER, None, None),
        (STRANGER, SUBSCRIPTION, NamedSale(at_source=SUBSCRIPTION)),
        (replace(STRANGER, metadata=(("colour", "blue"),)), None, None),
        (replace(STRANGER, metadata=(("customer_id", "c"), ("service", "maps"))), None,
         NamedSale(service="maps", customer="c")),
        (replace(STRANGER, metadata=(("service", "maps"), ("subscription_id", "s"))), SUBSCRIPTION,
         NamedSale(service="maps", subscription="s", at_source=SUBSCRIPTION)),
        # Of NexaCloud's own, its tables say it.
        (replace(an_invoice(), metadata=(("service", "maps"),)), SUBSCRIPTION, None),
    ],
)  # fmt: skip
def test_a_document_of_another_service_keeps_what_it_says_of_its_sale(
    facts: InvoiceFacts, bills: str | None, sale: NamedSale | None
) -> None:
    assert indexed(facts, bills=bills).sale == sale


@pytest.mark.parametrize(
    ("body", "billed"),
    [
        ({"invoice": {"parent": {"subscription_details": {"subscription": "sub_1"}}}}, "sub_1"),
        ({"invoice": {"parent": {"subscription_details": {"subscription": None}}}}, None),
        ({"invoice": {"parent": {"subscription_details": {"subscription": "sub_\ud800"}}}}, None),
        ({"invoice": {"parent": {"subscription_details": {"subscription": 7}}}}, None),
        ({"invoice": {"parent": {"subscription_details": None}}}, None),
        ({"invoice": {"parent": "none"}}, None),
        ({"invoice": {}}, None),
        ({"invoice": None}, None),
        ({"credit_note": {"parent": {"subscription_details": {"subscription": "sub_1"}}}}, None),
        ({}, None),
    ],
)
def test_the_subscription_that_an_invoice_of_stripe_bills_is_read_or_is_none(
    body: Any, billed: str | None
) -> None:
    assert STRIPE.subscriptions is not None
    assert STRIPE.subscriptions.billed is not None
    assert STRIPE.subscriptions.billed(body) == billed


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
    scope = replace(SCOPE, claimed=frozenset({"stripe:a:in_1"}))
    row = absent_row("stripe:a:in_1", "in_1", Lookup.UNREACHABLE, "503", scope=scope, **SPAN)
    assert (row.found, row.in_scope, row.claimed, row.detail) == (False, True, True, "503")
    assert [answer for answer in Lookup if replace(row, answer=answer).found] == [
        Lookup.LISTED,
        Lookup.ASKED,
    ]


IN_1 = "stripe:acct_nexacloud:in_1"


@pytest.mark.parametrize(
    ("facts", "ours"),
    [
        (STRANGER, True),
        (replace(STRANGER, ref=f"{IN_1}:cn", kind=Kind.CREDIT_NOTE, credits=IN_1), True),
        (replace(STRANGER, ref="stripe:acct_nexacloud:in_2"), False),
    ],
    ids=["it stands in the books", "its invoice does", "another of the same customer"],
)
def test_a13_what_stands_in_the_books_is_in_scope_whoever_forgets_it(
    facts: InvoiceFacts, ours: bool
) -> None:
    row = indexed(facts, replace(SCOPE, our_moves=listed(IN_1)))
    assert (row.in_scope, row.in_ledger) == (ours, facts.ref == IN_1)


IN_2 = "stripe:acct_nexacloud:in_2"
NOTE = replace(STRANGER, ref=f"{IN_1}:cn", kind=Kind.CREDIT_NOTE, credits=IN_1)
BY_ACCOUNT = replace(STRANGER, customer=None, customer_account="acct_1")


@pytest.mark.parametrize(
    ("first", "claimed", "in_books", "later", "known"),
    [
        # Nothing says that the customer is NexaCloud's.
        (STRANGER, (), (), STRANGER, False),
        # Its documents do, where no user names it any more: erased, emptied, or changed to another.
        (STRANGER, (), (IN_1,), STRANGER, True),
        (STRANGER, (IN_1,), (IN_1,), STRANGER, True),
        (STRANGER, (IN_1,), (), STRANGER, True),
        # Another customer's are another's.
        (STRANGER, (IN_1,), (IN_1,), replace(STRANGER, customer="cus_another"), False),
        (STRANGER, (IN_1,), (IN_1,), replace(BY_ACCOUNT, customer_account="acct_9"), False),
        # A note is of its invoice's customer, whichever of the two stands in the books.
        (NOTE, (), (NOTE.ref,), STRANGER, True),
        (NOTE, (), (IN_1,), STRANGER, True),
        (NOTE, (IN_1,), (), STRANGER, True),
        (NOTE, (), (), STRANGER, False),
        (STRANGER, (), (IN_1,), replace(NOTE, ref=f"{IN_2}:cn", credits=IN_2), True),
        # An account that is billed in a customer's place is known in the same way.
        (BY_ACCOUNT, (IN_1,), (), BY_ACCOUNT, True),
        (BY_ACCOUNT, (), (IN_1,), BY_ACCOUNT, True),
        (BY_ACCOUNT, (), (), BY_ACCOUNT, False),
    ],
)  # fmt: skip
def test_a13_a_customer_of_a_document_that_nexacloud_names_or_the_books_hold_stays_nexaclouds(
    first: InvoiceFacts,
    claimed: tuple[str, ...],
    in_books: tuple[str, ...],
    later: InvoiceFacts,
    known: bool,
) -> None:
    scope = replace(SCOPE, claimed=frozenset(claimed), our_moves=listed(*in_books))
    billed = ListedFacts.of(later if later.credits else replace(later, ref=IN_2))
    assert scope.with_known([ListedFacts.of(first), billed]).includes(billed) is known


@pytest.mark.parametrize(
    ("day", "booked", "period"),
    [
        (date(2026, 4, 1), date(2026, 3, 1), "2026-04"),
        (None, date(2026, 3, 1), "2026-03"),
        (date(2025, 12, 31), date(2026, 3, 1), "2026-03"),
        (date(2025, 12, 31), date(2025, 11, 1), None),
    ],
    ids=["its own month", "without a date", "out of range", "neither"],
)
def test_a13_a_document_in_the_books_lies_in_its_month_or_where_they_have_it(
    day: date | None, booked: date, period: str | None
) -> None:
    scope = replace(SCOPE, our_moves=listed(IN_1, day=booked))
    assert indexed(replace(STRANGER, date=day), scope).period == period


def test_a13_what_the_source_no_longer_has_keeps_the_month_where_the_books_have_it() -> None:
    scope = replace(SCOPE, our_moves=listed(IN_1))
    row = absent_row(IN_1, "in_1", Lookup.DOES_NOT_EXIST, "404", scope=scope, **SPAN)
    assert (row.is_member, row.claimed, row.period) == (True, False, "2026-04")
    elsewhere = absent_row("stripe:a:in_9", "in_9", Lookup.DOES_NOT_EXIST, "", scope=scope, **SPAN)
    assert (elsewhere.is_member, elsewhere.period) == (False, None)


def test_only_this_sources_claims_that_the_list_lacks_are_asked_for() -> None:
    claimed = {"stripe:a:in_2", "stripe:a:in_1", "lago:o:1", "stripe:b:in_3", "stripe:ab:in_4"}
    assert named_but_not_listed(claimed, ["stripe:a:in_1"], "stripe:a") == ["stripe:a:in_2"]
