"""The three sides of a document come together by ref, and its customer becomes one partner."""

from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.core.agreement.compare import disagreements
from fcb_pipelines.core.codes import System
from fcb_pipelines.core.dispositions.cases import (
    accounts,
    agreements,
    cases,
    copy_dispositions,
    partners,
    with_settlements,
)
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import User, first_claimants
from fcb_pipelines_tests.facts import (
    CUSTOMER,
    RULES,
    USER,
    a_case,
    a_copy,
    a_settlement,
    an_invoice,
    stands,
)

ANA = User(
    id=USER,
    email="Ana@Acme.test",
    full_name="Ana Bee",
    company="Acme",
    billing_email=" Books@Acme.test ",
    billing_address="1 Main St",
    billing_city="Ottawa",
    billing_state="ON",
    billing_postal_code="K1A",
    billing_country="CA",
    tax_id="123",
    stripe_customer_id=CUSTOMER,
)
LAGO = an_invoice(side=System.LAGO, ref="lago:nexacloud:abc", customer=USER)


def test_settlements_go_to_their_own_documents() -> None:
    one, two = an_invoice("in_1", settlements=()), an_invoice("in_2", settlements=())
    parts = [a_settlement(one.ref, 1, "a"), a_settlement(two.ref, 2, "b")]
    parts.append(a_settlement(one.ref, 3, "c"))
    first, second = with_settlements([one, two], parts)
    assert [s.amount for s in first.settlements] == [1, 3]
    assert [s.amount for s in second.settlements] == [2]


@pytest.mark.parametrize(
    ("facts", "users", "wrong"),
    [
        (an_invoice(), {USER: ANA}, []),
        (an_invoice(), {USER: replace(ANA, stripe_customer_id=f" {CUSTOMER}\n")}, []),
        (an_invoice(), {USER: replace(ANA, stripe_customer_id="cus_2")}, ["partner"]),
        (an_invoice(), {}, ["partner"]),
        (LAGO, {USER: ANA}, []),
        (LAGO, {}, []),
        (replace(LAGO, customer="another"), {USER: ANA}, ["partner"]),
    ],
)
def test_the_customer_at_the_source_is_compared_with_nexaclouds_user(
    facts: InvoiceFacts, users: dict[str, User], wrong: list[str]
) -> None:
    source_id = "in_1" if facts.side == System.STRIPE else "lago:abc"
    claimant = a_copy(facts, source_id=source_id)
    rows = agreements([facts], {facts.ref: claimant}, users, RULES)
    assert [row.field for row in disagreements(rows)] == wrong


def test_a_document_without_a_copy_has_nothing_to_agree_with() -> None:
    assert agreements([an_invoice()], {}, {USER: ANA}, RULES) == ()


def test_a_case_has_its_own_agreement_owner_and_standing_and_no_other() -> None:
    one, two = an_invoice("in_1"), an_invoice("in_2")
    claimants = first_claimants([a_copy(one)])
    rows = agreements([one, two], claimants, {USER: ANA}, RULES)
    ledger_state = {two.ref: stands(ref=two.ref)}
    first, second = cases([one, two], claimants, rows, ledger_state)
    assert (first.claimant, first.ledger_state) == (claimants[one.ref], None)
    assert first.agreement == rows
    assert (second.claimant, second.agreement) == (None, ())
    assert second.ledger_state == ledger_state[two.ref]


def test_rows_without_a_document_lie_in_their_own_place_only() -> None:
    rows = [a_copy(source_id=None)]
    assert [row.ref for row in copy_dispositions(rows, [], None)] == ["nexacloud:inv-1"]
    assert copy_dispositions(rows, [], "2026-04") == ()


def test_a_partner_is_nexaclouds_user_with_its_links() -> None:
    (partner,) = partners([a_case()], {USER: ANA})
    assert (partner.key, partner.links) == (
        f"nexacloud:{USER}",
        (f"nexacloud:{USER}", f"stripe:acct_nexacloud:{CUSTOMER}"),
    )
    assert (partner.name, partner.email, partner.vat) == ("Acme", "books@acme.test", "123")
    assert (partner.street, partner.city, partner.zip) == ("1 Main St", "Ottawa", "K1A")
    assert (partner.state, partner.country, partner.stripe_customer_id) == ("ON", "CA", CUSTOMER)


@pytest.mark.parametrize(
    ("changes", "name", "email"),
    [
        ({}, "Acme", "books@acme.test"),
        ({"company": None}, "Ana Bee", "books@acme.test"),
        ({"company": "", "full_name": ""}, "Ana@Acme.test", "books@acme.test"),
        ({"billing_email": None}, "Acme", "ana@acme.test"),
        ({"billing_email": "", "email": None}, "Acme", None),
        ({"company": None, "full_name": None, "email": None}, USER, "books@acme.test"),
    ],
)
def test_a9_the_name_is_company_else_full_name_else_email(
    changes: dict[str, Any], name: str, email: str | None
) -> None:
    (partner,) = partners([a_case()], {USER: replace(ANA, **changes)})
    assert (partner.name, partner.email) == (name, email)


@pytest.mark.parametrize(
    ("named", "known"), [(f"{CUSTOMER} ", CUSTOMER), (" ", None), ("", None), (None, None)]
)
def test_a_partner_has_its_id_at_stripe_without_spaces_around_it(
    named: str | None, known: str | None
) -> None:
    (partner,) = partners([a_case()], {USER: replace(ANA, stripe_customer_id=named)})
    assert partner.stripe_customer_id == known


def test_a9_two_external_ids_of_one_user_are_links_of_one_partner() -> None:
    both = [a_case(), a_case(LAGO), a_case(an_invoice("in_2", customer="cus_2"))]
    (partner,) = partners(both, {USER: ANA})
    assert partner.links == (
        f"nexacloud:{USER}",
        f"stripe:acct_nexacloud:{CUSTOMER}",
        f"lago:nexacloud:{USER}",
        "stripe:acct_nexacloud:cus_2",
    )


def test_a9_a_user_that_is_gone_is_posted_from_the_invoices_own_snapshot() -> None:
    (partner,) = partners([a_case()], {})
    assert (partner.key, partner.name) == (f"nexacloud:{USER}", "Maple Bakery Inc.")
    assert (partner.email, partner.stripe_customer_id) == ("books@maple.example", CUSTOMER)
    bare = a_case(an_invoice(bill_to=BillTo()))
    assert partners([bare], {})[0].name == CUSTOMER


def test_a_document_that_names_no_customer_links_its_partner_to_none() -> None:
    nobody = a_case(an_invoice(customer=None))
    assert partners([nobody], {USER: ANA})[0].links == (f"nexacloud:{USER}",)
    (gone,) = partners([a_case(an_invoice(customer=None, bill_to=BillTo()))], {})
    assert (gone.links, gone.stripe_customer_id) == ((f"nexacloud:{USER}",), None)
    account = a_case(an_invoice(customer=None, customer_account="acct_9"))
    assert partners([account], {USER: ANA})[0].links == (
        f"nexacloud:{USER}",
        "stripe:acct_nexacloud:acct_9",
    )


@pytest.mark.parametrize(
    ("company", "named"), [("Acme", "Acme"), (" ", None), ("", None), (None, None)]
)
def test_an_account_names_a_company_or_is_a_person(company: str | None, named: str | None) -> None:
    (partner,) = partners([a_case()], {USER: replace(ANA, company=company)})
    assert partner.company == named


def test_of_a_user_that_is_gone_the_name_on_the_document_may_be_a_company() -> None:
    (partner,) = partners([a_case()], {})
    assert partner.company == "Maple Bakery Inc."


def test_every_user_is_an_account_whatever_is_billed() -> None:
    other = replace(ANA, id="other", billing_email=None, company=None)
    found = accounts({USER: ANA, "other": other})
    assert {(one.key, one.links, one.email, one.company) for one in found} == {
        (f"nexacloud:{USER}", (f"nexacloud:{USER}",), "books@acme.test", "Acme"),
        ("nexacloud:other", ("nexacloud:other",), "ana@acme.test", None),
    }


def test_partners_come_in_order_of_key() -> None:
    nobody = a_case(an_invoice("in_9", customer="cus_9"), claimant=None)
    keys = [partner.key for partner in partners([nobody, a_case()], {USER: ANA})]
    assert keys == sorted(keys)
    assert len(keys) == 2
