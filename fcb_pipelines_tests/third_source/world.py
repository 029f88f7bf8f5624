"""A small company that also bills through Acme, and one close of it.

    python -m fcb_pipelines_tests.third_source.world HOME_OF_THE_POSTGRES_SERVER FOLDER

prints as JSON what came of it. It is a process of its own: assets are made of the configuration when
the definitions are imported. FCB_TEST_DATASET names the dataset and FCB_ACME_FILE Acme's file.
"""

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from fcb_pipelines_tests import small_dataset

ANA, BO = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
MANAGED = "Odoo ERP Hosting - Standard"
MARCH, APRIL = "2026-03", "2026-04"
COLUMNS = [
    "id",
    "customer",
    "status",
    "issued",
    "currency",
    "description",
    "net",
    "hst",
    "total",
    "paid",
    "payment",
]
INVOICES = (
    ("A-1", BO, "paid", "2026-04-10", "CAD", MANAGED, "200.00", "26.00", "226.00", "2026-04-12", "P-1"),
    ("A-2", BO, "open", "2026-04-20", "CAD", MANAGED, "100.00", "13.00", "113.00", "", ""),
    ("A-3", BO, "void", "2026-04-21", "CAD", MANAGED, "50.00", "6.50", "56.50", "", ""),
    ("A-4", BO, "open", "2026-04-22", "CAD", MANAGED, "50.00", "6.50", "99.99", "", ""),
    ("A-5", "of-another-product", "open", "2026-04-23", "CAD", "Maps", "1.00", "0.13", "1.13", "", ""),
)  # fmt: skip
# NexaCloud's copies: whose, what it names, net, tax, status, paid. Of A-9 Acme knows nothing.
COPIES = (
    (ANA, "in_late", "214.50", "27.89", "paid", "242.39"),
    (BO, "acme:A-1", "200.00", "26.00", "paid", "226.00"),
    (BO, "acme:A-2", "100.00", "13.00", "open", "0"),
    (BO, "acme:A-3", "50.00", "6.50", "void", "0"),
    (BO, "acme:A-4", "50.00", "6.50", "open", "0"),
    (BO, "acme:A-9", "50.00", "6.50", "open", "0"),
)


def write_acme(file: Path, invoices: Any = INVOICES, count: int = len(INVOICES)) -> None:
    """Acme's file with these invoices, whose last row counts `count`."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([COLUMNS, *invoices, ("END", count)])


def write_dataset(folder: Path) -> None:
    """A dataset with one Stripe invoice of March, and Acme configured beside Stripe and Lago."""
    (folder / "nexacloud").mkdir(parents=True)
    (folder / "stripe").mkdir()
    told = {
        "name": "three-sources",
        "timezone": small_dataset.TIMEZONE,
        "currency": "CAD",
        "first_period": "2026-03",
        "as_of": "2026-04-30",
        "stripe": {"account": small_dataset.ACCOUNT},
        "lago": {"organization": small_dataset.ORGANIZATION},
        "config": {
            "sources": [
                {
                    "entry": "fcb_pipelines_tests.third_source.entry:ACME",
                    "settings": {"organization": "nexacloud"},
                }
            ]
        },
    }
    (folder / "dataset.yaml").write_text(yaml.safe_dump(told), "utf-8")
    late = [each for each in small_dataset.stripe_invoices() if each["id"] == "in_late"]
    paid = [
        each | {"status_transitions": {"paid_at": small_dataset.LATE_MARCH_31, "canceled_at": None}}
        for each in small_dataset.stripe_payments()
        if each["invoice"] == "in_late"
    ]
    files = {"invoices": late, "invoice_payments": paid, "tax_rates": small_dataset.RATES}
    for name, rows in files.items():
        (folder / "stripe" / f"{name}.json").write_text(json.dumps(rows), "utf-8")
    _table(folder, "users", _users())
    _table(folder, "invoices", _copies())
    _table(folder, "invoice_items", _items())


def _table(folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    with (folder / "nexacloud" / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _users() -> list[dict[str, str]]:
    address = {"billing_address": "1 Main St", "billing_city": "Toronto", "billing_state": "ON"}
    address |= {"billing_postal_code": "M5V 1Z4", "billing_country": "CA", "tax_id": ""}
    return [
        {"id": key, "email": f"{name}@{name}.test", "full_name": name, "company": f"{name} Inc."}
        | {"billing_email": "", **address, "stripe_customer_id": customer}
        for key, name, customer in ((ANA, "ana", "cus_1"), (BO, "bo", ""))
    ]


def _copies() -> list[dict[str, str]]:
    return [
        {"id": _id(place), "user_id": user, "subscription_id": "", "stripe_invoice_id": named}
        | {"invoice_number": named.removeprefix("acme:").upper()}
        | {"created_at": "2026-04-30 10:00:00+00", "currency": "CAD", "status": status}
        | {"subtotal": net, "tax": tax, "amount_due": "", "amount_paid": paid, "paid_at": ""}
        for place, (user, named, net, tax, status, paid) in enumerate(COPIES)
    ]


def _items() -> list[dict[str, str]]:
    return [
        {"id": _id(place + 100), "invoice_id": _id(place), "description": MANAGED}
        | {"quantity": "1", "unit_price": net, "amount": net}
        | {"period_start": "", "period_end": ""}
        for place, (_, _, net, *_) in enumerate(COPIES)
    ]


def _id(place: int) -> str:
    return f"22222222-0000-4000-8000-{place:012}"


def closed(home: Path, folder: Path) -> dict[str, Any]:
    """What a close says: drafted, posted, once more, and where a part of it is missing."""
    from fcb_pipelines.cli import checkups
    from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
    from fcb_pipelines_tests.defs.world import DEFINITIONS, running, why

    server = EmbeddedPostgres(home)

    def new_database(*, template: str | None = None) -> str:
        name = f"test_{uuid4().hex[:12]}"
        server.create_database(name, template=template)
        return name

    graph = DEFINITIONS.resolve_asset_graph()
    keys_of_acme = [key for key in graph.get_all_asset_keys() if key.path[0] == "acme"]
    told: dict[str, Any] = {
        "assets": {key.path[1]: sorted(graph.get(key).pools or ()) for key in keys_of_acme},
        "checks": {key.name: key.asset_key.path for key in graph.asset_check_keys},
    }
    with running(folder, server, new_database) as world:
        told["doctor"] = {
            one.what: f"{one.outcome}: {one.detail}" for one in checkups.all_of(world.found)
        }
        assert world.extract().success
        assert world.month(APRIL, post=False).success
        told["drafted"] = world.status()
        assert all(world.month(period, post=True).success for period in (MARCH, APRIL))
        assert world.prove().success
        told["posted"], books = world.status(), world.books_text()
        told["books"] = "\n".join(books.values())
        told["window"] = world.window()
        assert world.month(APRIL, post=True).success
        told["again"], told["same_books"] = world.status(), world.books_text() == books
        # As if March had been built before Acme was configured.
        for noun in ("invoices", "credit_notes", "credited_invoices", "payments"):
            world.frames.path(["acme", noun], MARCH).unlink()
        told["before_acme"] = world.status()
        told["posts_before_acme"] = why(world.run("post_reviewed_drafts", MARCH, post=True))
        write_acme(Path(os.environ["FCB_ACME_FILE"]), INVOICES[:-1])
        told["extracted"] = world.extract().success
        told["month"] = world.month(APRIL, post=True).success
        told["stopped"] = world.status()["gates"]
    return told


if __name__ == "__main__":
    print(json.dumps(closed(Path(sys.argv[1]), Path(sys.argv[2])), default=str))  # noqa: T201
