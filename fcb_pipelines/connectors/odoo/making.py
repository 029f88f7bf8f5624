"""The creation of our fields and of the server actions in Odoo."""

from collections.abc import Mapping, Sequence

from fcb_pipelines.connectors.odoo.action import NAME, READING_NAME, ActionIds
from fcb_pipelines.connectors.odoo.action_code import MODULE, READING_CODE, WRITING_CODE
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.fields import (
    DOCUMENT_REF,
    MEETS,
    REVERSES_REF,
    SOURCE_REF,
    help_of,
)
from fcb_pipelines.connectors.odoo.parts import ACTION, name_part, read_part_refs
from fcb_pipelines.core.refs import ACTION_REF, READING_REF


def make_fields(odoo: OdooConnection, lacking: Sequence[tuple[str, str, str]]) -> None:
    """Create these fields (model, name, label) in one call: Odoo loads its models anew after each."""
    models = odoo.rows(
        "ir.model", [("model", "in", sorted({model for model, _, _ in lacking}))], ["model"]
    )
    ids = {row["model"]: row["id"] for row in models}
    values = [
        {
            "model_id": ids[model],
            "name": name,
            "field_description": label,
            "ttype": "char",
            # A duplicate or reversal that a person makes is not the source's document.
            "copied": False,
            "index": name in (SOURCE_REF, DOCUMENT_REF, REVERSES_REF, MEETS),
            "help": f"Written by {MODULE}.",
        }
        for model, name, label in lacking
    ]
    odoo.call("ir.model.fields", "create", values)


def make_actions(odoo: OdooConnection) -> None:
    """Create the actions or update them to this version; their ids go into a field's help text."""
    ours = read_part_refs(odoo)
    made = ActionIds(
        reading=_make_action(odoo, READING_NAME, READING_CODE, READING_REF, ours),
        writing=_make_action(odoo, NAME, WRITING_CODE, ACTION_REF, ours),
    )
    (field,) = odoo.rows(
        "ir.model.fields", [("model", "=", "account.move"), ("name", "=", SOURCE_REF)], ["id"]
    )
    odoo.call("ir.model.fields", "write", [field["id"]], {"help": help_of(made, MODULE)})


def _make_action(
    odoo: OdooConnection, name: str, code: str, ref: str, ours: Mapping[str, int]
) -> int:
    (model,) = odoo.rows("ir.model", [("model", "=", "account.move")], ["id"])
    values = {"name": name, "model_id": model["id"], "state": "code", "code": code}
    known = odoo.rows("ir.actions.server", [("id", "=", ours.get(ref, 0))], ["id"])
    # One of an earlier version has no external id.
    known = known or odoo.rows("ir.actions.server", [("name", "=", name)], ["id"])
    if known:
        action = int(known[0]["id"])
        odoo.call("ir.actions.server", "write", [action], values)
    else:
        (made,) = odoo.call("ir.actions.server", "create", [values])
        action = int(made)
    name_part(odoo, ref, ACTION, action)
    return action
