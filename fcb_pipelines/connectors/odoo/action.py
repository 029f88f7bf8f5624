"""The server actions: a few batch operations that run inside Odoo, each in one transaction.

Over remote calls a record and its external id are two transactions, a reconciliation is a call a
pair, and a date that Odoo moves is noticed too late. An action does each whole or not at all. It
runs with the calling user's rights, except in the table of external ids: users can't read it, and
there the action reaches only names of this module. One action reads, the other writes (`action_code`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from fcb_pipelines.connectors.failures import ContractBreach, NotAllowed, PermanentFailure
from fcb_pipelines.connectors.ledger import Writer
from fcb_pipelines.connectors.odoo.action_code import MODULE, READING_CODE, WRITING_CODE
from fcb_pipelines.connectors.odoo.action_lease import READS
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Read
from fcb_pipelines.connectors.odoo.notes import Notes
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.digests import digest

NAME = f"{MODULE}: batches"
READING_NAME = f"{MODULE}: reads"

VERSION = digest(READING_CODE + WRITING_CODE)[:12]


def xml_name(ref: str) -> str:
    """A ref as the name of an external id, in which Odoo allows no space."""
    return quote(ref, safe=":@+,;=$!()*/")


def ref_of(name: str) -> str:
    """The ref of an external id's name: the reverse of `xml_name`."""
    return unquote(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionIds:
    """The server actions of one database."""

    reading: int
    writing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAction:
    """The server actions as they are now: their ids, and the number of the database they run in.

    `ids` is None where there are none of this version, or one has other code; `fault` says which.
    `audited`: the company keeps Odoo's restrictive audit trail, or a company above it does. `writer` is the
    deployment that writes these books now, and its run in words. `refs` has the external ids of the models
    that were asked for, `answers` those of the reads.
    """

    ids: ActionIds | None = None
    database: str = ""
    audited: bool = False
    writer: tuple[str, str] | None = None
    fault: str = f"version {VERSION}"
    refs: Mapping[str, int] = field(default_factory=dict)
    answers: Sequence[Any] = ()


def read_action(
    connection: OdooConnection,
    ids: ActionIds,
    *,
    reads: Sequence[Read] = (),
    models: Sequence[str] = (),
) -> FoundAction:
    """The server actions with these ids, compared with ours by their code; with `reads`, in the one call.

    Only an administrator may read the code of an action, so they tell their own. Raises NotAllowed for a
    user who may not run them, or not read that.
    """
    more = {"models": list(models)} if models else {}
    try:
        told = Batches(connection, ids).run(
            "identity", actions=[ids.reading, ids.writing], reads=_told(reads), **more
        )
    except NotAllowed:
        raise
    except PermanentFailure as failure:
        return FoundAction(fault=f"version {VERSION}: it does not run, {failure.came_back}")
    if told.get("code") != [READING_CODE, WRITING_CODE]:
        return FoundAction(fault=f"version {VERSION}: its code was changed in Odoo")
    writer = told.get("writer")
    return FoundAction(
        ids=ids,
        database=str(told["uuid"]),
        audited=bool(told["audited"]),
        writer=tuple(writer) if writer else None,
        refs={ref_of(name): int(record) for name, _, record in told.get("found", ())},
        answers=told["read"],
    )


def _told(reads: Iterable[Read]) -> list[list[Any]]:
    return [[each.model, each.method, each.arguments, each.options] for each in reads]


class Batches:
    """Calls of the server actions of one database. `ids` are theirs.

    `tracking`: Odoo notes each change in the chatter, as it does for a person; without, `notes` stand there.
    Each write carries the name of its `writer`.
    """

    def __init__(
        self,
        connection: OdooConnection,
        ids: ActionIds,
        *,
        tracking: bool = False,
        writer: Writer | None = None,
        notes: Notes | None = None,
    ) -> None:
        self._connection = connection
        self._ids = ids
        self._tracking = tracking
        self._writer = writer or Writer()
        self._notes = notes or Notes()

    def run(self, verb: str, **task: Any) -> Mapping[str, Any]:
        """The answer of one operation, done in one transaction."""
        named = {"deployment": self._writer.deployment, "who": self._writer.name}
        told = {"verb": verb, "tracking": self._tracking, **named, **task}
        action = self._ids.reading if verb in READS else self._ids.writing
        answer = self._connection.call("ir.actions.server", "run", [action], context={"fcb": told})
        if not isinstance(answer, dict):
            raise ContractBreach(
                f"{verb} by the server actions {MODULE}", f"it answered {answer!r}",
                remedy="fcb ledger setup",
            )  # fmt: skip
        return answer

    def notes_of(self, entries: Mapping[str, tuple[str, Kind]]) -> dict[str, str]:
        """The note of each entry that this writer posts, by ref; `entries` as in `Notes.of`."""
        return self._notes.of(entries, run=self._writer.run)

    def read(self, reads: Mapping[str, Read]) -> dict[str, Any]:
        """The answers of these reads, by the same names, in one call and of one moment."""
        answers = self.run("read", reads=_told(reads.values()))["read"]
        return dict(zip(reads, answers, strict=True))

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
