"""The small parts that every Lago document is made of: days, the customer, metadata."""

from datetime import date, datetime, time
from decimal import Decimal

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.model import BillTo
from fcb_pipelines.core.periods import local_date


def coupon_weight(fee: Json) -> int:
    """A fee's share of the coupons, which Lago keeps to fractions of a cent, as a whole weight."""
    return int(Decimal(str(fee.get("precise_coupons_amount_cents") or 0)).scaleb(5))


def taxed_with(fee: Json) -> tuple[str, ...]:
    """The codes of the taxes that a fee was billed with."""
    return tuple(tax["tax_code"] for tax in fee.get("applied_taxes") or ())


def instant_of(text: str) -> datetime:
    """An instant as Lago writes it. Raises ValueError where it has no offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return instant


def day_of(text: str | None, timezone: str) -> date | None:
    """The day of a fee's boundary, which Lago writes in two ways.

    Whole days (00:00:00 or 23:59:59 as written) stand for themselves; any other time is the
    customer's midnight as an instant.
    """
    if not text:
        return None
    instant = instant_of(text)
    if instant.time().replace(microsecond=0) in (time(), time(23, 59, 59)):
        return instant.date()
    return local_date(instant, timezone)


def bill_to_of(customer: Json) -> BillTo:
    """The customer as the document carries it."""
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


def metadata_of(invoice: Json) -> tuple[tuple[str, str], ...]:
    """The invoice's metadata, and beneath it the customer's."""
    customer = (invoice.get("customer") or {}).get("metadata") or ()
    pairs = {each["key"]: each["value"] for each in (*customer, *(invoice.get("metadata") or ()))}
    return tuple(sorted((str(key), str(value)) for key, value in pairs.items()))
