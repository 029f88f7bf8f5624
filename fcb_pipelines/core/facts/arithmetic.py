"""Shared arithmetic of billed documents: lines, discounts and taxes that must add up.

The readers of each source use it (`core.facts.stripe.documents`, `core.facts.lago.documents`). Amounts
are integer minor units. Nothing here raises for a bad document: a fault becomes a `Reason`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.codes import Kind, Reason, Status
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, SettlementFacts, TaxFacts
from fcb_pipelines.core.money import half_up, spread
from fcb_pipelines.core.naming import money

# The errors that a body of an unexpected shape can cause; any other is a bug of ours.
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError, ArithmeticError)


def unreadable(side: str, ref: str, kind: Kind, customer: str | None = None) -> InvoiceFacts:
    """The facts of a document whose body can't be read: its ref and kind, and its customer if known."""
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
        customer=customer,
        problem=Reason.UNREADABLE,
    )


def spread_taxes(
    lines: Sequence[LineFacts],
    taxes: Sequence[TaxFacts],
    named: Sequence[Collection[str | None]] = (),
) -> tuple[tuple[LineFacts, ...], Reason | None]:
    """The lines with taxes that sum to the document's, tax by tax; a reason where that can't be done.

    Line taxes that already sum are kept. Where the source puts a tax on no line, or its line taxes
    differ from the document's by rounding (at most a unit a line), the document's tax is spread by
    largest remainder over the lines that carry it. Several entries of one rate on the document (two
    reasons of taxability) count together. `named` are the ids of the taxes that the source names for
    each line without an amount.
    """
    result, problem = _spread(lines, taxes, named)
    together = _by_rate(taxes)
    if problem and len(together) < len(taxes):
        return _spread(lines, together, named)
    return result, problem


def _spread(
    lines: Sequence[LineFacts],
    taxes: Sequence[TaxFacts],
    named: Sequence[Collection[str | None]],
) -> tuple[tuple[LineFacts, ...], Reason | None]:
    result = list(lines)
    rates = {tax.source_id for tax in taxes}
    strangers = {tax.source_id for line in lines for tax in line.taxes} - rates
    if any(_line_tax(line, stranger) for line in lines for stranger in strangers):
        return tuple(lines), Reason.LINES_DO_NOT_SUM
    for tax in taxes:
        bearing = [i for i, line in enumerate(result) if _bears(line, tax)]
        given = sum(_line_tax(result[i], tax.source_id) for i in bearing)
        if bearing and given == tax.amount:
            continue
        if bearing and abs(given - tax.amount) > len(bearing):
            return tuple(lines), Reason.LINES_DO_NOT_SUM
        bearing = bearing or [i for i, line in enumerate(result) if line.net]
        if not bearing:
            return tuple(lines), Reason.LINES_DO_NOT_SUM if tax.amount else None
        bases = {i: result[i].net for i in bearing}
        explained = abs(tax.amount - computed(sum(bases.values()), tax.percentage)) <= 1
        if not explained and len(rates) == len(taxes):
            # The whole of these lines does not explain the tax: take the bases that the source states.
            bases = _stated_bases(result, bearing, tax, named) or bases
        shares = spread(tax.amount, list(bases.values()))
        for (index, base), share in zip(bases.items(), shares, strict=True):
            result[index] = _with_tax(result[index], tax, share, base)
    return tuple(result), None


def _stated_bases(
    lines: Sequence[LineFacts],
    bearing: Sequence[int],
    tax: TaxFacts,
    named: Sequence[Collection[str | None]],
) -> dict[int, int]:
    """The tax base that the source states for each of these lines, by index; empty where it sums to 0."""
    if any(_bears(lines[i], tax) for i in bearing):
        bases = {i: base_of(own_taxes(lines[i], tax.source_id), lines[i].net) for i in bearing}
    else:
        bases = {i: lines[i].net for i in bearing if i < len(named) and tax.source_id in named[i]}
    return bases if sum(bases.values()) else {}


def base_of(entries: Sequence[TaxFacts], net: int) -> int:
    """The base of several entries of one tax: the sum of theirs, or `net` where one has none."""
    bases = [entry.base for entry in entries]
    return net if None in bases else sum(base or 0 for base in bases)


def own_taxes(line: LineFacts, source_id: str | None) -> tuple[TaxFacts, ...]:
    """The line's entries of the tax with this id."""
    return tuple(tax for tax in line.taxes if tax.source_id == source_id)


def _by_rate(taxes: Sequence[TaxFacts]) -> tuple[TaxFacts, ...]:
    """One entry for each rate, with the sum of its amounts and bases."""
    by_rate: dict[str | None, list[TaxFacts]] = {}
    for tax in taxes:
        by_rate.setdefault(tax.source_id, []).append(tax)
    return tuple(
        replace(
            entries[0],
            amount=sum(entry.amount for entry in entries),
            base=None if any(e.base is None for e in entries) else base_of(entries, 0),
        )
        for entries in by_rate.values()
    )


def absorb_rounding(
    lines: tuple[LineFacts, ...], net: int, most: Sequence[int] = ()
) -> tuple[LineFacts, ...]:
    """The lines adjusted so that they sum to `net`, where each line was rounded on its own.

    Three lines of 3333 with a net of 10000 become 3334, 3333 and 3333. A difference of up to half a
    unit a line is a rounding: the largest lines change by a unit each, first those with a gross above
    their `most`. Lines with a larger difference stay as they are.
    """
    off = net - sum(line.net for line in lines)
    if not off or 2 * abs(off) > len(lines):
        return lines
    unit = 1 if off > 0 else -1

    def place(i: int) -> tuple[bool, int, int]:
        beyond = unit < 0 and i < len(most) and lines[i].gross > most[i]
        return not beyond, -abs(lines[i].net), i

    largest = sorted(range(len(lines)), key=place)[: abs(off)]
    return tuple(
        replace(line, net=line.net + unit, gross=line.gross + unit) if i in largest else line
        for i, line in enumerate(lines)
    )


def absorb_tax_rounding(taxes: tuple[TaxFacts, ...], tax: int) -> tuple[TaxFacts, ...]:
    """The document's taxes adjusted so that they sum to `tax`, where each was rounded on its own.

    The taxes that lost most by rounding change by a unit each. Taxes with a difference above half a
    unit each stay as they are.
    """
    off = tax - sum(each.amount for each in taxes)
    billed = [i for i, each in enumerate(taxes) if each.amount]
    if not off or 2 * abs(off) > len(billed):
        return taxes
    unit = 1 if off > 0 else -1

    def lost(i: int) -> Decimal:
        each = taxes[i]
        if each.base is None:
            return Decimal(0)
        return (each.base * each.percentage / 100 - each.amount) * unit

    adjusted = sorted(billed, key=lambda i: (-lost(i), -abs(taxes[i].amount), i))[: abs(off)]
    return tuple(
        replace(each, amount=each.amount + unit) if i in adjusted else each
        for i, each in enumerate(taxes)
    )


def describe_wrong_sums(facts: InvoiceFacts) -> str:
    """The figures of a document that contradict each other, as a text for people."""

    def shown(minor: int) -> str:
        return money(minor, facts.currency)

    net = sum(line.net for line in facts.lines) + facts.shipping
    tax = sum(each.amount for each in facts.taxes)
    faults = []
    if tax != facts.tax:
        faults.append(f"its taxes sum to {shown(tax)}, not to {shown(facts.tax)}")
    if facts.lines and net + facts.tax != facts.total:
        shipping = f", shipping {shown(facts.shipping)}" if facts.shipping else ""
        lines = f"lines {shown(net - facts.shipping)}{shipping} and tax {shown(facts.tax)}"
        faults.append(f"{lines} are not the total {shown(facts.total)}")
    discount = sum(line.discount for line in facts.lines)
    if facts.lines and discount != facts.discount:
        faults.append(f"discount {shown(facts.discount)} is {shown(discount)} on the lines")
    on_lines = {each.source_id: each for line in facts.lines for each in line.taxes}
    billed = {each.source_id: each for each in _by_rate(facts.taxes)}
    for rate, each in (on_lines | billed).items():
        given = sum(_line_tax(line, rate) for line in facts.lines)
        amount = billed[rate].amount if rate in billed else 0
        if rate in on_lines and not facts.shipping and given != amount:
            name = f"{each.type} {each.percentage.normalize():f} %"
            faults.append(f"{name} is {shown(amount)} on the document, {shown(given)} on its lines")
    return "; ".join(faults) or f"source total {shown(facts.total)}, see its evidence"


def spread_discount(total: int, lines: Sequence[LineFacts]) -> tuple[LineFacts, ...]:
    """The lines with a further discount of `total`, spread over their net by largest remainder."""
    shares = spread(total, [line.net for line in lines])
    return tuple(
        replace(line, discount=line.discount + share, net=line.net - share)
        for line, share in zip(lines, shares, strict=True)
    )


def as_credit_note(facts: InvoiceFacts) -> InvoiceFacts:
    """An invoice with a negative total as a credit note: every amount with its sign changed."""
    return replace(
        facts,
        kind=Kind.CREDIT_NOTE,
        net=-facts.net,
        tax=-facts.tax,
        total=-facts.total,
        paid=-facts.paid,
        discount=-facts.discount,
        shipping=-facts.shipping,
        lines=tuple(_negated_line(line) for line in facts.lines),
        taxes=tuple(_negated_tax(tax) for tax in facts.taxes),
        settlements=tuple(replace(s, amount=-s.amount, debt=-s.debt) for s in facts.settlements),
    )


def in_currency(
    settlements: Iterable[SettlementFacts], currency: str
) -> tuple[SettlementFacts, ...]:
    """Those in the document's currency: one in another takes nothing off the document, and is listed."""
    return tuple(each for each in settlements if each.currency == currency)


def in_order(settlements: Sequence[SettlementFacts]) -> tuple[SettlementFacts, ...]:
    """Settlements by date, then ref, whatever the order of the source's answer."""

    def place(settlement: SettlementFacts) -> tuple[date, str]:
        return settlement.date, settlement.ref

    return tuple(sorted(settlements, key=place))


def _line_tax(line: LineFacts, source_id: str | None) -> int:
    return sum(tax.amount for tax in line.taxes if tax.source_id == source_id)


def _bears(line: LineFacts, tax: TaxFacts) -> bool:
    return bool(own_taxes(line, tax.source_id))


def _with_tax(line: LineFacts, tax: TaxFacts, amount: int, base: int) -> LineFacts:
    others = tuple(own for own in line.taxes if own.source_id != tax.source_id)
    return replace(line, taxes=(*others, replace(tax, amount=amount, base=base)))


def _negated_line(line: LineFacts) -> LineFacts:
    return replace(
        line,
        net=-line.net,
        gross=-line.gross,
        discount=-line.discount,
        taxes=tuple(_negated_tax(tax) for tax in line.taxes),
    )


def _negated_tax(tax: TaxFacts) -> TaxFacts:
    return replace(tax, amount=-tax.amount, base=None if tax.base is None else -tax.base)


def computed(base: int, percentage: Decimal) -> int:
    """Tax on `base` minor units at `percentage` (13 for 13 %), rounded half-up."""
    return half_up(base * percentage / 100)
