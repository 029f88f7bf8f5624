"""The names that others know: whoever reads frames, JSON, books or Odoo records has them in writing.

    names()["reasons"]      ["hold after_open_period", …]

Each list is closed. A name may be added to it; one that goes or is called otherwise needs a migration.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from fcb_pipelines.config.environment import VARIABLES
from fcb_pipelines.connectors.odoo.action import NAME, READING_NAME
from fcb_pipelines.connectors.odoo.action_code import MODULE
from fcb_pipelines.connectors.odoo.fields import CASH_FIELDS, FIELDS
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.codes import ExceptionCode, Kind, Method, Reason, Status, System, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines_tests.defs.world import DEFINITIONS

VALUES = {
    "kind": Kind,
    "method": Method,
    "outcome": Outcome,
    "source": System,
    "state": MoveState,
    "status": Status,
    "verdict": Verdict,
}


def names() -> dict[str, list[str]]:
    """Every closed list by what it is a list of, each sorted."""
    specs = DEFINITIONS.resolve_all_asset_specs()
    repository = DEFINITIONS.get_repository_def()
    checks = DEFINITIONS.resolve_asset_graph().asset_check_keys
    found: dict[str, Iterable[str]] = {
        "assets": [spec.key.to_user_string() for spec in specs],
        "columns": [column for spec in specs for column in _columns(spec)],
        "checks": [f"{check.asset_key.to_user_string()} {check.name}" for check in checks],
        "jobs": repository.job_names,
        "schedules": [each.name for each in repository.schedule_defs],
        "sensors": [each.name for each in repository.sensor_defs],
        "gates": GATES,
        "reasons": [f"{reason.verdict} {reason.value}" for reason in Reason],
        "exceptions": [code.value for code in ExceptionCode],
        "values": [f"{what} {value.value}" for what, kind in VALUES.items() for value in kind],
        "environment": VARIABLES,
        "configuration": set(_properties(Settings.model_json_schema())),
        "odoo": [
            f"module {MODULE}",
            f"server action {NAME}",
            f"server action {READING_NAME}",
            *(
                f"{model}.{name}"
                for fields in (FIELDS, CASH_FIELDS)
                for model, ours in fields.items()
                for name, _ in ours
            ),
        ],
    }
    return {what: sorted(str(name) for name in each) for what, each in found.items()}


def _columns(spec: dg.AssetSpec) -> Iterator[str]:
    """The frame's columns, as `ledger/documents ref`."""
    schema = spec.metadata["dagster/column_schema"]
    for column in getattr(schema, "value", schema).columns:
        yield f"{spec.key.to_user_string()} {column.name}"


def _properties(schema: Mapping[str, Any], above: str = "", root: Any = None) -> Iterator[str]:
    """The configuration's fields, as `policies.tax_residue`; those of a list or mapping as `taxes.key`."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    for name, inner in schema.get("properties", {}).items():
        yield f"{above}{name}"
        yield from _properties(inner, f"{above}{name}.", root)
    beneath = [*schema.get("anyOf", ()), *schema.get("prefixItems", ())]
    beneath += [schema[one] for one in ("items", "additionalProperties") if one in schema]
    for inner in beneath:
        if isinstance(inner, dict):
            yield from _properties(inner, above, root)
