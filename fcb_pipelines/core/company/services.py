"""Services of the company: their metrics, charges, plans, subscriptions and customers.

The configuration lists each service with its key, metrics and charges. Only the documents of the
service in `Settings.service` are posted; the other services are measured.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field, model_validator

from fcb_pipelines.core.company.charges import Charge, Metric, NotNegative
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.company.part import Part
from fcb_pipelines.core.refs import account_ref


class CustomerLink(Part):
    """A configured link: a customer of a service is this NexaCloud user."""

    customer: str
    user: str


class Origin(StrEnum):
    """Where records of a service come from: NexaCloud's database, or the service over HTTP."""

    TABLES = "tables"
    INTAKE = "intake"


class Origins(Part):
    """Where each kind of a service's records comes from."""

    usage: Origin = Origin.TABLES
    customers: Origin = Origin.TABLES
    subscriptions: Origin = Origin.TABLES


class ListedPlan(Part):
    """One plan of a service in the registry; prices are major units of the company's currency.

    `quota` is that of the charges whose quota is `plan`.
    """

    id: str = Field(min_length=1, max_length=128)
    name: str = Field(min_length=1)
    price_monthly: NotNegative | None = None
    price_yearly: NotNegative | None = None
    quota: NotNegative | None = None
    active: bool = True


class Service(Part):
    """One service of the company: its plans, metrics, their charges, where its records come from, and links
    to NexaCloud's users. Without `plans` its plans come from a table."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    origins: Origins = Origins()
    plans: tuple[ListedPlan, ...] = ()
    metrics: tuple[Metric, ...] = ()
    charges: tuple[Charge, ...] = ()
    customers: tuple[CustomerLink, ...] = ()
    events: EventSettings | None = Field(
        None, description="Where its events are sent; none are without it."
    )

    @model_validator(mode="after")
    def _charges_have_their_metrics(self) -> "Service":
        metrics = [metric.key for metric in self.metrics]
        charged = [charge.metric for charge in self.charges]
        plans = [plan.id for plan in self.plans]
        for name, keys in (
            ("metrics", metrics),
            ("charges of one metric", charged),
            ("plans", plans),
        ):
            if len(set(keys)) < len(keys):
                raise ValueError(f"service {self.key} names {name} twice")
        unknown = sorted(set(charged) - set(metrics))
        if unknown:
            raise ValueError(f"service {self.key} charges unknown metrics: {', '.join(unknown)}")
        return self


class IntakeSettings(Part):
    """The limits of the intake. A month of usage closes `closes_after_days` days after its end.

    `url` is where services find it, which `fcb doctor` asks; nothing else is told it.
    """

    url: str | None = Field(None, pattern=r"^https?://[^\s/?#]+$")
    closes_after_days: int = Field(10, ge=0)
    requests_per_minute: int = Field(600, ge=1)
    rows_a_batch: int = Field(10_000, ge=1)
    bytes_a_request: int = Field(8_000_000, ge=1_000)


class MeteringSettings(Part):
    """The tolerances of the dual run. `ceiling_amount` is minor units of the company's currency."""

    ceiling_count: int = Field(0, ge=0)
    ceiling_amount: int = Field(0, ge=0)
    late_after_hours: int = Field(24, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription of one service. `start` and `end` bound its present cycle, where known.

    `at_source` is its subscription at the billing source as the service names it, where it does.
    `problem` says why its row can't be read; then no charge is expected of it.
    """

    service: str
    id: str
    customer: str
    plan_id: str | None
    status: str
    billing_cycle: str | None
    start: datetime | None
    end: datetime | None
    deployment_id: str | None = None
    problem: str | None = None
    at_source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoicing:
    """One invoice of a service, in its tables or by its source: the ref of the document, and its subscription."""

    service: str
    invoice_id: str
    ref: str
    customer: str
    subscription_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCustomer:
    """One customer of one service, with the name and emails in its tables."""

    service: str
    id: str
    name: str
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer of the company over all services, named after the customer of the first service."""

    key: str
    name: str


class Customers:
    """Joins the customers of several services: by configured link, else by equal email in any case.

    The services count in their configured order, the posted one first; two customers of one service
    with the same email stay two (rule A9: an email joins on first sight only).
    """

    def __init__(self, known: Iterable[ServiceCustomer], services: Iterable[Service]) -> None:
        self._found: dict[tuple[str, str], Customer] = {}
        own: dict[str, list[ServiceCustomer]] = {}
        for each in known:
            own.setdefault(each.service, []).append(each)
        by_email: dict[str, Customer] = {}
        first: str | None = None
        for service in services:
            links = {link.customer: link.user for link in service.customers}
            joined = dict(by_email)
            for each in sorted(own.get(service.key, []), key=lambda one: one.id):
                linked = self._found.get((first or "", links.get(each.id, "")))
                equal = next((by_email[e] for e in each.emails if e in by_email), None)
                fresh = Customer(key=account_ref(each.service, each.id), name=each.name)
                found = linked or equal or fresh
                self._found[each.service, each.id] = found
                for email in each.emails:
                    joined.setdefault(email, found)
            by_email, first = joined, first or service.key

    def of(self, service: str, customer: str) -> Customer:
        """The company's customer for a service's customer; an unknown one is a customer of its own."""
        unknown = Customer(key=account_ref(service, customer), name=customer)
        return self._found.get((service, customer), unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCharge:
    """A service's charge in one plan. `quota` is None where the plan lacks the quota it should have."""

    charge: Charge
    quota: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePlan:
    """One plan of one service: flat prices in major units (None: missing) and charges.

    `problem` says why its row can't be read; then it has neither prices nor charges.
    """

    service: str
    plan_id: str
    plan: str
    active: bool
    price_monthly: Decimal | None
    price_yearly: Decimal | None
    charges: tuple[PlanCharge, ...]
    problem: str | None = None


Plans = Mapping[tuple[str, str], CataloguePlan]


def email_key(email: str | None) -> str | None:
    """An email in the form for comparison: trimmed, lower case; None for an empty one."""
    return (email or "").strip().casefold() or None
