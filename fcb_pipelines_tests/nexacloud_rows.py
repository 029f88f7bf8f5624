"""A few rows for every NexaCloud table, and their CSV files as a dataset has them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from fcb_pipelines.connectors.nexacloud.source import NexaCloudSource
from fcb_pipelines.connectors.store.frames import read_frame

Rows = Sequence[Mapping[str, str]]

DESCRIBED = """\
name: {name}
timezone: America/Toronto
currency: CAD
first_period: "2026-04"
as_of: 2026-05-20
stripe: {{account: acct_test}}
lago: {{organization: nexa}}
"""


def uuid(number: int) -> str:
    """The id of row `number` of a table."""
    return f"00000000-0000-4000-8000-{number:012d}"


TABLES: Mapping[str, Rows] = {
    "users": [
        {"id": uuid(1), "email": "ana@acme.test", "full_name": "Ana, \"A\" B", "company": "Acme",
         "billing_email": "", "billing_address": "1 Main St\nUnit 2", "billing_city": "Ottawa",
         "billing_state": "ON", "billing_postal_code": "K1A", "billing_country": "CA",
         "tax_id": "", "stripe_customer_id": "cus_1"},
        {"id": uuid(2), "email": "élodie@exemple.test", "full_name": "", "company": "",
         "billing_email": "", "billing_address": "", "billing_city": "", "billing_state": "",
         "billing_postal_code": "", "billing_country": "", "tax_id": "", "stripe_customer_id": ""},
    ],
    "plans": [
        {"id": uuid(1), "product_id": "odoo", "name": "Standard", "price_monthly": "214.50",
         "price_yearly": "", "stripe_price_id": "price_1", "cpu_seconds_quota": "360000",
         "is_active": "t"},
        {"id": uuid(2), "product_id": "odoo", "name": "Unpriced", "price_monthly": "",
         "price_yearly": "", "stripe_price_id": "", "cpu_seconds_quota": "", "is_active": ""},
    ],
    "deployments": [
        {"id": uuid(1), "user_id": uuid(1), "product_id": "odoo", "plan_id": uuid(1),
         "name": "acme", "status": "active", "billing_cycle": "monthly",
         "next_due_date": "2026-06-01"},
    ],
    "subscriptions": [
        {"id": uuid(1), "user_id": uuid(1), "deployment_id": uuid(1), "plan_id": uuid(1),
         "status": "active", "billing_cycle": "monthly",
         "current_period_start": "2026-05-01T00:00:00Z",
         "current_period_end": "2026-06-01T00:00:00Z", "stripe_subscription_id": "sub_1"},
    ],
    "usage_records": [
        {"subscription_id": uuid(1), "period_start": "2026-05-01T00:00:00Z",
         "period_end": "2026-05-02T00:00:00Z", "cpu_hours": "1.25"},
    ] * 2,
    "invoices": [
        {"id": uuid(1), "user_id": uuid(1), "subscription_id": "", "stripe_invoice_id": "in_1",
         "invoice_number": "A-1", "created_at": "2026-05-16T09:00:00-04:00", "currency": "CAD",
         "status": "paid", "subtotal": "214.50", "tax": "27.885", "amount_due": "242.39",
         "amount_paid": "242.39", "paid_at": "2026-05-16T13:00:00.123456Z"},
        {"id": uuid(2), "user_id": uuid(2), "subscription_id": uuid(1), "stripe_invoice_id": "",
         "invoice_number": "", "created_at": "2026-05-16T13:00:00Z", "currency": "CAD",
         "status": "draft", "subtotal": "0", "tax": "0", "amount_due": "", "amount_paid": "",
         "paid_at": ""},
    ],
    "invoice_items": [
        {"id": uuid(1), "invoice_id": uuid(1), "description": "Odoo ERP Hosting - Standard",
         "quantity": "1", "unit_price": "214.50", "amount": "214.50",
         "period_start": "2026-05-01T00:00:00Z", "period_end": ""},
    ],
}  # fmt: skip


def write_dataset(
    folder: Path, tables: Mapping[str, Rows] = TABLES, *, name: str = "small"
) -> Path:
    """A dataset of these tables and nothing else, in `folder`, which is returned."""
    (folder / "nexacloud").mkdir(parents=True, exist_ok=True)
    (folder / "dataset.yaml").write_text(DESCRIBED.format(name=name), encoding="utf-8")
    for table, rows in tables.items():
        with (folder / "nexacloud" / f"{table}.csv").open("w", encoding="utf-8", newline="") as f:
            writer = csv.DictWriter(f, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def extracted(source: NexaCloudSource) -> dict[str, pd.DataFrame]:
    """The frames of a snapshot, by table."""
    with TemporaryDirectory() as folder:
        files = source.snapshot(Path(folder)).files
        return {table: read_frame(file.path) for table, file in files.items()}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as plain values; every kind of missing value is None."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
