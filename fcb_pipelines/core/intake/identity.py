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
    """Why a customer has no partner yet. `meaning` names nobody: a service may read it of its customer."""

    meaning: str

    NO_MATCH = (
        "no_match",
        "no customer of another service has its email, and none is configured for it",
    )
    SHARED_EMAIL = (
        "shared_email",
        "several customers, or several partners in the ledger, have its email",
    )
    NAMES_DIFFER = "names_differ", "its email is of more than one company"
    NOT_IN_BOOKS = "not_in_books", "no document of the customer is posted yet"

    def __new__(cls, code: str, meaning: str) -> "PendingReason":
        """A reason by its code, with what it means."""
        made = str.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made


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

    A linked one has the partner's id and name, a pending one the reason.
    """

    state: LinkState
    customer: str
    partner_id: str | None = None
    partner_name: str | None = None
    reason: PendingReason | None = None


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
        reason = _doubt(own, _bearers(own, others))
        if reason is not None:
            return _pending(account_ref(*own.key), reason)
    customer = joined.of(*own.key).key
    partner = partners.get(customer)
    if partner is None:
        return _pending(customer, PendingReason.NOT_IN_BOOKS)
    if any(shared.email in own.customer.emails for shared in partner.shared_emails):
        return _pending(customer, PendingReason.SHARED_EMAIL)
    return Link(
        state=LinkState.LINKED,
        customer=customer,
        partner_id=partner.partner_id,
        partner_name=partner.name,
    )


def _pending(customer: str, reason: PendingReason) -> Link:
    return Link(state=LinkState.PENDING, customer=customer, reason=reason)


def _bearers(own: Account, others: Sequence[Account]) -> list[Account]:
    mine = set(own.customer.emails)
    return [each for each in others if mine & set(each.customer.emails)]


def _doubt(own: Account, bearers: Sequence[Account]) -> PendingReason | None:
    """Why its email joins it with nobody; None where it does."""
    if not bearers:
        return PendingReason.NO_MATCH
    services = [own.customer.service, *(each.customer.service for each in bearers)]
    if len(set(services)) < len(services):
        return PendingReason.SHARED_EMAIL
    companies = {key for each in (own, *bearers) if (key := company_key(each.company))}
    return PendingReason.NAMES_DIFFER if len(companies) > 1 else None
