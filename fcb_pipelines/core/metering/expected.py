"""Expected charges: the flat price of a cycle and the overage beyond a quota (rule M1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fcb_pipelines.core.company.charges import NOTHING, overage, six_places
from fcb_pipelines.core.company.services import CataloguePlan, PlanCharge, Plans, Subscription
from fcb_pipelines.core.metering.cycles import CycleLength, begins_in, cycle_length, cycle_of
from fcb_pipelines.core.metering.dual_run import Cause
from fcb_pipelines.core.metering.usage import Usage

FLAT = "flat"

# With one of these statuses a subscription is not, or not yet, in force: it owes no flat price.
_NOT_IN_FORCE = frozenset({"trialing", "incomplete", "incomplete_expired"})
_ENDED = frozenset({"canceled", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCharge:
    """One component of a subscription's charge for a cycle: the flat price, or a metric's overage.

    `amount` is in major units, six places; None where it can't be computed, and `cause` says why.
    `basis` is the arithmetic as text.
    """

    service: str
    subscription_id: str
    period: str
    component: str
    amount: Decimal | None
    basis: str
    cause: Cause | None = None
    used: Decimal | None = None
    quota: Decimal | None = None


def expected_charges(
    wanted: Iterable[tuple[str, str]],
    subscriptions: Mapping[tuple[str, str], Subscription],
    plans: Plans,
    usage: Iterable[Usage],
    *,
    period: str,
    timezone: str,
    unread: Mapping[str, str] | None = None,
) -> tuple[ExpectedCharge, ...]:
    """The components of each wanted (service, subscription id), in order.

    `unread` maps a service to the reason why none of its usage can be read.
    """
    used = {(row.service, row.subscription_id, row.metric): row for row in usage}
    rows: list[ExpectedCharge] = []
    for service, subscription_id in sorted(set(wanted)):
        known = subscriptions.get((service, subscription_id))
        plan = plans.get((service, known.plan_id)) if known and known.plan_id else None
        rows.append(_flat(service, subscription_id, known, plan, period, timezone))
        for charge in plan.charges if plan else ():
            row = used.get((service, subscription_id, charge.charge.metric))
            unreadable = (unread or {}).get(service) or (row.unread if row else None)
            quantity = row.quantity if row else NOTHING
            rows.append(_overage(service, subscription_id, period, charge, quantity, unreadable))
    return tuple(rows)


def _flat(
    service: str,
    subscription_id: str,
    subscription: Subscription | None,
    plan: CataloguePlan | None,
    period: str,
    timezone: str,
) -> ExpectedCharge:
    problem = next((one.problem for one in (subscription, plan) if one and one.problem), None)
    amount, basis, cause = (
        (None, problem, Cause.UNREADABLE_ROW)
        if problem
        else _flat_price(subscription, plan, period, timezone)
    )
    return ExpectedCharge(
        service=service,
        subscription_id=subscription_id,
        period=period,
        component=FLAT,
        amount=None if amount is None else six_places(amount),
        basis=basis,
        cause=cause,
    )


def _flat_price(
    subscription: Subscription | None, plan: CataloguePlan | None, period: str, timezone: str
) -> tuple[Decimal | None, str, Cause | None]:
    if subscription is None:
        return None, "the service has no such subscription", Cause.MISSING_PRICE
    length = cycle_length(subscription.billing_cycle)
    if length is None:
        return None, f"billing cycle {subscription.billing_cycle!r}", Cause.UNKNOWN_CYCLE
    if plan is None:
        return None, f"plan {subscription.plan_id} is not in the catalogue", Cause.MISSING_PRICE
    if subscription.status in _NOT_IN_FORCE:
        return NOTHING, f"nothing: {subscription.status}", None
    start = cycle_of(period, subscription.start, timezone).start
    if subscription.status in _ENDED and subscription.end and start >= subscription.end:
        return NOTHING, "nothing: ended before this cycle", None
    if length is CycleLength.YEARLY:
        if subscription.start is None:
            return None, "yearly, and its cycle's start is not known", Cause.UNKNOWN_CYCLE
        if not begins_in(period, subscription.start, timezone):
            return NOTHING, "nothing: its yearly cycle begins in another month", None
    monthly = length is CycleLength.MONTHLY
    price = plan.price_monthly if monthly else plan.price_yearly
    if price is None:
        return None, f"{plan.plan} has no {length} price", Cause.MISSING_PRICE
    return price, f"{plan.plan}, {length}: {price}", None


def _overage(
    service: str,
    subscription_id: str,
    period: str,
    of_plan: PlanCharge,
    used: Decimal,
    unreadable: str | None,
) -> ExpectedCharge:
    charge, quota = of_plan.charge, of_plan.quota
    amount: Decimal | None
    if unreadable:
        amount, cause, basis = None, Cause.UNREADABLE_ROW, unreadable
    elif quota is None and used:
        amount, cause = None, Cause.MISSING_QUOTA
        basis = f"{used} {charge.metric} used, and the plan has no quota"
    else:
        amount, cause = overage(charge, used, quota or NOTHING), None
        basis = f"{used} {charge.metric} used of {quota or NOTHING}, {charge.model}: {amount}"
    return ExpectedCharge(
        service=service,
        subscription_id=subscription_id,
        period=period,
        component=charge.metric,
        amount=amount,
        basis=basis,
        cause=cause,
        used=None if unreadable else used,
        quota=quota,
    )


def by_subscription(
    rows: Sequence[ExpectedCharge],
) -> dict[tuple[str, str], tuple[ExpectedCharge, ...]]:
    """The components of each (service, subscription id)."""
    found: dict[tuple[str, str], tuple[ExpectedCharge, ...]] = {}
    for row in rows:
        key = (row.service, row.subscription_id)
        found[key] = (*found.get(key, ()), row)
    return found
