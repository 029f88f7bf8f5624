"""Shared arithmetic of billed documents: lines, discounts and taxes that must add up.

Used by the readers of each source (`core.stripe_facts`, `core.lago_facts`). Amounts are integer
minor units. Nothing here raises for a bad document: a fault becomes a `Problem`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.facts import (
    InvoiceFacts,
    Kind,
    LineFacts,
    SettlementFacts,
    Side,
    Status,
    TaxFacts,
)
from fcb_pipelines.core.money import spread


class Problem(StrEnum):
    """Why a document can't be posted as its source tells it. Each one is the reason of a hold."""

    UNREADABLE = "unreadable"
    LINES_DO_NOT_SUM = "lines_do_not_sum"
    CURRENCY_NEEDS_REVIEW = "currency_needs_review"
    TREATMENT_UNKNOWN = "treatment_unknown"


# What a body of an unexpected shape can raise while it is read; anything else is a bug of ours.
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError, ArithmeticError)


def unreadable(side: Side, ref: str, kind: Kind) -> InvoiceFacts:
    """The facts of a document whose body can't be read: nothing but its identity is known."""
    return InvoiceFacts(
        side=side,
        ref=ref,
        kind=kind,
        number="",
        status=Status.UNKNOWN,
        status_at_source="",
        currency="",
        date=None,
        net=0,
        tax=0,
        total=0,
        paid=0,
        customer=None,
        problem=Problem.UNREADABLE,
    )


def spread_taxes(
    lines: Sequence[LineFacts], taxes: Sequence[TaxFacts]
) -> tuple[tuple[LineFacts, ...], Problem | None]:
    """Lines whose taxes sum to the document's, tax by tax.

    Line taxes that already do are the source's own and stay. Where the source gives a tax on no
    line, or its lines differ from the document by rounding (a unit a line at most), the document's
    tax is spread over the lines that bear it by largest remainder.
    """
    result = list(lines)
    strangers = {tax.source_id for line in lines for tax in line.taxes} - {
        t.source_id for t in taxes
    }
    if any(_line_tax(line, stranger) for line in lines for stranger in strangers):
        return tuple(lines), Problem.LINES_DO_NOT_SUM
    for tax in taxes:
        bearing = [i for i, line in enumerate(result) if _bears(line, tax)]
        given = sum(_line_tax(result[i], tax.source_id) for i in bearing)
        if bearing and given == tax.amount:
            continue
        if bearing and abs(given - tax.amount) > len(bearing):
            return tuple(lines), Problem.LINES_DO_NOT_SUM
        bearing = bearing or [i for i, line in enumerate(result) if line.net]
        if not bearing:
            return tuple(lines), Problem.LINES_DO_NOT_SUM if tax.amount else None
        shares = spread(tax.amount, [result[i].net for i in bearing])
        for index, share in zip(bearing, shares, strict=True):
            result[index] = _with_tax(result[index], tax, share)
    return tuple(result), None


def spread_discount(total: int, lines: Sequence[LineFacts]) -> tuple[LineFacts, ...]:
    """The lines with `total` more of discount, spread over their net by largest remainder."""
    shares = spread(total, [line.net for line in lines])
    return tuple(
        replace(line, discount=line.discount + share, net=line.net - share)
        for line, share in zip(lines, shares, strict=True)
    )


def turned(facts: InvoiceFacts) -> InvoiceFacts:
    """A document with a negative total as the credit note that it is: every amount's sign turned."""
    return replace(
        facts,
        kind=Kind.CREDIT_NOTE,
        net=-facts.net,
        tax=-facts.tax,
        total=-facts.total,
        paid=-facts.paid,
        discount=-facts.discount,
        shipping=-facts.shipping,
        lines=tuple(_turned_line(line) for line in facts.lines),
        taxes=tuple(_turned_tax(tax) for tax in facts.taxes),
        settlements=tuple(replace(s, amount=-s.amount, debt=-s.debt) for s in facts.settlements),
    )


def in_order(settlements: Sequence[SettlementFacts]) -> tuple[SettlementFacts, ...]:
    """Settlements by date, then ref, so the same facts come out the same whatever the answer's order."""

    def place(settlement: SettlementFacts) -> tuple[date, str]:
        return settlement.date, settlement.ref

    return tuple(sorted(settlements, key=place))


def _line_tax(line: LineFacts, source_id: str | None) -> int:
    return sum(tax.amount for tax in line.taxes if tax.source_id == source_id)


def _bears(line: LineFacts, tax: TaxFacts) -> bool:
    return any(own.source_id == tax.source_id for own in line.taxes)


def _with_tax(line: LineFacts, tax: TaxFacts, amount: int) -> LineFacts:
    others = tuple(own for own in line.taxes if own.source_id != tax.source_id)
    return replace(line, taxes=(*others, replace(tax, amount=amount, base=line.net)))


def _turned_line(line: LineFacts) -> LineFacts:
    return replace(
        line,
        net=-line.net,
        gross=-line.gross,
        discount=-line.discount,
        taxes=tuple(_turned_tax(tax) for tax in line.taxes),
    )


def _turned_tax(tax: TaxFacts) -> TaxFacts:
    return replace(tax, amount=-tax.amount, base=None if tax.base is None else -tax.base)
