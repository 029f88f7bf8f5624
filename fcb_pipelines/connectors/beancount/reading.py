"""Our records in Beancount's entries, as the port's values.

Every answer is read from the entries just loaded, with a person's changes, and kept as long as they are.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from fcb_pipelines.connectors.beancount.chart import Chart, read_chart
from fcb_pipelines.connectors.beancount.entries import (
    EntryReader,
    kind_of,
    minor,
    settles,
    state_of,
    text,
)
from fcb_pipelines.connectors.beancount.loading import Loaded, is_our_balance
from fcb_pipelines.connectors.beancount.partner_entry import PartnerEntry
from fcb_pipelines.connectors.beancount.text import link_of
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    LedgerMove,
    LedgerSettlement,
    MoveState,
    PaymentState,
)
from fcb_pipelines.core.settlements.matching import Claim, Matching, match


class Records:
    """The records found in one load of the books, by external id.

    Of a load of a part, only the answers are right that the part was loaded for.
    """

    def __init__(self, loaded: Loaded, settings: Settings) -> None:
        entries = loaded.entries
        self.chart: Chart = read_chart(entries)
        self.accounts = {entry.account for entry in entries if type(entry).__name__ == "Open"}
        self.documents: dict[str, Any] = {}
        self.settlements: dict[str, Any] = {}
        self.receipts: dict[str, Any] = {}
        self.cash: dict[str, Any] = {}
        self.statements: dict[str, Any] = {}
        self.balances_stated: list[Any] = []
        self.undone: set[str] = set()
        self.currencies: list[str] = []
        self.identity: str | None = None
        self.locks: list[tuple[str, date]] = []
        self.partners: dict[str, PartnerEntry] = {}
        self._links: dict[str, str] = {}
        self.title = loaded.title
        self.operating_currency = loaded.operating_currency
        self._loaded = loaded
        self._reader = EntryReader(chart=self.chart, settings=settings)
        self.foreign: list[tuple[Any, Any]] = []
        self._settling: dict[str, list[tuple[Any, Any]]] = {}
        self._beside: dict[str, list[str]] = {}
        self._reversing: dict[str, list[str]] = {}
        self._matchings: dict[str, Matching] = {}
        self._moves: dict[str, LedgerMove] = {}
        self._entries: dict[str, LedgerSettlement | None] = {}
        for entry in entries:
            self._take(entry)
        for link, partner_id in self._links.items():
            if partner_id in self.partners:
                known = self.partners[partner_id]
                self.partners[partner_id] = replace(known, links=(*known.links, link))

    def place(self, entry: Any) -> tuple[str, int]:
        """The file (relative to the books) and the line where an entry begins."""
        return self._loaded.place(entry.meta)

    def named_place(self, entry: Any) -> str:
        """The place of an entry as a text: `main.beancount:12`."""
        return ":".join(map(str, self.place(entry)))

    def named(self, entry: Any) -> str:
        """The external id of an entry; of a person's, which has none, its place in the files."""
        return text(entry.meta, "external_id") or self.named_place(entry)

    def transactions(self) -> Iterable[Any]:
        """All entries that were loaded, also those that are not ours, in date order."""
        return (each for each in self._loaded.entries if type(each).__name__ == "Transaction")

    def state(self, ref: str) -> MoveState:
        """The state of the document or shared receipt of this ref; NONE when it is absent."""
        entry = self._holder(ref)
        return state_of(entry) if entry is not None else MoveState.NONE

    def locked_to(self, kind: str) -> date | None:
        """The latest lock of this kind (`invoices`, `payments`); a lock of `all` is of every kind."""
        return max((day for locked, day in self.locks if locked in (kind, "all")), default=None)

    def partner(self, link: str) -> PartnerEntry | None:
        """The partner that carries this link."""
        return self.partners.get(self._links.get(link, ""))

    def beside(self, refs: Iterable[str]) -> tuple[str, ...]:
        """The settlements that settle or draw on one of these documents or receipts."""
        return tuple(dict.fromkeys(found for ref in refs for found in self._beside.get(ref, ())))

    def reversing(self, refs: Iterable[str]) -> tuple[str, ...]:
        """The documents that reverse one of these."""
        return tuple(dict.fromkeys(found for ref in refs for found in self._reversing.get(ref, ())))

    def move(self, ref: str) -> LedgerMove:
        """The document of this ref, with its residual; read once. Raises KeyError for an unknown ref."""
        if ref not in self._moves:
            self._moves[ref] = self._move(ref)
        return self._moves[ref]

    def settlement(self, ref: str) -> LedgerSettlement | None:
        """The settlement of this ref, read once; None for an allocation that matches nothing."""
        if ref not in self._entries:
            self._entries[ref] = self._settlement(ref)
        return self._entries[ref]

    def _move(self, ref: str) -> LedgerMove:
        entry = self.documents[ref]
        document = self._reader.document(ref, entry)
        partner = self.partner(document.partner)
        matching = self.matching(ref)
        return LedgerMove(
            ref=ref,
            move_id=ref,
            state=state_of(entry),
            payment_state=self._payment_state(document, state_of(entry), matching),
            document=document if partner else replace(document, partner=""),
            partner_links=partner.links if partner else (),
            accounting_date=entry.date,
            residual=matching.residual + matching.put_back,
            stored_hash=text(entry.meta, "content_hash") or None,
            stored_source_hash=document.source_hash,
            put_back=matching.put_back,
            ledger_number=link_of(ref) if state_of(entry) is MoveState.POSTED else "",
        )

    def _settlement(self, ref: str) -> LedgerSettlement | None:
        entry = self.settlements[ref]
        found = self._reader.settlement(ref, entry)
        state = state_of(entry)
        if found.is_allocation and state is MoveState.POSTED and not self._matches(entry):
            return None
        shared = found.drawn_on if found.drawn_on in self.receipts else None
        return LedgerSettlement(
            ref=ref,
            move_id=ref,
            state=state,
            settlement=replace(
                found,
                partner=found.partner if self.partner(found.partner) else "",
                receipt=self.receipt(shared).amount if shared else None,
            ),
            reconciled=self._reconciled(found) if state is MoveState.POSTED else 0,
            stored_hash=text(entry.meta, "content_hash") or None,
            instead=self._instead(found) if state is MoveState.POSTED else (),
        )

    def receipt(self, ref: str) -> Settlement:
        """The shared receipt of this ref: a settlement of no document."""
        return self._reader.settlement(ref, self.receipts[ref])

    def matching(self, ref: str) -> Matching:
        """The matching of a document or shared receipt; empty where it is not posted.

        An entry on account is matched only with the entry that it undoes, or that undoes it.
        """
        if ref not in self._matchings:
            entry = self._holder(ref)
            if entry is None:
                claims = list(self._claims(ref))
                undone = {claim.undoes for claim in claims}
                pairs = [claim for claim in claims if claim.undoes or claim.ref in undone]
                return self._matchings.setdefault(ref, match(0, pairs))
            own = [each for each in entry.postings if self._reader.is_receivable(each)]
            posted = state_of(entry) is MoveState.POSTED
            total = self._side(ref) * sum(map(minor, own))
            self._matchings[ref] = match(total, self._claims(ref) if posted else ())
        return self._matchings[ref]

    def balances(self) -> dict[tuple[str, str], int]:
        """(account code, currency) -> balance over our posted entries, minor units; no zeros."""
        found: dict[tuple[str, str], int] = {}
        ours = (self.documents, self.settlements, self.receipts, self.cash)
        for entry in (each for records in ours for each in records.values()):
            if state_of(entry) is not MoveState.POSTED:
                continue
            for posting in entry.postings:
                key = self.chart.code(posting.account), posting.units.currency
                found[key] = found.get(key, 0) + minor(posting)
        return {key: balance for key, balance in sorted(found.items()) if balance}

    # --- taking in -----------------------------------------------------------------------------

    def _take(self, entry: Any) -> None:
        directive = type(entry).__name__
        if directive == "Transaction":
            self._take_transaction(entry)
        elif directive == "Commodity":
            self.currencies.append(entry.currency)
        elif directive == "Custom":
            self._take_custom(entry, [value.value for value in entry.values])
        elif directive == "Note" and text(entry.meta, "record") == "statement":
            self.statements[text(entry.meta, "external_id")] = entry
        elif is_our_balance(entry):
            self.balances_stated.append(entry)

    def _take_transaction(self, entry: Any) -> None:
        ref = text(entry.meta, "external_id")
        records = {
            "settlement": self.settlements,
            "receipt": self.receipts,
            "cash": self.cash,
        }
        if ref:
            records.get(text(entry.meta, "record"), self.documents)[ref] = entry
        settled = [(settles(each), each) for each in entry.postings]
        for target, posting in settled:
            if not ref and not target and entry.flag == "*" and self._reader.is_receivable(posting):
                self.foreign.append((entry, posting))
            if target and entry.flag == "*" and self._reader.is_receivable(posting):
                self._settling.setdefault(target, []).append((entry, posting))
        reversed_ = text(entry.meta, "reverses")
        if ref in self.documents and reversed_:
            self._reversing.setdefault(reversed_, []).append(ref)
        if ref in self.settlements:
            self.undone.add(text(entry.meta, "undoes"))
            names = (text(entry.meta, "document"), text(entry.meta, "drawn_on"))
            for name in {*names, *(target for target, _ in settled)} - {""}:
                self._beside.setdefault(name, []).append(ref)

    def _take_custom(self, entry: Any, values: list[Any]) -> None:
        if entry.type == "books" and values:
            self.identity = str(values[0])
        elif entry.type == "lock_date":
            self.locks.append((str(values[0]) if values else "all", entry.date))
        elif entry.type == "partner" and values:
            identity = str(values[0])
            self.partners[identity] = PartnerEntry(entry=entry, partner_id=identity, links=())
        elif entry.type == "partner_link" and len(values) > 1:
            self._links[str(values[1])] = str(values[0])

    # --- what is matched -----------------------------------------------------------------------

    def _reconciled(self, settlement: Settlement) -> int:
        if not settlement.method.touches_receivable:
            return settlement.amount
        named = filter(None, (settlement.document, settlement.drawn_on))
        found = [self.matching(ref) for ref in named]
        return min((each.of.get(settlement.ref, 0) for each in found), key=abs, default=0)

    def _instead(self, settlement: Settlement) -> tuple[str, ...]:
        """The entries that settle its document and are not ours: their places."""
        if abs(self._reconciled(settlement)) >= abs(settlement.amount):
            return ()
        others = self.matching(settlement.document).settled_by - self.settlements.keys()
        return tuple(sorted(others))

    def _holder(self, ref: str) -> Any:
        return self.documents.get(ref) or self.receipts.get(ref)

    def _side(self, ref: str) -> int:
        """The sign of a document's or shared receipt's own amount on the receivable."""
        # A receipt is on the other side of the receivable than its documents.
        return kind_of(self._holder(ref)).sign * (-1 if ref in self.receipts else 1)

    def _claims(self, ref: str) -> Iterable[Claim]:
        """The amounts that posted entries take off this document or shared receipt."""
        holder = self._holder(ref)
        held = {posting.units.currency for posting in holder.postings} if holder else set()
        claims: dict[str, Claim] = {}
        for entry, posting in self._settling.get(ref, ()):
            allocation = bool(text(entry.meta, "drawn_on"))
            foreign = holder is not None and posting.units.currency not in held
            sign = self._side(ref) if holder else kind_of(entry).sign
            if foreign or (allocation and not self._matches(entry)):
                continue
            name = self.named(entry)
            before = claims[name].amount if name in claims else 0
            claims[name] = Claim(
                ref=name,
                date=entry.date,
                amount=before - sign * minor(posting),
                allocation=allocation,
                undoes=text(entry.meta, "undoes") or None,
            )
        return claims.values()

    def _matches(self, entry: Any) -> bool:
        """Whether an allocation has both its lines, and both named documents or receipts are posted."""
        named = {settles(each) for each in entry.postings if self._reader.is_receivable(each)}
        both = len(named) == 2 and text(entry.meta, "drawn_on") in named
        return both and all(self.state(ref) is MoveState.POSTED for ref in named)

    def _payment_state(
        self, document: LedgerDocument, state: MoveState, matching: Matching
    ) -> PaymentState:
        if state is not MoveState.POSTED:
            return PaymentState.NOT_PAID
        if matching.residual:
            whole = matching.residual == document.total
            return PaymentState.NOT_PAID if whole else PaymentState.PARTIAL
        credited = matching.settled_by and all(map(self._is_credit, matching.settled_by))
        if credited and document.kind is Kind.INVOICE:
            return PaymentState.REVERSED
        return PaymentState.PAID

    def _is_credit(self, ref: str) -> bool:
        """Whether a claim is an allocation of a credit note."""
        entry = self.settlements.get(ref)
        return entry is not None and text(entry.meta, "drawn_on") in self.documents
