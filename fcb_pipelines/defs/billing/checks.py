"""Every billing source's list is whole."""

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.defs.runtime.gating import check_result, spec
from fcb_pipelines.defs.runtime.keys import SOURCES, source_key
from fcb_pipelines.defs.sources.reading import listing_gate


def _listing_check(name: str) -> dg.AssetChecksDefinition:
    key = source_key(name, "index")

    @dg.multi_asset_check(
        name=f"{name}_listing",
        specs=[spec(f"{name}_listing_complete", key)],
        ins={"index": dg.AssetIn(key)},
    )
    def listing(index: pd.DataFrame) -> dg.AssetCheckResult:
        return check_result(listing_gate(name, to_rows(index, IndexRow), index.attrs), key)

    return listing


listing_checks = [_listing_check(name) for name in SOURCES]
