"""The packaged dataset `services-small`: three services in the dual run, one in the books."""

from dataclasses import replace

from fcb_pipelines.sandbox.scenarios.builders.authored import authored
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles
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
    SERVICES,
    nexacloud_tables,
    service_tables,
)
from fcb_pipelines.sandbox.scenarios.nexa import SYNCED

NAME = "services-small"


def services_files() -> DatasetFiles:
    """The dataset's content. The sources have all documents, the books only NexaCloud's."""
    files = authored(
        name=NAME,
        periods=PERIODS,
        synced=SYNCED,
        customers=[MAPLE, NORTH],
        sales=OWN,
        rates=[HST_ON],
        catalogue={**nexacloud_tables(), **service_tables()},
    )
    others = len(DESK) + len(MAPS)
    return replace(
        files,
        described={**files.described, "config": {"services": SERVICES}},
        sources=source_tables((*OWN, *DESK, *MAPS), [HST_ON]),
        expected={**files.expected, "other_service": others, "metering": METERING},
    )
