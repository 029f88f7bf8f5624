"""Billed taxes, and the configured taxes with which they are posted.

A tax is chosen by type, percentage and jurisdiction together. A billed amount is never changed; the
computed one only decides whether the ledger can hold it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from fcb_pipelines.core.company.settings import Tax, TaxState
from fcb_pipelines.core.facts.arithmetic import computed
from fcb_pipelines.core.facts.model import TaxFacts
from fcb_pipelines.core.ledger.entries import DocumentLine, DocumentTax
from fcb_pipelines.core.naming import money

_ONE_ROUNDING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A billed tax that differs from rate times base by more than rounding allows; minor units."""

    key: str
    base: int
    billed: int
    computed: int


def resolve(billed: TaxFacts, taxes: Sequence[Tax], on: date) -> Tax | None:
    """The configured tax for a billed one; None where none or several match.

    A source's own tax code decides where it is configured. Otherwise type and percentage must be equal
    and the jurisdiction must not contradict; a billed tax without a province matches only where one
    configured tax is left. Among several matches the one in force `on` the document's date is taken.
    """
    code = billed.source_id
    by_code = [tax for tax in taxes if code in tax.lago_codes] if code else []
    if by_code:
        same_rate = [tax for tax in by_code if tax.percentage == billed.percentage]
        return _only(same_rate, billed.state, on)
    candidates = [
        tax
        for tax in taxes
        if tax.percentage == billed.percentage
        and (tax.type == billed.type or billed.percentage == 0)
        and billed.country in (None, tax.country)
    ]
    if billed.state is not None:
        candidates = [tax for tax in candidates if not tax.states or _spans(tax, billed.state)]
    return _only(candidates, billed.state, on)


def in_force(tax: Tax, state: str | None, on: date) -> bool:
    """Whether a tax is due in a province on a day; a `state` of None means any of its provinces."""
    spans = _spans(tax, state) if tax.states else (tax,)
    return tax.covers(on) and any(span.covers(on) for span in spans)


def allowance(taxed_lines: int, residue: int) -> int:
    """The allowed difference between a billed tax and the computed one, minor units.

    Half a unit for each line that carries the tax, rounded up, since a source may round each line
    separately; never less than `residue`.
    """
    return max(residue, (taxed_lines + 1) // 2)


def taxed_lines(lines: Iterable[DocumentLine]) -> Counter[str]:
    """The number of lines that carry each tax, by its key, without lines of net 0."""
    return Counter(key for line in lines if line.net for key in line.taxes)


def mismatches(
    billed: Iterable[tuple[str, int, int]],
    taxes: Sequence[Tax],
    residue: int,
    lines: Mapping[str, int] = _ONE_ROUNDING,
) -> tuple[Mismatch, ...]:
    """The (key, base, amount) triples whose amount differs from the computed tax by more than allowed.

    `lines` is the number of lines that carry each tax; without it each tax was rounded once.
    """
    percentage = {tax.key: tax.percentage for tax in taxes}
    found = []
    for key, base, amount in billed:
        expected = computed(base, percentage[key])
        if abs(amount - expected) > allowance(lines.get(key, 0), residue):
            found.append(Mismatch(key=key, base=base, billed=amount, computed=expected))
    return tuple(found)


def unexplained(
    billed: Iterable[DocumentTax],
    lines: Iterable[DocumentLine],
    taxes: Sequence[Tax],
    residue: int,
    currency: str,
) -> list[str]:
    """The taxes of a document that rate times base and rounding can't explain, as texts for people."""
    triples = [(tax.key, tax.base, tax.amount) for tax in billed if tax.amount]
    return [
        f"{wrong.key} billed {money(wrong.billed, currency)}, computed {money(wrong.computed, currency)}"
        for wrong in mismatches(triples, taxes, residue, taxed_lines(lines))
    ]


def _spans(tax: Tax, state: str | None) -> tuple[TaxState, ...]:
    return tuple(each for each in tax.states if state in (None, each.state))


def _only(candidates: Sequence[Tax], state: str | None, on: date) -> Tax | None:
    # The billed tax decides: the date only chooses between several, and excludes none.
    if len(candidates) > 1:
        candidates = [tax for tax in candidates if in_force(tax, state, on)]
    return candidates[0] if len(candidates) == 1 else None
