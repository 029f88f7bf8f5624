"""Settlements in Odoo: written, posted and matched with their documents in one transaction.

Money for the receivable through a bank journal is an account.payment; any other settlement is an
entry. An allocation is only a matching, an account.partial.reconcile.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.odoo.action import Batches, xml_name
from fcb_pipelines.connectors.odoo.chart import Chart
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import CONTENT_HASH, DOCUMENT_REF, SOURCE_REF
from fcb_pipelines.connectors.odoo.moves import BATCH, in_pages, major_text
from fcb_pipelines.connectors.odoo.reading import minor
from fcb_pipelines.connectors.settling import assert_same_receipt
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, MoveState
from fcb_pipelines.core.money import exponent
from fcb_pipelines.core.settlements.requirements import receipt_of
from fcb_pipelines.core.settlements.routes import Route, route

PAYMENT, MOVE, MATCHING = "account.payment", "account.move", "account.partial.reconcile"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The ids that rows refer to, by partner link, document ref and receipt ref.

    `receivables` has the account of each document's receivable, `entries` the existing settlements
    that are not wholly matched, by ref.
    """

    partners: Mapping[str, int]
    documents: Mapping[str, int]
    receivables: Mapping[str, int]
    receipts: Mapping[str, int]
    entries: Mapping[str, int]


class Settlements:
    """Writes the settlements of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, batches: Batches, chart: Chart) -> None:
        self._odoo = odoo
        self._batches = batches
        self._chart = chart

    def receipts(self, settlements: Iterable[Settlement]) -> dict[str, int]:
        """Receipt ref -> id of its entry, for the existing receipts that these settlements draw on.

        Raises ContractBreach where a receipt has another amount than the allocation names, NotPrepared
        where a person set it aside.
        """
        drawn = {each.ref: each.drawn_on for each in settlements if each.receipt and each.drawn_on}
        found = {ref: id_ for ref, _, id_ in self._batches.find(PAYMENT, refs=list(drawn.values()))}
        if not found:
            return {}
        fields = ["move_id", "amount", "currency_id", "state"]
        ours = [("id", "in", list(found.values()))]
        rows = {row["id"]: row for row in self._odoo.rows(PAYMENT, ours, fields)}
        ledger_state = {ref: rows[id_] for ref, id_ in found.items() if id_ in rows}
        for each in settlements:
            row = ledger_state.get(drawn.get(each.ref, ""))
            if row is not None:
                _assert_usable(each, row)
        return {ref: row["move_id"][0] for ref, row in ledger_state.items()}

    def write(
        self,
        settlements: Sequence[Settlement],
        documents: Mapping[str, LedgerMove],
        partners: Mapping[str, int],
        entries: Mapping[str, int],
    ) -> None:
        """Write new settlements, post and match all of them, one transaction a batch.

        `documents` has the documents that they settle and draw on, `partners` the id of each link,
        `entries` the existing settlements that are not wholly matched.
        """
        receivables = self._receivables(documents)
        for batch in batches_by_document(settlements):
            sides = _Sides(
                partners=partners,
                documents={ref: int(move.move_id) for ref, move in documents.items()},
                receivables=receivables,
                # Looked up again: a batch before this one may have made one of them.
                receipts=self.receipts(batch),
                entries=entries,
            )
            self._write(batch, sides)

    def write_on_account(
        self,
        settlements: Sequence[Settlement],
        partners: Mapping[str, int],
        undone: Mapping[str, int],
    ) -> None:
        """Write and post settlements on account, open on the receivable, one transaction a batch.

        `undone` has the entry of each payment that one of these undoes: the two are matched.
        """
        receivable = self._chart.account(self._chart.settings.accounts.receivable.code)
        for batch in in_pages(settlements, BATCH):
            self._batches.run(
                "settle",
                rows=[self._row(each, partners, receivable) for each in batch],
                notes=self._notes(batch),
                groups=[
                    {
                        "ref": each.document,
                        # Its document is not in these books: the undone payment takes its place.
                        "document": undone[each.undoes or ""],
                        "names": [xml_name(each.ref)],
                        "entries": [],
                    }
                    for each in batch
                    if each.undoes in undone
                ],
                allocations=[],
            )

    def _write(self, batch: Sequence[Settlement], sides: _Sides) -> None:
        new = [each for each in batch if each.ref not in sides.entries]
        # A receipt's receivable is that of the first document that draws on it.
        fresh = {
            each.drawn_on: (receipt_of(each), sides.receivables[each.document])
            for each in reversed(new)
            if each.receipt is not None and each.drawn_on not in sides.receipts
        }
        booked = [
            *fresh.values(),
            *((each, sides.receivables[each.document]) for each in new if not each.is_allocation),
        ]
        self._batches.run(
            "settle",
            rows=[self._row(each, sides.partners, receivable) for each, receivable in booked],
            notes=self._notes(each for each, _ in booked),
            groups=_groups(batch, sides),
            allocations=[self._allocation(each, sides) for each in new if each.is_allocation],
        )

    def _notes(self, settlements: Iterable[Settlement]) -> dict[str, str]:
        return self._batches.notes_of({s.ref: (s.document, s.kind) for s in settlements})

    def _receivables(self, documents: Mapping[str, LedgerMove]) -> dict[str, int]:
        """Document ref -> id of its receivable account."""
        ids = {int(move.move_id): ref for ref, move in documents.items()}
        found: dict[str, int] = {}
        for page in in_pages(list(ids)):
            lines = self._odoo.rows(
                "account.move.line",
                [("move_id", "in", list(page)), ("account_type", "=", "asset_receivable")],
                ["move_id", "account_id"],
            )
            found |= {ids[line["move_id"][0]]: line["account_id"][0] for line in lines}
        return found

    def _row(
        self, each: Settlement, partners: Mapping[str, int], receivable: int
    ) -> dict[str, Any]:
        path = route(each.method, self._chart.settings)
        is_payment = path.by_bank and path.against is None
        ours = {
            SOURCE_REF: each.ref,
            DOCUMENT_REF: each.document or False,
            "x_fc_undoes": each.undoes or False,
            CONTENT_HASH: each.content_hash,
        }
        plain = {
            "partner_id": partners[each.partner],
            "date": each.date.isoformat(),
            "currency_id": self._chart.currency(each.currency),
            "journal_id": self._chart.journal(path.journal),
        }
        values = (
            plain | self._payment(each, path, receivable)
            if is_payment
            else plain | ours | self._entry(each, path, partners[each.partner], receivable)
        )
        return {
            "name": xml_name(each.ref),
            "model": PAYMENT if is_payment else MOVE,
            "values": values,
            "date": each.date.isoformat(),
            # The fields are the entry's, which a payment makes only when it is posted.
            "entry": ours if is_payment else {},
        }

    def _payment(self, each: Settlement, path: Route, receivable: int) -> dict[str, Any]:
        kind = "inbound" if each.kind.sign * each.amount > 0 else "outbound"
        lines = self._chart.lines.get(path.journal, ())
        manual = [line["id"] for line in lines if line["payment_type"] == kind]
        return {
            "payment_type": kind,
            "partner_type": "customer",
            "amount": major_text(abs(each.amount), each.currency),
            "memo": each.memo,
            "destination_account_id": receivable,
            "payment_method_line_id": manual[0] if manual else False,
        }

    def _entry(
        self, each: Settlement, path: Route, partner: int, receivable: int
    ) -> dict[str, Any]:
        against = self._chart.account(path.against.code) if path.against else receivable
        amount = each.kind.sign * each.amount
        sides = [(self._chart.account(path.through.code), amount), (against, -amount)]
        return {
            "move_type": "entry",
            "ref": each.memo,
            "line_ids": [
                [0, 0, {
                    "account_id": account,
                    "partner_id": partner,
                    "name": each.memo,
                    "currency_id": self._chart.currency(each.currency),
                    "amount_currency": major_text(side, each.currency),
                }]
                for account, side in sides
            ],
        }  # fmt: skip

    def _allocation(self, each: Settlement, sides: _Sides) -> dict[str, Any]:
        drawn_on = each.drawn_on or ""
        new = each.receipt is not None and drawn_on not in sides.receipts
        return {
            "name": xml_name(each.ref),
            "document": sides.documents[each.document],
            "drawn": sides.receipts.get(drawn_on) or sides.documents.get(drawn_on, 0),
            "receipt": xml_name(drawn_on) if new else False,
            "amount": each.amount,
            "decimals": exponent(each.currency),
            "values": {
                SOURCE_REF: each.ref,
                "x_fc_date": each.date.isoformat(),
                "x_fc_memo": each.memo,
                CONTENT_HASH: each.content_hash,
            },
        }


def _groups(batch: Sequence[Settlement], sides: _Sides) -> list[dict[str, Any]]:
    """The entries to match with each document: new ones by name, existing ones by id."""
    groups: dict[str, dict[str, Any]] = {}
    for each in batch:
        move = sides.documents[each.document]
        group = groups.setdefault(
            each.document, {"ref": each.document, "document": move, "names": [], "entries": []}
        )
        if each.ref in sides.entries:
            group["entries"].append(sides.entries[each.ref])
        elif not each.is_allocation:
            group["names"].append(xml_name(each.ref))
    return list(groups.values())


def _assert_usable(allocation: Settlement, receipt: Row) -> None:
    if receipt["state"] not in ("in_process", "paid"):
        raise NotPrepared(
            f"settling {allocation.document} by {allocation.ref}",
            f"{allocation.drawn_on}, which it draws on, is {receipt['state']}",
        )
    currency = str(receipt["currency_id"][1])
    assert_same_receipt(allocation, minor(receipt["amount"], currency), currency)


def is_unmatched(ledger_state: LedgerSettlement) -> bool:
    """Whether a settlement is a posted entry that is not wholly matched."""
    is_entry = ledger_state.state is MoveState.POSTED and not ledger_state.settlement.is_allocation
    return is_entry and not ledger_state.is_reconciled


def batches_by_document(settlements: Collection[Settlement]) -> Iterable[Sequence[Settlement]]:
    """Batches, with all settlements of a document in the same one."""
    rank = {ref: place for place, ref in enumerate(dict.fromkeys(s.document for s in settlements))}
    return in_pages(sorted(settlements, key=lambda each: rank[each.document]), BATCH)
