"""A whole dataset from its author's customers and sales, and the tables beside them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines.sandbox.scenarios.builders.copies import Row, sale_tables, user_row
from fcb_pipelines.sandbox.scenarios.builders.expectations import expected_status
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles
from fcb_pipelines.sandbox.scenarios.builders.objects import source_tables
from fcb_pipelines.sandbox.scenarios.builders.sales import Customer, Rate, Sale

TIMEZONE = "America/Toronto"
ACCOUNT = "acct_1NexaCloudToronto"
ORGANIZATION = "nexacloud"


def authored(
    *,
    name: str,
    periods: Sequence[str],
    synced: datetime,
    customers: Sequence[Customer],
    sales: Sequence[Sale],
    rates: Sequence[Rate],
    catalogue: Mapping[str, Sequence[Row]],
) -> DatasetFiles:
    """The dataset's files. `synced` is the moment of all NexaCloud's copies; its day is as_of.

    `catalogue` holds plans, deployments, subscriptions and usage_records.
    """
    return DatasetFiles(
        described={
            "name": name,
            "timezone": TIMEZONE,
            "currency": "CAD",
            "first_period": periods[0],
            "as_of": synced.date(),
            "stripe": {"account": ACCOUNT},
            "lago": {"organization": ORGANIZATION},
        },
        nexacloud={
            "users": [user_row(customer) for customer in customers],
            **catalogue,
            **sale_tables(sales, synced),
        },
        sources=source_tables(sales, rates),
        expected=expected_status(
            sales,
            periods=periods,
            account=ACCOUNT,
            organization=ORGANIZATION,
            income={family.key: family.account.code for family in load(PACKAGED).families},
        ),
    )
