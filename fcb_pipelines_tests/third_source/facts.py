"""What Acme's rows mean: one row of its file is one invoice of one line, with Ontario's HST."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.codes import Kind, Method, Reason, Status
from fcb_pipelines.core.facts.arithmetic import UNREADABLE, unreadable
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, SettlementFacts, TaxFacts
from fcb_pipelines.core.facts.nexacloud import User
from fcb_pipelines.core.facts.source import SourceRules
from fcb_pipelines.core.money import from_major
from fcb_pipelines.core.refs import source_ref

NAME = "acme"
_STATUSES = {status.value: status for status in Status}


def document_facts(body: Mapping[str, Any], *, owner: str, timezone: str) -> InvoiceFacts:
    """The facts of one row. Acme's dates are days already, so `timezone` changes none."""
    ref = source_ref(NAME, owner, body["id"])
    try:
        return _read(body, ref, owner)
    except UNREADABLE:
        return unreadable(NAME, ref, Kind.INVOICE, body.get("customer"))


def _read(body: Mapping[str, Any], ref: str, owner: str) -> InvoiceFacts:
    currency, issued = body["currency"], date.fromisoformat(body["issued"])
    net, tax, total = (
        from_major(Decimal(body[name]), currency) for name in ("net", "hst", "total")
    )
    hst = TaxFacts(
        type="hst", percentage=Decimal(13), amount=tax, base=net, country="CA", state="ON"
    )
    line = LineFacts(
        key=body["id"],
        description=body["description"],
        quantity=Decimal(1),
        net=net,
        gross=net,
        taxes=(hst,),
    )
    paid = total if body["paid"] else 0
    payment = SettlementFacts(
        ref=source_ref(NAME, owner, body["payment"]),
        document=ref,
        method=Method.PAYMENT,
        date=date.fromisoformat(body["paid"] or body["issued"]),
        amount=paid,
        currency=currency,
        payment_id=body["payment"],
    )
    return InvoiceFacts(
        side=NAME,
        ref=ref,
        kind=Kind.INVOICE,
        number=body["id"],
        status=_STATUSES.get(body["status"], Status.UNKNOWN),
        status_at_source=body["status"],
        currency=currency,
        date=issued,
        net=net,
        tax=tax,
        total=total,
        paid=paid,
        customer=body["customer"],
        lines=(line,),
        taxes=(hst,),
        settlements=(payment,) if paid else (),
        problem=None if net + tax == total else Reason.LINES_DO_NOT_SUM,
    )


def customer_of(user_id: str, user: User | None) -> str | None:
    """Acme knows a customer by the NexaCloud user's id."""
    return user_id


def claimed(text: str) -> str | None:
    """NexaCloud writes acme: before Acme's id."""
    return text.removeprefix("acme:") if text.startswith("acme:") else None


RULES = SourceRules(name=NAME, facts=document_facts, customer_of=customer_of, claimed=claimed)
