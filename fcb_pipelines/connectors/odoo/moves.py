"""Customer invoices and credit notes in Odoo: written as drafts, posted, read back."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from fcb_pipelines.connectors.failures import Refusal
from fcb_pipelines.connectors.odoo.action import Batches, ref_of, xml_name
from fcb_pipelines.connectors.odoo.chart import Chart
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import (
    CONTENT_HASH,
    DOCUMENT_REF,
    REVERSES_REF,
    SOURCE_HASH,
    SOURCE_REF,
)
from fcb_pipelines.connectors.odoo.reading import (
    LINE_FIELDS,
    LINE_LINKS,
    MOVE_FIELDS,
    Lookups,
    ledger_move,
    listed_move,
    minor,
)
from fcb_pipelines.connectors.stopping import stop_if_asked
from fcb_pipelines.core.codes import ExceptionCode, Kind
from fcb_pipelines.core.documents.taxes import allowance, taxed_lines
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, ListedMove
from fcb_pipelines.core.money import exponent, to_major
from fcb_pipelines.core.refs import is_correction

MOVE = "account.move"
# A read answers this many moves a call, so that an answer stays a few megabytes.
PAGE = 1000
# One transaction each: all of a batch is written or none of it.
BATCH = 200

Item = TypeVar("Item")
LookupsOf = Callable[[Iterable[Row], Iterable[Row]], Lookups]
"""The values needed to read these moves and lines."""


def in_pages(items: Sequence[Item], size: int = PAGE) -> Iterator[Sequence[Item]]:
    """`items`, so many at a time; work may be stopped between two pages."""
    for start in range(0, len(items), size):
        stop_if_asked()
        yield items[start : start + size]


class Moves:
    """The documents of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, batches: Batches, chart: Chart, residue: int) -> None:
        self._odoo = odoo
        self._batches = batches
        self._chart = chart
        self._residue = residue

    def find(self, refs: Collection[str] | None, of: Collection[str] = ()) -> dict[str, int]:
        """ref -> id of the moves that exist; entries of settlements may be among them.

        Moves with these refs come first, in their order, then those that reverse the documents `of`.
        `refs` None: all of ours.
        """
        wanted = None if refs is None else list(dict.fromkeys(refs))
        found = {ref: id_ for ref, _, id_ in self._batches.find(MOVE, refs=wanted, of=of)}
        return {ref: found[ref] for ref in (*(wanted or ()), *found) if ref in found}

    def rows(self, ids: Sequence[int]) -> dict[int, Row]:
        """Move id -> row, for the customer invoices and credit notes among these moves."""
        domain = [("id", "in", list(ids)), ("move_type", "in", ["out_invoice", "out_refund"])]
        return {row["id"]: row for row in self._odoo.rows(MOVE, domain, MOVE_FIELDS)} if ids else {}

    def listed(self) -> tuple[ListedMove, ...]:
        """All of our moves in short."""
        return tuple(
            listed_move(ref, rows[id_])
            for page in in_pages(list(self.find(None).items()))
            for rows in [self.rows([id_ for _, id_ in page])]
            for ref, id_ in page
            if id_ in rows
        )

    def lines(self, ids: Sequence[int]) -> dict[int, list[Row]]:
        """The lines of these moves, in their order."""
        found: dict[int, list[Row]] = {}
        domain = [("move_id", "in", list(ids))]
        for line in self._odoo.nameless(
            "account.move.line", domain, LINE_FIELDS, LINE_LINKS, order="move_id, sequence, id"
        ):
            found.setdefault(line["move_id"][0], []).append(line)
        return found

    def reversed_whole(self, rows: Mapping[int, Row]) -> set[int]:
        """The moves of `rows` that only credit notes settle.

        Odoo's own `reversed` includes moves that entries settle in part.
        """
        reversed_moves = [
            move
            for move, row in rows.items()
            if (row["payment_state"], row["move_type"]) == ("reversed", "out_invoice")
        ]
        if not reversed_moves:
            return set()
        # An exchange difference takes nothing off in the document's own currency.
        otherwise = self._odoo.rows(
            "account.partial.reconcile",
            [("debit_move_id.move_id", "in", reversed_moves), ("debit_amount_currency", "!=", 0),
             ("credit_move_id.move_id.move_type", "!=", "out_refund")],
            ["debit_move_id"],
        )  # fmt: skip
        lines = [row["debit_move_id"][0] for row in otherwise]
        found = self._odoo.rows("account.move.line", [("id", "in", lines)], ["move_id"])
        return set(reversed_moves) - {row["move_id"][0] for row in found}

    def open_entries(self, refs: Collection[str]) -> dict[str, dict[int, int]]:
        """Document -> open amount of our entries that settle it, by direction, minor units.

        Direction 1 is owed by the customer, -1 is owed to the customer.
        """
        domain = [
            ("move_id." + DOCUMENT_REF, "in", list(refs)),
            ("move_id." + SOURCE_REF, "!=", False),
            ("account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
        ]
        fields = ["move_id", "currency_id", "amount_residual_currency"]
        lines = self._odoo.rows("account.move.line", domain, fields) if refs else []
        entries = [("id", "in", sorted({line["move_id"][0] for line in lines}))]
        rows = self._odoo.rows(MOVE, entries, [DOCUMENT_REF]) if lines else []
        document = {row["id"]: row[DOCUMENT_REF] for row in rows}
        found: dict[str, dict[int, int]] = {}
        for line in lines:
            amount = minor(line["amount_residual_currency"], str(line["currency_id"][1]))
            sums = found.setdefault(document[line["move_id"][0]], {1: 0, -1: 0})
            sums[1 if amount > 0 else -1] += abs(amount)
        return found

    def write(
        self,
        documents: Sequence[LedgerDocument],
        partners: Mapping[str, int],
        replaced: Sequence[int],
    ) -> tuple[Refusal, ...]:
        """Create a draft of each, with its external id, in one transaction; delete `replaced` drafts.

        Returns the documents that were refused because Odoo computes another tax or net amount.
        """
        if not documents:
            return ()
        rows = [self._row(document, partners[document.partner]) for document in documents]
        answer = self._batches.run("drafts", rows=rows, replace=list(replaced))
        known = {document.ref: document for document in documents}
        return tuple(_refusal(row, known, self._chart) for row in answer["refused"])

    def post(self, moves: Mapping[int, str], kinds: Mapping[str, Kind]) -> None:
        """Post these moves, each on its date; none of them where Odoo would move a date.

        `kinds` has the kind of each by ref.
        """
        # A correction's own kind is not that of the document at the source.
        notes = self._batches.notes_of(
            {ref: ("" if is_correction(ref) else ref, kind) for ref, kind in kinds.items()}
        )
        self._batches.run("post", rows=[[move, day] for move, day in moves.items()], notes=notes)

    def _row(self, document: LedgerDocument, partner: int) -> dict[str, Any]:
        sign = -document.kind.sign
        return {
            "name": xml_name(document.ref),
            "values": self._values(document, partner),
            "decimals": exponent(document.currency),
            # Taxes billed at zero are included: Odoo computes them, perhaps as one minor unit.
            "allowed": [
                [self._chart.tax(key), allowance(lines, self._residue)]
                for key, lines in sorted(taxed_lines(document.lines).items())
            ],
            "net": document.net,
            "total": document.total,
            "taxes": [[self._chart.tax(tax.key), sign * tax.amount] for tax in document.taxes],
        }

    def _values(self, document: LedgerDocument, partner: int) -> dict[str, Any]:
        kind = "out_invoice" if document.kind is Kind.INVOICE else "out_refund"
        sales = self._chart.settings.journals.sales
        return {
            "move_type": kind,
            "journal_id": self._chart.journal(sales.code),
            "partner_id": partner,
            # Explicitly none: the partner's present province must not re-map the billed taxes, nor its
            # payment terms split the receivable.
            "fiscal_position_id": False,
            "invoice_payment_term_id": False,
            "invoice_date": document.date.isoformat(),
            "invoice_date_due": document.date.isoformat(),
            "date": document.date.isoformat(),
            "currency_id": self._chart.currency(document.currency),
            "ref": document.number,
            # What a customer pays by, and what the list of drafts shows before Odoo has a number.
            "payment_reference": document.number,
            SOURCE_REF: document.ref,
            "x_fc_nexacloud_invoice_id": document.nexacloud_invoice_id or False,
            "x_fc_stripe_invoice_id": document.stripe_invoice_id or False,
            CONTENT_HASH: document.content_hash,
            SOURCE_HASH: document.source_hash or False,
            REVERSES_REF: document.reverses or False,
            "invoice_line_ids": [
                [0, 0, {
                    "sequence": 10 * number,
                    "name": line.description,
                    "quantity": str(line.quantity),
                    "price_unit": str(line.unit_price),
                    "account_id": self._chart.account(line.account),
                    "tax_ids": [[6, 0, self._chart.tax_ids(line.taxes)]],
                }]
                for number, line in enumerate(document.lines, start=1)
            ],
        }  # fmt: skip


def read_moves(
    moves: Moves, found: Mapping[str, int], lookups_of: LookupsOf
) -> tuple[LedgerMove, ...]:
    """The moves of `found` (ref -> id), read page by page, in its order."""
    ledger_state: list[LedgerMove] = []
    for page in in_pages(list(found.items())):
        rows = moves.rows([move for _, move in page])
        lines = moves.lines(list(rows))
        lookups = lookups_of(rows.values(), _flat(lines.values()))
        reversed_whole = moves.reversed_whole(rows)
        open_entries = moves.open_entries([ref for ref, move in page if move in rows])
        ledger_state += [
            ledger_move(
                ref,
                rows[move],
                lines.get(move, []),
                lookups,
                reversed_whole=move in reversed_whole,
                open_entries=open_entries.get(ref, {}),
            )
            for ref, move in page
            if move in rows
        ]
    return tuple(ledger_state)


def _flat(lines: Iterable[Sequence[Row]]) -> list[Row]:
    return [line for some in lines for line in some]


def _refusal(row: Mapping[str, Any], known: Mapping[str, LedgerDocument], chart: Chart) -> Refusal:
    document = known[ref_of(row["name"])]
    sign = -document.kind.sign
    differences = [
        f"{chart.keys([tax])[0]} billed {sign * billed}, Odoo computes {sign * computed}"
        for tax, computed, billed in row["taxes"]
    ]
    if row["net"] != document.net:
        differences.append(f"net billed {document.net}, Odoo computes {row['net']}")
    return Refusal(ref=document.ref, code=ExceptionCode.TAX_MISMATCH, detail=", ".join(differences))


def major_text(amount: int, currency: str) -> str:
    """Minor units as the text of a number, as Odoo takes it."""
    return f"{to_major(amount, currency):f}"
