"""The items of the edge cases, their moments, and the taxes of a document."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines.core.money import Wire, exponent, half_up, spread, wire_exponent
from fcb_pipelines.sandbox.scenarios.builders.authored import TIMEZONE
from fcb_pipelines.sandbox.scenarios.builders.provinces import all_rates
from fcb_pipelines.sandbox.scenarios.builders.sales import Rate
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Booked

_ZONE = ZoneInfo(TIMEZONE)
_COMPANY = load(PACKAGED)
ACCOUNTS = {family.key: family.account.code for family in _COMPANY.families} | {
    "other": _COMPANY.accounts.other.code,
    "unitemised": _COMPANY.accounts.unitemised.code,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One sold item: `net` minor units, after `discount` and before tax.

    `unit` is the source's unit price in major units where it is no whole number of minor units.
    `reverses` is, on a credit note, the number of the reversed invoice line. An `untaxed` item has no tax
    at any rate.
    """

    description: str
    family: str
    net: int
    quantity: int = 1
    unit: str | None = None
    discount: int = 0
    proration: bool = False
    reverses: int | None = 0
    untaxed: bool = False

    @property
    def base(self) -> int:
        """The tax base in minor units: zero if it is untaxed."""
        return 0 if self.untaxed else self.net


def hosting(net: int, **more: object) -> Item:
    """An item of Odoo hosting."""
    return _item("Odoo ERP Hosting - Standard", "hosting", net, more)


def managed(net: int, **more: object) -> Item:
    """An item of a managed service."""
    return _item("Managed Odoo - Standard", "managed", net, more)


def backup(net: int, **more: object) -> Item:
    """An item of an add-on."""
    return _item("Daily Backup", "addons", net, more)


def _item(description: str, family: str, net: int, more: dict[str, object]) -> Item:
    return replace(Item(description=description, family=family, net=net), **more)  # type: ignore[arg-type]


def _rate(key: str, percentage: str, name: str, **more: object) -> Rate:
    plain = Rate(
        id=f"txr_1{key:0<20}",
        type=key[:3].lower(),
        percentage=Decimal(percentage),
        name=name,
        jurisdiction="Canada",
        state=None,
        lago_code=key.lower(),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


HST_ON = next(rate for rate in all_rates() if rate.state == "ON")
HST_INCLUDED = _rate(
    "HSTONINCLUDED", "13", "HST", jurisdiction="Ontario", state="ON", inclusive=True
)
ZERO_RATED = _rate("GSTZERO", "0", "GST", lago_code="zero_rated")
# Taxes that no configuration has: a British one, and Quebec's two as one sum.
VAT_GB = _rate("VATGB", "20", "VAT", country="GB", jurisdiction="United Kingdom")
LUMP_QC = _rate(
    "GSTQSTLUMP", "14.975", "GST+QST", jurisdiction="Quebec", state="QC", type="gst+qst"
)
RATES = [*all_rates(), HST_INCLUDED, ZERO_RATED, VAT_GB, LUMP_QC]


def at(text: str) -> datetime:
    """A moment in Toronto: `2025-03-31 23:30`; a day alone is noon."""
    moment = datetime.fromisoformat(text if " " in text else f"{text} 12:00")
    return moment.replace(tzinfo=_ZONE)


def unix(text: str) -> int:
    """The moment (as `at` reads it) in Unix seconds."""
    return int(at(text).timestamp())


def instant(text: str) -> str:
    """The moment (as `at` reads it) in Lago's form, in UTC."""
    return at(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def month_of(text: str) -> tuple[str, str]:
    """The first moment of this month and of the next."""
    first = date.fromisoformat(text[:10]).replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return f"{first} 00:00", f"{following} 00:00"


def wired(amount: int, currency: str, wire: Wire) -> int:
    """Minor units in a source's form: Stripe keeps two decimals for ISK."""
    scale = Decimal(10) ** (wire_exponent(currency, wire) - exponent(currency))
    return int(amount * scale)


def line_taxes(
    items: Sequence[Item], rates: Sequence[Rate], billed: Sequence[int] | None = None
) -> list[tuple[int, ...]]:
    """The tax of each item, rate by rate; the items of a rate add up to its tax.

    `billed` are the document's taxes by rate; without it each is rounded half-up on the document.
    """
    bases = [item.base for item in items]
    whole = billed or [half_up(sum(bases) * rate.percentage / 100) for rate in rates]
    return [spread(amount, bases) for amount in whole]


def booked(items: Sequence[Item], shares: Sequence[Sequence[int]]) -> tuple[Booked, ...]:
    """The lines that must be posted for these items and their taxes."""
    taxes = [sum(each) for each in zip(*shares, strict=True)] or [0] * len(items)
    return tuple(
        Booked(family=item.family, account=ACCOUNTS[item.family], net=item.net, tax=tax)
        for item, tax in zip(items, taxes, strict=True)
    )
