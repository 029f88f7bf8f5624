"""The packaged dataset `nexa-2026-05`: a hosting company's first months of billing."""

from dataclasses import replace
from datetime import UTC, datetime

from fcb_pipelines.sandbox.scenarios.builders import nexa_maps
from fcb_pipelines.sandbox.scenarios.builders.authored import authored
from fcb_pipelines.sandbox.scenarios.builders.cash_side import with_cash
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles, pretty
from fcb_pipelines.sandbox.scenarios.builders.nexa_catalogue import catalogue_tables
from fcb_pipelines.sandbox.scenarios.builders.nexa_metering import expected_metering
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import CUSTOMERS, HST_ON, nexa_sales

NAME = "nexa-2026-05"
PERIODS = ("2026-02", "2026-03", "2026-04", "2026-05")

# NexaCloud copied everything on one morning: the created_at of every copy.
SYNCED = datetime(2026, 5, 31, 10, 0, tzinfo=UTC)


def nexa_files() -> DatasetFiles:
    """The dataset's content."""
    sales = nexa_sales()
    files = authored(
        name=NAME,
        periods=PERIODS,
        synced=SYNCED,
        customers=list(CUSTOMERS.values()),
        sales=sales,
        rates=[HST_ON],
        catalogue=catalogue_tables(),
    )
    metering = expected_metering(sales, PERIODS)
    return with_cash(
        replace(
            files,
            described={
                **files.described,
                "config": {"services": nexa_maps.services()},
                "events": nexa_maps.EVENTS,
            },
            more={
                **files.more,
                f"intake/{nexa_maps.SERVICE}.json": pretty(nexa_maps.handed_in()),
            },
            expected={**files.expected, "metering": metering},
        )
    )
