"""Hypothesis strategies: random documents and settlements, every one of them consistent.

Documents differ in kind, day, currency, lines (negative ones and awkward texts among them), taxes
and residues; names are unique, so that a list of them is a life that a ledger must be able to hold.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations

from hypothesis import strategies as st

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import (
    DocumentLine,
    DocumentTax,
    LedgerDocument,
    Settlement,
)
from fcb_pipelines.core.money import to_major
from fcb_pipelines_tests.documents import a_line, a_settlement, an_invoice, taxes_of

PARTNERS = tuple(f"nexacloud:users:{index}" for index in range(3))
CURRENCIES = ("CAD", "USD", "JPY", "KWD")

# What people and APIs type: any script, quotes, backslashes, line breaks; no other control marks.
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('"\\\n\t;*!#^'), max_size=60
)
days = st.dates(date(2025, 11, 1), date(2026, 5, 31))

_ACCOUNTS = st.sampled_from(
    [
        ("411310", "hosting"),
        ("411320", "managed"),
        ("411330", "addons"),
        ("411900", "other"),
        ("411950", "unitemised"),
    ]
)
_PAYING = {
    Kind.INVOICE: [
        Method.PAYMENT,
        Method.OFF_PLATFORM,
        Method.CUSTOMER_BALANCE,
        Method.PREPAID_CREDIT,
        Method.WRITE_OFF,
    ],
    Kind.CREDIT_NOTE: [
        Method.PAYMENT,
        Method.OFF_PLATFORM,
        Method.CUSTOMER_BALANCE,
        Method.PENDING_REFUND,
    ],
}
_TAXES = st.sampled_from(
    [(), ("hst_13",), ("hst_15",), ("gst_5",), ("gst_0",), ("gst_5", "qst_9975"), ("pst_7_bc",)]
)


@st.composite
def lines(draw: st.DrawFn, currency: str) -> DocumentLine:
    """One line: quantity times unit price is its net exactly, sub-cent unit prices included."""
    account, family = draw(_ACCOUNTS)
    quantity = draw(st.sampled_from([Decimal(1), Decimal(3), Decimal("0.5"), Decimal(1000)]))
    # Half of an even number of units, a thousandth of a thousand: the net stays whole.
    units = draw(st.integers(-5000, 500000)) * 2
    net = units if quantity in (1, Decimal("0.5")) else units * int(quantity) // 2
    return DocumentLine(
        description=draw(texts),
        quantity=quantity,
        unit_price=to_major(net, currency) / quantity,
        net=net,
        account=account,
        family=family,
        taxes=draw(_TAXES),
    )


@st.composite
def documents(draw: st.DrawFn, name: str = "in_1", currency: str | None = None) -> LedgerDocument:
    """One document whose total is not negative; its taxes may carry a residue of one unit."""
    currency = currency or draw(st.sampled_from(CURRENCIES))
    content = draw(st.lists(lines(currency), min_size=1, max_size=5))
    if sum(line.net for line in content) < 0:
        content = [replace(line, net=-line.net, unit_price=-line.unit_price) for line in content]
    taxes = [
        replace(tax, amount=tax.amount + draw(st.integers(-1, 1)) if tax.amount > 1 else tax.amount)
        for tax in taxes_of(content)
    ]
    document = an_invoice(
        name,
        *content,
        kind=draw(st.sampled_from(list(Kind))),
        number=draw(texts) or "NC-1",
        day=draw(days),
        currency=currency,
        partner=draw(st.sampled_from(PARTNERS)),
        taxes=taxes,
        nexacloud_invoice_id=draw(st.none() | st.uuids().map(str)),
    )
    if document.total < 0:
        flat = [replace(line, taxes=()) for line in content]
        document = replace(document, lines=tuple(flat), taxes=())
    return document


@st.composite
def rounded_by_line(draw: st.DrawFn, name: str = "in_1") -> LedgerDocument:
    """A document of a few cents whose taxes were rounded half up on each line: the whole often comes to another."""
    currency = draw(st.sampled_from(CURRENCIES))
    carried = draw(_TAXES)
    nets = draw(
        st.lists(st.integers(-40, 60), min_size=1, max_size=6).filter(lambda all: sum(all) >= 0)
    )
    content = [
        a_line(net, currency=currency, taxes=draw(st.sampled_from([carried, carried, ()])))
        for net in nets
    ]
    bases, amounts = Counter[str](), Counter[str]()
    for line in content:
        bases.update(dict.fromkeys(line.taxes, line.net))
        amounts.update({tax.key: tax.amount for tax in taxes_of([line])})
    taxes = [
        DocumentTax(key=key, base=bases[key], amount=amount)
        for key, amount in sorted(amounts.items())
        if amount
    ]
    return an_invoice(
        name,
        *content,
        kind=draw(st.sampled_from(list(Kind))),
        currency=currency,
        taxes=taxes,
    )


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[LedgerDocument], list[Settlement]]:
    """Some documents and, once all is told, everything that settled them, in no order.

    Every method, failures, recoveries, credit notes allocated, receipts shared. No document is
    allocated more than its total; only a payment may exceed what is owed.
    """
    customers = draw(
        st.lists(
            st.tuples(st.sampled_from(CURRENCIES), st.sampled_from(PARTNERS)),
            min_size=1,
            max_size=2,
        )
    )
    written = []
    for index in range(draw(st.integers(2, 5))):
        currency, partner = draw(st.sampled_from(customers))
        document = draw(documents(name=f"in_{index}", currency=currency))
        written.append(replace(document, partner=partner))
    life = _Life(draw, written)
    for one, other in combinations(written, 2):
        life.share_credit_or_receipt(one, other)
    for document in written:
        for _ in range(draw(st.integers(0, 3))):
            life.settle(document)
    return written, life.settlements


class _Life:
    """Settlements drawn for documents, as long as something is open on them."""

    def __init__(self, draw: st.DrawFn, documents: Sequence[LedgerDocument]) -> None:
        self.settlements: list[Settlement] = []
        self._draw = draw
        self._documents = documents
        self._open = {document.ref: document.total for document in documents}

    def share_credit_or_receipt(self, one: LedgerDocument, other: LedgerDocument) -> None:
        """Allocate one to the other, or a receipt to both, where they are of one customer."""
        most = min(self._open[one.ref], self._open[other.ref])
        same = (one.currency, one.partner) == (other.currency, other.partner)
        if not same or not most or not self._draw(st.booleans()):
            return
        if one.kind is other.kind:
            self._share_receipt(one, other)
            return
        credit, document = (one, other) if one.kind is Kind.CREDIT_NOTE else (other, one)
        amount = self._take(document, most)
        self._open[credit.ref] -= amount
        self._add(document, amount, Method.CREDIT_NOTE, drawn_on=credit.ref)

    def settle(self, document: LedgerDocument) -> None:
        """One turn of the document's life."""
        if not document.total:
            return
        turns = [self._pay] if self._open[document.ref] else []
        if self._open[document.ref] and document.kind is Kind.INVOICE:
            turns += [self._collect_debt, self._pay_beyond, self._write_off_and_recover]
        turns += [self._fail]
        if document.kind is Kind.INVOICE:
            turns += [self._pay_beside]
        self._draw(st.sampled_from(turns))(document)

    def _share_receipt(self, *documents: LedgerDocument) -> None:
        amounts = [self._take(document, self._open[document.ref]) for document in documents]
        whole = sum(amounts) + self._draw(st.sampled_from([0, 0, 700]))
        method = self._draw(st.sampled_from([Method.PAYMENT, Method.OFF_PLATFORM]))
        name, day = f"pi_{len(self.settlements)}", self._draw(days)
        for document, amount in zip(documents, amounts, strict=True):
            drawn_on = f"stripe:acct_nexacloud:{name}"
            self._add(document, amount, method, drawn_on=drawn_on, receipt=whole, day=day)
            self.settlements[-1] = replace(self.settlements[-1], memo=name)
        if method is Method.PAYMENT and self._draw(st.booleans()):
            for part in self.settlements[-len(documents) :]:
                self._came_back(part)

    def _pay(self, document: LedgerDocument) -> None:
        amount = self._take(document, self._open[document.ref])
        self._add(document, amount, self._draw(st.sampled_from(_PAYING[document.kind])))

    def _fail(self, document: LedgerDocument) -> None:
        amount = self._draw(st.integers(1, document.total))
        # A payment that failed in part pays with the rest.
        rest = min(self._open[document.ref], self._draw(st.integers(0, amount - 1)))
        self._open[document.ref] -= rest
        self._add(document, amount, Method.PAYMENT)
        paid = self.settlements[-1].ref
        self._add(document, rest - amount, Method.PAYMENT_FAILURE, undoes=paid)

    def _came_back(self, part: Settlement) -> None:
        """The failure of a shared payment, for one document's part of it.

        What it frees stays free: an allocation that finds no room is not made, and waits for the next
        run, so it must not depend on which of the two is known first.
        """
        (document,) = (each for each in self._documents if each.ref == part.document)
        self._add(document, -part.amount, Method.PAYMENT_FAILURE, undoes=part.ref)

    def _pay_beside(self, document: LedgerDocument) -> None:
        method = self._draw(st.sampled_from([Method.REFUND, Method.CHARGEBACK]))
        self._add(document, -self._draw(st.integers(1, document.total)), method)

    def _pay_beyond(self, document: LedgerDocument) -> None:
        excess = self._draw(st.integers(1, 900))
        open_, self._open[document.ref] = self._open[document.ref], 0
        self._add(document, open_ + excess, Method.PAYMENT)
        if self._draw(st.booleans()):
            self._add(document, -excess, Method.OVERPAYMENT)

    def _collect_debt(self, document: LedgerDocument) -> None:
        debt = self._draw(st.integers(1, 900))
        self._add(document, -debt, Method.CUSTOMER_BALANCE)
        if self._draw(st.booleans()):
            return
        amount = self._take(document, self._open[document.ref])
        self._add(document, debt + amount, Method.PAYMENT)

    def _write_off_and_recover(self, document: LedgerDocument) -> None:
        amount = self._take(document, self._open[document.ref])
        self._add(document, amount, Method.WRITE_OFF)
        if self._draw(st.booleans()):
            self._add(document, amount, Method.PAYMENT)
            self._add(document, -amount, Method.RECOVERY)

    def _take(self, document: LedgerDocument, most: int) -> int:
        amount = self._draw(st.integers(1, most) | st.just(most))
        self._open[document.ref] -= amount
        return amount

    def _add(
        self,
        document: LedgerDocument,
        amount: int,
        method: Method,
        *,
        day: date | None = None,
        drawn_on: str | None = None,
        receipt: int | None = None,
        undoes: str | None = None,
    ) -> None:
        name, day = f"settlement_{len(self.settlements)}", day or self._draw(days)
        self.settlements.append(
            a_settlement(
                document, amount, name=name, day=day, method=method,
                drawn_on=drawn_on, receipt=receipt, undoes=undoes,
            )
        )  # fmt: skip
