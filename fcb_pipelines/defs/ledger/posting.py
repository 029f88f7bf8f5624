"""How a run of `ledger/posted_moves` is told what to post."""

import dagster as dg
from pydantic import Field


class PostingConfig(dg.Config):
    """Whether drafts become posted moves in this run, and which."""

    post: bool | None = Field(
        default=None,
        description="Post the drafts that are as intended; unset: what the configuration says.",
    )
    approved: dict[str, str] | None = Field(
        default=None,
        description="Document ref -> content hash that was reviewed; unset: all drafts as they are.",
    )
