"""The plans, deployments, subscriptions and usage of `nexa-2026-05`: 232 plans, 87 subscriptions.

Usage stays below every quota, and only subscriptions that were invoiced have any.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fcb_pipelines.sandbox.scenarios.builders.copies import Row, instant, money
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import (
    BACKUP,
    BACKUP_YEARLY,
    CUSTOMERS,
    FORMS,
    LABEL,
    METERED,
    PRICES,
    WHATSAPP,
    Metered,
    at,
)
from fcb_pipelines.sandbox.scenarios.builders.sales import (
    stripe_id,
    subscription_at_stripe,
    uuid_of,
)

SUBSCRIPTIONS = 87
DEPLOYMENTS = 36

# 19 products in 12 tiers, and 4 add-ons: 232 plans. A tier costs so many cents a month
# more than the one below, unless the published figures give another price.
_PRODUCTS = {
    "Odoo ERP Hosting": 3300,
    "WordPress Website Hosting": 1900,
    "Managed Odoo": 1500,
    "Managed WordPress": 800,
    "Nextcloud Hosting": 1500,
    "Moodle Hosting": 2600,
    "GitLab Hosting": 3400,
    "Mattermost Hosting": 1800,
    "Jitsi Hosting": 1600,
    "Matomo Hosting": 1200,
    "Discourse Hosting": 2400,
    "Ghost Hosting": 1400,
    "PrestaShop Hosting": 2100,
    "Magento Hosting": 5200,
    "ERPNext Hosting": 3300,
    "Metabase Hosting": 2000,
    "Keycloak Hosting": 1700,
    "n8n Hosting": 1300,
    "PostgreSQL Hosting": 2500,
}
_TIERS = ("Free", "Starter", "Basic", "Standard", "Plus", "Managed", "Professional", "Business",
          "Advanced", "Premium", "Enterprise", "Ultimate")  # fmt: skip
_ADDONS = (BACKUP, WHATSAPP, FORMS, LABEL)
_CPU_HOURS_A_TIER = 100
# Sold by quotation: no price in NexaCloud.
_UNPRICED = frozenset({"Magento Hosting - Ultimate", "PostgreSQL Hosting - Ultimate"})

# A window is written five minutes after its end; the last day's was written before the sync.
_WRITTEN_AFTER = timedelta(minutes=5)
_LAST_WRITTEN = at("2026-05-31 05:55")
_CPU_HOURS_A_DAY = ("1.25", "2.40", "0.85", "3.10", "1.95", "0.00", "2.05")

# The statuses of the subscriptions that no invoice names.
_FORMER = (
    "canceled",
    "canceled",
    "incomplete_expired",
    "canceled",
    "trialing",
    "canceled",
    "active",
)


def plan_id(name: str) -> str:
    """NexaCloud's id of the plan of this name."""
    return uuid_of(f"nexa/plan/{name}")


def catalogue_tables() -> dict[str, list[Row]]:
    """The tables `plans`, `deployments`, `subscriptions` and `usage_records`."""
    return {
        "plans": list(_plans()),
        "deployments": [_deployment(n) for n in range(DEPLOYMENTS)],
        "subscriptions": [
            *(_metered(n, metered) for n, metered in enumerate(METERED)),
            *(_former(n) for n in range(len(METERED), SUBSCRIPTIONS)),
        ],
        "usage_records": [row for metered in METERED for row in _usage(metered)],
    }


def _plans() -> Iterator[Row]:
    for product, base in _PRODUCTS.items():
        for step, tier in enumerate(_TIERS):
            name = _named(product, tier)
            monthly = PRICES.get(name, base * step)
            yield _plan(name, product, monthly, monthly * 10, step * _CPU_HOURS_A_TIER)
    for addon in _ADDONS:
        yearly = BACKUP_YEARLY if addon == BACKUP else PRICES[addon] * 10
        yield _plan(addon, addon, PRICES[addon], yearly, None)


def _plan(name: str, product: str, monthly: int, yearly: int, cpu_hours: int | None) -> Row:
    priced = name not in _UNPRICED
    return {
        "id": plan_id(name),
        "product_id": uuid_of(f"nexa/product/{product}"),
        "name": name,
        "price_monthly": money(monthly) if priced else None,
        "price_yearly": money(yearly) if priced else None,
        "stripe_price_id": stripe_id("price", name) if priced else None,
        "cpu_seconds_quota": None if cpu_hours is None else str(cpu_hours * 3600),
        "is_active": "true" if priced else "false",
    }


def _customer(n: int) -> str:
    """The key of the customer of the n-th deployment and subscription."""
    return METERED[n].customer if n < len(METERED) else list(CUSTOMERS)[n % len(CUSTOMERS)]


def _plan_name(n: int) -> str:
    if n < len(METERED):
        return METERED[n].plan
    product = list(_PRODUCTS)[n % len(_PRODUCTS)]
    return _named(product, _TIERS[1 + n % 8])


def _named(product: str, tier: str) -> str:
    return f"{product} - {'Team' if product.startswith(tier) else tier}"


def _deployment(n: int) -> Row:
    running = n < len(METERED) or n % 3 == 0
    return {
        "id": uuid_of(f"nexa/deployment/{n}"),
        "user_id": CUSTOMERS[_customer(n)].user_id,
        "product_id": uuid_of(f"nexa/product/{_plan_name(n).partition(' - ')[0]}"),
        "plan_id": plan_id(_plan_name(n)),
        "name": f"{_customer(n)}-{n + 1:02d}",
        "status": "running" if running else "deleted",
        "billing_cycle": "monthly",
        "next_due_date": instant(at("2026-06-01")) if running else None,
    }


def _metered(n: int, metered: Metered) -> Row:
    return {
        "id": metered.id,
        "user_id": CUSTOMERS[metered.customer].user_id,
        "deployment_id": uuid_of(f"nexa/deployment/{n}"),
        "plan_id": plan_id(metered.plan),
        "status": "active" if metered.end == at("2026-06-01") else "canceled",
        "billing_cycle": "monthly",
        "current_period_start": instant(metered.start.replace(day=1, hour=0, minute=0, second=0)),
        "current_period_end": instant(metered.end),
        "stripe_subscription_id": subscription_at_stripe(metered.id),
    }


def _former(n: int) -> Row:
    subscription = uuid_of(f"nexa/subscription/{n}")
    status = _FORMER[n % len(_FORMER)]
    running = status in ("active", "trialing")
    start = at("2026-05-01") if running else at(f"2025-{1 + n % 11:02d}-01")
    end = at("2026-06-01") if running else at(f"2025-{2 + n % 11:02d}-01")
    return {
        "id": subscription,
        "user_id": CUSTOMERS[_customer(n)].user_id,
        "deployment_id": uuid_of(f"nexa/deployment/{n}") if n < DEPLOYMENTS else None,
        "plan_id": plan_id(_plan_name(n)),
        "status": status,
        "billing_cycle": "yearly" if n % 9 == 0 else "monthly",
        "current_period_start": instant(start),
        "current_period_end": instant(end),
        "stripe_subscription_id": None if n % 2 else subscription_at_stripe(subscription),
    }


def _usage(metered: Metered) -> Iterator[Row]:
    """One record a day, from the start to the end of the invoiced time."""
    begun, day = metered.start, 0
    while begun < metered.end:
        ended = min(_next_midnight(begun), metered.end)
        yield {
            "subscription_id": metered.id,
            "period_start": instant(begun),
            "period_end": instant(ended),
            "cpu_hours": _CPU_HOURS_A_DAY[day % len(_CPU_HOURS_A_DAY)],
            "created_at": instant(min(ended + _WRITTEN_AFTER, _LAST_WRITTEN)),
        }
        begun, day = ended, day + 1


def _next_midnight(moment: datetime) -> datetime:
    return (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0)
