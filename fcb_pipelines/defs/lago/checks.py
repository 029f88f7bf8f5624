"""Lago's list is whole."""

from fcb_pipelines.core.codes import System
from fcb_pipelines.defs.sources.assets import listing_check

lago_listing = listing_check(System.LAGO)
