"""The external ids of the accounts, journals and server actions that setup made or found.

An external id finds a part again that a person renamed or gave another code. The configured code comes
first: a part that has it now is the one that the configuration names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.connectors.odoo.action import ref_of, xml_name
from fcb_pipelines.connectors.odoo.action_code import MODULE
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.views import VIEW
from fcb_pipelines.core.refs import setup_ref

ACCOUNT, JOURNAL, ACTION = "account.account", "account.journal", "ir.actions.server"
PARTS = (ACCOUNT, JOURNAL, ACTION, VIEW)
_KINDS = {ACCOUNT: "account", JOURNAL: "journal"}


def part_ref(company: int, model: str, code: str) -> str:
    """The external id of an account or journal of this company, by its configured code."""
    return setup_ref(company, _KINDS[model], code)


def read_part_refs(connection: OdooConnection) -> dict[str, int]:
    """External id -> record id of the parts that setup named: {} for all but an administrator.

    The server action reads them for every user, once it is there.
    """
    try:
        rows = connection.rows(
            "ir.model.data",
            [("module", "=", MODULE), ("model", "in", PARTS)],
            ["name", "res_id"],
        )
    except NotAllowed:
        return {}
    return {ref_of(row["name"]): int(row["res_id"]) for row in rows}


def name_part(connection: OdooConnection, ref: str, model: str, record: int) -> None:
    """Give a record this external id; the record that had it before loses it."""
    name = xml_name(ref)
    known = connection.rows("ir.model.data", [("module", "=", MODULE), ("name", "=", name)], ["id"])
    values = {"module": MODULE, "name": name, "model": model, "res_id": record, "noupdate": True}
    if known:
        connection.call("ir.model.data", "write", [row["id"] for row in known], values)
    else:
        connection.call("ir.model.data", "create", [values])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Configured code -> the record, archived ones too; `twice` has active records that share a code."""

    rows: Mapping[str, Row]
    twice: Mapping[str, tuple[Row, ...]]


def choose(codes: Iterable[str], rows: Sequence[Row], ours: Mapping[str, int]) -> Parts:
    """The record of each code: active before archived, by its code before by its external id."""
    chosen: dict[str, Row] = {}
    twice: dict[str, tuple[Row, ...]] = {}
    for code in codes:
        candidates = [row for row in rows if row["code"] == code or row["id"] == ours.get(code)]
        candidates.sort(
            key=lambda row: (not row["active"], row["code"] != code, row["id"] != ours.get(code))
        )
        if candidates:
            chosen[code] = candidates[0]
        same = tuple(row for row in candidates if row["active"] and row["code"] == code)
        if len(same) > 1:
            twice[code] = same
    return Parts(rows=chosen, twice=twice)
