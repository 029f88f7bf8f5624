"""The creation of our fields and of the server action in Odoo."""

from collections.abc import Sequence

from fcb_pipelines.connectors.odoo.action import NAME, VERSION
from fcb_pipelines.connectors.odoo.action_code import CODE, MODULE
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.fields import DOCUMENT_REF, MEETS, REVERSES_REF, SOURCE_REF
from fcb_pipelines.connectors.odoo.parts import ACTION, name_part, read_part_refs
from fcb_pipelines.core.refs import ACTION_REF


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


def make_action(odoo: OdooConnection) -> None:
    """Create the action or update it to this version; its id goes into a field's help text."""
    (model,) = odoo.rows("ir.model", [("model", "=", "account.move")], ["id"])
    values = {"name": NAME, "model_id": model["id"], "state": "code", "code": CODE}
    ours = read_part_refs(odoo, None).get(ACTION_REF, 0)
    known = odoo.rows("ir.actions.server", [("id", "=", ours)], ["id"])
    # One of an earlier version has no external id.
    known = known or odoo.rows("ir.actions.server", [("name", "=", NAME)], ["id"])
    if known:
        action = known[0]["id"]
        odoo.call("ir.actions.server", "write", [action], values)
    else:
        (action,) = odoo.call("ir.actions.server", "create", [values])
    name_part(odoo, ACTION_REF, ACTION, action)
    (field,) = odoo.rows(
        "ir.model.fields", [("model", "=", "account.move"), ("name", "=", SOURCE_REF)], ["id"]
    )
    note = f"Written by {MODULE}, with server action {action}, version {VERSION}."
    odoo.call("ir.model.fields", "write", [field["id"]], {"help": note})
