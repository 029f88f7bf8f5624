"""Subscriptions, plans, readings, invoiced lines and rows of the dual run, each fact by keyword."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fcb_pipelines.core.company.charges import Charge, Metric, Reading
from fcb_pipelines.core.company.services import (
    CataloguePlan,
    Customers,
    PlanCharge,
    Service,
    Subscription,
)
from fcb_pipelines.core.metering.cycles import Span
from fcb_pipelines.core.metering.dual_run import MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.invoiced import Invoiced, InvoicedLine
from fcb_pipelines.core.metering.status import metering_status

ZONE = "America/Toronto"
MAY = "2026-05"
CPU = Metric(key="cpu", column="cpu_hours", factor=Decimal(3600))
CPU_CHARGE = Charge(metric="cpu", quota="plan", batch=Decimal(3600), price=Decimal("0.0075"))
CLOUD = Service(key="cloud", metrics=(CPU,), charges=(CPU_CHARGE,))
METRICS = {("cloud", "cpu"): CPU}
NOBODY = Customers((), (CLOUD,))


def at(text: str) -> datetime:
    """A moment in Toronto, in UTC: `2026-05-26 08:08:44`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def span(start: str, end: str) -> Span:
    """From one moment in Toronto to another."""
    return Span(start=at(start), end=at(end))


MAY_CYCLE = span("2026-05-01", "2026-06-01")


def a_subscription(number: str = "s1", **facts: Any) -> Subscription:
    """An active monthly subscription to p1 in its May cycle."""
    told = {"service": "cloud", "customer": "u1", "plan_id": "p1", "status": "active"}
    told |= {"billing_cycle": "monthly", "start": at("2026-05-01"), "end": at("2026-06-01")}
    return Subscription(id=number, **{**told, "deployment_id": "d1", **facts})  # type: ignore[arg-type]


def a_plan(number: str = "p1", **facts: Any) -> CataloguePlan:
    """A plan of 200.00 a month or 2,000.00 a year that includes 100 core-hours."""
    quota = facts.pop("quota", Decimal(360000))
    told = {"service": "cloud", "plan": "Hosting - Pro", "active": True}
    told |= {"price_monthly": Decimal("200.00"), "price_yearly": Decimal("2000.00")}
    told |= {"charges": (PlanCharge(charge=CPU_CHARGE, quota=quota),)}
    return CataloguePlan(plan_id=number, **{**told, **facts})  # type: ignore[arg-type]


def a_reading(start: str, end: str, value: str = "1", **facts: Any) -> Reading:
    """One window of s1, from one moment in Toronto to another."""
    told = {"service": "cloud", "subscription_id": "s1", "metric": "cpu"}
    return Reading(start=at(start), end=at(end), value=Decimal(value), **{**told, **facts})


def a_billed_line(net: int, when: Span | None = MAY_CYCLE, **facts: Any) -> InvoicedLine:
    """A line for the plan of `a_plan` in May, unless said otherwise."""
    told = {"description": "1 × Hosting - Pro", "quantity": Decimal(1), "period": MAY}
    return InvoicedLine(net=net, span=when, **{**told, **facts})  # type: ignore[arg-type]


def a_document(*lines: InvoicedLine, ref: str = "stripe:a:in_1", **facts: Any) -> Invoiced:
    """A billed document of s1 with these lines, dated in May."""
    told = {"service": "cloud", "number": "N-1", "customer": "u1", "subscription_id": "s1"}
    told |= {"currency": "CAD", "date": date(2026, 5, 2), "period": MAY, "source": "hash"}
    told |= {"net": sum(line.net for line in lines), "lines": lines}
    return Invoiced(ref=ref, **{**told, **facts})  # type: ignore[arg-type]


def a_delta(**facts: Any) -> MeteringDelta:
    """A row of s1 that matches 200.00 in May."""
    told = {"service": "cloud", "subscription_id": "s1", "period": MAY, "customer": "cloud:u1"}
    told |= {"customer_name": "Acme", "plan": "Hosting - Pro", "currency": "CAD"}
    told |= {"verdict": MeteringVerdict.MATCH, "cause": None, "expected": 20000, "overage": 0}
    told |= {"actual": 20000, "detail": "", "documents": ("stripe:a:in_1",)}
    return MeteringDelta(**{**told, **facts})  # type: ignore[arg-type]


def a_one_off(**facts: Any) -> MeteringDelta:
    """An invoice of 32.20 without a subscription."""
    told = {"subscription_id": None, "plan": "", "verdict": MeteringVerdict.ONE_OFF}
    told |= {"expected": None, "actual": 3220, "documents": ("stripe:a:in_9",)}
    return a_delta(**{**told, **facts})


def a_metering_status() -> dict[str, Any]:
    """The object `metering` of a status: one row in April that matches."""
    rows = {"2026-04": (a_delta(period="2026-04"),)}
    return metering_status(rows, {"2026-04": True}, currency="CAD")
