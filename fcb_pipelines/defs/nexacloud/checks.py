"""The contract of each extract that the books are made of; `services_meet_contract` has the others."""

import dagster as dg
import pandas as pd

from fcb_pipelines.defs.runtime.frame_rows import contract
from fcb_pipelines.defs.runtime.gating import check_result, spec
from fcb_pipelines.defs.runtime.keys import POSTED_TABLES


def _contract_check(table: str) -> dg.AssetChecksDefinition:
    key = dg.AssetKey(["nexacloud", table])

    @dg.multi_asset_check(
        name=f"nexacloud_{table}_contract",
        specs=[spec("extracts_meet_contract", key)],
        ins={"frame": dg.AssetIn(key)},
    )
    def extract_meets_contract(frame: pd.DataFrame) -> dg.AssetCheckResult:
        return check_result(contract(table, frame), key)

    return extract_meets_contract


contract_checks = [_contract_check(table) for table in POSTED_TABLES]
