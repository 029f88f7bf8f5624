"""Services of a dataset that hand in their records over HTTP, as their programs would.

`intake/<service>.json` of a dataset has their `customers`, `subscriptions` and `usage`, each as the intake
takes them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

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
    with requests.Session() as session:
        # No proxy of the environment, and no password of its ~/.netrc in place of the key.
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {key}"
        for name in ("customers", "subscriptions"):
            for one in content.get(name, ()):
                _post(session, url, f"/{name}", one)
        usage = content.get("usage", [])
        for begin in range(0, len(usage), ROWS_A_BATCH):
            receipt = _post(session, url, "/usage", {"usage": usage[begin : begin + ROWS_A_BATCH]})
            for outcome in ("accepted", "replaced", "unchanged"):
                outcomes[outcome] = outcomes.get(outcome, 0) + receipt[outcome]
            outcomes["refused"] = outcomes.get("refused", 0) + len(receipt["refused"])
    return outcomes


def _post(session: requests.Session, url: str, path: str, body: dict[str, Any]) -> Any:
    tried = f"handing in {path}"
    try:
        answer = session.post(url + PREFIX + path, json=body, timeout=60)
    except requests.RequestException as error:
        raise Unreachable(tried, str(error)) from error
    if not answer.ok:
        raise ContractBreach(tried, f"{answer.status_code}: {answer.text}")
    return answer.json()
