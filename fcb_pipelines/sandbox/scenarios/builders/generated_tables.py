"""Plans, deployments, subscriptions and usage of a generated dataset."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fcb_pipelines.sandbox.scenarios.builders.copies import Row, instant, money
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import PRICES
from fcb_pipelines.sandbox.scenarios.builders.sales import (
    Customer,
    Sale,
    stripe_id,
    subscription_at_stripe,
    uuid_of,
)

_QUOTA_SECONDS = 360_000
_CPU_HOURS = ("12.5", "48.25", "99.999", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A customer's subscription to the plan of a line with this description."""

    customer: Customer
    description: str

    @property
    def plan(self) -> str:
        """The plan's name, found in the description."""
        return next(name for name in sorted(PRICES, key=len)[::-1] if name in self.description)

    @property
    def id(self) -> str:
        """The id in NexaCloud, one for each customer and plan."""
        return uuid_of(f"{self.customer.key}/subscription/{self.plan}")


def tables(subscribed: Iterable[Subscribed], sales: Sequence[Sale]) -> dict[str, list[Row]]:
    """The tables beside users and invoices."""
    bought = list(subscribed)
    return {
        "plans": [_plan(name) for name in PRICES],
        "deployments": [_deployment(each) for each in bought],
        "subscriptions": [_subscription(each) for each in bought],
        "usage_records": list(_usage(sales)),
    }


def _plan_id(name: str) -> str:
    return uuid_of(f"generated/plan/{name}")


def _product_id(name: str) -> str:
    return uuid_of(f"generated/product/{name.partition(' - ')[0]}")


def _plan(name: str) -> Row:
    return {
        "id": _plan_id(name),
        "product_id": _product_id(name),
        "name": name,
        "price_monthly": money(PRICES[name]),
        "price_yearly": money(PRICES[name] * 10),
        "stripe_price_id": stripe_id("price", name),
        "cpu_seconds_quota": str(_QUOTA_SECONDS),
        "is_active": "true",
    }


def _deployment(bought: Subscribed) -> Row:
    return {
        "id": uuid_of(f"{bought.id}/deployment"),
        "user_id": bought.customer.user_id,
        "product_id": _product_id(bought.plan),
        "plan_id": _plan_id(bought.plan),
        "name": bought.plan.lower().replace(" ", "-"),
        "status": "running",
        "billing_cycle": "monthly",
        "next_due_date": None,
    }


def _subscription(bought: Subscribed) -> Row:
    return {
        "id": bought.id,
        "user_id": bought.customer.user_id,
        "deployment_id": uuid_of(f"{bought.id}/deployment"),
        "plan_id": _plan_id(bought.plan),
        "status": "active",
        "billing_cycle": "monthly",
        "current_period_start": None,
        "current_period_end": None,
        "stripe_subscription_id": subscription_at_stripe(bought.id),
    }


def _usage(sales: Sequence[Sale]) -> Iterator[Row]:
    """One record for each subscription and service time that was invoiced."""
    seen: set[tuple[str, datetime]] = set()
    for n, sale in enumerate(sales):
        line = sale.lines[0]
        if sale.subscription is None or (sale.subscription, line.start) in seen:
            continue
        seen.add((sale.subscription, line.start))
        yield {
            "subscription_id": sale.subscription,
            "period_start": instant(line.start),
            "period_end": instant(line.end),
            "cpu_hours": _CPU_HOURS[n % len(_CPU_HOURS)],
        }
