"""NexaCloud forgets a customer whose documents are posted: what it is billed afterwards is held (A13).

Each case is a customer of the closed dataset; NexaCloud changes its user alone and keeps the rows of its invoices.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from fcb_pipelines.config import settings
from fcb_pipelines.connectors.sources import Listing, SourceBody
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.defs.sources.reading import Reader, read_index
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines_tests.defs.world import PERIODS, World, document, failed, why
from fcb_pipelines_tests.source_shapes import stripe_invoice

Rows = list[dict[str, str]]
MAY = PERIODS[-1]


def erased(users: Rows, user: dict[str, str]) -> None:
    users.remove(user)


def emptied(users: Rows, user: dict[str, str]) -> None:
    user["stripe_customer_id"] = ""


def changed(users: Rows, user: dict[str, str]) -> None:
    user["stripe_customer_id"] = "cus_changed"


def padded(users: Rows, user: dict[str, str]) -> None:
    user["stripe_customer_id"] += " "


AT_STRIPE: tuple[Callable[[Rows, dict[str, str]], None], ...] = (erased, emptied, changed, padded)


def test_a13_what_a_customer_is_billed_whose_user_nexacloud_erased_or_changed_is_held(
    closed: World,
) -> None:
    others = closed.status()["other_service"]
    with closed.table("users") as users:
        by_customer = {row["stripe_customer_id"]: row for row in users}
        by_id = {row["id"]: row for row in users}
        with closed.objects("stripe/invoices") as invoices:
            paid = _a_paid_one_of_each(invoices, by_customer)
            with closed.objects("stripe/invoice_payments") as payments:
                billed = [
                    _billed_again(name.__name__, one, invoices, payments)
                    for name, one in zip(AT_STRIPE, paid, strict=False)
                ]
        changed_users = {one["customer"] for one in billed}
        with closed.objects("lago/invoices") as invoices:
            (first, *_) = (
                one
                for one in invoices
                if (user := by_id.get(one["customer"]["external_id"]))
                and user["stripe_customer_id"] not in changed_users
                and one["status"] == "finalized"
            )
            again = {**deepcopy(first), "lago_id": "lago-again", "number": "LAGO-AGAIN"}
            invoices.append({**again, "issuing_date": f"{MAY}-20"})
        for change, one in zip(AT_STRIPE, billed, strict=True):
            change(users, by_customer[one["customer"]])
        erased(users, by_id[first["customer"]["external_id"]])

    status = _synced(closed)
    for number in (*(change.__name__ for change in AT_STRIPE), "LAGO-AGAIN"):
        told = document(status, number)
        assert (told["period"], told["reason"]) == (MAY, "missing_in_nexacloud"), number
        listed = sum(one["amount"] for one in told["listed"] if one["why"] == told["reason"])
        assert listed == told["total"] > 0, number
    assert all(
        document(status, change.__name__)["exceptions"] == ["cash_without_document"]
        for change in AT_STRIPE
    )
    assert status["other_service"] == others
    assert failed(status) == failed(status, MAY) == set()


def test_a13_of_a_held_document_whose_user_is_erased_the_report_says_that_it_is_gone(
    closed: World,
) -> None:
    with closed.table("users") as users:
        nine = {"id": str(UUID(int=9)), "email": "nine@example.com", "billing_email": ""}
        users.append({**users[0], **nine, "company": "Nine Inc.", "stripe_customer_id": "cus_9"})
    with closed.objects("stripe/invoices") as invoices:
        one = max(invoices, key=lambda each: each["effective_at"] or 0)
        invoices.append(deepcopy(one) | {"id": "in_9", "number": "NINE", "customer": "cus_9"})
    held = _synced(closed)
    told = document(held, "NINE")
    assert (told["period"], told["reason"]) == (MAY, "missing_in_nexacloud")

    with closed.table("users") as users:
        del users[-1]
    assert _synced(closed)["other_service"] == held["other_service"] + 1
    report = json.loads(_report(closed, MAY).read_text("utf-8"))
    (gone,) = report["changes"]["documents"]
    assert (gone["ref"], gone["what"]) == (told["ref"], "gone")
    assert gone["details"] == [f"hold, {told['total'] / 100:.2f} {told['currency']}"]


def _synced(world: World) -> dict[str, Any]:
    assert world.extract().success
    run = world.month(MAY, post=True)
    assert run.success, why(run)
    assert world.prove().success
    return world.status()


def _report(world: World, period: str) -> Path:
    """The report of a month, and not the one that it replaced."""
    files = world.found.data_home.rglob(f"{period}.json")
    (file,) = (each for each in files if each.parent.name == "reports")
    return file


def _a_paid_one_of_each(
    invoices: list[dict[str, Any]], customers: dict[str, Any]
) -> list[dict[str, Any]]:
    """A paid invoice of each of these customers."""
    found = {
        one["customer"]: one
        for one in invoices
        if one["customer"] in customers
        and one["status"] == "paid"
        and one["total"] == one["amount_paid"] > 0
    }
    return list(found.values())


def _billed_again(
    number: str, one: dict[str, Any], invoices: list[dict[str, Any]], payments: list[dict[str, Any]]
) -> dict[str, Any]:
    """The same customer is billed the same in May, and pays; NexaCloud has no copy."""
    at = max(each["effective_at"] or 0 for each in invoices)
    again = deepcopy(one) | {"id": f"in_{number}", "number": number, "effective_at": at}
    again["status_transitions"] |= {"finalized_at": at, "paid_at": at}
    invoices.append(again)
    for each in [each for each in payments if each["invoice"] == one["id"]]:
        new = deepcopy(each) | {"id": f"inpay_{number}", "invoice": again["id"]}
        new["payment"] |= {"payment_intent": f"pi_{number}"}
        new["status_transitions"] |= {"paid_at": at}
        payments.append(new)
    return again


def test_a13_a_document_that_its_source_gives_by_id_alone_tells_of_its_customer(
    tmp_path: Path,
) -> None:
    (of,) = (one for one in registered(settings.load(settings.PACKAGED)) if one.name == "stripe")
    listed, by_id = _body("in_listed"), _body("in_by_id")
    source = SimpleNamespace(
        listing=lambda progress: Listing(documents=(listed,), pages=1, calls=1),
        ask=lambda ids: (by_id,),
    )
    frame = read_index(
        Reader(of=of, source=source, evidence=EvidenceStore(tmp_path)),
        customers=frozenset(),
        claimed=[f"{of.service}:in_by_id"],
        ledger_state=(),
        last_period=MAY,
        progress=lambda count: None,
    )
    rows = {row.source_id: (row.answer, row.in_scope) for row in to_rows(frame, IndexRow)}
    assert rows == {"in_listed": ("listed", True), "in_by_id": ("asked", True)}


def _body(id: str) -> SourceBody:
    invoice = stripe_invoice(id, number=id, status="open", customer="cus_1", created=1, lines=[])
    return SourceBody(id=id, kind=Kind.INVOICE, body={"invoice": invoice})
