"""Services of a dataset that hand in their records over HTTP, as their programs would.

`intake/<service>.json` of a dataset has their `customers`, `subscriptions` and `usage`, each as the intake
takes them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from fcb_pipelines.connectors.failures import ContractBreach, Unreachable

FOLDER = "intake"
PREFIX = "/api/billing/v1"
ROWS_A_BATCH = 5_000

Content = Mapping[str, list[dict[str, Any]]]


def handed_in(dataset: Path) -> dict[str, Content]:
    """What each service of the dataset hands in; empty where none does."""
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted((dataset / FOLDER).glob("*.json"))
    }


def push(url: str, key: str, content: Content) -> dict[str, int]:
    """Hand in everything, with a service's key; how many records of usage had each outcome.

    Raises Unreachable, or ContractBreach with the intake's answer where it refuses.
    """
    outcomes: dict[str, int] = {}
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(
        base_url=url + PREFIX, headers=headers, timeout=60, trust_env=False
    ) as client:
        for name in ("customers", "subscriptions"):
            for one in content.get(name, ()):
                _post(client, f"/{name}", one)
        usage = content.get("usage", [])
        for begin in range(0, len(usage), ROWS_A_BATCH):
            receipt = _post(client, "/usage", {"usage": usage[begin : begin + ROWS_A_BATCH]})
            for outcome in ("accepted", "replaced", "unchanged"):
                outcomes[outcome] = outcomes.get(outcome, 0) + receipt[outcome]
            outcomes["refused"] = outcomes.get("refused", 0) + len(receipt["refused"])
    return outcomes


def _post(client: httpx.Client, path: str, body: object) -> Any:
    tried = f"handing in {path}"
    try:
        answer = client.post(path, json=body)
    except httpx.HTTPError as error:
        raise Unreachable(tried, str(error)) from error
    if not answer.is_success:
        raise ContractBreach(tried, f"{answer.status_code}: {answer.text}")
    return answer.json()
