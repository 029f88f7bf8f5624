"""The work of `posting` done inside the server's process: the limit of what a remote caller can reach.

It runs in `odoo shell`, on the same values that the adapter sent, batch by batch: create, post, pay,
match in one plan, name, commit. No call, no proof and no read-back are in it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Usage, measured, own, tree

MODULE = "fcb_pipelines"
QUIET = {"tracking_disable": True, "mail_notrack": True, "mail_create_nolog": True,
         "mail_create_nosubscribe": True}  # fmt: skip


def work(env: Any, tasks: Path, postgres: int) -> Usage:
    """Do the recorded tasks in this environment; `postgres` is the pid of its server."""
    recorded = json.loads(tasks.read_text())
    drafts = [task["rows"] for task in recorded if task["verb"] == "drafts"]
    payments = [task["rows"] for task in recorded if task["verb"] == "settle"]
    env = env(context={**env.context, **QUIET, "lang": "en_US"})
    with measured({"server": own, "postgres": tree(postgres)}) as usage:
        documents: dict[str, Any] = {}
        for rows in drafts:
            moves = env["account.move"].create([row["values"] for row in rows])
            _name(env, rows, moves)
            env.cr.commit()
            moves.action_post()
            documents |= {move.x_fc_source_ref: move for move in moves}
            env.cr.commit()
        for rows in payments:
            _pay(env, rows, documents)
            env.cr.commit()
    return usage


def _pay(env: Any, rows: Sequence[Any], documents: dict[str, Any]) -> None:
    made = env["account.payment"].create([row["values"] for row in rows])
    made.action_post()
    plan = []
    for payment, row in zip(made, rows, strict=True):
        payment.move_id.write(row["entry"])
        both = documents[row["entry"]["x_fc_document_ref"]] | payment.move_id
        plan.append(both.line_ids.filtered(lambda line: line.account_type == "asset_receivable"))
    env["account.move.line"]._reconcile_plan(plan)
    _name(env, rows, made)


def _name(env: Any, rows: Sequence[Any], records: Any) -> None:
    env["ir.model.data"].create(
        [
            {"module": MODULE, "name": row["name"], "model": record._name, "res_id": record.id,
             "noupdate": True}
            for row, record in zip(rows, records, strict=True)
        ]
    )  # fmt: skip
