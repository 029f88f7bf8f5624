"""Settlements in Odoo: written, posted and reconciled with their documents in one transaction.

Money that came through a bank journal is an account.payment; credit of any sort is an entry between
the customer credit account and the receivable.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.connectors.odoo_action import Batches, xml_name
from fcb_pipelines.connectors.odoo_chart import SOURCE_REF, Chart
from fcb_pipelines.connectors.odoo_connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo_moves import BATCH, in_pages, major_text
from fcb_pipelines.connectors.odoo_reading import (
    ENTRY_FIELDS,
    Around,
    direction,
    minor,
    standing_settlement,
)
from fcb_pipelines.core.company import Settings
from fcb_pipelines.core.documents import Settlement
from fcb_pipelines.core.facts import Kind, Method
from fcb_pipelines.core.standing import MoveState, StandingMove, StandingSettlement

PAYMENT, MOVE = "account.payment", "account.move"
_RECEIVABLE = [("account_id.account_type", "=", "asset_receivable")]


def journal_of(method: Method, settings: Settings) -> str:
    """The code of the journal that a method settles through."""
    journals = settings.journals
    if method is Method.PAYMENT:
        return journals.stripe.code
    if method is Method.OFF_PLATFORM:
        return journals.off_platform.code
    return journals.customer_credit.code


class Settlements:
    """The settlements of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, batches: Batches, chart: Chart) -> None:
        self._odoo = odoo
        self._batches = batches
        self._chart = chart

    def find(self, refs: Collection[str] | None) -> dict[str, int]:
        """ref -> id of the entry; documents may be among them, `read` leaves them out."""
        wanted = None if refs is None else list(dict.fromkeys(refs))
        found = self._batches.find(PAYMENT, MOVE, refs=wanted)
        payments = {res_id for _, model, res_id in found if model == PAYMENT}
        entries: dict[int, int] = {}
        for page in in_pages(sorted(payments)):
            rows = self._odoo.rows(PAYMENT, [("id", "in", list(page))], ["move_id"])
            entries.update({row["id"]: row["move_id"][0] for row in rows if row["move_id"]})
        moves = {
            ref: entries.get(res_id) if model == PAYMENT else res_id for ref, model, res_id in found
        }
        return {ref: move for ref, move in moves.items() if move is not None}

    def write(
        self,
        settlements: Sequence[Settlement],
        partners: Mapping[str, int],
        receivables: Mapping[str, int],
        documents: Mapping[str, int],
        waiting: Mapping[str, Sequence[int]],
    ) -> None:
        """Write, post and reconcile in one transaction.

        `receivables` has the account of each document's receivable, `documents` its move id, and
        `waiting` entries that stand there unmatched, by document.
        """
        rows = [self._row(each, partners, receivables) for each in settlements]
        names: dict[str, list[str]] = {}
        for each in settlements:
            names.setdefault(each.document, []).append(xml_name(each.ref))
        pairs = [
            {
                "document": documents[ref],
                "names": names.get(ref, []),
                "entries": list(waiting.get(ref, ())),
            }
            for ref in dict.fromkeys([*names, *waiting])
        ]
        if pairs:
            self._batches.run("settle", rows=rows, pairs=pairs)

    def read(self, found: Mapping[str, int], around_of: Any) -> tuple[StandingSettlement, ...]:
        """The settlements of these refs as they stand, in the order of `found`."""
        standing: list[StandingSettlement] = []
        for page in in_pages(list(found.items())):
            standing += self._read_page(page, around_of)
        return tuple(standing)

    def receivable_lines(self, moves: Sequence[int]) -> list[Row]:
        """The receivable lines of these moves."""
        return self._odoo.rows(
            "account.move.line",
            [("move_id", "in", list(moves)), *_RECEIVABLE],
            ["move_id", "account_id", "currency_id", "amount_currency"],
        )

    def _read_page(
        self, page: Sequence[tuple[str, int]], around_of: Any
    ) -> list[StandingSettlement]:
        domain = [("id", "in", [move for _, move in page]), ("move_type", "=", "entry")]
        rows = {row["id"]: row for row in self._odoo.rows(MOVE, domain, ENTRY_FIELDS)}
        lines: dict[int, list[Row]] = {}
        for line in self.receivable_lines(list(rows)):
            lines.setdefault(line["move_id"][0], []).append(line)
        matched = self._matched([line for some in lines.values() for line in some])
        around: Around = around_of(rows.values(), [])
        return [
            standing_settlement(ref, rows[move], lines.get(move, []), matched.get(move, {}), around)
            for ref, move in page
            if move in rows
        ]

    def _matched(self, lines: Sequence[Row]) -> dict[int, dict[str, int]]:
        """Entry id -> document ref -> how much of the entry is matched to it, minor units."""
        ours = {line["id"]: line for line in lines}
        ids = list(ours)
        partials = self._odoo.rows(
            "account.partial.reconcile",
            ["|", ("debit_move_id", "in", ids), ("credit_move_id", "in", ids)],
            ["debit_move_id", "credit_move_id", "debit_amount_currency", "credit_amount_currency"],
        )
        pairs = [pair for row in partials for pair in _both_ways(row) if pair[0] in ours]
        others = self._odoo.rows(
            "account.move.line", [("id", "in", [other for _, other, _ in pairs])], ["move_id"]
        )
        moves = {row["id"]: row["move_id"][0] for row in others}
        found = self._batches.find(MOVE, ids=sorted(set(moves.values()))) if moves else []
        refs = {move: ref for ref, _, move in found}
        matched: dict[int, dict[str, int]] = {}
        for line, other, amount in pairs:
            ref = refs.get(moves[other])
            if ref is not None:
                entry = ours[line]
                by_ref = matched.setdefault(entry["move_id"][0], {})
                taken = minor(amount, str(entry["currency_id"][1]))
                by_ref[ref] = by_ref.get(ref, 0) + taken
        return matched

    def _row(
        self, each: Settlement, partners: Mapping[str, int], receivables: Mapping[str, int]
    ) -> dict[str, Any]:
        ours = {
            SOURCE_REF: each.ref,
            "invoice_origin": each.document,
            "x_fc_content_hash": each.content_hash,
        }
        through_bank = each.method in (Method.PAYMENT, Method.OFF_PLATFORM)
        plain = {
            "partner_id": partners[each.partner],
            "date": each.date.isoformat(),
            "currency_id": self._chart.currency(each.currency),
            "journal_id": self._chart.journal(journal_of(each.method, self._chart.settings)),
        }
        account = receivables[each.document]
        values = (
            plain | self._payment(each, account)
            if through_bank
            else plain | ours | self._entry(each, partners[each.partner], account)
        )
        return {
            "name": xml_name(each.ref),
            "model": PAYMENT if through_bank else MOVE,
            "values": values,
            "date": each.date.isoformat(),
            # The fields are the entry's, which a payment makes only when it is posted.
            "entry": ours if through_bank else {},
        }

    def _payment(self, each: Settlement, receivable: int) -> dict[str, Any]:
        kind = "inbound" if each.kind is Kind.INVOICE else "outbound"
        lines = self._chart.lines.get(journal_of(each.method, self._chart.settings), ())
        manual = [line["id"] for line in lines if line["payment_type"] == kind]
        return {
            "payment_type": kind,
            "partner_type": "customer",
            "amount": major_text(each.amount, each.currency),
            "memo": each.memo,
            "destination_account_id": receivable,
            "payment_method_line_id": manual[0] if manual else False,
        }

    def _entry(self, each: Settlement, partner: int, receivable: int) -> dict[str, Any]:
        credit = self._chart.account(self._chart.settings.accounts.customer_credit.code)
        amount = direction(each.kind) * each.amount
        sides = [(receivable, -amount), (credit, amount)]
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


def assert_settleable(each: Settlement, move: StandingMove | None) -> None:
    """Raises NotPrepared or ContractBreach unless `move` is posted and of the settlement's sort."""
    tried = f"settling {each.document} by {each.ref}"
    if move is None:
        raise NotPrepared(tried, "the document is not in Odoo", remedy="fcb sync")
    if move.state is not MoveState.POSTED:
        raise NotPrepared(tried, f"the document is {move.state.value}", remedy="fcb post")
    document = move.document
    if (each.currency, each.kind) != (document.currency, document.kind):
        raise ContractBreach(
            tried,
            f"it is of a {each.kind.value} in {each.currency}, the document is of kind "
            f"{document.kind.value} in {document.currency}",
        )


def is_loose(standing: StandingSettlement) -> bool:
    """Whether it is posted and not wholly matched to its document."""
    return standing.state is MoveState.POSTED and standing.reconciled < standing.settlement.amount


def by_document(settlements: Sequence[Settlement]) -> Iterable[Sequence[Settlement]]:
    """Batches in which all settlements of a document come together."""
    rank = {ref: place for place, ref in enumerate(dict.fromkeys(s.document for s in settlements))}
    return in_pages(sorted(settlements, key=lambda each: rank[each.document]), BATCH)


def _both_ways(row: Row) -> tuple[tuple[int, int, object], ...]:
    """(line, the line it is matched with, the amount in the first one's currency), twice."""
    debit, credit = row["debit_move_id"][0], row["credit_move_id"][0]
    return (
        (debit, credit, row["debit_amount_currency"]),
        (credit, debit, row["credit_amount_currency"]),
    )
