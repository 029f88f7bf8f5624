"""Statements in Odoo: an account.bank.statement over the bank statement lines of its entries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.odoo.action import Batches, xml_name
from fcb_pipelines.connectors.odoo.cash import ENTRY, STATEMENT
from fcb_pipelines.connectors.odoo.chart import Chart
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import CONTENT_HASH, SOURCE_REF
from fcb_pipelines.connectors.odoo.moves import in_pages, major_text
from fcb_pipelines.connectors.odoo.reading import minor, text
from fcb_pipelines.connectors.odoo.wanted import balances
from fcb_pipelines.core.ledger.cash import CashStatement, LedgerStatement

_FIELDS = (
    "name", "date", "balance_start", "balance_end_real", "currency_id", "is_complete", "is_valid",
    SOURCE_REF, CONTENT_HASH,
)  # fmt: skip
# A payout has some hundred entries.
_BATCH = 50


class Statements:
    """The statements of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, batches: Batches, chart: Chart) -> None:
        self._odoo = odoo
        self._batches = batches
        self._chart = chart

    def find(self, refs: Collection[str] | None) -> dict[str, int]:
        """ref -> id, in the order of `refs`; None: all of ours."""
        wanted = None if refs is None else list(dict.fromkeys(refs))
        found = {ref: id_ for ref, _, id_ in self._batches.find(STATEMENT, refs=wanted)}
        return {ref: found[ref] for ref in (found if wanted is None else wanted) if ref in found}

    def read(self, refs: Collection[str] | None) -> tuple[LedgerStatement, ...]:
        """The statements with these refs, in their order; None: all of ours."""
        return tuple(
            each
            for page in in_pages(list(self.find(refs).items()))
            for each in self._page(dict(page))
        )

    def _page(self, page: Mapping[str, int]) -> Iterable[LedgerStatement]:
        ours = [("id", "in", list(page.values()))]
        rows = {row["id"]: row for row in self._odoo.rows(STATEMENT, ours, _FIELDS)}
        entries: dict[int, list[str]] = {}
        for line in self._odoo.rows(
            ENTRY,
            [("statement_id", "in", list(rows)), ("state", "!=", "cancel")],
            ["statement_id", SOURCE_REF],
            order="internal_index",
        ):
            # One that a person put into it has no ref, and is told all the same.
            entries.setdefault(line["statement_id"][0], []).append(text(line[SOURCE_REF]) or "")
        return [
            _ledger_statement(ref, rows[id_], entries.get(id_, []))
            for ref, id_ in page.items()
            if id_ in rows
        ]

    def write(self, statements: Sequence[CashStatement], lines: Mapping[str, int]) -> None:
        """Write these statements, in their order, one transaction a batch.

        `lines` has the bank statement lines of their entries, by ref. Raises ContractBreach where one is
        lacking, of another journal, cancelled or in a statement already.
        """
        free = self._free(lines)
        taken: set[str] = set()
        for each in statements:
            if not each.entries:
                raise ContractBreach(f"writing statement {each.ref}", "it has no entries")
            for ref in each.entries:
                if ref in taken or (ref, each.currency) not in free:
                    raise ContractBreach(
                        f"writing statement {each.ref}",
                        f"its entry {ref} is not in the books, not of a balance in {each.currency}, "
                        "or in another statement",
                    )
                taken.add(ref)
        for batch in in_pages(statements, _BATCH):
            self._batches.run("statements", rows=[self._row(each, lines) for each in batch])

    def _free(self, lines: Mapping[str, int]) -> set[tuple[str, str]]:
        """(ref, currency) of the entries that may be put into a statement."""
        found: set[tuple[str, str]] = set()
        for page in in_pages(list(lines.items())):
            domain = [("id", "in", [id_ for _, id_ in page]), ("statement_id", "=", False),
                      ("state", "!=", "cancel")]  # fmt: skip
            rows = {row["id"]: row for row in self._odoo.rows(ENTRY, domain, ["currency_id"])}
            found |= {(ref, str(rows[id_]["currency_id"][1])) for ref, id_ in page if id_ in rows}
        return found

    def _row(self, each: CashStatement, lines: Mapping[str, int]) -> Mapping[str, object]:
        journal = balances(self._chart.settings)[each.currency].journal
        return {
            "name": xml_name(each.ref),
            "journal": self._chart.journal(journal.code),
            "lines": [lines[ref] for ref in each.entries],
            "values": {
                "name": each.name,
                "date": each.date.isoformat(),
                "balance_start": major_text(each.opening, each.currency),
                "balance_end_real": major_text(each.closing, each.currency),
                SOURCE_REF: each.ref,
                CONTENT_HASH: each.content_hash,
            },
        }


def _ledger_statement(ref: str, row: Row, entries: Sequence[str]) -> LedgerStatement:
    currency = str(row["currency_id"][1])
    statement = CashStatement(
        ref=text(row[SOURCE_REF]) or "",
        name=text(row["name"]) or "",
        # Without a line, all of which a person took out of it, Odoo has no day of it.
        date=date.fromisoformat(row["date"]) if row["date"] else date.min,
        currency=currency,
        opening=minor(row["balance_start"], currency),
        closing=minor(row["balance_end_real"], currency),
        entries=tuple(entries),
    )
    return LedgerStatement(
        ref=ref,
        statement_id=str(row["id"]),
        statement=statement,
        is_valid=bool(row["is_complete"] and row["is_valid"]),
        stored_hash=text(row[CONTENT_HASH]),
    )
