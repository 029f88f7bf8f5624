"""Cash entries in Odoo: bank statement lines with lines of their own, posted and matched in one transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from fcb_pipelines.connectors.failures import (
    ContractBreach,
    NotAllowed,
    NotPrepared,
    PermanentFailure,
    Refusal,
)
from fcb_pipelines.connectors.odoo.action import Batches, xml_name
from fcb_pipelines.connectors.odoo.cash_reading import (
    ENTRY_FIELDS,
    LINE_FIELDS,
    CashLookups,
    ledger_cash,
)
from fcb_pipelines.connectors.odoo.chart import Chart
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import CONTENT_HASH, DATE, MEETS, SOURCE_REF
from fcb_pipelines.connectors.odoo.lookups import LookupReader
from fcb_pipelines.connectors.odoo.moves import BATCH, in_pages, major_text
from fcb_pipelines.connectors.odoo.wanted import balances
from fcb_pipelines.core.codes import ExceptionCode, Kind
from fcb_pipelines.core.ledger.cash import CashEntry, CashLine, LedgerCash, refs_of_key
from fcb_pipelines.core.money import exponent

ENTRY, STATEMENT = "account.bank.statement.line", "account.bank.statement"


class Cash:
    """The cash entries of one company, through one connection."""

    def __init__(
        self, odoo: OdooConnection, batches: Batches, chart: Chart, lookups: LookupReader
    ) -> None:
        self._odoo = odoo
        self._batches = batches
        self._chart = chart
        self._lookups = lookups

    def find(self, refs: Collection[str] | None) -> dict[str, int]:
        """ref -> id of the bank statement line, in the order of `refs`; None: all of ours."""
        wanted = None if refs is None else list(dict.fromkeys(refs))
        found = {ref: id_ for ref, _, id_ in self._batches.find(ENTRY, refs=wanted)}
        return {ref: found[ref] for ref in (found if wanted is None else wanted) if ref in found}

    def read(self, refs: Collection[str] | None) -> tuple[LedgerCash, ...]:
        """The entries with these refs, in their order; None: all of ours."""
        return tuple(
            each
            for page in in_pages(list(self.find(refs).items()))
            for each in self._page(dict(page))
        )

    def _page(self, page: Mapping[str, int]) -> Iterable[LedgerCash]:
        found = self._odoo.rows(ENTRY, [("id", "in", list(page.values()))], ENTRY_FIELDS)
        rows = {row["id"]: row for row in found}
        lines: dict[int, list[Row]] = {}
        domain = [("move_id", "in", [row["move_id"][0] for row in found])]
        for line in self._odoo.rows(
            "account.move.line", domain, LINE_FIELDS, order="move_id, sequence, id"
        ):
            lines.setdefault(line["move_id"][0], []).append(line)
        flat = [line for some in lines.values() for line in some if line["account_id"]]
        lookups = CashLookups(
            accounts=self._lookups.account_codes(line["account_id"][0] for line in flat),
            statements=self._statements(found),
            banks={one.account.code for one in balances(self._chart.settings).values()},
            currency=self._chart.company.currency,
        )
        return [
            ledger_cash(ref, rows[id_], lines.get(rows[id_]["move_id"][0], []), lookups)
            for ref, id_ in page.items()
            if id_ in rows
        ]

    def _statements(self, rows: Sequence[Row]) -> dict[int, str]:
        """Statement id -> its ref; one that a person made has none and is told as Odoo names records."""
        ids = {row["statement_id"][0] for row in rows if row["statement_id"]}
        found = self._odoo.rows(STATEMENT, [("id", "in", sorted(ids))], [SOURCE_REF]) if ids else []
        return {row["id"]: str(row[SOURCE_REF] or f"{STATEMENT},{row['id']}") for row in found}

    def rows(self, entries: Iterable[CashEntry]) -> dict[str, dict[str, Any]]:
        """ref -> what the server action writes of an entry.

        Raises NotPrepared for an account, journal or currency that Odoo lacks.
        """
        return {entry.ref: self._row(entry) for entry in entries}

    def write(
        self, entries: Sequence[CashEntry], rows: Mapping[str, Mapping[str, Any]]
    ) -> list[Refusal]:
        """Write those entries that have a row, then match the keys of all: one transaction a batch.

        Returns the entries that Odoo refused. They are found by halves, and cost a few calls more.
        """
        return [
            refusal for batch in in_pages(entries, BATCH) for refusal in self._write(batch, rows)
        ]

    def _write(
        self, batch: Sequence[CashEntry], rows: Mapping[str, Mapping[str, Any]]
    ) -> list[Refusal]:
        keys = dict.fromkeys(line.meets for entry in batch for line in entry.lines if line.meets)
        outstanding = self._chart.settings.journals.stripe.outstanding
        try:
            self._batches.run(
                "cash",
                rows=[rows[entry.ref] for entry in batch if entry.ref in rows],
                notes=self._batches.notes_of({entry.ref: ("", Kind.INVOICE) for entry in batch}),
                meets=[[ref, key] for key in keys for ref in refs_of_key(key)],
                account=self._chart.account(outstanding.code) if outstanding else 0,
            )
        except (ContractBreach, NotAllowed, NotPrepared):
            raise
        except PermanentFailure as failure:
            if len(batch) == 1:
                code = ExceptionCode.REFUSED_BY_LEDGER
                return [Refusal(ref=batch[0].ref, code=code, detail=failure.came_back)]
            half = len(batch) // 2
            return [*self._write(batch[:half], rows), *self._write(batch[half:], rows)]
        return []

    def _row(self, entry: CashEntry) -> dict[str, Any]:
        balance = balances(self._chart.settings).get(entry.currency)
        if balance is None:
            raise NotPrepared(
                f"writing {entry.ref}",
                f"no journal is configured for a balance in {entry.currency}",
                remedy="cash.balances in the configuration",
            )
        day = entry.booked_on.isoformat()
        bank = CashLine(account=balance.account.code, amount=entry.amount, label=entry.narration)
        return {
            "name": xml_name(entry.ref),
            "date": day,
            "foreign": entry.currency != self._chart.company.currency,
            "currency": self._chart.currency(entry.currency),
            "decimals": exponent(entry.currency),
            "amounts": [bank.amount, *(line.amount for line in entry.lines)],
            "values": {
                "journal_id": self._chart.journal(balance.journal.code),
                "date": day,
                "amount": major_text(entry.amount, entry.currency),
                "payment_ref": entry.narration,
                SOURCE_REF: entry.ref,
                CONTENT_HASH: entry.content_hash,
                DATE: entry.date.isoformat(),
                "x_fc_kind": entry.kind.value,
                "line_ids": [
                    [0, 0, {"sequence": 10 * number, **self._line(line, entry)}]
                    for number, line in enumerate((bank, *entry.lines), start=1)
                ],
            },
        }

    def _line(self, line: CashLine, entry: CashEntry) -> dict[str, Any]:
        currency, amount = entry.currency, line.amount
        if line.original_currency is not None and line.original is not None:
            currency, amount = line.original_currency, line.original
        own = self._chart.company.currency
        kept = currency != entry.currency and entry.currency != own
        values = {
            "account_id": self._chart.account(line.account),
            "name": line.label,
            "currency_id": self._chart.currency(currency),
            "amount_currency": major_text(amount, currency),
            MEETS: line.meets or False,
            "x_fc_amount": str(line.amount) if kept else False,
        }
        if entry.currency == own:
            values["balance"] = major_text(line.amount, own)
        return values
