"""The configuration of a run of `ledger/posted_moves`."""

import dagster as dg
from pydantic import Field


class PostingConfig(dg.Config):
    """The drafts that this run posts."""

    post: bool | None = Field(
        default=None,
        description="Post the drafts that are as intended; unset: `posting` of the configuration.",
    )
    approved: dict[str, str] | None = Field(
        default=None,
        description="Document ref -> content hash that was reviewed; unset: all drafts as they are.",
    )
