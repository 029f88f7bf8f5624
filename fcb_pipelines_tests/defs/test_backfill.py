"""The real thing: webserver and daemon, and a backfill of all periods through GraphQL."""

import time
from typing import Any

import httpx
import pytest

from fcb_pipelines.cli import dev
from fcb_pipelines.sandbox import processes
from fcb_pipelines_tests.defs.world import PERIODS, World

LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionSetNotFoundError { message }
  }
}
"""
STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } runs: unfinishedRuns(limit: 10) { id } }
  }
}
"""
PATIENCE = 300


@pytest.mark.slow
def test_a_backfill_of_all_periods_that_is_launched_in_the_web_page_completes(fresh: World) -> None:
    assert fresh.extract().success
    with dev.dagster(fresh.found, port=processes.free_port()) as (webserver, _):
        params = {
            "selector": {
                "partitionSetName": "month_partition_set",
                "repositorySelector": {
                    "repositoryName": "__repository__",
                    "repositoryLocationName": "fcb_pipelines",
                },
            },
            "partitionNames": list(PERIODS),
        }
        launched = _ask(webserver.url, LAUNCH, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        assert _ended(webserver.url, launched["backfillId"]) == "COMPLETED_SUCCESS"
    assert fresh.prove().success
    status = fresh.status()
    states = [each["state"] for each in status["documents"] if each["disposition"] == "post"]
    assert states == ["draft"] * 23


def _ended(url: str, backfill: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        told = _ask(url, STATUS, id=backfill)["partitionBackfillOrError"]
        if told["status"] not in ("REQUESTED", "COMPLETING"):
            return str(told["status"])
        time.sleep(1)
    raise AssertionError(f"the backfill did not end: {told}")


def _ask(url: str, query: str, **variables: Any) -> dict[str, Any]:
    sent = {"query": query, "variables": variables}
    told = httpx.post(f"{url}/graphql", json=sent, timeout=60).json()
    assert not told.get("errors"), told
    found: dict[str, Any] = told["data"]
    return found
