"""What the last runs found of a service: its plans, and its documents as verified and posted."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from fcb_pipelines.api.access import Calling
from fcb_pipelines.api.problems import Refused, responses, wrong
from fcb_pipelines.api.shapes import (
    REF_PATTERN,
    Invoice,
    InvoiceQuery,
    Invoices,
    Plan,
    Plans,
)
from fcb_pipelines.api.verified import VerifiedDocument
from fcb_pipelines.core.codes import Kind, Verdict
from fcb_pipelines.core.ledger.moves import MoveState

router = APIRouter()


@router.get("/plans", tags=["plans"], responses=responses())
def list_plans(calling: Calling) -> Plans:
    """The plans of the service, as last extracted."""
    return Plans(
        plans=[
            Plan(
                id=one.plan_id,
                name=one.plan,
                active=one.active,
                price_monthly=one.price_monthly,
                price_yearly=one.price_yearly,
                problem=one.problem,
            )
            for one in calling.intake.verified.plans(calling.code)
        ]
    )


@router.get("/invoices", tags=["invoices"], responses=responses())
def list_invoices(query: Annotated[InvoiceQuery, Query()], calling: Calling) -> Invoices:
    """The documents of the service by date, as the last runs verified and posted them."""
    found = calling.intake.verified.documents(calling.code)
    shown = [_invoice(one) for one in found]
    if query.period is not None:
        shown = [one for one in shown if one.period == query.period]
    begin = 0
    if query.after is not None:
        places = {one.ref: place for place, one in enumerate(shown, start=1)}
        if query.after not in places:
            raise wrong(("after", "it is no document of this list"))
        begin = places[query.after]
    page = shown[begin : begin + query.limit]
    more = len(shown) > begin + query.limit
    return Invoices(invoices=page, next=page[-1].ref if more else None)


@router.get("/invoices/{ref}", tags=["invoices"], responses=responses(404))
def show_invoice(ref: Annotated[str, Path(pattern=REF_PATTERN)], calling: Calling) -> Invoice:
    """One document of the service by its ref, as `stripe:acct_1:in_1`."""
    for one in calling.intake.verified.documents(calling.code):
        if one.ref == ref:
            return _invoice(one)
    raise Refused(404)


def _invoice(one: VerifiedDocument) -> Invoice:
    claim = one.claim
    named = {
        "customer_id": claim.customer if claim else None,
        "subscription_id": claim.subscription_id if claim else None,
    }
    found = one.disposition
    if found is None:
        return _of_another(one, named)
    move = one.move
    in_books = move is not None and move.state is not MoveState.CANCELLED
    return Invoice(
        ref=found.ref,
        number=found.number,
        kind=found.kind,
        period=found.period,
        date=found.date,
        status=found.status,
        currency=found.currency,
        net=found.net,
        tax=found.tax,
        total=found.total,
        owed=found.owed,
        disposition=found.verdict,
        reason=found.reason,
        exceptions=list(found.exceptions),
        state=move.state if move else MoveState.NONE,
        payment_state=move.payment_state if move and in_books else None,
        residual=move.residual if move and in_books else None,
        ledger_number=move.document.number if move and in_books else None,
        **named,
    )


def _of_another(one: VerifiedDocument, named: dict[str, str | None]) -> Invoice:
    """A document of a service that is measured and not posted; its net is the claim's."""
    claim, listed = one.claim, one.listed
    if claim is None or listed is None:
        raise Refused(404)
    kind = Kind(listed.origin.value)
    net = kind.sign * claim.net
    return Invoice(
        ref=claim.ref,
        number=claim.number,
        kind=kind,
        period=claim.period,
        date=claim.date,
        status=listed.status,
        currency=claim.currency,
        net=net,
        tax=listed.total - net,
        total=listed.total,
        owed=None,
        disposition=Verdict.SKIP,
        reason="other_service",
        exceptions=[],
        state=MoveState.NONE,
        payment_state=None,
        residual=None,
        ledger_number=None,
        **named,
    )
