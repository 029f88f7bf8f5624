"""Lago's list is whole."""

from fcb_pipelines.core.facts import Side
from fcb_pipelines.defs.source_assets import listing_check

lago_listing = listing_check(Side.LAGO)
