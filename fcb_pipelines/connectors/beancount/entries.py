"""One entry of the books, read as a document or a settlement."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fcb_pipelines.connectors.beancount.chart import Chart, route_of
from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.entries import (
    DocumentLine,
    DocumentTax,
    LedgerDocument,
    Settlement,
    with_tax_shares,
)
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.money import InexactAmount, from_major, to_major

_STATES = {"*": MoveState.POSTED, "!": MoveState.DRAFT}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReader:
    """Reads entries with the books' chart and the configured accounts."""

    chart: Chart
    settings: Settings

    def document(self, ref: str, entry: Any) -> LedgerDocument:
        """The document that this entry is. Raises ContractBreach on more than one currency."""
        kind = kind_of(entry)
        sign = kind.sign
        rest = [each for each in entry.postings if not self.is_receivable(each)]
        taxes = tuple(_tax(each, sign) for each in rest if _is_tax(each))
        lines = [self._line(each, sign) for each in rest if not _is_tax(each)]
        return LedgerDocument(
            ref=ref,
            kind=kind,
            number=text(entry.meta, "number"),
            date=entry.date,
            currency=_currency(ref, entry),
            partner=text(entry.meta, "partner"),
            lines=with_tax_shares(lines, taxes),
            taxes=taxes,
            nexacloud_invoice_id=text(entry.meta, "nexacloud_invoice_id") or None,
            stripe_invoice_id=text(entry.meta, "stripe_invoice_id") or None,
            reverses=text(entry.meta, "reverses") or None,
            source_hash=text(entry.meta, "source_hash") or None,
        )

    def settlement(self, ref: str, entry: Any) -> Settlement:
        """The settlement, or shared receipt, that this entry is.

        The amount is the smaller of those on the two accounts of its method: 0 where a person moved the
        money to another account. For an allocation it is the amount taken off the document. `receipt` is
        None: the entry does not hold it. Raises ContractBreach on more than one currency.
        """
        method = text(entry.meta, "method")
        found = Method(method) if method in set(Method) else Method.PAYMENT
        drawn_on = text(entry.meta, "drawn_on") or None
        named = text(entry.meta, "document")
        booked = self._on(entry, self._against(found, drawn_on))
        if drawn_on:
            booked = [each for each in booked if settles(each) != drawn_on]
        amount = -sum(map(minor, booked))
        if not drawn_on and found is not Method.CREDIT_NOTE:
            money = self._on(entry, route_of(found, self.settings).through.code)
            amount = min(amount, sum(map(minor, money)), key=abs)
        return Settlement(
            ref=ref,
            document=next(filter(None, map(settles, booked)), named),
            kind=kind_of(entry),
            partner=text(entry.meta, "partner"),
            method=found,
            date=entry.date,
            amount=kind_of(entry).sign * amount,
            currency=_currency(ref, entry),
            memo=text(entry.meta, "memo"),
            drawn_on=drawn_on,
            undoes=text(entry.meta, "undoes") or None,
        )

    def is_receivable(self, posting: Any) -> bool:
        """Whether a posting is on the receivable."""
        return self.chart.code(posting.account) == self.settings.accounts.receivable.code

    def _on(self, entry: Any, code: str) -> list[Any]:
        return [each for each in entry.postings if self.chart.code(each.account) == code]

    def _against(self, method: Method, drawn_on: str | None) -> str:
        receivable = self.settings.accounts.receivable
        if drawn_on or method is Method.CREDIT_NOTE:
            return receivable.code
        return (route_of(method, self.settings).against or receivable).code

    def _line(self, posting: Any, sign: int) -> DocumentLine:
        meta, net = posting.meta or {}, -sign * minor(posting)
        quantity, price = meta.get("quantity"), meta.get("unit_price")
        if not isinstance(quantity, Decimal) or not isinstance(price, Decimal):
            quantity, price = Decimal(1), to_major(net, posting.units.currency)
        return DocumentLine(
            description=text(meta, "description"),
            quantity=quantity,
            unit_price=price,
            net=net,
            account=self.chart.code(posting.account),
            family=text(meta, "family"),
            taxes=tuple(text(meta, "taxes").split()),
        )


def kind_of(entry: Any) -> Kind:
    """The kind of document that an entry is or settles."""
    return Kind.CREDIT_NOTE if entry.meta.get("kind") == "credit_note" else Kind.INVOICE


def state_of(entry: Any) -> MoveState:
    """Posted for `*`, draft for `!`; with any other flag a person has set the entry aside: cancelled."""
    return _STATES.get(entry.flag, MoveState.CANCELLED)


def settles(posting: Any) -> str:
    """The ref of the document or receipt that a posting settles; empty where it names none."""
    return text(posting.meta or {}, "settles")


def minor(posting: Any) -> int:
    """A posting's amount in minor units. Raises ContractBreach when it is no whole number of them."""
    try:
        return from_major(posting.units.number, posting.units.currency)
    except InexactAmount as error:
        raise _breach(posting.meta or {}, str(error)) from error


def text(meta: Mapping[str, Any], key: str) -> str:
    """The text of a metadata key; empty where there is none."""
    value = meta.get(key)
    return "" if value is None else str(value)


def _currency(ref: str, entry: Any) -> str:
    currencies = {posting.units.currency for posting in entry.postings}
    if len(currencies) != 1:
        raise _breach(entry.meta, f"{ref} has {len(currencies)} currencies")
    return str(currencies.pop())


def _is_tax(posting: Any) -> bool:
    return bool(text(posting.meta or {}, "tax"))


def _tax(posting: Any, sign: int) -> DocumentTax:
    base = posting.meta.get("base")
    currency = posting.units.currency
    return DocumentTax(
        key=text(posting.meta, "tax"),
        base=from_major(base, currency) if isinstance(base, Decimal) else 0,
        amount=-sign * minor(posting),
    )


def _breach(meta: Mapping[str, Any], detail: str) -> ContractBreach:
    name = str(meta.get("filename", "the books")).rsplit("/", 1)[-1]
    where = f"reading {name}, line {meta.get('lineno', 0)}"
    return ContractBreach(where, detail, remedy="fcb books")
