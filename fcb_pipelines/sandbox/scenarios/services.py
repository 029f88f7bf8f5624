"""The packaged dataset `services-small`: three services in the dual run, one in the books.

One of the others hands in its records over HTTP: they are in `intake/nexamaps.json`, not in a table.
"""

from dataclasses import replace

from fcb_pipelines.sandbox.scenarios.builders.authored import authored
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles, pretty
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import HST_ON
from fcb_pipelines.sandbox.scenarios.builders.objects import source_tables
from fcb_pipelines.sandbox.scenarios.builders.services_small import (
    DESK,
    MAPLE,
    MAPS,
    METERING,
    NORTH,
    OWN,
    PERIODS,
    PUSHING,
    SERVICES,
    handed_in,
    nexacloud_tables,
    service_tables,
    without,
)
from fcb_pipelines.sandbox.scenarios.nexa import SYNCED

NAME = "services-small"


def services_files() -> DatasetFiles:
    """The dataset's content. The sources have all documents, the books only NexaCloud's."""
    tables = service_tables()
    files = authored(
        name=NAME,
        periods=PERIODS,
        synced=SYNCED,
        customers=[MAPLE, NORTH],
        sales=OWN,
        rates=[HST_ON],
        catalogue={**nexacloud_tables(), **without(tables, PUSHING)},
    )
    others = len(DESK) + len(MAPS)
    return replace(
        files,
        described={**files.described, "config": {"services": SERVICES}},
        more={**files.more, f"intake/{PUSHING}.json": pretty(handed_in(tables, PUSHING))},
        sources=source_tables((*OWN, *DESK, *MAPS), [HST_ON]),
        expected={**files.expected, "other_service": others, "metering": METERING},
    )
