"""The configuration of a run that may post: of `ledger/posted_moves`, and with cash on of its entries."""

import dagster as dg
from pydantic import Field

from fcb_pipelines.config.settings import current
from fcb_pipelines.defs.runtime import keys


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


def posts(config: PostingConfig) -> bool:
    """Whether this run posts. Raises dg.Failure where it would post what nobody had to approve, and somebody has to."""
    company = current()
    post = company.posting == "auto" if config.post is None else config.post
    if post and company.posting == "second_person" and config.approved is None:
        raise dg.Failure(
            "with `posting: second_person` only what was approved is posted: `fcb post --approved`",
            allow_retries=False,
        )
    return post


def posting(config: PostingConfig) -> dict[str, dg.Config]:
    """This configuration for every step that posts, by the step's name."""
    cash = (keys.STATEMENT_LINES,) if keys.BALANCES else ()
    return {key.to_python_identifier(): config for key in (keys.POSTED_MOVES, *cash)}
