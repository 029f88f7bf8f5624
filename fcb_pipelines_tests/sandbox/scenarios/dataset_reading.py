"""A dataset folder read as the pipeline reads it: bodies, facts, copies, and what is decided."""

import csv
import json
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from fcb_pipelines.core.agreement.compare import AgreementRow, copy_against_source, disagreements
from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.dispositions.case import Case, intended
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.facts.lago import documents as lago_facts
from fcb_pipelines.core.facts.lago.rules import LAGO
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, copies, first_claimants
from fcb_pipelines.core.facts.source import claimed_ref
from fcb_pipelines.core.facts.stripe import documents as stripe_facts
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.sandbox.dataset import Dataset

Row = dict[str, str]


def table(folder: Path, name: str) -> list[Row]:
    """The rows of a NexaCloud table as its file has them."""
    with (folder / "nexacloud" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def objects(folder: Path, name: str) -> list[dict[str, Any]]:
    """The objects of a source's file."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def all_facts(folder: Path) -> list[InvoiceFacts]:
    """The facts of every source document."""
    dataset = Dataset.open(folder)
    rates = objects(folder, "stripe/tax_rates")
    paid = defaultdict(list)
    for payment in objects(folder, "stripe/invoice_payments"):
        paid[payment["invoice"]].append(payment)
    for payment in objects(folder, "lago/payments"):
        paid[payment["invoice_ids"][0]].append(payment)
    stripe = [
        stripe_facts.document_facts(
            {"invoice": each | {"payments": _listed(paid[each["id"]])}, "tax_rates": rates},
            account=dataset.stripe_account,
            timezone=dataset.timezone,
        )
        for each in objects(folder, "stripe/invoices")
    ]
    lago = [
        lago_facts.document_facts(
            {"invoice": each, "fees": each["fees"], "payments": paid[each["lago_id"]]},
            organization=dataset.lago_organization,
            timezone=dataset.timezone,
        )
        for each in objects(folder, "lago/invoices")
    ]
    return stripe + lago


def all_copies(folder: Path) -> tuple[NexaCloudInvoice, ...]:
    """Every NexaCloud invoice."""
    dataset = Dataset.open(folder)
    owners = ((STRIPE, dataset.stripe_account), (LAGO, dataset.lago_organization))
    return copies(
        [_typed(row) for row in table(folder, "invoices")],
        [_typed(row) for row in table(folder, "invoice_items")],
        claims=lambda named: claimed_ref(named, owners),
    )


def differing(folder: Path) -> dict[str, tuple[AgreementRow, ...]]:
    """What each copy says otherwise than its source, by ref; agreeing ones are left out."""
    claimants = first_claimants(all_copies(folder))
    customers = {row["id"]: row["stripe_customer_id"] for row in table(folder, "users")}
    found = {}
    for facts in all_facts(folder):
        copy = claimants[facts.ref]
        known = customers[copy.user_id] if facts.ref.startswith("stripe:") else copy.user_id
        wrong = disagreements(copy_against_source(facts, copy.facts, customer=known))
        if wrong:
            found[facts.ref] = wrong
    return found


def decided(folder: Path) -> dict[str, dict[str, Any]]:
    """What the rules decide of every document, in the shape of the status, before any ledger."""
    dataset = Dataset.open(folder)
    settings = dataset.settings()
    claimants = first_claimants(all_copies(folder))
    last = period_of(dataset.as_of)
    documents = {}
    for facts in all_facts(folder):
        case = Case(facts=facts, claimant=claimants[facts.ref])
        row = decide(case, settings, Books(currencies=frozenset({"CAD"})), last)
        document = intended(case, settings) if row.verdict is Verdict.POST else None
        documents[facts.ref] = _entry(row, facts, document)
    return documents


def counted(documents: dict[str, dict[str, Any]]) -> dict[str, Counter[str]]:
    """How often each verdict occurs in each period and among the unplaced."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for each in documents.values():
        found[each["period"] or "unplaced"][each["disposition"]] += 1
    return found


def _entry(row: Disposition, facts: InvoiceFacts, document: object) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "period": row.period,
        "date": row.date.isoformat() if row.date else None,
        "kind": row.kind.value,
        "disposition": row.verdict.value,
        "reason": row.reason,
        "currency": row.currency,
        "net": row.net,
        "tax": row.tax,
        "total": row.total,
    }
    if not isinstance(document, LedgerDocument):
        return entry
    return entry | {
        "number": row.number,
        "paid": sum(each.amount for each in facts.settlements),
        "lines": [
            {"family": line.family, "account": line.account, "net": line.net, "tax": line.tax}
            for line in document.lines
        ],
    }


def _listed(payments: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data": payments, "has_more": False, "url": ""}


_NUMERIC = ("subtotal", "tax", "amount_due", "amount_paid", "quantity", "unit_price", "amount")


def _typed(row: Row) -> dict[str, Any]:
    typed: dict[str, Any] = {name: value or None for name, value in row.items()}
    for name in _NUMERIC:
        if typed.get(name):
            typed[name] = Decimal(typed[name])
    if "created_at" in typed:
        typed["created_at"] = datetime.fromisoformat(row["created_at"])
    return typed
