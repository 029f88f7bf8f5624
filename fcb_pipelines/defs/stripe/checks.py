"""Stripe's list is whole."""

from fcb_pipelines.core.codes import System
from fcb_pipelines.defs.sources.assets import listing_check

stripe_listing = listing_check(System.STRIPE)
