"""The leak view: usage, deployments and subscriptions that no invoice bills."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from fcb_pipelines.core.company.services import Customers, Plans, Subscription
from fcb_pipelines.core.metering.cycles import CycleLength, cycle_length
from fcb_pipelines.core.metering.dual_run import Cause, MeteringDelta
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.core.money import exponent, half_up
from fcb_pipelines.core.periods import period_of

_RUNS = frozenset({"running", "active"})
_IN_FORCE = frozenset({"active", "past_due"})


class LeakKind(StrEnum):
    """The kind of a leak."""

    OVERAGE_NOT_INVOICED = "overage_not_invoiced"
    INVOICED_WITHOUT_DEPLOYMENT = "invoiced_without_deployment"
    DEPLOYMENT_NOT_INVOICED = "deployment_not_invoiced"
    SILENT_SUBSCRIPTION = "silent_subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One NexaCloud deployment, with the columns of its table."""

    id: str
    user_id: str | None
    plan_id: str | None
    name: str | None
    status: str | None
    billing_cycle: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One possible leak, for a person to check.

    `amount` is minor units (docs/metering.md says of what, by kind); None where no price is known.
    `period` is the month concerned, None for the present state.
    """

    kind: LeakKind
    service: str
    subscription_id: str | None
    deployment_id: str | None
    customer: str
    customer_name: str
    period: str | None
    currency: str
    amount: int | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class LeakView:
    """The inputs of the leak view; `rows` are those of all months.

    `unread` are the ids of deployments whose rows can't be read: they give no leak. `deployments` is
    None where the whole table can't be read.
    """

    service: str
    currency: str
    timezone: str
    today: date
    rows: Sequence[MeteringDelta]
    documents: Sequence[Invoiced]
    subscriptions: Mapping[tuple[str, str], Subscription]
    deployments: Sequence[Deployment] | None
    plans: Plans
    customers: Customers
    unread: Collection[str] = ()

    def leaks(self) -> tuple[Leak, ...]:
        """Every leak, kind by kind."""
        return (
            *self._overage(),
            *self._without_deployment(),
            *self._not_invoiced(),
            *self._silent(),
        )

    def _overage(self) -> Iterable[Leak]:
        for row in self.rows:
            lacking = min(row.overage, row.delta or 0)
            if row.cause is Cause.NOT_INVOICED and lacking > 0 and row.subscription_id:
                subscription = self.subscriptions.get((row.service, row.subscription_id))
                yield Leak(
                    kind=LeakKind.OVERAGE_NOT_INVOICED,
                    service=row.service,
                    subscription_id=row.subscription_id,
                    deployment_id=subscription.deployment_id if subscription else None,
                    customer=row.customer,
                    customer_name=row.customer_name,
                    period=row.period,
                    currency=row.currency,
                    amount=lacking,
                    detail=row.detail,
                )

    def _without_deployment(self) -> Iterable[Leak]:
        if self.deployments is None:
            return
        known = {deployment.id: deployment for deployment in self.deployments}
        for subscription, documents in self._invoiced():
            if subscription.problem or subscription.deployment_id in self.unread:
                continue
            deployment = known.get(subscription.deployment_id or "")
            gone = (
                deployment is not None
                and subscription.status in _IN_FORCE
                and not _runs(deployment)
            )
            if deployment is None or gone:
                state = (
                    f"deployment {deployment.name} is {deployment.status}" if deployment else "none"
                )
                yield self._of(
                    LeakKind.INVOICED_WITHOUT_DEPLOYMENT,
                    subscription,
                    None,
                    sum(document.net for document in documents),
                    f"{len(documents)} invoices; {state}",
                )

    def _not_invoiced(self) -> Iterable[Leak]:
        billed = {subscription.deployment_id for subscription, _ in self._invoiced()}
        for deployment in sorted(self.deployments or (), key=lambda one: one.id):
            plan = self.plans.get((self.service, deployment.plan_id or ""))
            price = self._price(self.service, deployment.plan_id, deployment.billing_cycle)
            if not _runs(deployment) or deployment.id in billed or price == 0:
                continue
            who = self.customers.of(self.service, deployment.user_id or "")
            yield Leak(
                kind=LeakKind.DEPLOYMENT_NOT_INVOICED,
                service=self.service,
                subscription_id=None,
                deployment_id=deployment.id,
                customer=who.key,
                customer_name=who.name,
                period=None,
                currency=self.currency,
                amount=price,
                detail=f"{deployment.name}, {plan.plan if plan else 'no plan'}: {deployment.status}",
            )

    def _silent(self) -> Iterable[Leak]:
        seen: dict[tuple[str, str], str] = {}
        for row in self.rows:
            key = (row.service, row.subscription_id or "")
            seen[key] = max(row.period, seen.get(key, ""))
        for key, subscription in sorted(self.subscriptions.items()):
            since = self._in_force_since(subscription)
            if since is None or (key in seen and seen[key] >= since):
                continue
            price = self._price(
                subscription.service, subscription.plan_id, subscription.billing_cycle
            )
            if price != 0:
                detail = f"{subscription.status}, neither invoice nor usage" + (
                    f" since {since}" * bool(since)
                )
                yield self._of(
                    LeakKind.SILENT_SUBSCRIPTION, subscription, since or None, price, detail
                )

    def _in_force_since(self, subscription: Subscription) -> str | None:
        """The month of its present cycle's start, "" if unknown; None for one that is not in force."""
        if subscription.status not in _IN_FORCE:
            return None
        if subscription.start is None:
            return ""
        begun = subscription.start.astimezone(ZoneInfo(self.timezone)).date()
        return period_of(begun) if begun <= self.today else None

    def _invoiced(self) -> Iterable[tuple[Subscription, list[Invoiced]]]:
        """The posted service's subscriptions with a document that bills something."""
        own: dict[tuple[str, str], list[Invoiced]] = {}
        for document in self.documents:
            if document.subscription_id and document.net and document.service == self.service:
                own.setdefault((document.service, document.subscription_id), []).append(document)
        for key in sorted(own):
            if key in self.subscriptions:
                yield self.subscriptions[key], own[key]

    def _price(self, service: str, plan_id: str | None, cycle: str | None) -> int | None:
        plan = self.plans.get((service, plan_id or ""))
        yearly = cycle_length(cycle) is CycleLength.YEARLY
        price = (plan.price_yearly if yearly else plan.price_monthly) if plan else None
        return None if price is None else half_up(price.scaleb(exponent(self.currency)))

    def _of(
        self,
        kind: LeakKind,
        subscription: Subscription,
        period: str | None,
        amount: int | None,
        detail: str,
    ) -> Leak:
        who = self.customers.of(subscription.service, subscription.customer)
        return Leak(
            kind=kind,
            service=subscription.service,
            subscription_id=subscription.id,
            deployment_id=subscription.deployment_id,
            customer=who.key,
            customer_name=who.name,
            period=period,
            currency=self.currency,
            amount=amount,
            detail=detail,
        )


def _runs(deployment: Deployment) -> bool:
    return (deployment.status or "").strip().casefold() in _RUNS
