"""Whose a customer is: linked where that can't be a mistake, else pending with its reason."""

from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.core.company.services import CustomerLink, Service, ServiceCustomer
from fcb_pipelines.core.intake.identity import Account, LinkState, PendingReason, link_of
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail

SERVICES = (Service(key="nexacloud"), Service(key="nexadesk"), Service(key="nexamaps"))


def account(service: str, number: str, *emails: str, company: str | None = None) -> Account:
    customer = ServiceCustomer(service=service, id=number, name=number, emails=emails)
    return Account(customer=customer, company=company)


OWN = account("nexamaps", "m1", "books@maple.example", company="Maple Bakery")
USER = account("nexacloud", "u1", "books@maple.example", "it@maple.example", company="Maple Bakery")
PARTNER = LinkedPartner(
    partner_id="41", links=("nexacloud:u1",), name="Maple Bakery", email="books@maple.example",
    stripe_customer_id=None,
)  # fmt: skip
SHARED = SharedEmail(email="books@maple.example", bearers=("a", "b"))


@pytest.mark.parametrize(
    ("others", "partner", "reason"),
    [
        ([USER], PARTNER, None),
        ([], PARTNER, PendingReason.NO_MATCH),
        ([account("nexacloud", "u1", "other@maple.example")], PARTNER, PendingReason.NO_MATCH),
        # A12: an address that serves several accounts joins none.
        ([USER, account("nexacloud", "u2", "books@maple.example")], PARTNER, PendingReason.SHARED_EMAIL),
        ([USER, account("nexamaps", "m2", "books@maple.example")], PARTNER, PendingReason.SHARED_EMAIL),
        ([USER, account("nexadesk", "d1", "books@maple.example")], PARTNER, None),
        ([account("nexacloud", "u1", "books@maple.example", company="Beta Roofing")], PARTNER, PendingReason.NAMES_DIFFER),
        ([account("nexacloud", "u1", "books@maple.example", company="MAPLE  bakery.")], PARTNER, None),
        ([account("nexacloud", "u1", "books@maple.example")], PARTNER, None),
        ([USER], None, PendingReason.NOT_IN_BOOKS),
        ([USER], replace(PARTNER, shared_emails=(SHARED,)), PendingReason.SHARED_EMAIL),
        # Known at another service, and not to NexaCloud.
        ([account("nexadesk", "d1", "books@maple.example")], PARTNER, PendingReason.NOT_IN_BOOKS),
    ],
)  # fmt: skip
def test_the_link_of_a_customer(
    others: list[Account], partner: LinkedPartner | None, reason: PendingReason | None
) -> None:
    partners = dict.fromkeys(partner.links, partner) if partner else {}
    for everyone in (others, [OWN, *others]):
        link = link_of(OWN, everyone, SERVICES, partners)
        assert (link.state, link.reason) == (
            (LinkState.PENDING, reason) if reason else (LinkState.LINKED, None)
        )
        if reason is None:
            assert (link.customer, link.partner_id) == ("nexacloud:u1", "41")
        else:
            assert not any(name in reason.meaning for name in ("maple", "u1", "nexacloud"))
            assert link.partner_id is None


def test_a_configured_link_needs_no_email() -> None:
    linked = Service(key="nexamaps", customers=(CustomerLink(customer="m1", user="u1"),))
    services: Any = (*SERVICES[:2], linked)
    own = account("nexamaps", "m1", "dev@maple-maps.example", company="Maple Maps")
    link = link_of(own, [USER], services, {"nexacloud:u1": PARTNER})
    assert (link.state, link.customer, link.partner_name) == (LinkState.LINKED, "nexacloud:u1", "Maple Bakery")  # fmt: skip
