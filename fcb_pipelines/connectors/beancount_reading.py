"""Our records as they stand in Beancount's entries, told in the port's values.

Nothing is remembered: every answer comes from the entries just loaded, so that whatever a person
changed in the file is what is answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from fcb_pipelines.connectors.beancount_books import Loaded
from fcb_pipelines.connectors.beancount_chart import Chart, opened
from fcb_pipelines.connectors.beancount_text import direction
from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.core.documents import DocumentLine, DocumentTax, LedgerDocument, Settlement
from fcb_pipelines.core.facts import Kind, Method
from fcb_pipelines.core.money import InexactAmount, from_major, spread, to_major
from fcb_pipelines.core.standing import (
    MoveState,
    PaymentState,
    StandingMove,
    StandingPartner,
    StandingSettlement,
)

_STATES = {"*": MoveState.POSTED, "!": MoveState.DRAFT}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerEntry:
    """A partner directive: where it stands, its fields as they are, and its links."""

    entry: Any
    partner_id: str
    links: tuple[str, ...]

    def field(self, name: str) -> str | None:
        """A field's text; None when it is empty."""
        value = self.entry.meta.get(name)
        return str(value) if value not in (None, "") else None

    def standing(self) -> StandingPartner:
        """The partner in the port's words."""
        return StandingPartner(
            partner_id=self.partner_id,
            links=self.links,
            name=self.field("name") or "",
            email=self.field("email"),
            stripe_customer_id=self.field("stripe_customer_id"),
        )


class Records:
    """The records found in one load of the books, by external id."""

    def __init__(self, loaded: Loaded, receivable: str) -> None:
        entries = loaded.entries
        self.chart: Chart = opened(entries)
        self.accounts = {entry.account for entry in entries if type(entry).__name__ == "Open"}
        self.documents: dict[str, Any] = {}
        self.settlements: dict[str, Any] = {}
        self.currencies: list[str] = []
        self.identity: str | None = None
        self.locks: list[tuple[str, date]] = []
        self.partners: dict[str, PartnerEntry] = {}
        self._links: dict[str, str] = {}
        self._loaded = loaded
        self._receivable = receivable
        self._settling: dict[str, list[tuple[Any, Decimal, str]]] = {}
        for entry in entries:
            self._take(entry)
        for link, partner_id in self._links.items():
            if partner_id in self.partners:
                known = self.partners[partner_id]
                self.partners[partner_id] = replace(known, links=(*known.links, link))

    def place(self, entry: Any) -> tuple[str, int]:
        """The file (relative to the books) and the line where an entry begins."""
        return self._loaded.place(entry.meta)

    def state(self, ref: str) -> MoveState:
        """The state of the document of this ref; NONE when it is absent."""
        entry = self.documents.get(ref)
        return _state(entry) if entry is not None else MoveState.NONE

    def locked_to(self, kind: str) -> date | None:
        """The latest lock of this kind (`invoices`, `payments`); a lock of `all` is of every kind."""
        return max((day for locked, day in self.locks if locked in (kind, "all")), default=None)

    def partner(self, link: str) -> PartnerEntry | None:
        """The partner that carries this link."""
        return self.partners.get(self._links.get(link, ""))

    def move(self, ref: str) -> StandingMove:
        """The document of this ref as it stands."""
        entry = self.documents[ref]
        document = self._document(ref, entry)
        state = _state(entry)
        residual = document.total - sum(self._allocated(ref).values())
        partner = self.partner(document.partner)
        reversed_by = any("reversal" in by.tags for by, _, _ in self._settling.get(ref, ()))
        return StandingMove(
            ref=ref,
            move_id=ref,
            state=state,
            payment_state=_payment_state(document, residual, state, reversed_by),
            document=document if partner else replace(document, partner=""),
            partner_links=partner.links if partner else (),
            accounting_date=entry.date,
            residual=residual,
            stored_hash=_text(entry.meta, "content_hash") or None,
        )

    def settlement(self, ref: str) -> StandingSettlement:
        """The settlement of this ref as it stands."""
        entry = self.settlements[ref]
        settlement = self._settlement(ref, entry)
        reconciled = 0
        if settlement.document in self.documents:
            reconciled = self._allocated(settlement.document).get(id(entry), 0)
        return StandingSettlement(
            ref=ref,
            move_id=ref,
            state=_state(entry),
            settlement=settlement,
            reconciled=reconciled,
            stored_hash=_text(entry.meta, "content_hash") or None,
        )

    def balances(self) -> dict[tuple[str, str], int]:
        """(account code, currency) -> balance over our posted entries, minor units; no zeros."""
        found: dict[tuple[str, str], int] = {}
        for entry in (*self.documents.values(), *self.settlements.values()):
            if _state(entry) is not MoveState.POSTED:
                continue
            for posting in entry.postings:
                key = self.chart.code(posting.account), posting.units.currency
                found[key] = found.get(key, 0) + _minor(posting)
        return {key: balance for key, balance in sorted(found.items()) if balance}

    def _take(self, entry: Any) -> None:
        directive = type(entry).__name__
        if directive == "Transaction":
            self._take_transaction(entry)
        elif directive == "Commodity":
            self.currencies.append(entry.currency)
        elif directive == "Custom":
            self._take_custom(entry, [value.value for value in entry.values])

    def _take_transaction(self, entry: Any) -> None:
        ref = _text(entry.meta, "external_id")
        if ref:
            is_document = entry.meta.get("record") != "settlement"
            (self.documents if is_document else self.settlements)[ref] = entry
        for posting in entry.postings:
            settled = _text(posting.meta or {}, "settles")
            if settled and entry.flag == "*" and self._is_receivable(posting):
                taken = (entry, posting.units.number, posting.units.currency)
                self._settling.setdefault(settled, []).append(taken)

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

    def _is_receivable(self, posting: Any) -> bool:
        return self.chart.code(posting.account) == self._receivable

    def _allocated(self, ref: str) -> dict[int, int]:
        """How much each posted entry takes off the document: id of the entry -> minor units.

        Earlier entries first, never more than is open: what is paid beyond stays a credit.
        """
        entry = self.documents[ref]
        if _state(entry) is not MoveState.POSTED:
            return {}
        document = self._document(ref, entry)
        open_, sign = document.total, direction(document.kind)
        allocated: dict[int, int] = {}
        for by, number, currency in self._settling.get(ref, ()):
            if currency != document.currency:
                continue
            taken = min(-sign * from_major(number, currency), open_)
            open_ -= taken
            allocated[id(by)] = allocated.get(id(by), 0) + taken
        return allocated

    def _document(self, ref: str, entry: Any) -> LedgerDocument:
        kind = Kind.CREDIT_NOTE if entry.meta.get("kind") == "credit_note" else Kind.INVOICE
        sign = direction(kind)
        rest = [each for each in entry.postings if not self._is_receivable(each)]
        taxes = tuple(_tax(each, sign) for each in rest if _is_tax(each))
        lines = [self._line(each, sign) for each in rest if not _is_tax(each)]
        currencies = {posting.units.currency for posting in entry.postings}
        if len(currencies) != 1:
            raise _breach(entry.meta, f"{ref} has {len(currencies)} currencies")
        return LedgerDocument(
            ref=ref,
            kind=kind,
            number=_text(entry.meta, "number"),
            date=entry.date,
            currency=currencies.pop(),
            partner=_text(entry.meta, "partner"),
            lines=_with_tax_shares(lines, taxes),
            taxes=taxes,
            nexacloud_invoice_id=_text(entry.meta, "nexacloud_invoice_id") or None,
            stripe_invoice_id=_text(entry.meta, "stripe_invoice_id") or None,
        )

    def _line(self, posting: Any, sign: int) -> DocumentLine:
        meta, net = posting.meta or {}, -sign * _minor(posting)
        quantity, price = meta.get("quantity"), meta.get("unit_price")
        if not isinstance(quantity, Decimal) or not isinstance(price, Decimal):
            quantity, price = Decimal(1), to_major(net, posting.units.currency)
        return DocumentLine(
            description=_text(meta, "description"),
            quantity=quantity,
            unit_price=price,
            net=net,
            account=self.chart.code(posting.account),
            family=_text(meta, "family"),
            taxes=tuple(_text(meta, "taxes").split()),
        )

    def _settlement(self, ref: str, entry: Any) -> Settlement:
        kind = Kind.CREDIT_NOTE if entry.meta.get("kind") == "credit_note" else Kind.INVOICE
        received = [each for each in entry.postings if self._is_receivable(each)]
        settled = [_text(each.meta or {}, "settles") for each in received]
        if not entry.postings or len({each.units.currency for each in entry.postings}) != 1:
            raise _breach(entry.meta, f"{ref} is not in one currency")
        method = _text(entry.meta, "method")
        partner = _text(entry.meta, "partner")
        return Settlement(
            ref=ref,
            document=next(filter(None, settled), _text(entry.meta, "document")),
            kind=kind,
            partner=partner if self.partner(partner) else "",
            method=Method(method) if method in set(Method) else Method.PAYMENT,
            date=entry.date,
            amount=-direction(kind) * sum(_minor(each) for each in received),
            currency=entry.postings[0].units.currency,
            memo=_text(entry.meta, "memo"),
        )


def _is_tax(posting: Any) -> bool:
    return bool(_text(posting.meta or {}, "tax"))


def _tax(posting: Any, sign: int) -> DocumentTax:
    base = posting.meta.get("base")
    currency = posting.units.currency
    return DocumentTax(
        key=_text(posting.meta, "tax"),
        base=from_major(base, currency) if isinstance(base, Decimal) else 0,
        amount=-sign * _minor(posting),
    )


def _with_tax_shares(
    lines: list[DocumentLine], taxes: tuple[DocumentTax, ...]
) -> tuple[DocumentLine, ...]:
    shares = [0] * len(lines)
    for tax in taxes:
        weights = [line.net if tax.key in line.taxes else 0 for line in lines]
        for index, share in enumerate(spread(tax.amount, weights) if weights else ()):
            shares[index] += share
    return tuple(replace(line, tax=share) for line, share in zip(lines, shares, strict=True))


def _state(entry: Any) -> MoveState:
    # Any other flag is a person setting the entry aside: it counts for nothing.
    return _STATES.get(entry.flag, MoveState.CANCELLED)


def _payment_state(
    document: LedgerDocument, residual: int, state: MoveState, reversed_by: bool
) -> PaymentState:
    if state is not MoveState.POSTED:
        return PaymentState.NOT_PAID
    if residual == 0:
        return PaymentState.REVERSED if reversed_by else PaymentState.PAID
    return PaymentState.NOT_PAID if residual == document.total else PaymentState.PARTIAL


def _minor(posting: Any) -> int:
    try:
        return from_major(posting.units.number, posting.units.currency)
    except InexactAmount as error:
        raise _breach(posting.meta or {}, str(error)) from error


def _text(meta: Mapping[str, Any], key: str) -> str:
    value = meta.get(key)
    return "" if value is None else str(value)


def _breach(meta: Mapping[str, Any], what: str) -> ContractBreach:
    name = str(meta.get("filename", "the books")).rsplit("/", 1)[-1]
    where = f"reading {name}, line {meta.get('lineno', 0)}"
    return ContractBreach(where, what, remedy="fcb books")
