"""The configuration of a run of an index."""

import dagster as dg
from pydantic import Field


class ListingConfig(dg.Config):
    """How this run reads the source's list."""

    full: bool = Field(
        default=False,
        description="Read the full list, also where what changed since the last sync would do.",
    )
