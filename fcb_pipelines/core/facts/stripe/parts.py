"""Parts that every Stripe document has: amounts, references, billed taxes, the customer."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.model import BillTo, TaxFacts
from fcb_pipelines.core.facts.tax_names import province, tax_type
from fcb_pipelines.core.money import InexactAmount, Wire, from_wire, wire_exponent
from fcb_pipelines.core.periods import local_date

# With these reasons Stripe names a rate that it did not bill.
_NOT_BILLED = frozenset(
    {"customer_exempt", "not_collecting", "not_subject_to_tax", "not_supported", "reverse_charge"}
)


class Amounts:
    """Converts Stripe's integers into canonical minor units."""

    problem: Reason | None = None

    def __init__(self, currency: str) -> None:
        self.currency = currency.upper()

    def __call__(self, amount: int | None) -> int:
        """Minor units; None counts as zero. Raises InexactAmount, or TypeError for no integer."""
        return from_wire(_integer(amount), self.currency, Wire.STRIPE)

    def of(self, made: Json) -> "Amounts":
        """The amounts of an object in its own currency; where it names none it is the document's."""
        own = str(made.get("currency") or self.currency).upper()
        return self if own == self.currency else _OtherAmounts(own)

    def major(self, unit_amount: str | Decimal | None) -> Decimal | None:
        """A unit price on the wire (a decimal string of the wire's units) in major units."""
        if unit_amount is None:
            return None
        return Decimal(unit_amount).scaleb(-wire_exponent(self.currency, Wire.STRIPE))


class RawAmounts(Amounts):
    """Keeps Stripe's integers as they are, for a document with an ambiguous minor unit: never posted."""

    problem = Reason.CURRENCY_NEEDS_REVIEW

    def __call__(self, amount: int | None) -> int:
        return _integer(amount)

    def major(self, unit_amount: str | Decimal | None) -> Decimal | None:
        return None


class _OtherAmounts(Amounts):
    """Amounts in another currency than the document's: listed and never posted, so also as they are."""

    def __call__(self, amount: int | None) -> int:
        try:
            return super().__call__(amount)
        except InexactAmount:
            return _integer(amount)


def listed(objects: Any) -> Sequence[Json]:
    """The objects of a list; none where it is not given. Raises TypeError for what is no list."""
    if not isinstance(objects, list | tuple | None):
        raise TypeError("no list of objects")
    return objects or ()


def _integer(amount: int | None) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | None):
        raise TypeError(f"{amount!r} is no integer amount")
    return amount or 0


def reference_id(value: Any) -> str | None:
    """The id of a reference, expanded or not. Raises KeyError or TypeError for what is none."""
    found = value["id"] if isinstance(value, Mapping) else value
    if not isinstance(found, str | None):
        raise TypeError(f"{found!r} is no reference")
    return found


def payments_of(invoice: Json) -> tuple[Sequence[Json], bool]:
    """The payments of an invoice, and whether it has more.

    Raises KeyError or TypeError for a payment without an id or a status.
    """
    payments = invoice.get("payments")
    if payments is None:
        return (), False
    found = listed(payments["data"])
    for each in found:
        if not all(isinstance(each[name], str) and each[name] for name in ("id", "status")):
            raise TypeError("a payment without an id or a status")
    return found, bool(payments["has_more"])


def payment_key(payment: Json) -> str | None:
    """The id of the payment (pi_…, ch_…, pyr_…) to which an invoice payment belongs."""
    made = payment["payment"]
    return reference_id(made[made["type"]])


def billed_taxes(
    taxes: Sequence[Json] | None, rates: Mapping[str, Json], amounts: Amounts
) -> tuple[TaxFacts, ...]:
    """The billed taxes, with type, percentage and place from their rate objects (`rates`, by id).

    A tax without its rate object has type `unknown`.
    """
    billed = (tax for tax in listed(taxes) if tax["amount"] or _is_billed(tax))
    return tuple(_tax(tax, rates, amounts) for tax in billed)


def _is_billed(tax: Json) -> bool:
    return bool(tax["tax_rate_details"]) and tax["taxability_reason"] not in _NOT_BILLED


def _tax(tax: Json, rates: Mapping[str, Json], amounts: Amounts) -> TaxFacts:
    source_id = (tax["tax_rate_details"] or {}).get("tax_rate")
    rate = rates.get(source_id or "", {})
    percentage = rate.get("percentage")
    known = Decimal(0) if percentage is None else Decimal(str(percentage))
    base = tax["taxable_amount"]
    return TaxFacts(
        type=tax_type(rate.get("tax_type") or rate.get("display_name"), known),
        percentage=known,
        amount=amounts(tax["amount"]),
        base=None if base is None else amounts(base),
        country=rate.get("country"),
        state=province(rate.get("state"), rate.get("jurisdiction"), rate.get("display_name")),
        inclusive=tax["tax_behavior"] == "inclusive",
        source_id=source_id,
    )


def was_paid_once(payment: Json) -> bool:
    """Whether a payment was canceled after it had been paid: a returned bank debit."""
    transitions = payment["status_transitions"]
    canceled = payment["status"] == "canceled" and transitions["canceled_at"]
    return bool(canceled and transitions["paid_at"])


def amount_paid(payment: Json) -> int:
    """The paid amount in Stripe's units; a returned payment may show it only as requested."""
    paid = payment["amount_paid"]
    amount = payment["amount_requested"] if paid is None and was_paid_once(payment) else paid
    return _integer(amount)


def bill_to_of(invoice: Json) -> BillTo:
    """The customer as printed on the document."""
    address = invoice.get("customer_address") or {}
    streets = (address.get("line1"), address.get("line2"))
    tax_ids = invoice.get("customer_tax_ids") or ()
    return BillTo(
        name=invoice.get("customer_name"),
        email=invoice.get("customer_email"),
        street=", ".join(filter(None, streets)) or None,
        city=address.get("city"),
        zip=address.get("postal_code"),
        state=address.get("state"),
        country=address.get("country"),
        vat=next((each["value"] for each in tax_ids if each["value"]), None),
    )


def due_on(invoice: Json, timezone: str) -> date | None:
    """The day by which the invoice is to be paid; None where Stripe names none."""
    due = invoice.get("due_date")
    if isinstance(due, bool) or not isinstance(due, int):
        return None
    try:
        return local_date(due, timezone)
    except OverflowError:
        return None


def is_collecting(invoice: Json) -> bool:
    """Whether Stripe itself will try to collect the invoice (again).

    It has planned an attempt, or it is to charge automatically and has not tried yet.
    """
    if invoice.get("next_payment_attempt") is not None:
        return True
    charges = invoice.get("collection_method") == "charge_automatically"
    return bool(charges and invoice.get("auto_advance") and not invoice.get("attempted"))


def metadata_of(document: Json) -> tuple[tuple[str, str], ...]:
    """The document's metadata over that of its subscription, as sorted (key, value) pairs."""
    parent = document.get("parent") or {}
    subscription = (parent.get("subscription_details") or {}).get("metadata") or {}
    merged = {**subscription, **(document.get("metadata") or {})}
    return tuple(sorted((str(key), str(value)) for key, value in merged.items()))
