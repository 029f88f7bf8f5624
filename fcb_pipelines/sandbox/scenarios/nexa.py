"""The packaged dataset `nexa-2026-05`: a hosting company's first months of billing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from fcb_pipelines.sandbox.scenarios.builders import nexa_maps
from fcb_pipelines.sandbox.scenarios.builders.authored import authored
from fcb_pipelines.sandbox.scenarios.builders.cash_side import with_cash
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles, pretty
from fcb_pipelines.sandbox.scenarios.builders.nexa_catalogue import catalogue_tables
from fcb_pipelines.sandbox.scenarios.builders.nexa_metering import expected_metering
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import CUSTOMERS, HST_ON, nexa_sales
from fcb_pipelines.sandbox.scenarios.builders.objects import source_tables
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json

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
            sources=_with_maps(files.sources),
            more={
                **files.more,
                f"intake/{nexa_maps.SERVICE}.json": pretty(nexa_maps.handed_in()),
            },
            # NexaMaps's one document is not of these books.
            expected={**files.expected, "other_service": 1, "metering": metering},
        )
    )


def _with_maps(sources: Mapping[str, Sequence[Json]]) -> dict[str, Sequence[Json]]:
    """The sources' objects, with the invoice that NexaMaps's customer did not pay."""
    (unpaid,) = source_tables([nexa_maps.UNPAID], [HST_ON])["stripe/invoices"]
    tried = {**unpaid, "attempted": True, "attempt_count": 4}
    # The oldest stands last, as Stripe lists.
    return {**sources, "stripe/invoices": [*sources["stripe/invoices"], tried]}
