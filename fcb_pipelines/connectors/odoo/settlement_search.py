"""Search for settlements in Odoo, by their refs or by their documents."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.connectors.odoo.action import Batches
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import CONTENT_HASH, DOCUMENT_REF, SOURCE_REF
from fcb_pipelines.connectors.odoo.moves import LookupsOf, in_pages
from fcb_pipelines.connectors.odoo.reading import minor, text
from fcb_pipelines.connectors.odoo.settlement_reading import (
    ENTRY_FIELDS,
    LINKS,
    SIDE_FIELDS,
    Matched,
    ledger_allocation,
    ledger_settlement,
)
from fcb_pipelines.connectors.odoo.settlements import MATCHING, MOVE, PAYMENT
from fcb_pipelines.core.ledger.moves import LedgerSettlement

_LINES = "account.move.line"
_LINE_FIELDS = ("move_id", "account_id", "account_type", "currency_id", "amount_currency")
_PAIR_FIELDS = (
    "debit_move_id", "credit_move_id", "debit_amount_currency", "credit_amount_currency",
    SOURCE_REF, CONTENT_HASH, "x_fc_date", "x_fc_memo",
)  # fmt: skip
_PAIR_LINKS = _PAIR_FIELDS[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A matching seen from one line: the move on the other side, and the amount in the line's currency.

    `allocation` is the ref of the allocation that the matching stands for.
    """

    line: int
    other: int
    name: str
    amount: float
    allocation: str | None


class SettlementSearch:
    """Reads the settlements of one company, through one connection."""

    def __init__(self, odoo: OdooConnection, batches: Batches, lookups_of: LookupsOf) -> None:
        self._odoo = odoo
        self._batches = batches
        self._lookups_of = lookups_of

    def read(
        self, refs: Collection[str] | None, of: Collection[str] = ()
    ) -> tuple[LedgerSettlement, ...]:
        """Settlements with these refs, in their order, then those of the documents `of`; or all."""
        wanted = None if refs is None else list(dict.fromkeys(refs))
        found = self._batches.find(PAYMENT, MOVE, MATCHING, refs=wanted, of=list(of))
        by_model: dict[str, dict[str, int]] = {PAYMENT: {}, MOVE: {}, MATCHING: {}}
        for ref, model, id_ in found:
            by_model[model][ref] = id_
        entries = by_model[MOVE] | self._entries_of(by_model[PAYMENT])
        ledger_state: dict[str, LedgerSettlement] = {}
        for page in in_pages(list(entries.items())):
            ledger_state |= {each.ref: each for each in self._entries(dict(page))}
        for page in in_pages(list(by_model[MATCHING].items())):
            ledger_state |= {each.ref: each for each in self._allocations(dict(page))}
        order = dict.fromkeys([*(wanted or ()), *(ref for ref, _, _ in found)])
        return tuple(ledger_state[ref] for ref in order if ref in ledger_state)

    def entries(self, settlements: Iterable[LedgerSettlement]) -> dict[str, int]:
        """ref -> id of the entry."""
        return {each.ref: int(each.move_id) for each in settlements}

    def _entries_of(self, payments: Mapping[str, int]) -> dict[str, int]:
        """ref -> id of the payment's entry."""
        moves: dict[int, int] = {}
        for page in in_pages(sorted(payments.values())):
            rows = self._odoo.rows(PAYMENT, [("id", "in", list(page))], ["move_id"])
            moves |= {row["id"]: row["move_id"][0] for row in rows if row["move_id"]}
        return {ref: moves[id_] for ref, id_ in payments.items() if id_ in moves}

    def _entries(self, page: Mapping[str, int]) -> Iterable[LedgerSettlement]:
        # Documents and shared receipts are among them: they are no settlement of a document.
        domain = [("id", "in", list(page.values())), ("move_type", "=", "entry"),
                  (DOCUMENT_REF, "!=", False)]  # fmt: skip
        rows = {row["id"]: row for row in self._odoo.nameless(MOVE, domain, ENTRY_FIELDS, LINKS)}
        lines: dict[int, list[Row]] = {}
        for line in self._odoo.rows(_LINES, [("move_id", "in", list(rows))], _LINE_FIELDS):
            lines.setdefault(line["move_id"][0], []).append(line)
        flat = [line for some in lines.values() for line in some]
        matched = self._matched(rows, flat)
        lookups = self._lookups_of(rows.values(), flat)
        return [
            ledger_settlement(
                ref, rows[move], lines.get(move, []), matched.get(move, Matched()), lookups
            )
            for ref, move in page.items()
            if move in rows
        ]

    def _matched(self, rows: Mapping[int, Row], lines: Iterable[Row]) -> dict[int, Matched]:
        """Entry id -> how it is matched with its document or with another entry of it."""
        ours = {line["id"]: line for line in lines if line["account_type"] == "asset_receivable"}
        pairs = self._pairs(ours)
        settles = self._settled_by({pair.other for pair in pairs})
        whole: dict[int, int] = defaultdict(int)
        for line in ours.values():
            whole[line["move_id"][0]] += abs(_minor(line["amount_currency"], line))
        amounts: dict[int, int] = defaultdict(int)
        elsewhere: dict[int, list[str]] = defaultdict(list)
        for pair in pairs:
            entry = ours[pair.line]["move_id"][0]
            beside = settles.get(pair.other) == rows[entry][DOCUMENT_REF]
            # An undone allocation is matched with the entry that undid it, not with the document.
            if beside or (pair.allocation and pair.allocation == rows[entry]["x_fc_undoes"]):
                amounts[entry] += _minor(pair.amount, ours[pair.line])
            elif pair.amount:
                elsewhere[entry].append(pair.name)
        free = [entry for entry in whole if amounts[entry] < whole[entry]]
        instead = self._instead({rows[entry][DOCUMENT_REF] for entry in free})
        return {
            entry: Matched(
                amount=amounts[entry],
                elsewhere=tuple(elsewhere[entry]),
                instead=instead.get(rows[entry][DOCUMENT_REF], ()) if entry in free else (),
            )
            for entry in whole
        }

    def _instead(self, refs: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Document ref -> the names of the moves that settle it and are not ours to settle it."""
        if not refs:
            return {}
        domain = [(SOURCE_REF, "in", sorted(refs)), ("move_type", "!=", "entry")]
        rows = self._odoo.rows(MOVE, domain, [SOURCE_REF])
        documents = {row["id"]: row[SOURCE_REF] for row in rows}
        receivable = [("move_id", "in", list(documents)), ("account_type", "=", "asset_receivable")]
        lines = self._odoo.rows(_LINES, receivable, ["move_id"]) if rows else []
        owner = {row["id"]: documents[row["move_id"][0]] for row in lines}
        # An allocation of ours names itself; an exchange difference takes nothing off here.
        pairs = [pair for pair in self._pairs(owner) if pair.amount and not pair.allocation]
        settles = self._settled_by({pair.other for pair in pairs})
        found: dict[str, tuple[str, ...]] = {}
        for pair in pairs:
            if settles.get(pair.other) != (ref := owner[pair.line]):
                found[ref] = (*found.get(ref, ()), pair.name)
        return found

    def _pairs(self, lines: Collection[int]) -> list[_Pair]:
        """The matchings of these lines, each seen from the line."""
        ids = list(lines)
        domain = ["|", ("debit_move_id", "in", ids), ("credit_move_id", "in", ids)]
        fields = _PAIR_FIELDS[:5]
        rows = self._odoo.nameless(MATCHING, domain, fields, _PAIR_LINKS) if ids else []
        seen = [each for row in rows for each in _both_ways(row) if each[0] in lines]
        if not seen:
            return []
        others = {
            row["id"]: row
            for row in self._odoo.nameless(
                _LINES,
                [("id", "in", [other for _, other, _, _ in seen])],
                ["move_id", "move_name"],
                ["move_id"],
            )
        }
        return [
            _Pair(
                line=line,
                other=others[other]["move_id"][0],
                name=str(others[other]["move_name"]),
                amount=amount,
                allocation=text(allocation),
            )
            for line, other, amount, allocation in seen
        ]

    def _settled_by(self, moves: Collection[int]) -> dict[int, str]:
        """Move id of ours -> ref of the document that it is or settles."""
        domain = [("id", "in", sorted(moves)), (SOURCE_REF, "!=", False)]
        rows = self._odoo.rows(MOVE, domain, [SOURCE_REF, DOCUMENT_REF]) if moves else []
        return {row["id"]: row[DOCUMENT_REF] or row[SOURCE_REF] for row in rows}

    def _allocations(self, page: Mapping[str, int]) -> Iterable[LedgerSettlement]:
        pairs = {
            row["id"]: row
            for row in self._odoo.nameless(
                MATCHING, [("id", "in", list(page.values()))], _PAIR_FIELDS, _PAIR_LINKS
            )
        }
        lines = self._odoo.rows(
            _LINES,
            [("id", "in", [row[side][0] for row in pairs.values() for side in _PAIR_FIELDS[:2]])],
            _LINE_FIELDS,
        )
        moves = {
            row["id"]: row
            for row in self._odoo.nameless(
                MOVE, [("id", "in", [line["move_id"][0] for line in lines])], SIDE_FIELDS, LINKS
            )
        }
        sides = {line["id"]: (line, moves[line["move_id"][0]]) for line in lines}
        lookups = self._lookups_of(moves.values(), [])
        found = [
            ledger_allocation(
                ref,
                pairs[id_],
                sides[pairs[id_]["debit_move_id"][0]],
                sides[pairs[id_]["credit_move_id"][0]],
                lookups,
            )
            for ref, id_ in page.items()
            if id_ in pairs
        ]
        return [each for each in found if each is not None]


def _minor(amount: float, line: Row) -> int:
    return minor(amount, str(line["currency_id"][1]))


def _both_ways(row: Row) -> Sequence[tuple[int, int, float, object]]:
    """(line, the line it is matched with, the amount in its currency, the allocation), twice."""
    debit, credit = row["debit_move_id"][0], row["credit_move_id"][0]
    return (
        (debit, credit, row["debit_amount_currency"], row[SOURCE_REF]),
        (credit, debit, row["credit_amount_currency"], row[SOURCE_REF]),
    )
