"""NexaMaps in `nexa-2026-05`: another service of the company, which is told of events and hands in its usage.

Its one customer paid for the cycle of 15 January in advance, before the company sold NexaMaps by Stripe, and the
subscription ended with it. A cycle belongs to the month that it begins in: to January, before the first month
of the books and of the dual run. So none of their figures has anything of it.
"""

from datetime import datetime, timedelta
from typing import Any

import yaml

from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import at
from fcb_pipelines.sandbox.scenarios.builders.sales import Customer, uuid_of

SERVICE = "nexamaps"
_PLAN = "Maps Business"
_BEGUN, _ENDED = at("2026-01-15"), at("2026-02-15")
# The intake takes nothing of before the first month.
_FIRST = at("2026-02-01")
_SUBSCRIPTION = uuid_of("nexa/maps/subscription")
# Calls a day, from Monday on.
_CALLS = (148_200, 151_900, 150_400, 149_700, 162_300, 61_800, 48_500)

CUSTOMER = Customer(
    key="maps/georgian", email="dispatch@georgian-couriers.example", full_name="Georgian Couriers",
    company="Georgian Couriers", billing_email=None, street="12 Bayfield St", city="Barrie",
    state="ON", postal_code="L4M 3A5",
)  # fmt: skip

# Who is told what, of the services of the dataset.
EVENTS: dict[str, dict[str, Any]] = {
    "nexacloud": {"start": _FIRST.date()},
    SERVICE: {"start": _BEGUN.date()},
}


def services() -> list[dict[str, Any]]:
    """The registry: NexaCloud as it is packaged, and NexaMaps, all of whose records come over HTTP."""
    packaged: list[dict[str, Any]] = yaml.safe_load(PACKAGED.read_text("utf-8"))["services"]
    maps = {
        "key": SERVICE,
        "origins": {"usage": "intake", "customers": "intake", "subscriptions": "intake"},
        "plans": [{"id": "maps-business", "name": _PLAN, "price_monthly": "99.00"}],
        "metrics": [{"key": "api_calls"}],
        "charges": [
            {"metric": "api_calls", "quota": 5000000, "batch": 1000, "price": "0.10"},
        ],
    }
    return [*packaged, maps]


def handed_in() -> dict[str, list[dict[str, Any]]]:
    """Its customer, the subscription that ended, and the last fortnight's calls, a record a day."""
    return {
        "customers": [
            {"id": CUSTOMER.user_id, "email": CUSTOMER.email, "company": CUSTOMER.company}
        ],
        "subscriptions": [
            {
                "id": _SUBSCRIPTION,
                "customer_id": CUSTOMER.user_id,
                "plan_id": "maps-business",
                "status": "canceled",
                "billing_cycle": "monthly",
                "current_period_start": _BEGUN.isoformat(),
                "current_period_end": _ENDED.isoformat(),
            }
        ],
        "usage": [_calls(_FIRST + timedelta(days=n)) for n in range(14)],
    }


def _calls(day: datetime) -> dict[str, Any]:
    return {
        "key": f"{day:%Y-%m-%d}",
        "subscription_id": _SUBSCRIPTION,
        "metric": "api_calls",
        "period_start": day.isoformat(),
        "period_end": (day + timedelta(days=1)).isoformat(),
        "recorded_at": (day + timedelta(days=1, minutes=5)).isoformat(),
        "quantity": _CALLS[day.weekday()],
    }
