"""What the edge cases sell, and when: items, moments, and the taxes of a document."""

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
    """One thing sold: `net` minor units after `discount` and before tax, the family it belongs to.

    `unit` is the source's unit price in major units where it is no whole number of minor units.
    `reverses` is, on a credit note, which line of the invoice it takes back; an `untaxed` one bears no
    tax whatever the document's rates.
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
        """What the document's taxes are computed on, minor units."""
        return 0 if self.untaxed else self.net


def hosting(net: int, **more: object) -> Item:
    """Odoo hosting."""
    return _item("Odoo ERP Hosting - Standard", "hosting", net, more)


def managed(net: int, **more: object) -> Item:
    """A managed service."""
    return _item("Managed Odoo - Standard", "managed", net, more)


def backup(net: int, **more: object) -> Item:
    """An add-on."""
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
# What no configuration knows: a British tax, and Quebec's two taxes as one lump.
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
    """The same as Unix seconds."""
    return int(at(text).timestamp())


def instant(text: str) -> str:
    """The same as Lago writes an instant, in UTC."""
    return at(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def month_of(text: str) -> tuple[str, str]:
    """The first moment of the month of a moment, and that of the next month."""
    first = date.fromisoformat(text[:10]).replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return f"{first} 00:00", f"{following} 00:00"


def wired(amount: int, currency: str, wire: Wire) -> int:
    """Minor units as a source sends them: Stripe keeps two decimals for ISK."""
    scale = Decimal(10) ** (wire_exponent(currency, wire) - exponent(currency))
    return int(amount * scale)


def line_taxes(
    items: Sequence[Item], rates: Sequence[Rate], billed: Sequence[int] | None = None
) -> list[tuple[int, ...]]:
    """For each rate the tax of each item; `billed` are the document's own amounts, rate by rate.

    Without them a tax is half-up on the whole document, and its lines add up to it.
    """
    bases = [item.base for item in items]
    whole = billed or [half_up(sum(bases) * rate.percentage / 100) for rate in rates]
    return [spread(amount, bases) for amount in whole]


def booked(items: Sequence[Item], shares: Sequence[Sequence[int]]) -> tuple[Booked, ...]:
    """The lines that must stand in the books for these items and their taxes."""
    taxes = [sum(each) for each in zip(*shares, strict=True)] or [0] * len(items)
    return tuple(
        Booked(family=item.family, account=ACCOUNTS[item.family], net=item.net, tax=tax)
        for item, tax in zip(items, taxes, strict=True)
    )
