"""Hypothesis strategies: random documents and settlements, every one of them consistent.

Documents differ in kind, day, currency, lines (negative ones and awkward texts among them), taxes
and residues; names are unique, so that a list of them is a month a ledger must be able to hold.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from fcb_pipelines.core.documents import DocumentLine, LedgerDocument, Settlement
from fcb_pipelines.core.facts import Kind, Method
from fcb_pipelines.core.money import to_major
from fcb_pipelines_tests.documents import a_settlement, an_invoice, taxes_of

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
def months(draw: st.DrawFn) -> tuple[list[LedgerDocument], list[Settlement]]:
    """Some documents, and for some of them settlements that take off no more than their total."""
    size = draw(st.integers(1, 6))
    written = [draw(documents(name=f"in_{index}")) for index in range(size)]
    settlements: list[Settlement] = []
    for document in written:
        open_ = document.total
        for part in range(draw(st.integers(0, 2))):
            if open_ <= 0:
                break
            amount = draw(st.integers(1, open_))
            open_ -= amount
            settlements.append(
                a_settlement(
                    document,
                    amount,
                    name=f"inpay_{document.ref.rsplit(':', 1)[-1]}_{part}",
                    day=draw(days),
                    method=draw(st.sampled_from([Method.PAYMENT, Method.CUSTOMER_BALANCE])),
                )
            )
    return written, settlements
