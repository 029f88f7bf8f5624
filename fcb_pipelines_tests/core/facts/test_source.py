"""What only one source knows: which document NexaCloud names, and which customers its users are."""

from dataclasses import replace

import pytest

from fcb_pipelines.core.facts.lago.rules import LAGO
from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines.core.facts.source import SourceRules, claimed_ref
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.facts import an_invoice

OWNERS = ((STRIPE, "acct_1"), (LAGO, "nexa"))
ANA = User(
    id="u1",
    email=None,
    full_name=None,
    company=None,
    billing_email=None,
    billing_address=None,
    billing_city=None,
    billing_state=None,
    billing_postal_code=None,
    billing_country=None,
    tax_id=None,
    stripe_customer_id="cus_1",
)
USERS = {
    "u1": ANA,
    "u2": replace(ANA, id="u2", stripe_customer_id=None),
    "u3": replace(ANA, id="u3", stripe_customer_id=""),
    "u4": replace(ANA, id="u4", stripe_customer_id=" \u00a0"),
    "u5": replace(ANA, id="u5", stripe_customer_id=" cus_5\n"),
}


@pytest.mark.parametrize(
    ("named", "ref"),
    [
        ("in_1", "stripe:acct_1:in_1"),
        (" in_1 ", "stripe:acct_1:in_1"),
        ("lago:abc", "lago:nexa:abc"),
        ("lago:", None),
        ("cs_1", None),
        ("", None),
        (None, None),
    ],
)
def test_a11_the_prefix_of_the_id_says_whose_document_it_is(
    named: str | None, ref: str | None
) -> None:
    assert claimed_ref(named, OWNERS) == ref


def test_a_source_that_the_company_has_not_is_named_in_vain() -> None:
    assert claimed_ref("lago:abc", [(STRIPE, "acct_1")]) is None


def test_the_first_source_that_knows_a_text_has_it() -> None:
    greedy = SourceRules(
        name="greedy", facts=STRIPE.facts, customer_of=STRIPE.customer_of, claimed=lambda text: text
    )
    assert claimed_ref("in_1", [*OWNERS, (greedy, "us")]) == "stripe:acct_1:in_1"
    assert claimed_ref("in_1", [(greedy, "us"), *OWNERS]) == "greedy:us:in_1"


def test_customers_are_those_that_users_name() -> None:
    assert STRIPE.customers(USERS) == {"cus_1", "cus_5"}
    assert LAGO.customers(USERS) == {*USERS}


def test_a13_a_user_whom_only_an_invoice_of_nexacloud_names_is_a_customer_of_lago() -> None:
    assert STRIPE.customers(USERS, ["u1", "u9"]) == {"cus_1", "cus_5"}
    assert LAGO.customers(USERS, ["u1", "u9"]) == {*USERS, "u9"}


def test_a_user_that_nexacloud_has_erased_is_still_a_customer_of_lago() -> None:
    assert (STRIPE.customer_of("u9", None), LAGO.customer_of("u9", None)) == (None, "u9")


def test_a_source_reads_its_documents_for_their_owner() -> None:
    stripe = STRIPE.facts(small_dataset.stripe_body("in_paid"), owner="a", timezone="UTC")
    lago = LAGO.facts(small_dataset.lago_body("paid"), owner="o", timezone="UTC")
    assert (stripe.side, stripe.ref) == ("stripe", "stripe:a:in_paid")
    assert (lago.side, lago.ref) == ("lago", "lago:o:paid")
    assert an_invoice().side == stripe.side
