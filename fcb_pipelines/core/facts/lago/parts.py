"""Parts that every Lago document has: days, the customer, metadata."""

from datetime import date, datetime, time
from decimal import Decimal

from fcb_pipelines.core.facts.bodies import Json, objects_in
from fcb_pipelines.core.facts.model import BillTo
from fcb_pipelines.core.periods import local_date

_UNDER_WAY = frozenset({"pending", "processing"})


def coupon_weight(fee: Json) -> int:
    """A fee's share of the coupons as an integer weight; Lago keeps it in fractions of a cent."""
    return int(Decimal(str(fee.get("precise_coupons_amount_cents") or 0)).scaleb(5))


def taxed_with(fee: Json) -> tuple[str, ...]:
    """The codes of the taxes on a fee."""
    return tuple(tax["tax_code"] for tax in fee.get("applied_taxes") or ())


def word_of(each: Json, field: str) -> str:
    """One of Lago's words, such as a status. Raises TypeError for what is none."""
    word = each[field]
    if not isinstance(word, str) or not word:
        raise TypeError(f"{field} is no word")
    return word


def whole_cents(cents: int) -> int:
    """An amount of Lago's. Raises TypeError for what is no integer."""
    if isinstance(cents, bool) or not isinstance(cents, int):
        raise TypeError(f"{cents!r} is no integer amount")
    return cents


def instant_of(text: str) -> datetime:
    """An ISO instant of Lago. Raises ValueError where it has no offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return instant


def day_of(text: str | None, timezone: str) -> date | None:
    """The day on which a fee's period begins or ends, which Lago writes in two ways.

    With a time of 00:00:00 or 23:59:59 it is the day as written; any other time is the customer's
    midnight as an instant, converted to `timezone`.
    """
    if not text:
        return None
    instant = instant_of(text)
    if instant.time().replace(microsecond=0) in (time(), time(23, 59, 59)):
        return instant.date()
    return local_date(instant, timezone)


def bill_to_of(customer: Json) -> BillTo:
    """The customer as printed on the document."""
    streets = (customer.get("address_line1"), customer.get("address_line2"))
    return BillTo(
        name=customer.get("legal_name") or customer.get("name"),
        email=customer.get("email"),
        street=", ".join(filter(None, streets)) or None,
        city=customer.get("city"),
        zip=customer.get("zipcode"),
        state=customer.get("state"),
        country=customer.get("country"),
        vat=customer.get("tax_identification_number"),
    )


def due_on(invoice: Json) -> date | None:
    """The day by which the invoice is to be paid; None where Lago names none."""
    due = invoice.get("payment_due_date")
    try:
        return date.fromisoformat(due) if isinstance(due, str) else None
    except ValueError:
        return None


def is_collecting(body: Json) -> bool:
    """Whether a payment of the invoice is under way: Lago never tries again by itself."""
    payments = objects_in(body.get("payments"))
    return any(each.get("payment_status") in _UNDER_WAY for each in payments)


def metadata_of(invoice: Json) -> tuple[tuple[str, str], ...]:
    """The invoice's metadata over the customer's, as sorted (key, value) pairs."""
    customer = (invoice.get("customer") or {}).get("metadata") or ()
    pairs = {each["key"]: each["value"] for each in (*customer, *(invoice.get("metadata") or ()))}
    return tuple(sorted((str(key), str(value)) for key, value in pairs.items()))


def unlisted_invoices(body: Json) -> str:
    """The invoices of a payment that are not listed, by number; by id where it does not number them all."""
    ids, numbers = body["payment"]["invoice_ids"], body["payment"].get("invoice_numbers")
    if not isinstance(numbers, list) or len(numbers) != len(ids):
        numbers = ids
    pairs = zip(ids, numbers, strict=True)
    return ", ".join(
        str(number or one) for one, number in pairs if one not in body["listed_invoices"]
    )
