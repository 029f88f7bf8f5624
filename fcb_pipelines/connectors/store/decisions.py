"""What people decided about exceptions and drafts: one file each, written once, never changed and never removed.

decisions/20260602T091500.123456Z-1f9c….json      named by its time and its content
"""

import json
from dataclasses import asdict
from datetime import UTC
from functools import cache

from pydantic import TypeAdapter, ValidationError

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.decisions import Decision

_DECISION = TypeAdapter(Decision)
_ENDING = ".json"
_SHORT = 16


class DecisionStore:
    """The decisions under `root`. Safe for concurrent writers: no two decisions share a file."""

    def __init__(self, root: Place) -> None:
        self._root = root

    def keep(self, decision: Decision) -> None:
        """Keep a decision for good."""
        told = {name: value for name, value in asdict(decision).items() if value is not None}
        text = json.dumps(told, indent=2, ensure_ascii=False, default=lambda day: day.isoformat())
        places.write_bytes(self._root / _name(decision), text.encode())

    def all(self) -> tuple[Decision, ...]:
        """Every decision, the oldest first. Raises ContractBreach for a file that was changed since."""
        return tuple(_decision(place) for place in places.files(self._root, _ENDING))


def _name(decision: Decision) -> str:
    at = decision.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{at}-{decision.id[:_SHORT]}{_ENDING}"


@cache
def _parsed(text: bytes) -> Decision:
    return _DECISION.validate_json(text)


def _decision(place: Place) -> Decision:
    tried = f"reading the decision {place.name}"
    remedy = "put the file back as a backup has it"
    try:
        decision = _parsed(places.read_bytes(place))
    except ValidationError as error:
        raise ContractBreach(tried, "the file is damaged", remedy=remedy) from error
    if _name(decision) != place.name:
        raise ContractBreach(tried, "it was changed after it was kept", remedy=remedy)
    return decision
