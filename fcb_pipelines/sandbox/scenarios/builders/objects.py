"""Sales as the objects of Stripe's and Lago's answers."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fcb_pipelines.sandbox.scenarios.builders.lago_shapes import (
    lago_applied_tax,
    lago_customer,
    lago_fee,
    lago_invoice,
    lago_payment,
)
from fcb_pipelines.sandbox.scenarios.builders.sales import (
    Customer,
    Rate,
    Sale,
    SaleStatus,
    SoldAt,
    SoldLine,
    stripe_id,
    subscription_at_stripe,
    uuid_of,
)
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import (
    Json,
    stripe_invoice,
    stripe_invoice_payment,
    stripe_line,
    stripe_tax,
    stripe_tax_rate,
)

_VOIDED_AFTER = timedelta(hours=3)
_LAGO_STATUS = {SaleStatus.DRAFT: "draft", SaleStatus.VOID: "voided"}


def source_tables(sales: Iterable[Sale], rates: Iterable[Rate]) -> dict[str, list[Json]]:
    """The source files of a dataset by name (`stripe/invoices`), newest first as the vendors list."""
    newest = sorted(sales, key=lambda sale: (sale.created, sale.key), reverse=True)
    stripe = [sale for sale in newest if sale.source is SoldAt.STRIPE]
    lago = [sale for sale in newest if sale.source is SoldAt.LAGO]
    return {
        "stripe/invoices": [_stripe_invoice(sale) for sale in stripe],
        "stripe/invoice_payments": [each for sale in stripe for each in _stripe_payments(sale)],
        "stripe/tax_rates": [stripe_rate(rate) for rate in rates],
        "lago/invoices": [_lago_invoice(sale, n) for n, sale in enumerate(lago[::-1], 1)][::-1],
        "lago/payments": [each for sale in lago for each in _lago_payments(sale)],
    }


def stripe_address(customer: Customer) -> Json:
    """The customer's address in the form of an invoice."""
    return {
        "city": customer.city,
        "country": customer.country,
        "line1": customer.street,
        "line2": None,
        "postal_code": customer.postal_code,
        "state": customer.state,
    }


def stripe_rate(rate: Rate) -> Json:
    """The rate as Stripe's object."""
    return stripe_tax_rate(
        rate.id,
        percentage=float(rate.percentage),
        display_name=rate.name,
        tax_type=rate.type,
        state=rate.state,
        jurisdiction=rate.jurisdiction,
        country=rate.country,
        inclusive=rate.inclusive,
    )


def _stripe_invoice(sale: Sale) -> Json:
    invoice = sale.source_id
    subscription = subscription_at_stripe(sale.subscription) if sale.subscription else None
    shares = sale.line_taxes()
    lines = [
        _stripe_line(sale, invoice, subscription, n, line, [each[n] for each in shares])
        for n, line in enumerate(sale.lines)
    ]
    bought = sale.customer
    last = max((payment.at for payment in sale.payments), default=sale.issued)
    changed = [line.start for line in sale.lines if line.proration and subscription]
    return stripe_invoice(
        invoice,
        number=None if sale.status is SaleStatus.DRAFT else sale.number,
        status=sale.status.value,
        customer=bought.stripe_id,
        customer_name=bought.name,
        customer_email=bought.billing_email or bought.email,
        address=stripe_address(bought),
        lines=lines,
        created=_unix(sale.created),
        finalized_at=_unix(sale.issued) if sale.issued else None,
        paid_at=_unix(last) if last and sale.status is SaleStatus.PAID else None,
        voided_at=_voided(sale),
        total_taxes=[
            stripe_tax(sum(each), sale.net, rate.id)
            for rate, each in zip(sale.rates, shares, strict=True)
        ],
        amount_paid=sale.paid,
        subscription=subscription,
        proration_date=_unix(changed[0]) if changed else None,
    )


def _stripe_line(
    sale: Sale, invoice: str, subscription: str | None, n: int, line: SoldLine, taxes: list[int]
) -> Json:
    key = f"{sale.key}/{n}"
    return stripe_line(
        stripe_id("il", key),
        invoice,
        line.description,
        line.net,
        period_start=_unix(line.start),
        period_end=_unix(line.end),
        quantity=line.quantity,
        taxes=[
            stripe_tax(amount, line.net, rate.id)
            for rate, amount in zip(sale.rates, taxes, strict=True)
        ],
        proration=line.proration,
        subscription=subscription,
        subscription_item=stripe_id("si", sale.subscription, 14) if sale.subscription else None,
        invoice_item=None if subscription else stripe_id("ii", key),
        price=stripe_id("price", line.description),
        product=stripe_id("prod", line.family, 14),
    )


def _stripe_payments(sale: Sale) -> list[Json]:
    return [
        stripe_invoice_payment(
            stripe_id("inpay", f"{sale.key}/{n}"),
            sale.source_id,
            payment.amount,
            paid_at=_unix(payment.at),
            payment_intent=stripe_id("pi", f"{sale.key}/{n}"),
        )
        for n, payment in enumerate(sale.payments)
    ]


def _voided(sale: Sale) -> int | None:
    if sale.status is not SaleStatus.VOID or sale.issued is None:
        return None
    return _unix(sale.issued + _VOIDED_AFTER)


def _lago_invoice(sale: Sale, sequential: int) -> Json:
    invoice = sale.source_id
    issued = sale.issued or sale.created
    created = _iso(sale.created)
    shares = sale.line_taxes()
    fees = [
        _lago_fee(sale, invoice, n, line, [each[n] for each in shares])
        for n, line in enumerate(sale.lines)
    ]
    return lago_invoice(
        invoice,
        number=sale.number,
        issuing_date=issued.date().isoformat(),
        fees=fees,
        customer=customer_at_lago(sale.customer),
        applied_taxes=[
            lago_applied_tax(
                uuid_of(f"{sale.key}/tax/{rate.id}"),
                "lago_invoice_id",
                invoice,
                sum(each),
                code=rate.lago_code,
                name=rate.name,
                rate=float(rate.percentage),
                base=sale.net,
                created_at=created,
            )
            for rate, each in zip(sale.rates, shares, strict=True)
        ],
        status=_LAGO_STATUS.get(sale.status, "finalized"),
        payment_status="succeeded" if sale.status is SaleStatus.PAID else "pending",
        paid=sale.paid,
        sequential_id=sequential,
        created_at=created,
        voided_at=_iso(issued + _VOIDED_AFTER) if sale.status is SaleStatus.VOID else None,
    )


def _lago_fee(sale: Sale, invoice: str, n: int, line: SoldLine, taxes: list[int]) -> Json:
    fee = uuid_of(f"{sale.key}/fee/{n}")
    return lago_fee(
        fee,
        invoice,
        line.net,
        name=line.description,
        code=f"nexa_{line.family}",
        units=f"{line.quantity}.0",
        unit_amount=f"{line.net / line.quantity / 100:.4f}",
        tax_amount=sum(taxes),
        taxes_rate=float(sum(rate.percentage for rate in sale.rates)),
        applied_taxes=[
            lago_applied_tax(
                uuid_of(f"{sale.key}/fee/{n}/tax/{rate.id}"),
                "lago_fee_id",
                fee,
                amount,
                code=rate.lago_code,
                name=rate.name,
                rate=float(rate.percentage),
                created_at=_iso(sale.created),
            )
            for rate, amount in zip(sale.rates, taxes, strict=True)
        ],
        # A second apart, since lists of fees are in the order of their creation.
        created_at=_iso(sale.created + timedelta(seconds=n)),
        from_date=_iso(line.start),
        to_date=_iso(line.end - timedelta(seconds=1)),
        customer=sale.customer.lago_id,
        external_customer_id=sale.customer.user_id,
    )


def customer_at_lago(customer: Customer) -> Json:
    """The customer in the form of Lago's objects."""
    return lago_customer(
        customer.user_id,
        name=customer.name,
        email=customer.billing_email or customer.email,
        city=customer.city,
        state=customer.state,
        zipcode=customer.postal_code,
        address_line1=customer.street,
        country=customer.country,
        lago_id=customer.lago_id,
        tax_number=customer.tax_id,
        stripe_customer=customer.stripe_id,
    )


def _lago_payments(sale: Sale) -> list[Json]:
    return [
        lago_payment(
            uuid_of(f"{sale.key}/payment/{n}"),
            sale.source_id,
            sale.number,
            payment.amount,
            created_at=_iso(payment.at),
            provider_payment_id=stripe_id("pi", f"{sale.key}/{n}"),
            provider_customer_id=sale.customer.stripe_id,
            external_customer_id=sale.customer.user_id,
            customer=sale.customer.lago_id,
        )
        for n, payment in enumerate(sale.payments)
    ]


def _unix(at: datetime) -> int:
    return int(at.timestamp())


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
