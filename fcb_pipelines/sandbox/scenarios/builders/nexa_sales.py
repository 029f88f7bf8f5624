"""The 31 invoices of `nexa-2026-05`, as a table that meets every published figure.

Net amounts are in cents. HST rounds half-up on each document, and the published figures include the sum
of those roundings: the amounts below were chosen to meet it, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from fcb_pipelines.sandbox.scenarios.builders.sales import (
    CopyHabit,
    Customer,
    Paid,
    Rate,
    Sale,
    SaleStatus,
    SoldAt,
    SoldLine,
    uuid_of,
)

TORONTO = ZoneInfo("America/Toronto")

HST_ON = Rate(
    id="txr_1NexaHSTOntario0000000",
    type="hst",
    percentage=Decimal(13),
    name="HST",
    jurisdiction="Ontario",
    state="ON",
    lago_code="hst_on",
)

_PEOPLE = (
    ("maple", "anna@maplebakery.example", "Anna Kowalski", "Maple Street Bakery Inc.", "Accounts@MapleBakery.example", "212 Queen St W", "Toronto", "M5V 1Z4", "81234 5678 RT0001"),
    ("northern", "office@northerndental.example", "Julien Roy", "Northern Lights Dental", None, "55 Sparks St", "Ottawa", "K1P 5A5", None),
    ("harbour", "it@harbourlegal.example", "Grace Osei", "Harbour Legal LLP", "billing@harbourlegal.example", "140 King St E", "Hamilton", "L8N 1B2", "83456 7890 RT0001"),
    ("priya", "priya.n@mail.example", "Priya Natarajan", None, None, "9 Wellington St N", "Kitchener", "N2H 5J4", None),
    ("kawartha", "hello@kawarthaoutfitters.example", "Tom Beaver", "Kawartha Outfitters Ltd.", "books@kawarthaoutfitters.example", "380 George St N", "Peterborough", "K9H 3R3", None),
    ("lakeside", "mia@lakesideyoga.example", "Mia Fraser", "Lakeside Yoga", None, "17 Brock St", "Kingston", "K7L 1R7", None),
    ("trillium", "ops@trilliumcpa.example", "Devon Clarke", "Trillium Accounting Professional Corp.", "ap@trilliumcpa.example", "88 Dundas St", "London", "N6A 6K2", "85678 1234 RT0001"),
)  # fmt: skip

CUSTOMERS = {
    key: Customer(
        key=f"nexa/{key}",
        email=email,
        full_name=name,
        company=company,
        billing_email=billing,
        street=street,
        city=city,
        state="ON",
        postal_code=code,
        tax_id=tax_id,
    )
    for key, email, name, company, billing, street, city, code, tax_id in _PEOPLE
}

ERP = "Odoo ERP Hosting - Business"
PROFESSIONAL = "Odoo ERP Hosting - Professional"
STARTER = "Odoo ERP Hosting - Starter"
WORDPRESS = "WordPress Website Hosting - Business"
WORDPRESS_MANAGED = "WordPress Website Hosting - Managed"
MANAGED = "Managed Odoo - Standard"
MANAGED_BASIC = "Managed Odoo - Basic"
MANAGED_WORDPRESS = "Managed WordPress - Standard"
BACKUP = "Daily Backup Protection"
WHATSAPP = "WhatsApp Business Connector"
FORMS = "Forms Builder Pro"
LABEL = "White Label Branding"

FAMILY = {
    ERP: "hosting",
    PROFESSIONAL: "hosting",
    STARTER: "hosting",
    WORDPRESS: "hosting",
    WORDPRESS_MANAGED: "hosting",
    MANAGED: "managed",
    MANAGED_BASIC: "managed",
    MANAGED_WORDPRESS: "managed",
    BACKUP: "addons",
    WHATSAPP: "addons",
    FORMS: "addons",
    LABEL: "addons",
}

# List prices a month in cents by the plan's name; the backup also has a yearly one.
PRICES = {
    ERP: 21450,
    PROFESSIONAL: 20000,
    STARTER: 4425,
    WORDPRESS: 4999,
    WORDPRESS_MANAGED: 9900,
    MANAGED: 5000,
    MANAGED_BASIC: 4995,
    MANAGED_WORDPRESS: 2495,
    BACKUP: 299,
    WHATSAPP: 2995,
    FORMS: 1999,
    LABEL: 3595,
}
BACKUP_YEARLY = 3588


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """An invoiced subscription: its plan and the service time of its invoice."""

    key: str
    customer: str
    plan: str
    start: datetime
    end: datetime

    @property
    def id(self) -> str:
        """The id in NexaCloud."""
        return uuid_of(f"nexa/subscription/{self.key}")


def at(text: str) -> datetime:
    """A moment in Toronto: `2026-04-30 23:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=TORONTO)


_MAY, _JUNE = at("2026-05-01"), at("2026-06-01")

# Four changed from a free plan in May, at these seconds: price * seconds left / seconds of the month,
# half-up, is the invoiced amount. Two were invoiced their list price.
METERED = (
    Metered(key="9.11", customer="maple", plan=PROFESSIONAL, start=at("2026-05-30 14:06:39"), end=_JUNE),
    Metered(key="9.13", customer="harbour", plan=MANAGED, start=at("2026-05-26 08:08:44"), end=_JUNE),
    Metered(key="9.15", customer="lakeside", plan=PROFESSIONAL, start=at("2026-05-30 13:57:43"), end=_JUNE),
    Metered(key="9.17", customer="kawartha", plan=MANAGED, start=at("2026-05-26 07:33:01"), end=_JUNE),
    Metered(key="49.99", customer="northern", plan=WORDPRESS, start=at("2026-04-01"), end=_MAY),
    Metered(key="44.25", customer="priya", plan=STARTER, start=_MAY, end=_JUNE),
)  # fmt: skip

_S, _L = SoldAt.STRIPE, SoldAt.LAGO
_ZERO, _DRAFT = "zero", "draft"

# key, source, customer, issued in Toronto, paid where it was not at once, lines (product, net,
# quantity, first moment where it is prorated, last), and its kind unless it is a paid one-off.
_ONE_OFFS = (
    # March on Stripe: 877.99, two zeros among them.
    ("s01", _S, "maple", "2026-03-02 09:15", None, ((ERP, 21450, 1, None, None),), None),
    ("s02", _S, "northern", "2026-03-03 10:02", None, ((ERP, 21450, 1, None, None),), None),
    ("s03", _S, "harbour", "2026-03-12 14:40", None, ((ERP, 21450, 1, None, None),), None),
    ("s04", _S, "kawartha", "2026-03-30 16:20", "2026-04-02 11:05", ((ERP, 21450, 1, None, None),), None),
    ("s05", _S, "priya", "2026-03-16 12:30", None, ((FORMS, 1999, 1, None, None),), None),
    ("z01", _S, "lakeside", "2026-03-05 09:00", None, ((STARTER, 0, 1, None, None),), _ZERO),
    ("z02", _S, "trillium", "2026-03-20 15:45", None, (("Unused " + MANAGED, -1890, 1, "2026-03-20 07:10:00", None), (MANAGED, 1890, 1, "2026-03-20 07:10:00", None)), _ZERO),
    # April on Stripe: 872.66, two zeros among them. Late on the 30th: in UTC it is May already.
    ("s06", _S, "trillium", "2026-04-30 23:30", "2026-05-01 09:12", ((ERP, 85800, 4, None, None),), None),
    ("s07", _S, "priya", "2026-04-09 00:00:04", None, ((FORMS, 1466, 1, "2026-04-09 00:00:00", None),), None),
    ("z03", _S, "harbour", "2026-04-07 11:11", None, ((BACKUP, 0, 1, None, None),), _ZERO),
    ("z04", _S, "lakeside", "2026-04-21 17:05", None, ((STARTER, 0, 1, None, None), (WHATSAPP, 0, 1, None, None)), _ZERO),
    # May on Stripe: 32.20, one zero beside it.
    ("s08", _S, "lakeside", "2026-05-27 10:21:20", None, ((BACKUP, 3220, 1, "2026-05-27 10:19:00", "2027-04-20 00:00"),), None),
    ("z05", _S, "kawartha", "2026-05-11 08:50", None, ((LABEL, 0, 1, None, None),), _ZERO),
    ("d01", _S, "harbour", "2026-05-29 13:00", None, ((ERP, 21450, 1, None, None),), _DRAFT),
    ("d02", _S, "kawartha", "2026-05-30 18:30", None, ((MANAGED, 5000, 1, None, None),), _DRAFT),
    # Lago: 1,098.23.
    ("l01", _L, "maple", "2026-02-03 10:00", None, ((ERP, 21450, 1, None, None),), None),
    ("l02", _L, "trillium", "2026-02-16 10:00", "2026-03-02 08:30", ((WORDPRESS_MANAGED, 9900, 1, None, None),), None),
    ("l03", _L, "northern", "2026-03-09 10:00", None, ((ERP, 21450, 1, None, None),), None),
    ("l04", _L, "lakeside", "2026-03-24 10:00", None, ((MANAGED_BASIC, 4995, 1, None, None),), None),
    ("l05", _L, "harbour", "2026-04-13 10:00", None, ((ERP, 21450, 1, None, None),), None),
    ("l06", _L, "maple", "2026-04-27 10:00", "2026-05-04 09:40", ((WHATSAPP, 2995, 1, None, None),), None),
    ("l07", _L, "kawartha", "2026-05-05 10:00", None, ((ERP, 21450, 1, None, None),), None),
    ("l08", _L, "trillium", "2026-05-18 10:00", None, ((MANAGED_WORDPRESS, 2495, 1, None, None),), None),
    ("l09", _L, "priya", "2026-05-27 13:05", None, ((LABEL, 3595, 1, None, None), (BACKUP, 43, 1, "2026-05-27 13:00:00", None)), None),
)  # fmt: skip


def nexa_sales() -> tuple[Sale, ...]:
    """Every invoice of the dataset, numbered in the order of issue, each source in its own series."""
    sales = sorted(
        (*_one_offs(), *_metered()), key=lambda sale: (sale.issued or sale.created, sale.key)
    )
    counts = {SoldAt.STRIPE: 0, SoldAt.LAGO: 0}
    numbered = []
    for sale in sales:
        if sale.status is not SaleStatus.DRAFT:
            counts[sale.source] += 1
        series = "NXC" if sale.source is SoldAt.STRIPE else "NEX-2026"
        numbered.append(replace(sale, number=f"{series}-{counts[sale.source]:04d}"))
    return tuple(numbered)


def _one_offs() -> Iterator[Sale]:
    for key, source, customer, issued, paid, lines, kind in _ONE_OFFS:
        sale = Sale(
            key=f"nexa/{key}",
            source=source,
            number="",
            customer=CUSTOMERS[customer],
            status=SaleStatus.DRAFT if kind == _DRAFT else SaleStatus.PAID,
            created=_created(key, source, at(issued)),
            issued=None if kind == _DRAFT else at(issued),
            lines=tuple(_line(at(issued), *line) for line in lines),
            rates=() if kind == _ZERO else (HST_ON,),
            copied=CopyHabit(items=source is SoldAt.STRIPE),
        )
        yield _settled(sale, at(paid) if paid else at(issued) + timedelta(seconds=90))


def _metered() -> Iterator[Sale]:
    for metered in METERED:
        prorated = metered.start.day != 1
        issued = (
            metered.start + timedelta(seconds=2)
            if prorated
            else metered.start.replace(day=2, hour=4)
        )
        sale = Sale(
            key=f"nexa/metered/{metered.key}",
            source=SoldAt.STRIPE,
            number="",
            customer=CUSTOMERS[metered.customer],
            status=SaleStatus.PAID,
            created=issued if prorated else issued - timedelta(hours=1),
            issued=issued,
            lines=(_metered_line(metered, prorated),),
            rates=(HST_ON,),
            subscription=metered.id,
        )
        yield _settled(sale, issued + timedelta(seconds=40))
        if metered.key == "49.99":
            # Billed a day too early, voided, billed again; NexaCloud's copy still has it as paid.
            yield replace(
                sale,
                key="nexa/void",
                status=SaleStatus.VOID,
                created=issued - timedelta(days=1, hours=1),
                issued=issued - timedelta(days=1),
                copied=CopyHabit(items=False, status="paid"),
            )


def _metered_line(metered: Metered, prorated: bool) -> SoldLine:
    price = PRICES[metered.plan]
    day = f"{metered.start.day} {metered.start:%b %Y}"
    prorated_text = f"Remaining time on {metered.plan} after {day}"
    plain = f"1 × {metered.plan} (at ${price / 100:.2f} / month)"
    return SoldLine(
        description=prorated_text if prorated else plain,
        family=FAMILY[metered.plan],
        net=int(Decimal(metered.key) * 100),
        start=metered.start,
        end=metered.end,
        proration=prorated,
    )


def _line(
    issued: datetime, product: str, net: int, quantity: int, start: str | None, end: str | None
) -> SoldLine:
    plan = product.removeprefix("Unused ")
    first = issued.replace(day=1, hour=0, minute=0, second=0)
    month_end = (first + timedelta(days=32)).replace(day=1)
    description = plan
    if start:
        begun = at(start)
        what = "Unused" if plan != product else "Remaining"
        description = f"{what} time on {plan} after {begun.day} {begun:%b %Y}"
    return SoldLine(
        description=description,
        family=FAMILY[plan],
        net=net,
        start=at(start) if start else first,
        end=at(end) if end else month_end,
        quantity=quantity,
        proration=start is not None,
    )


def _created(key: str, source: SoldAt, issued: datetime) -> datetime:
    """The creation: Lago's is the issue, Stripe's an hour before (of one document, three days)."""
    if source is SoldAt.LAGO:
        return issued
    return issued - (timedelta(days=3) if key == "s01" else timedelta(hours=1))


def _settled(sale: Sale, paid_at: datetime) -> Sale:
    if sale.status is not SaleStatus.PAID or not sale.total:
        return sale
    return replace(sale, payments=(Paid(at=paid_at, amount=sale.total),))
