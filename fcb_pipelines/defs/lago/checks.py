"""Lago's list is whole."""

from fcb_pipelines.core.codes import Side
from fcb_pipelines.defs.sources.assets import listing_check

lago_listing = listing_check(Side.LAGO)
