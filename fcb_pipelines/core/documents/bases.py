"""T7: the tax base of each line, where the lines' whole net does not explain the billed tax.

A source computes tax on its own taxable amount: half of a line, only some lines, the shipping as well.
It rounds once, or each line separately. Here each tax is proved on the base that the source states; the
lines can then be cut so that the ledger computes on the same base.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fcb_pipelines.core.documents.taxes import allowance
from fcb_pipelines.core.facts.arithmetic import base_of, computed
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, TaxFacts
from fcb_pipelines.core.ledger.entries import DocumentLine
from fcb_pipelines.core.money import spread, to_major
from fcb_pipelines.core.naming import money

SHIPPING = "shipping"

# The base of one tax on one line, minor units, in its separately rounded parts; empty: not taxed.
Parts = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One tax of a document as its source states it, line by line; minor units.

    `billed` is the amount on the document, `reasons` the bases of the document's entries of this tax
    (empty where one has none), `percentage` is 13 for 13 %. `names` are the lines' names for people,
    `nets` their nets, `entries` each line's own entries of this tax. `on_all`: no line names any tax,
    so the document's taxes are on all of them.
    """

    key: str
    percentage: Decimal
    billed: int
    reasons: tuple[int, ...]
    names: tuple[str, ...]
    nets: tuple[int, ...]
    entries: tuple[tuple[TaxFacts, ...], ...]
    on_all: bool
    currency: str

    def shown(self, minor: int) -> str:
        """An amount as people write it."""
        return money(minor, self.currency)

    def on(self, base: int) -> int:
        """The tax on `base`, rounded half-up."""
        return computed(base, self.percentage)

    def off(self, bases: Sequence[int]) -> int:
        """The distance between the billed tax and the tax on these bases, minor units."""
        return abs(self.billed - self.on(sum(bases)))

    @property
    def base(self) -> int | None:
        """The base that the document's own entries state; None where they state none."""
        return sum(self.reasons) if self.reasons else None

    @property
    def bearing(self) -> tuple[int, ...]:
        """The net of each line that carries the tax; 0 for the others."""
        return tuple(
            net if self.on_all or own else 0
            for net, own in zip(self.nets, self.entries, strict=True)
        )

    @property
    def taxed(self) -> tuple[int, ...]:
        """The base that the source states for each line; the net where it states none."""
        return tuple(
            base_of(own, net) if own else net
            for own, net in zip(self.entries, self.bearing, strict=True)
        )


def with_shipping_taxes(
    facts: InvoiceFacts, sold: Sequence[LineFacts], chosen: Mapping[TaxFacts, str]
) -> tuple[tuple[LineFacts, ...], dict[TaxFacts, str]]:
    """The lines with the taxes of the shipping, which are those billed beyond the other lines.

    The second value is `chosen`, the configured key of every tax, with the shipping's taxes added.
    Where no line names a tax the lines come back as they are: the document's taxes are on all of them.
    """
    *lines, shipping = sold
    if not facts.shipping or not any(line.taxes for line in lines):
        return tuple(sold), dict(chosen)
    own: dict[TaxFacts, str] = {}
    for key in dict.fromkeys(chosen[tax] for tax in facts.taxes):
        billed = [tax for tax in facts.taxes if chosen[tax] == key]
        on_lines = [entry for line in lines for entry in line.taxes if chosen[entry] == key]
        amount = sum(tax.amount for tax in billed) - sum(tax.amount for tax in on_lines)
        base = shipping.net
        if all(tax.base is not None for tax in (*billed, *on_lines)):
            rest = base_of(billed, 0) - base_of(on_lines, 0)
            base = rest if 0 < rest * _sign(base) < abs(base) - 1 else base
        # A difference nearer to zero than to the tax on shipping is a rounding of the lines.
        if abs(amount - computed(base, billed[0].percentage)) < abs(amount):
            own[replace(billed[0], amount=amount, base=base)] = key
    return (*lines, replace(shipping, taxes=tuple(own))), {**chosen, **own}


def claim_of(
    key: str,
    percentage: Decimal,
    facts: InvoiceFacts,
    sold: Sequence[LineFacts],
    chosen: Mapping[TaxFacts, str],
) -> Claim:
    """The claim of the source for the tax that is configured as `key`."""
    billed = [tax for tax in facts.taxes if chosen[tax] == key]
    bases = [tax.base for tax in billed if tax.base is not None]
    return Claim(
        key=key,
        percentage=percentage,
        billed=sum(tax.amount for tax in billed),
        reasons=tuple(bases) if len(bases) == len(billed) else (),
        names=tuple(
            SHIPPING if line.key == SHIPPING else f"line {number} ({line.key})"
            for number, line in enumerate(sold, start=1)
        ),
        nets=tuple(line.net for line in sold),
        entries=tuple(tuple(tax for tax in line.taxes if chosen[tax] == key) for line in sold),
        on_all=not any(line.taxes for line in sold),
        currency=facts.currency,
    )


def prove_bases(claim: Claim, residue: int) -> tuple[Parts, ...] | str:
    """The parts of each line that the tax is on; or the wrong figure, as a text for people.

    `residue` is the difference in minor units that is always allowed.
    """
    near = _count(claim.bearing)
    whole = abs(sum(claim.taxed) - sum(claim.bearing)) <= near
    taxed = claim.bearing if whole else _plain(claim.taxed, claim.bearing)
    for name, net, base in zip(claim.names, claim.bearing, taxed, strict=True):
        if not 0 <= base * _sign(net) <= abs(net):
            return f"{claim.key} on {name} is taxed on {claim.shown(base)}, its net is {claim.shown(net)}"
    bases = taxed
    if claim.off(taxed) > residue:
        bases = min((taxed, *_on_document_base(claim, taxed, near)), key=claim.off)
    off = claim.off(bases)
    if off > residue:
        wrong = _unproved_lines(claim, bases)
        if wrong:
            return "; ".join(wrong)
    if off <= allowance(_count(bases), residue):
        return tuple((base,) if base else () for base in bases)
    parts = _rounded_parts(claim, bases)
    if off <= allowance(sum(len(each) for each in parts), residue):
        return parts
    return _unproved_document(claim, bases)


def cut(
    line: DocumentLine,
    parts: Mapping[str, Parts],
    percentages: Mapping[str, Decimal],
    currency: str,
) -> tuple[DocumentLine, ...]:
    """A line cut into pieces so that each tax is on whole pieces; uncut where every tax is on all of it.

    `parts` has the parts of the line for each tax key; a tax on a part of the line is on its first
    pieces. The pieces sum to the line's net and to its tax.
    """
    size, sign = abs(line.net), _sign(line.net)
    reach = {key: abs(sum(each)) for key, each in parts.items()}
    ends = sorted({size, *(end for each in parts.values() for end in _ends(each))} - {0})
    if not size:
        return (line,)
    pieces = [
        (sign * (end - start), tuple(sorted(key for key, far in reach.items() if far >= end)))
        for start, end in zip((0, *ends), ends, strict=False)
    ]
    if len(pieces) == 1:
        return (replace(line, taxes=pieces[0][1]),)
    weights = [
        int(abs(net) * sum((percentages[key] for key in keys), Decimal(0)) * 1000)
        for net, keys in pieces
    ]
    shares = spread(line.tax, weights)
    return tuple(
        replace(
            line,
            description=f"{line.description} ({'taxed' if keys else 'untaxed'} part)",
            quantity=Decimal(1),
            unit_price=to_major(net, currency),
            net=net,
            taxes=keys,
            tax=share,
        )
        for (net, keys), share in zip(pieces, shares, strict=True)
    )


def _plain(bases: Sequence[int], nets: Sequence[int]) -> tuple[int, ...]:
    """The bases, with the net in place of each that differs from it by a unit of rounding at most."""
    return tuple(
        net if abs(base - net) <= 1 else base for base, net in zip(bases, nets, strict=True)
    )


def _on_document_base(claim: Claim, taxed: Sequence[int], near: int) -> tuple[tuple[int, ...], ...]:
    """The document's own base spread over the lines that carry the tax; empty where theirs sum to it."""
    base, whole = claim.base, sum(claim.bearing)
    if base is None or abs(base - sum(taxed)) <= near or not 0 <= base * _sign(whole) <= abs(whole):
        return ()
    return (_plain(spread(base, claim.bearing), claim.bearing),)


def _rounded_parts(claim: Claim, bases: Sequence[int]) -> tuple[Parts, ...]:
    """The bases in separately rounded parts: by the line's own entries, else by the document's."""
    parts = []
    for base, own in zip(bases, claim.entries, strict=True):
        each = tuple(entry.base for entry in own if entry.base)
        if len(each) < 2 or sum(each) != base:
            each = spread(base, claim.reasons) if sum(claim.reasons) else (base,)
        apart = all(part * base >= 0 for part in each)
        parts.append(tuple(part for part in each if part) if apart else (base,) if base else ())
    return tuple(parts)


def _unproved_lines(claim: Claim, bases: Sequence[int]) -> list[str]:
    """Texts for lines whose tax is neither the tax on their base nor their share of the document's.

    Empty where the line taxes do not sum to the document's: then they prove nothing.
    """
    amounts = [sum(entry.amount for entry in own) for own in claim.entries]
    if sum(amounts) != claim.billed:
        return []
    whole = sum(bases)
    wrong = []
    for number, (own, amount, base, stated) in enumerate(
        zip(claim.entries, amounts, bases, claim.taxed, strict=True)
    ):
        roundings = max(1, len(own))
        share = abs(amount * whole - claim.billed * base) <= roundings * abs(whole)
        near = min(abs(amount - claim.on(each)) for each in (base, stated)) <= roundings
        if own and not near and not (share and whole):
            right = f"computed {claim.shown(claim.on(stated))} on {claim.shown(stated)}"
            billed = f"{claim.key} on {claim.names[number]} billed {claim.shown(amount)}"
            wrong.append(f"{billed}, {right}")
    return wrong


def _unproved_document(claim: Claim, bases: Sequence[int]) -> str:
    whole = sum(bases)
    if claim.base is not None and abs(claim.base) > abs(sum(claim.bearing)):
        expected = allowance(_count(bases), 1)
        if abs(claim.billed - claim.on(claim.base)) <= expected:
            lines = claim.shown(sum(claim.bearing))
            return f"{claim.key} is taxed on {claim.shown(claim.base)}, its lines are {lines}"
    right = f"computed {claim.shown(claim.on(whole))} on {claim.shown(whole)}"
    return f"{claim.key} billed {claim.shown(claim.billed)}, {right}"


def _ends(parts: Parts) -> tuple[int, ...]:
    ends = []
    end = 0
    for part in parts:
        end += abs(part)
        ends.append(end)
    return tuple(ends)


def _count(bases: Sequence[int]) -> int:
    return sum(1 for base in bases if base)


def _sign(amount: int) -> int:
    return -1 if amount < 0 else 1
