"""Ledger documents, partners and settlements for tests, and what the books must then say.

The factories give complete, consistent values in the packaged configuration; a test names only the
facts it is about. `expected_balances` is the trial balance worked out from the values alone.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.entries import (
    DocumentLine,
    DocumentTax,
    LedgerDocument,
    Partner,
    Settlement,
)
from fcb_pipelines.core.money import half_up, spread, to_major

SETTINGS: Settings = load(PACKAGED)
"""The packaged configuration: CAD, families 4113xx, HST 13 and the rest."""

RATES = {tax.key: tax.percentage for tax in SETTINGS.taxes}
DAY = date(2026, 4, 3)
PARTNER = "nexacloud:users:9f1c2b7e-0000-4000-8000-000000000001"

# Method -> the accounts that an entry of a positive amount on an invoice debits and credits, by code.
# Written out, so that it is a witness beside `core.settlements.routes`.
_SIDES = {
    Method.PAYMENT: ("111321", "112110"),
    Method.PAYMENT_FAILURE: ("111321", "112110"),
    Method.OFF_PLATFORM: ("111322", "112110"),
    Method.CUSTOMER_BALANCE: ("215500", "112110"),
    Method.OVERPAYMENT: ("215500", "112110"),
    Method.PREPAID_CREDIT: ("215510", "112110"),
    Method.PENDING_REFUND: ("215520", "112110"),
    Method.REFUND: ("111321", "215520"),
    Method.CHARGEBACK: ("111321", "551200"),
    Method.WRITE_OFF: ("551100", "112110"),
    Method.RECOVERY: ("551110", "112110"),
}


def a_partner(key: str = PARTNER, **changes: object) -> Partner:
    """A billing account in Ontario; `changes` replace fields."""
    partner = Partner(
        key=key,
        links=(key,),
        name="Maple Bakery Inc.",
        email="books@maple.example",
        street="1 King St W",
        city="Toronto",
        zip="M5H 1A1",
        state="ON",
        country="Canada",
        vat=None,
        stripe_customer_id=None,
    )
    return replace(partner, **changes)  # type: ignore[arg-type]


def a_line(
    net: int = 20000,
    *,
    description: str = "Odoo ERP Hosting - Standard",
    quantity: int | Decimal = 1,
    currency: str = "CAD",
    account: str = "411310",
    family: str = "hosting",
    taxes: Sequence[str] = ("hst_13",),
) -> DocumentLine:
    """One line of `net` minor units; `net` must be divisible by `quantity`."""
    unit_price = to_major(net, currency) / Decimal(quantity)
    if unit_price * quantity != to_major(net, currency):
        raise ValueError(f"{net} is not a whole multiple of {quantity}")
    return DocumentLine(
        description=description,
        quantity=Decimal(quantity),
        unit_price=unit_price,
        net=net,
        account=account,
        family=family,
        taxes=tuple(taxes),
    )


def taxes_of(lines: Iterable[DocumentLine]) -> tuple[DocumentTax, ...]:
    """The taxes of these lines, by key, each rounded half-up once on the document; no zeros."""
    bases: dict[str, int] = {}
    for line in lines:
        for key in line.taxes:
            bases[key] = bases.get(key, 0) + line.net
    billed = {key: half_up(base * RATES[key] / 100) for key, base in bases.items()}
    return tuple(
        DocumentTax(key=key, base=bases[key], amount=amount)
        for key, amount in sorted(billed.items())
        if amount
    )


def an_invoice(
    name: str = "in_1",
    *lines: DocumentLine,
    kind: Kind = Kind.INVOICE,
    number: str | None = None,
    day: date = DAY,
    currency: str = "CAD",
    partner: str = PARTNER,
    taxes: Sequence[DocumentTax] | None = None,
    nexacloud_invoice_id: str | None = None,
) -> LedgerDocument:
    """An invoice `stripe:acct_nexacloud:<name>`; taxes are computed unless given as billed."""
    lines = lines or (a_line(currency=currency),)
    billed = taxes_of(lines) if taxes is None else tuple(taxes)
    return LedgerDocument(
        ref=f"stripe:acct_nexacloud:{name}",
        kind=kind,
        number=number or f"NC-{name}",
        date=day,
        currency=currency,
        partner=partner,
        lines=_with_tax_shares(lines, billed),
        taxes=billed,
        nexacloud_invoice_id=nexacloud_invoice_id,
        stripe_invoice_id=name if name.startswith("in_") else None,
    )


def a_credit_note(name: str = "cn_1", *lines: DocumentLine, day: date = DAY) -> LedgerDocument:
    """A credit note; its amounts are positive, the kind says the direction."""
    return an_invoice(name, *lines, kind=Kind.CREDIT_NOTE, day=day)


def a_settlement(
    document: LedgerDocument,
    amount: int | None = None,
    *,
    name: str | None = None,
    day: date | None = None,
    method: Method = Method.PAYMENT,
    drawn_on: str | None = None,
    receipt: int | None = None,
    undoes: str | None = None,
) -> Settlement:
    """A settlement of `amount` (default: the whole document), on the document's day by default."""
    name = name or f"inpay_{document.ref.rsplit(':', 1)[-1]}"
    return Settlement(
        ref=f"stripe:acct_nexacloud:{name}",
        document=document.ref,
        kind=document.kind,
        partner=document.partner,
        method=method,
        date=day or document.date,
        amount=document.total if amount is None else amount,
        currency=document.currency,
        memo=f"pi_{name}",
        drawn_on=drawn_on,
        receipt=receipt,
        undoes=undoes,
    )


def expected_balances(
    documents: Iterable[LedgerDocument],
    settlements: Iterable[Settlement] = (),
    settings: Settings = SETTINGS,
) -> dict[tuple[str, str], int]:
    """(account code, currency) -> balance in minor units, debit positive; zeros are left out."""
    tax_accounts = {tax.key: tax.account for tax in settings.taxes}
    receivable = settings.accounts.receivable.code
    balances: Counter[tuple[str, str]] = Counter()
    for document in documents:
        sign = 1 if document.kind is Kind.INVOICE else -1
        balances[receivable, document.currency] += sign * document.total
        for line in document.lines:
            balances[line.account, document.currency] -= sign * line.net
        for tax in document.taxes:
            balances[tax_accounts[tax.key] or "", document.currency] -= sign * tax.amount
    receipts = {}
    for settlement in settlements:
        sign = 1 if settlement.kind is Kind.INVOICE else -1
        amount = settlement.amount
        if settlement.drawn_on is not None:
            # An allocation moves no money; the receipt that several share does, once.
            if settlement.receipt is None or settlement.drawn_on in receipts:
                continue
            amount = receipts[settlement.drawn_on] = settlement.receipt
        debited, credited = _SIDES[settlement.method]
        balances[debited, settlement.currency] += sign * amount
        balances[credited, settlement.currency] -= sign * amount
    return {key: balance for key, balance in balances.items() if balance}


def _with_tax_shares(
    lines: Sequence[DocumentLine], billed: Sequence[DocumentTax]
) -> tuple[DocumentLine, ...]:
    shares = [0] * len(lines)
    for tax in billed:
        weights = [line.net if tax.key in line.taxes else 0 for line in lines]
        for index, share in enumerate(spread(tax.amount, weights)):
            shares[index] += share
    return tuple(replace(line, tax=share) for line, share in zip(lines, shares, strict=True))
