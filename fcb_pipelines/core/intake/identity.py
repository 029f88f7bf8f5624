"""Identity of a customer that a service hands in (rules A9 and A12).

    a configured link, or one other account with the same email -> the customer of that account
    its partner in the ledger, once a document of that customer is posted -> linked

Whatever may be a mistake stays pending, with its reason: an email that several accounts bear, two
companies under one email.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fcb_pipelines.core.company.services import Customers, Service, ServiceCustomer
from fcb_pipelines.core.documents.partners import company_key
from fcb_pipelines.core.ledger.partners import LinkedPartner
from fcb_pipelines.core.refs import account_ref


class LinkState(StrEnum):
    """Whether the customer's partner in the ledger is known."""

    LINKED = "linked"
    PENDING = "pending"


class PendingReason(StrEnum):
    """Why a customer has no partner yet."""

    NO_MATCH = "no_match"
    SHARED_EMAIL = "shared_email"
    NAMES_DIFFER = "names_differ"
    NOT_IN_BOOKS = "not_in_books"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer of one service, with the company that it names, if it names one."""

    customer: ServiceCustomer
    company: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Service and id."""
        return self.customer.service, self.customer.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The answer for one customer. `customer` is the company's customer over all services.

    A linked one has the partner's id and name, a pending one the reason and its detail.
    """

    state: LinkState
    customer: str
    partner_id: str | None = None
    partner_name: str | None = None
    reason: PendingReason | None = None
    detail: str = ""


def link_of(
    own: Account,
    accounts: Iterable[Account],
    services: Sequence[Service],
    partners: Mapping[str, LinkedPartner],
) -> Link:
    """The link of one account. `accounts` are those of all services, it may be among them.

    `services` come in their order, the posted one first; `partners` are by the refs of their links.
    """
    others = [each for each in accounts if each.key != own.key]
    joined = Customers([own.customer, *(each.customer for each in others)], services)
    configured = {
        (service.key, link.customer) for service in services for link in service.customers
    }
    if own.key not in configured:
        problem = _problem(own, _bearers(own, others))
        if problem is not None:
            return Link(
                state=LinkState.PENDING,
                customer=account_ref(*own.key),
                reason=problem[0],
                detail=problem[1],
            )
    return _in_ledger(own, joined.of(*own.key).key, partners)


def _in_ledger(own: Account, customer: str, partners: Mapping[str, LinkedPartner]) -> Link:
    partner = partners.get(customer)
    if partner is None:
        return Link(
            state=LinkState.PENDING,
            customer=customer,
            reason=PendingReason.NOT_IN_BOOKS,
            detail=f"{customer} has no partner in the ledger yet: no document of it is posted",
        )
    if any(shared.email in own.customer.emails for shared in partner.shared_emails):
        return Link(
            state=LinkState.PENDING,
            customer=customer,
            reason=PendingReason.SHARED_EMAIL,
            detail="several partners in the ledger bear its email",
        )
    return Link(
        state=LinkState.LINKED,
        customer=customer,
        partner_id=partner.partner_id,
        partner_name=partner.name,
    )


def _bearers(own: Account, others: Sequence[Account]) -> list[Account]:
    mine = set(own.customer.emails)
    return [each for each in others if mine & set(each.customer.emails)]


def _problem(own: Account, bearers: Sequence[Account]) -> tuple[PendingReason, str] | None:
    if not bearers:
        why = "no customer of another service has its email, and none is configured for it"
        return PendingReason.NO_MATCH, why
    services = [own.customer.service, *(each.customer.service for each in bearers)]
    twice = sorted({one for one in services if services.count(one) > 1})
    if twice:
        return PendingReason.SHARED_EMAIL, f"several customers of {', '.join(twice)} have its email"
    companies = {
        key: each.company for each in (own, *bearers) if (key := company_key(each.company))
    }
    if len(companies) > 1:
        named = ", ".join(sorted(filter(None, companies.values())))
        return PendingReason.NAMES_DIFFER, f"its email is of several companies: {named}"
    return None
