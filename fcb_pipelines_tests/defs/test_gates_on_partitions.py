"""The page of an asset's month says which gates fail or warn there, whichever month was evaluated last."""

from typing import Any

import dagster as dg
import pytest

from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.defs.runs import through_dagster
from fcb_pipelines_tests.defs.world import DEFINITIONS, World

MARCH, APRIL = "2026-03", "2026-04"
REPORT = "close report of the month"


def observed(world: World, key: dg.AssetKey, period: str) -> list[dict[str, Any]]:
    """What was observed of a month of an asset, the newest first: its facts by name."""
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[period])
    records = world.instance.fetch_observations(wanted, limit=10).records
    found = [one.asset_observation for one in records]
    return [
        {name: told.value for name, told in one.metadata.items()}
        for one in found
        if one is not None
    ]


def check_again(world: World, key: dg.AssetKey, period: str) -> None:
    """The checks of an asset in a run that does not build it; an asset beside it makes it a run of a month."""
    beside = dg.AssetSelection.assets(keys.TAX_WITNESS).without_checks()
    job = dg.Definitions(
        assets=list(DEFINITIONS.assets or []),
        asset_checks=list(DEFINITIONS.asset_checks or []),
        resources=DEFINITIONS.resources,
        jobs=[dg.define_asset_job("again", beside | dg.AssetSelection.checks_for_assets(key))],
    ).resolve_job_def("again")
    through_dagster(job, world.instance, period)


def test_a_built_month_tells_on_its_own_page_what_warns_and_a_clean_asset_tells_nothing(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCB_REPORTS_URL", "https://books.example.com/reports/")
    built = closed.whole.month(MARCH)
    assert built.success
    (told,) = observed(closed, keys.AGREEMENTS, MARCH)
    assert told["gate nexacloud_agrees_with_source"].startswith("warns (2): ")
    assert (
        "What mends it: Correct the copies in NexaCloud"
        in told["gate nexacloud_agrees_with_source"]
    )
    assert told[REPORT] == "https://books.example.com/reports/2026-03.html"
    assert observed(closed, keys.AGREEMENTS, APRIL) == []
    assert observed(closed, keys.DOCUMENTS, MARCH) == []
    report = built.metadata[keys.REPORT]
    assert (report["page"], report["gates that fail"]) == (told[REPORT], 0)
    assert report["gates that warn"] > 0
    billed, posted = (built.metadata[key] for key in (keys.DOCUMENTS, keys.POSTED_MOVES))
    assert billed["billed CAD"] == posted["posted CAD"]
    assert billed["billed CAD, minor units"] == posted["posted CAD, minor units"] > 0


def test_a_gate_that_fails_is_told_on_its_month_and_so_is_that_it_passes_again(
    closed: World,
) -> None:
    path = closed.frames.path(keys.DOCUMENTS.path, MARCH)
    before = path.read_bytes()

    def total_off(frame: Any) -> Any:
        frame.loc[0, "document_total"] += 1
        return frame

    closed.tamper(keys.DOCUMENTS, MARCH, total_off)
    check_again(closed, keys.DOCUMENTS, MARCH)
    (told,) = observed(closed, keys.DOCUMENTS, MARCH)
    assert told["gate documents_balance"].startswith("fails (1): ")
    assert told["gate external_ids_unique"] == "passes"
    assert told[REPORT].endswith("/reports/2026-03.html")
    path.write_bytes(before)
    check_again(closed, keys.DOCUMENTS, MARCH)
    now, _ = observed(closed, keys.DOCUMENTS, MARCH)
    assert now["gate documents_balance"] == "passes"
