"""Our fields in Odoo: manual fields that setup creates.

The help text of `x_fc_source_ref` on `account.move` names the server actions to call, by id and version.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fcb_pipelines.connectors.odoo.action import VERSION, ActionIds, FoundAction
from fcb_pipelines.connectors.odoo.connection import Read
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
MOVE = "account.move"
ACTIONS_IN_HELP = re.compile(r"server actions (\d+) and (\d+), version (\w+)")


def wanted_fields(settings: Settings) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Model -> (name, label) of each of its fields; those of cash only where it is on."""
    if settings.cash is None:
        return FIELDS
    models = dict.fromkeys((*FIELDS, *CASH_FIELDS))
    return {model: (*FIELDS.get(model, ()), *CASH_FIELDS.get(model, ())) for model in models}


def fields_read(model: str, settings: Settings) -> Read:
    """Our fields of this model, as far as they exist, with their help text."""
    names = [name for name, _ in wanted_fields(settings)[model]]
    return Read(
        model=model, method="fields_get", arguments=(names,), options={"attributes": ["help"]}
    )  # fmt: skip


def actions_in_help(fields: Mapping[str, Any]) -> ActionIds | None:
    """The server actions of this version, which our fields of `account.move` name."""
    told = str(fields.get(SOURCE_REF, {}).get("help") or "")
    named = ACTIONS_IN_HELP.search(told)
    if not named or named.group(3) != VERSION:
        return None
    return ActionIds(reading=int(named.group(1)), writing=int(named.group(2)))


def help_of(actions: ActionIds, module: str) -> str:
    """The help text that names these server actions."""
    return (
        f"Written by {module}, with server actions {actions.reading} and {actions.writing}, "
        f"version {VERSION}."
    )  # fmt: skip


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
    if action.ids is None:
        yield MissingPart(what="server action", name=action.fault, remedy=SETUP)
