"""Our fields in Odoo: manual fields that setup creates.

The help text of `x_fc_source_ref` on `account.move` names the server action to call, by id and version.
"""

import re
from collections.abc import Iterable, Mapping

from fcb_pipelines.connectors.odoo.action import VERSION, FoundAction, read_action
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.core.ledger.description import MissingPart

SETUP = "fcb ledger setup"

SOURCE_REF, DOCUMENT_REF, REVERSES_REF = (
    "x_fc_source_ref", "x_fc_document_ref", "x_fc_reverses_ref",
)  # fmt: skip
CONTENT_HASH, SOURCE_HASH = "x_fc_content_hash", "x_fc_source_hash"
FIELDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "account.move": (
        (SOURCE_REF, "Source Reference"),
        (DOCUMENT_REF, "Settled Document"),
        ("x_fc_undoes", "Undone Settlement"),
        (REVERSES_REF, "Credited Document"),
        ("x_fc_nexacloud_invoice_id", "NexaCloud Invoice"),
        ("x_fc_stripe_invoice_id", "Stripe Invoice"),
        (CONTENT_HASH, "Source Content Hash"),
        (SOURCE_HASH, "Source Billed Hash"),
    ),
    # An allocation is only a matching, so its facts are fields of the matching.
    "account.partial.reconcile": (
        (SOURCE_REF, "Source Reference"),
        ("x_fc_date", "Allocation Date"),
        ("x_fc_memo", "Allocation Memo"),
        (CONTENT_HASH, "Source Content Hash"),
    ),
    "res.partner": (("x_fc_stripe_customer_id", "Stripe Customer"),),
}
ACTION_IN_HELP = re.compile(r"server action (\d+), version (\w+)")


def found_fields(connection: OdooConnection) -> tuple[frozenset[str], FoundAction]:
    """Our existing fields (model.name), and the server action."""
    found: set[str] = set()
    action = FoundAction()
    for model, ours in FIELDS.items():
        names = [name for name, _ in ours]
        described = connection.call(model, "fields_get", names, attributes=["help"])
        found |= {f"{model}.{name}" for name in described}
        named = ACTION_IN_HELP.search(str(described.get(SOURCE_REF, {}).get("help") or ""))
        if named and named.group(2) == VERSION:
            action = read_action(connection, int(named.group(1)))
    return frozenset(found), action


def missing_fields(fields: frozenset[str], action: FoundAction) -> Iterable[MissingPart]:
    """Our fields and the server action, as far as they are missing."""
    for model, ours in FIELDS.items():
        for name, _ in ours:
            if f"{model}.{name}" not in fields:
                yield MissingPart(what="field", name=f"{model}.{name}", remedy=SETUP)
    if action.id is None:
        yield MissingPart(what="server action", name=action.fault, remedy=SETUP)
