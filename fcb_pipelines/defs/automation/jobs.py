"""The jobs: extract, one month, posting reviewed drafts, and the proof over all months."""

import dagster as dg

from fcb_pipelines.defs.ledger.posting import PostingConfig, posting
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.partitions import MONTHS

SHARED = dg.AssetSelection.groups("nexacloud") | dg.AssetSelection.assets(
    keys.MOVES,
    *keys.EXTRACTED,
    keys.SLICES,
    *(keys.source_key(name, "balance") for name in keys.BALANCES),
    *((keys.CASH_SETTLED,) if keys.BALANCES else ()),
)
_OF_CASH = (
    keys.BALANCE_ROWS,
    keys.PAYOUT_ROWS,
    keys.CLEARING,
    keys.OUTSTANDING,
    keys.STATEMENTS,
    keys.JOURNAL,
)
WHOLE = dg.AssetSelection.assets(
    keys.COMPLETENESS,
    keys.RECEIVABLE,
    keys.AMOUNTS,
    keys.EXCEPTIONS,
    keys.LEAKS,
    keys.DELIVERIES,
    *(_OF_CASH if keys.BALANCES else ()),
)
MONTHLY = dg.AssetSelection.all() - SHARED - WHOLE
POSTING = dg.AssetSelection.assets(
    keys.STANDING,
    keys.DISPOSITIONS,
    keys.DOCUMENTS,
    keys.POSTED_MOVES,
    keys.SETTLEMENTS,
    keys.LEDGER_DELTAS,
    keys.REPORT,
    *((keys.STATEMENT_LINES,) if keys.BALANCES else ()),
)

extract = dg.define_asset_job(
    "extract",
    SHARED,
    description="One snapshot of NexaCloud, every source's index, the documents without a month, each "
    "month's part of them, and what services handed in.",
)

month = dg.define_asset_job(
    keys.MONTH,
    MONTHLY,
    partitions_def=MONTHS,
    description="One month from its source documents to the proof; backfills run this.",
)

post_reviewed_drafts = dg.define_asset_job(
    keys.POST_REVIEWED,
    POSTING,
    partitions_def=MONTHS,
    config=dg.RunConfig(ops=posting(PostingConfig(post=True))),
    description="Posts and settles the drafts of a month that are still as they were written.",
)

prove = dg.define_asset_job(
    "prove",
    WHOLE,
    description="Completeness and receivable over all months, the queue of exceptions, and whether every event was "
    "delivered.",
)

close_report = dg.define_asset_job(
    "close_report",
    dg.AssetSelection.assets(keys.REPORT),
    partitions_def=MONTHS,
    description="Writes the close report of a built month again.",
)
