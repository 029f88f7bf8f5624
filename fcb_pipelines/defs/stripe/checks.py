"""Stripe's list is whole."""

from fcb_pipelines.core.facts import Side
from fcb_pipelines.defs.source_assets import listing_check

stripe_listing = listing_check(Side.STRIPE)
