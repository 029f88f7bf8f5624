"""Lago: its index, and each month's invoices, payments and credit notes as they were billed."""

from fcb_pipelines.core.codes import System
from fcb_pipelines.core.facts.index import lago_customers
from fcb_pipelines.defs.sources.assets import source_assets

lago_assets = source_assets(System.LAGO, lago_customers)
