"""The keys of all assets, and the one name of each pool, job and tag."""

import dagster as dg

NEXACLOUD_TABLES = (
    "users",
    "plans",
    "deployments",
    "subscriptions",
    "usage_records",
    "invoices",
    "invoice_items",
)
# What only the dual run reads: it never stops the books.
METERED_TABLES = ("plans", "deployments", "subscriptions", "usage_records")
# What the company's other services tell of themselves, in the same database.
SERVICE_TABLES = (
    "service_customers",
    "service_plans",
    "service_subscriptions",
    "service_usage",
    "service_invoices",
)
USERS = dg.AssetKey(["nexacloud", "users"])
PLANS = dg.AssetKey(["nexacloud", "plans"])
DEPLOYMENTS = dg.AssetKey(["nexacloud", "deployments"])
SUBSCRIPTIONS = dg.AssetKey(["nexacloud", "subscriptions"])
USAGE_RECORDS = dg.AssetKey(["nexacloud", "usage_records"])
COPIES = dg.AssetKey(["nexacloud", "invoices"])
COPY_ITEMS = dg.AssetKey(["nexacloud", "invoice_items"])

STRIPE_INDEX = dg.AssetKey(["stripe", "index"])
STRIPE_INVOICES = dg.AssetKey(["stripe", "invoices"])
STRIPE_PAYMENTS = dg.AssetKey(["stripe", "payments"])
STRIPE_CREDIT_NOTES = dg.AssetKey(["stripe", "credit_notes"])
STRIPE_CREDITED_INVOICES = dg.AssetKey(["stripe", "credited_invoices"])

LAGO_INDEX = dg.AssetKey(["lago", "index"])
LAGO_INVOICES = dg.AssetKey(["lago", "invoices"])
LAGO_PAYMENTS = dg.AssetKey(["lago", "payments"])
LAGO_CREDIT_NOTES = dg.AssetKey(["lago", "credit_notes"])
LAGO_CREDITED_INVOICES = dg.AssetKey(["lago", "credited_invoices"])

MOVES = dg.AssetKey(["ledger", "moves"])
STANDING = dg.AssetKey(["ledger", "standing"])
DOCUMENTS = dg.AssetKey(["ledger", "documents"])
PARTNERS = dg.AssetKey(["ledger", "partners"])
DRAFT_MOVES = dg.AssetKey(["ledger", "draft_moves"])
POSTED_MOVES = dg.AssetKey(["ledger", "posted_moves"])
SETTLEMENTS = dg.AssetKey(["ledger", "settlements"])

AGREEMENTS = dg.AssetKey(["reconciliation", "agreements"])
DISPOSITIONS = dg.AssetKey(["reconciliation", "dispositions"])
UNPLACED_DOCUMENTS = dg.AssetKey(["reconciliation", "unplaced_documents"])
UNPLACED = dg.AssetKey(["reconciliation", "unplaced"])
TAX_WITNESS = dg.AssetKey(["reconciliation", "tax_witness"])
LEDGER_DELTAS = dg.AssetKey(["reconciliation", "ledger_deltas"])
COMPLETENESS = dg.AssetKey(["reconciliation", "completeness"])
AMOUNTS = dg.AssetKey(["reconciliation", "amounts"])
RECEIVABLE = dg.AssetKey(["reconciliation", "receivable"])

PLAN_CATALOG = dg.AssetKey(["metering", "plan_catalog"])
INVOICED_DOCUMENTS = dg.AssetKey(["metering", "invoiced_documents"])
USAGE = dg.AssetKey(["metering", "usage"])
EXPECTED_CHARGES = dg.AssetKey(["metering", "expected_charges"])
METERING_DELTAS = dg.AssetKey(["metering", "deltas"])
LEAKS = dg.AssetKey(["metering", "leaks"])

REPORT = dg.AssetKey(["close", "report"])

# Frames that an earlier version did not write: without one there is nothing in it.
LATER = frozenset(
    {STRIPE_CREDITED_INVOICES, LAGO_CREDITED_INVOICES, UNPLACED_DOCUMENTS, MOVES, AMOUNTS}
)

LEDGER_POOL, STRIPE_POOL, LAGO_POOL = "ledger", "stripe", "lago"

SNAPSHOT_TAG = "fcb/snapshot"
EXTRACT_TAG = "fcb/extract"
WINDOW_TAG = "fcb/window"
ROUND_TAG = "fcb/round"
OWNERS = ["team:finance-platform"]
