"""Stripe: its index, and each month's invoices, payments and credit notes as they were billed."""

from fcb_pipelines.core.codes import System
from fcb_pipelines.core.facts.index import stripe_customers
from fcb_pipelines.defs.sources.assets import source_assets

stripe_assets = source_assets(System.STRIPE, stripe_customers)
