"""The keys of all assets, and the one name of each pool, job and tag."""

import dagster as dg

from fcb_pipelines.defs.sources import registry

NEXACLOUD_TABLES = (
    "users",
    "plans",
    "deployments",
    "subscriptions",
    "usage_records",
    "invoices",
    "invoice_items",
)
# The tables that only the dual run reads: they never stop the books.
METERED_TABLES = ("plans", "deployments", "subscriptions", "usage_records")
# Records of the company's other services, in the same database.
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

# Every billing source by name; each has the same nouns, those of a month beside its index.
SOURCES = registry.names()
MONTH_NOUNS = ("invoices", "credit_notes", "payments", "credited_invoices")


def source_key(name: str, noun: str) -> dg.AssetKey:
    """The key of an asset of one billing source: `source_key("stripe", "index")`."""
    return dg.AssetKey([name, noun])


# The sources whose balance is booked: none where cash is off, and none of what is below is there then.
BALANCES = registry.balances()
# Those that keep one, whether or not it is booked.
CAN_KEEP = registry.keeping()
BALANCE_NOUNS = ("balance", "balance_transactions", "payouts")

CASH_SETTLED = dg.AssetKey(["cash", "settled"])
CASH_ENTRIES = dg.AssetKey(["cash", "entries"])
STATEMENT_LINES = dg.AssetKey(["ledger", "statement_lines"])
OUTSTANDING = dg.AssetKey(["ledger", "outstanding"])
STATEMENTS = dg.AssetKey(["ledger", "statements"])
JOURNAL = dg.AssetKey(["reconciliation", "journal"])
BALANCE_ROWS = dg.AssetKey(["reconciliation", "balance"])
PAYOUT_ROWS = dg.AssetKey(["reconciliation", "payouts"])
CLEARING = dg.AssetKey(["reconciliation", "clearing"])

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
SLICES = dg.AssetKey(["reconciliation", "slices"])
TAX_WITNESS = dg.AssetKey(["reconciliation", "tax_witness"])
LEDGER_DELTAS = dg.AssetKey(["reconciliation", "ledger_deltas"])
COMPLETENESS = dg.AssetKey(["reconciliation", "completeness"])
AMOUNTS = dg.AssetKey(["reconciliation", "amounts"])
EXCEPTIONS = dg.AssetKey(["reconciliation", "exceptions"])
RECEIVABLE = dg.AssetKey(["reconciliation", "receivable"])

PLAN_CATALOG = dg.AssetKey(["metering", "plan_catalog"])
INVOICED_DOCUMENTS = dg.AssetKey(["metering", "invoiced_documents"])
USAGE = dg.AssetKey(["metering", "usage"])
EXPECTED_CHARGES = dg.AssetKey(["metering", "expected_charges"])
METERING_DELTAS = dg.AssetKey(["metering", "deltas"])
LEAKS = dg.AssetKey(["metering", "leaks"])

INTAKE_CUSTOMERS = dg.AssetKey(["intake", "customers"])
INTAKE_SUBSCRIPTIONS = dg.AssetKey(["intake", "subscriptions"])
INTAKE_RECEIVED = dg.AssetKey(["intake", "received"])
INTAKE_USAGE = dg.AssetKey(["intake", "usage"])
EVENT_SUBSCRIPTIONS = dg.AssetKey(["events", "subscriptions"])
OUTBOX = dg.AssetKey(["events", "outbox"])
DELIVERIES = dg.AssetKey(["events", "deliveries"])

REPORT = dg.AssetKey(["close", "report"])

# The frames over all months of which a month needs a part, by the names of the inputs.
CUT = {
    **{f"{name}_index": source_key(name, "index") for name in SOURCES},
    "copies": COPIES,
    "copy_items": COPY_ITEMS,
}

# The assets with a frame a month; every other has one over all months.
MONTHLY = frozenset(
    {source_key(name, noun) for name in SOURCES for noun in MONTH_NOUNS}
    | {STANDING, DOCUMENTS, PARTNERS, DRAFT_MOVES, POSTED_MOVES, SETTLEMENTS}
    | {AGREEMENTS, DISPOSITIONS, TAX_WITNESS, LEDGER_DELTAS}
    | {INTAKE_USAGE, USAGE, EXPECTED_CHARGES, METERING_DELTAS, OUTBOX, REPORT}
    | {source_key(name, noun) for name in CAN_KEEP for noun in BALANCE_NOUNS[1:]}
    | {CASH_ENTRIES, STATEMENT_LINES}
)

# Frames that a month may have been built without: an earlier version did not write them, or their
# source was not there yet. A missing one counts as empty.
LATER = frozenset(
    {UNPLACED_DOCUMENTS, MOVES, AMOUNTS}
    | {INTAKE_CUSTOMERS, INTAKE_SUBSCRIPTIONS, INTAKE_RECEIVED, INTAKE_USAGE}
    | {source_key(name, "credited_invoices") for name in SOURCES}
    | {source_key(name, noun) for name in registry.further() for noun in MONTH_NOUNS}
)

LEDGER_POOL = "ledger"
# The job that posts what was reviewed: it reads what the month was built from, whatever was extracted since.
POST_REVIEWED = "post_reviewed_drafts"
# The job that builds a whole month.
MONTH = "month"

SNAPSHOT_TAG = "fcb/snapshot"
EXTRACT_TAG = "fcb/extract"
WINDOW_TAG = "fcb/window"
ROUND_TAG = "fcb/round"
OWNERS = ["team:finance-platform"]

# All that an extract writes and a month may read.
EXTRACTED = (
    *(dg.AssetKey(["nexacloud", table]) for table in (*NEXACLOUD_TABLES, *SERVICE_TABLES)),
    *(source_key(name, "index") for name in SOURCES),
    UNPLACED_DOCUMENTS,
    UNPLACED,
    PLAN_CATALOG,
    INVOICED_DOCUMENTS,
    INTAKE_CUSTOMERS,
    INTAKE_SUBSCRIPTIONS,
    INTAKE_RECEIVED,
    EVENT_SUBSCRIPTIONS,
)
