"""Customers and subscriptions of a service."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Response

from fcb_pipelines.api.access import Caller, Calling
from fcb_pipelines.api.problems import Refused, responses, wrong
from fcb_pipelines.api.shapes import (
    ID_PATTERN,
    CustomerAnswer,
    CustomerLink,
    CustomerSent,
    Partner,
    SubscriptionContent,
    SubscriptionSent,
    SubscriptionStatus,
)
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.intake.handed import (
    AlreadyThere,
    HandedCustomer,
    HandedSubscription,
)
from fcb_pipelines.core.intake.identity import link_of
from fcb_pipelines.core.metering.cycles import CycleLength

router = APIRouter()
InPath = Annotated[str, Path(pattern=ID_PATTERN)]
Made = TypeVar("Made")


@router.post("/customers", tags=["customers"], responses={201: {"model": CustomerAnswer, "description": "It is new."}, **responses(409)})  # fmt: skip
def hand_in_customer(sent: CustomerSent, calling: Calling, response: Response) -> CustomerAnswer:
    """Make a customer (201), or change it (200). The answer names the partner that it is linked with."""
    calling.hands_in("customers")
    customer = HandedCustomer(
        service=calling.code, id=sent.id, email=sent.email, name=sent.name, company=sent.company
    )
    if calling.intake.handed.put_customer(customer, request_id=calling.request_id):
        response.status_code = 201
    return _answer(calling, customer)


@router.get("/customers/{customer_id}", tags=["customers"], responses=responses(404, 409))
def show_customer(customer_id: InPath, calling: Calling) -> CustomerAnswer:
    """A customer as it is kept, and its link as it is now."""
    calling.hands_in("customers")
    customer = calling.intake.handed.customer(calling.code, customer_id)
    if customer is None:
        raise Refused(404)
    return _answer(calling, customer)


@router.post("/subscriptions", status_code=201, tags=["subscriptions"], responses={200: {"model": SubscriptionSent, "description": "It is there already, just so."}, **responses(409)})  # fmt: skip
def hand_in_subscription(
    sent: SubscriptionSent, calling: Calling, response: Response
) -> SubscriptionSent:
    """Make a subscription. One that exists with other content is a conflict: change it by PUT."""
    made = _checked(calling, sent.id, sent)
    try:
        if not calling.intake.handed.make_subscription(made, request_id=calling.request_id):
            response.status_code = 200
    except AlreadyThere as error:
        raise Refused(
            409, "It exists with other content: change it by PUT.", code="exists_already"
        ) from error
    return _shown(made)


@router.get("/subscriptions/{subscription_id}", tags=["subscriptions"], responses=responses(404, 409))  # fmt: skip
def show_subscription(subscription_id: InPath, calling: Calling) -> SubscriptionSent:
    """A subscription as it is kept."""
    calling.hands_in("subscriptions")
    return _shown(
        _or_404(lambda: calling.intake.handed.subscription(calling.code, subscription_id))
    )


@router.put("/subscriptions/{subscription_id}", tags=["subscriptions"], responses=responses(404, 409))  # fmt: skip
def change_subscription(
    subscription_id: InPath, content: SubscriptionContent, calling: Calling
) -> SubscriptionSent:
    """Change a subscription: the whole of it is as sent."""
    made = _checked(calling, subscription_id, content)
    _or_404(lambda: calling.intake.handed.change_subscription(made, request_id=calling.request_id))
    return _shown(made)


@router.delete("/subscriptions/{subscription_id}", tags=["subscriptions"], responses=responses(404, 409))  # fmt: skip
def end_subscription(subscription_id: InPath, calling: Calling) -> SubscriptionSent:
    """End a subscription now. It stays known as `canceled`, since earlier months are measured by it."""
    calling.hands_in("subscriptions")
    at: datetime = calling.intake.clock().astimezone(UTC).replace(microsecond=0)
    ended = _or_404(
        lambda: calling.intake.handed.end_subscription(
            calling.code, subscription_id, at, request_id=calling.request_id
        )
    )
    return _shown(ended)


def _checked(calling: Caller, number: str, content: SubscriptionContent) -> HandedSubscription:
    """The subscription, with a customer that exists and a cycle that ends after it begins."""
    calling.hands_in("subscriptions")
    intake, start, end = calling.intake, content.current_period_start, content.current_period_end
    faults = []
    by_intake = calling.code in intake.settings.by_intake("customers")
    if by_intake and intake.handed.customer(calling.code, content.customer_id) is None:
        faults.append(("customer_id", "there is no such customer: hand it in first"))
    if start is not None and end is not None and end <= start:
        faults.append(("current_period_end", "it does not lie after current_period_start"))
    if faults:
        raise wrong(*faults)
    return HandedSubscription(
        service=calling.code,
        id=number,
        customer_id=content.customer_id,
        plan_id=content.plan_id,
        status=content.status,
        billing_cycle=content.billing_cycle,
        current_period_start=start,
        current_period_end=end,
        source_subscription_id=content.source_subscription_id,
    )


def _or_404(act: Callable[[], Made]) -> Made:
    try:
        return act()
    except NotFound as error:
        raise Refused(404) from error


def _shown(one: HandedSubscription) -> SubscriptionSent:
    return SubscriptionSent(
        id=one.id,
        customer_id=one.customer_id,
        plan_id=one.plan_id,
        status=SubscriptionStatus(one.status),
        billing_cycle=CycleLength(one.billing_cycle),
        current_period_start=one.current_period_start,
        current_period_end=one.current_period_end,
        source_subscription_id=one.source_subscription_id,
    )


def _answer(calling: Caller, customer: HandedCustomer) -> CustomerAnswer:
    intake = calling.intake
    services = sorted(intake.settings.services, key=lambda one: one.key != intake.settings.service)
    handed = intake.handed.customers(intake.settings.by_intake("customers"))
    accounts = [*intake.verified.accounts(), *(one.account for one in handed)]
    link = link_of(customer.account, accounts, services, intake.verified.partners())
    partner = None
    if link.partner_id is not None:
        partner = Partner(id=link.partner_id, name=link.partner_name or "")
    return CustomerAnswer(
        id=customer.id,
        email=customer.email,
        name=customer.name,
        company=customer.company,
        link=CustomerLink(
            state=link.state,
            partner=partner,
            reason=link.reason,
            detail=link.reason.meaning if link.reason else None,
        ),
    )
