"""Settlements in cash as the sources confirm them, found by the payment that a transaction names."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.codes import Method, Reason
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.cash import matching_key
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.refs import Suffix, without
from fcb_pipelines.core.settlements.policy import posts
from fcb_pipelines.core.settlements.routes import through_outstanding


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledCash:
    """One entry of a settlement on the outstanding account, as its source confirms it.

    `amount` moves that account, minor units, debit > 0: a payment is above zero, a refund below. `key` is its
    matching key, `invoice` the ref of its invoice, also where `document` is a credit note. `body_hash`
    names the body that it was read from.
    """

    ref: str
    key: str
    document: str
    invoice: str
    method: Method
    date: date
    amount: int
    currency: str
    payment_id: str | None = None
    body_hash: str | None = None

    @property
    def is_reversal(self) -> bool:
        """Whether it takes another settlement back."""
        return self.ref != self.key


def settled_cash(
    facts: InvoiceFacts, settings: Settings, body_hash: str | None = None
) -> tuple[SettledCash, ...]:
    """The settlements of one document that stand on the outstanding account of the Stripe journal.

    The parts of a payment that several documents share are one entry, the receipt. Those of a document
    of before the books are booked only with policies.opening_payment `settle`; a payment whose invoice is
    not listed meets none.
    """
    if facts.problem is Reason.PAYMENT_WITHOUT_INVOICE:
        return ()
    begin = books_begin(settings)
    is_opening = facts.date is not None and facts.date < begin
    if is_opening and settings.policies.opening_payment != "settle":
        return ()
    found = (
        _row(facts, each, body_hash)
        for each in facts.settlements
        if each.document == facts.ref
        and through_outstanding(each.method, settings)
        and posts(each, settings, facts.currency)
        and each.date >= begin
    )
    return tuple({row.ref: row for row in found}.values())


def _row(facts: InvoiceFacts, each: SettlementFacts, body_hash: str | None) -> SettledCash:
    receipt = each.drawn_on if each.receipt is not None else None
    amount = each.amount if receipt is None else each.receipt or 0
    ref = receipt or each.ref
    return SettledCash(
        ref=ref,
        key=matching_key(ref),
        document=facts.ref,
        invoice=facts.credits or facts.ref,
        method=each.method,
        date=each.date,
        amount=facts.kind.sign * amount,
        currency=each.currency,
        payment_id=each.payment_id,
        body_hash=body_hash,
    )


def booked_cash(posted: Iterable[Settlement], settings: Settings) -> tuple[SettledCash, ...]:
    """The same of the settlements that a ledger holds as posted; a shared receipt is one entry.

    A reversal that a person asked for (`undone`) is none that a source confirms, and is here too.
    """
    found: dict[str, SettledCash] = {}
    for each in posted:
        is_receipt = each.receipt is not None and each.drawn_on is not None
        if each.is_allocation and not is_receipt:
            continue
        if not through_outstanding(each.method, settings):
            continue
        ref = (each.drawn_on or each.ref) if is_receipt else each.ref
        amount = (each.receipt or 0) if is_receipt else each.amount
        found[ref] = SettledCash(
            ref=ref,
            key=matching_key(ref),
            document=each.document,
            invoice=each.document,
            method=each.method,
            date=each.date,
            amount=each.kind.sign * amount,
            currency=each.currency,
            payment_id=each.memo,
        )
    return tuple(found.values())


class SettledBy:
    """Settlements by the payment that they are of, in the order of their days."""

    def __init__(self, rows: Iterable[SettledCash]) -> None:
        ordered = sorted(rows, key=lambda row: (row.date, row.ref))
        self._by_payment: dict[str, list[SettledCash]] = defaultdict(list)
        self._by_invoice: dict[str, list[SettledCash]] = defaultdict(list)
        self._keys = {row.key for row in ordered}
        for row in ordered:
            self._by_invoice[row.invoice].append(row)
            if row.payment_id:
                self._by_payment[row.payment_id].append(row)

    def has(self, key: str) -> bool:
        """Whether a settlement of this key is known."""
        return key in self._keys

    def payments(self, ids: Sequence[str]) -> tuple[SettledCash, ...]:
        """What was paid by the payment with these ids."""
        found = self._of(ids)
        return tuple(r for r in found if r.method is Method.PAYMENT and r.amount > 0)

    def failures(self, ids: Sequence[str]) -> tuple[SettledCash, ...]:
        """What was paid by it and failed later."""
        return tuple(row for row in self._of(ids) if row.method is Method.PAYMENT_FAILURE)

    def returned(self, ids: Sequence[str]) -> tuple[SettledCash, ...]:
        """What of it was refunded by credit notes whose source names no refund (Lago), oldest first."""
        return self._of_invoices(ids, Suffix.REFUND)

    def lost(self, ids: Sequence[str]) -> tuple[SettledCash, ...]:
        """What of it was lost in a dispute for which the source has no object of its own (Lago)."""
        return self._of_invoices(ids, Suffix.DISPUTE)

    def _of(self, ids: Sequence[str]) -> tuple[SettledCash, ...]:
        found = {row.ref: row for each in ids for row in self._by_payment.get(each, ())}
        return tuple(found.values())

    def _of_invoices(self, ids: Sequence[str], suffix: Suffix) -> tuple[SettledCash, ...]:
        invoices = dict.fromkeys(row.invoice for row in self.payments(ids))
        rows = (row for invoice in invoices for row in self._by_invoice[invoice])
        return tuple(row for row in rows if without(row.ref, suffix) != row.ref)
