"""The tables of the intake, in our own Postgres. Every kept record is a row that stays.

`fcb_intake_usage` and `fcb_intake_subscriptions` refuse update, delete and truncate. Customers are
versions as well, but a customer may have to be erased, so that table lets its texts be removed.
"""

from fcb_pipelines.connectors.store.own_postgres import OwnSchema, only_grows

USAGE = "fcb_intake_usage"
MONTHS = "fcb_intake_months"
CUSTOMERS = "fcb_intake_customers"
SUBSCRIPTIONS = "fcb_intake_subscriptions"
KEYS = "fcb_intake_keys"

# Any numbers that no other program of this database locks under: one for tables, one for writers.
_MAKING = 7_023_190_427
WRITING = 7_023_190_428

_CREATE = f"""
create table {USAGE} (
    id bigint generated always as identity primary key,
    service text not null,
    subscription_id text not null,
    metric text not null,
    key text not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    quantity numeric not null,
    item text,
    recorded_at timestamptz,
    digest text not null,
    refused text,
    received_at timestamptz not null default clock_timestamp(),
    request_id text not null
);
create index {USAGE}_latest on {USAGE} (service, subscription_id, metric, key, id desc);
create index {USAGE}_window on {USAGE} (service, period_start);
create table {MONTHS} (
    service text not null,
    subscription_id text not null,
    period text not null,
    records bigint not null,
    last bigint not null,
    primary key (service, subscription_id, period)
);
create table {CUSTOMERS} (
    id bigint generated always as identity primary key,
    service text not null,
    customer_id text not null,
    email text,
    name text,
    company text,
    received_at timestamptz not null default clock_timestamp(),
    request_id text not null
);
create index {CUSTOMERS}_latest on {CUSTOMERS} (service, customer_id, id desc);
create table {SUBSCRIPTIONS} (
    id bigint generated always as identity primary key,
    service text not null,
    subscription_id text not null,
    customer_id text not null,
    plan_id text not null,
    status text not null,
    billing_cycle text not null,
    current_period_start timestamptz,
    current_period_end timestamptz,
    received_at timestamptz not null default clock_timestamp(),
    request_id text not null
);
create index {SUBSCRIPTIONS}_latest on {SUBSCRIPTIONS} (service, subscription_id, id desc);
create table {KEYS} (
    id bigint generated always as identity primary key,
    service text not null,
    note text not null,
    hash text not null unique,
    made_at timestamptz not null default clock_timestamp(),
    revoked_at timestamptz
);
""" + "".join(map(only_grows, (USAGE, SUBSCRIPTIONS)))
_AT_SOURCE = f"alter table {SUBSCRIPTIONS} add column source_subscription_id text"


def new_schema() -> OwnSchema:
    """The tables, to be brought up in one database."""
    return OwnSchema("fcb_intake", (_CREATE, _AT_SOURCE), lock=_MAKING)
