"""The server action: a few batch operations that run inside Odoo, each in one transaction.

Over remote calls a record and its external id are two transactions, a reconciliation is a call a
pair, and a date that Odoo moves is noticed too late. The action does each whole or not at all. It
runs with the calling user's rights, except in the table of external ids: users can't read it, and
there the action reaches only names of this module.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.odoo.action_code import CODE, MODULE
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.core.digests import digest

NAME = f"{MODULE}: batches"

VERSION = digest(CODE)[:12]


def xml_name(ref: str) -> str:
    """A ref as the name of an external id, in which Odoo allows no space."""
    return quote(ref, safe=":@+,;=$!()*/")


def ref_of(name: str) -> str:
    """The ref of an external id's name: the reverse of `xml_name`."""
    return unquote(name)


class Batches:
    """Calls of the server action of one database. `action` is its id."""

    def __init__(self, connection: OdooConnection, action: int) -> None:
        self._connection = connection
        self._action = action

    def run(self, verb: str, **task: Any) -> Mapping[str, Any]:
        """The answer of one operation, done in one transaction."""
        answer = self._connection.call(
            "ir.actions.server", "run", [self._action], context={"fcb": {"verb": verb, **task}}
        )
        if not isinstance(answer, dict):
            raise ContractBreach(
                f"{verb} by the server action {NAME}", f"it answered {answer!r}",
                remedy="fcb ledger setup",
            )  # fmt: skip
        return answer

    def find(
        self,
        *models: str,
        refs: Sequence[str] | None = None,
        ids: Sequence[int] | None = None,
        of: Collection[str] = (),
    ) -> list[tuple[str, str, int]]:
        """(ref, model, record id) of our records with these refs or ids, or of all.

        With `refs`, also the records that settle, draw on or reverse the documents `of`.
        """
        if refs is not None and not refs and not of:
            return []
        task = {
            "names": None if refs is None else [xml_name(ref) for ref in refs],
            "ids": None if ids is None else list(ids),
            "of": list(of),
        }
        found = self.run("find", models=list(models), **task)["found"]
        return [(ref_of(name), model, int(res_id)) for name, model, res_id in found]
