"""Our fields in Odoo: manual fields that setup creates.

The help text of `x_fc_source_ref` on `account.move` names the server action to call, by id and version.
"""

import re
from collections.abc import Iterable, Mapping

from fcb_pipelines.connectors.odoo.action import VERSION, FoundAction, read_action
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.core.company.settings import Settings
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
DATE, MEETS = "x_fc_date", "x_fc_meets"
# What a cash entry keeps beside what Odoo has of it, and a statement.
CASH_FIELDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "account.move": (
        (DATE, "Source Date"),
        ("x_fc_kind", "Source Kind"),
    ),
    "account.move.line": (
        (MEETS, "Met Settlement"),
        # Of a line in another currency than its entry's, where that is not the company's.
        ("x_fc_amount", "Amount in the Balance's Currency"),
    ),
    "account.bank.statement": (
        (SOURCE_REF, "Source Reference"),
        (CONTENT_HASH, "Source Content Hash"),
    ),
}
ACTION_IN_HELP = re.compile(r"server action (\d+), version (\w+)")


def wanted_fields(settings: Settings) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Model -> (name, label) of each of its fields; those of cash only where it is on."""
    if settings.cash is None:
        return FIELDS
    models = dict.fromkeys((*FIELDS, *CASH_FIELDS))
    return {model: (*FIELDS.get(model, ()), *CASH_FIELDS.get(model, ())) for model in models}


def found_fields(
    connection: OdooConnection, wanted: Mapping[str, tuple[tuple[str, str], ...]]
) -> tuple[frozenset[str], FoundAction]:
    """Our existing fields (model.name) among those wanted, and the server action."""
    found: set[str] = set()
    action = FoundAction()
    for model, ours in wanted.items():
        names = [name for name, _ in ours]
        described = connection.call(model, "fields_get", names, attributes=["help"])
        found |= {f"{model}.{name}" for name in described}
        named = ACTION_IN_HELP.search(str(described.get(SOURCE_REF, {}).get("help") or ""))
        if named and named.group(2) == VERSION:
            action = read_action(connection, int(named.group(1)))
    return frozenset(found), action


def missing_fields(
    fields: frozenset[str],
    action: FoundAction,
    wanted: Mapping[str, tuple[tuple[str, str], ...]],
) -> Iterable[MissingPart]:
    """Our fields and the server action, as far as they are missing."""
    for model, ours in wanted.items():
        for field in ours:
            if f"{model}.{field[0]}" not in fields:
                cash = field in CASH_FIELDS.get(model, ()) and field not in FIELDS.get(model, ())
                yield MissingPart(
                    what="field",
                    name=f"{model}.{field[0]}",
                    remedy=SETUP,
                    taxes=() if cash else None,
                    cash=cash,
                )
    if action.id is None:
        yield MissingPart(what="server action", name=action.fault, remedy=SETUP)
