"""Stripe bodies of taxed documents, for tests: which part of each line is taxed, and what rounds.

A `Sold` is a line of `net` minor units of which `parts` are taxed, each an entry of its own under a
reason of taxability. Everything else is derived, so that the body adds up as Stripe's would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fcb_pipelines.core.money import half_up, spread
from fcb_pipelines_tests.small_dataset import JUNE, MAY, MAY_2
from fcb_pipelines_tests.source_shapes import (
    Json,
    stripe_credit_note,
    stripe_credit_note_line,
    stripe_invoice,
    stripe_line,
    stripe_tax,
    stripe_tax_rate,
)

HST_13, HST_15, GST_5, PST_7, QST_9975 = "txr_13", "txr_15", "txr_5", "txr_7", "txr_9975"
KEYS = {
    HST_13: "hst_13",
    HST_15: "hst_15",
    GST_5: "gst_5",
    PST_7: "pst_7_bc",
    QST_9975: "qst_9975",
}
RATES = [
    stripe_tax_rate(HST_13),
    stripe_tax_rate(HST_15, percentage=15.0, state="NB", jurisdiction="New Brunswick"),
    stripe_tax_rate(GST_5, percentage=5.0, display_name="GST", tax_type="gst", state=None, jurisdiction="Canada"),
    stripe_tax_rate(PST_7, percentage=7.0, display_name="PST", tax_type="pst", state="BC", jurisdiction="British Columbia"),
    stripe_tax_rate(QST_9975, percentage=9.975, display_name="QST", tax_type="qst", state="QC", jurisdiction="Quebec"),
]  # fmt: skip
PERCENTAGES = {rate["id"]: Decimal(str(rate["percentage"])) for rate in RATES}
REASONS = ("standard_rated", "proportionally_rated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A line and what of it is taxed; by default the whole, under one reason.

    `off` is how far its first entry of each tax is from the right one, minor units.
    """

    net: int
    parts: tuple[int, ...] | None = None
    off: int = 0

    @property
    def taxed(self) -> tuple[int, ...]:
        """The taxable amounts, one for each reason."""
        return (self.net,) if self.parts is None else self.parts


def taxed_body(
    lines: Sequence[Sold],
    *,
    rates: Sequence[str] = (HST_13,),
    by_line: bool = True,
    on_lines: bool = True,
    inclusive: bool = False,
    shipping: Sold | None = None,
    off: int = 0,
    note: bool = False,
    name: str = "in_1",
) -> Json:
    """An invoice (or, with `note`, a credit note), as the connector hands it on.

    Each entry is rounded (`by_line`), or each reason of the document, and then spread over the lines.
    Without `on_lines` the lines show no tax. `off` is added to the document's first tax alone.
    """
    whole = [*lines, *([shipping] if shipping else [])]
    entries: list[list[Json]] = [[] for _ in whole]
    totals: list[Json] = []
    for rate in rates:
        for number, reason in enumerate(REASONS):
            bases = {i: s.taxed[number] for i, s in enumerate(whole) if len(s.taxed) > number}
            if not bases:
                continue
            exact = {i: base * PERCENTAGES[rate] / 100 for i, base in bases.items()}
            if by_line:
                amounts = {i: half_up(each) for i, each in exact.items()}
            else:
                shares = spread(half_up(sum(exact.values())), list(bases.values()))
                amounts = dict(zip(bases, shares, strict=True))
            for i, base in bases.items():
                amounts[i] += whole[i].off if number == 0 else 0
                entry = stripe_tax(amounts[i], base, rate, inclusive=inclusive, reason=reason)
                entries[i].append(entry)
            told = sum(amounts.values()) + (0 if totals else off)
            totals.append(
                stripe_tax(told, sum(bases.values()), rate, inclusive=inclusive, reason=reason)
            )
    shown = entries if on_lines else [[] for _ in whole]
    cost = _shipping(shipping, entries[-1], totals[0]["tax_behavior"]) if shipping else None
    included = [sum(e["amount"] for e in each) if inclusive else 0 for each in entries]
    made = _note if note else _invoice
    document = made(name, lines, shown, included, totals, cost)
    return {"credit_note" if note else "invoice": document, "tax_rates": RATES}


def _invoice(
    name: str,
    lines: Sequence[Sold],
    taxes: Sequence[Sequence[Json]],
    included: Sequence[int],
    totals: Sequence[Json],
    shipping: Json | None,
) -> Json:
    sold = [
        stripe_line(
            f"il_{number}", name, "Odoo ERP Hosting - Standard", line.net + included[number],
            period_start=MAY, period_end=JUNE, taxes=taxes[number],
        )
        for number, line in enumerate(lines)
    ]  # fmt: skip
    invoice = stripe_invoice(
        name, number=name.upper(), status="open", customer="cus_1", lines=sold, created=MAY_2 - 3600,
        finalized_at=MAY_2, total_taxes=totals, shipping=shipping, customer_name="Acme",
    )  # fmt: skip
    payments = {"object": "list", "data": [], "has_more": False, "url": "/v1/invoice_payments"}
    return invoice | {"payments": payments}


def _note(
    name: str,
    lines: Sequence[Sold],
    taxes: Sequence[Sequence[Json]],
    included: Sequence[int],
    totals: Sequence[Json],
    shipping: Json | None,
) -> Json:
    sold = [
        stripe_credit_note_line(
            f"cnli_{number}", "Odoo ERP Hosting - Standard", line.net + included[number],
            taxes=taxes[number],
        )
        for number, line in enumerate(lines)
    ]  # fmt: skip
    made = stripe_credit_note(
        name, "in_1", number=name.upper(), customer="cus_1", lines=sold, created=MAY_2,
        total_taxes=totals,
    )  # fmt: skip
    cost = shipping["amount_subtotal"] if shipping else 0
    total = made["total"] + cost
    return made | {
        "shipping_cost": shipping, "total": total, "amount": total, "pre_payment_amount": total,
    }  # fmt: skip


def _shipping(shipping: Sold, taxes: Sequence[Mapping[str, object]], behavior: str) -> Json:
    """The cost as Stripe answers it where nobody asks for its taxes."""
    tax = sum(int(str(each["amount"])) for each in taxes)
    included = tax if behavior == "inclusive" else 0
    return {
        "amount_subtotal": shipping.net + included,
        "amount_tax": tax,
        "amount_total": shipping.net + tax,
        "shipping_rate": None,
    }
