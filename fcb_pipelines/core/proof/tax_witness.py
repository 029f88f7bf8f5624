"""The tax witness: the tax expected from the customer's address and the document's date.

It computes the expected tax from the configured taxes alone and compares it with the billed tax. It
only reports: documents are posted as billed, and the witness holds or changes none.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fcb_pipelines.core.codes import Kind, Status, Verdict
from fcb_pipelines.core.company.settings import Settings, Tax
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.documents.taxes import allowance, in_force, resolve
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, User
from fcb_pipelines.core.facts.tax_names import CANADA, country_code, province
from fcb_pipelines.core.ledger.entries import DocumentTax
from fcb_pipelines.core.money import half_up, to_major

HST = "hst"


class WitnessVerdict(StrEnum):
    """The comparison of the billed with the expected tax."""

    MATCH = "match"
    DIFFERS = "differs"
    UNKNOWN_ADDRESS = "unknown_address"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The customer's country code, in Canada the province, and the record that has them.

    `taken_from` is `document` or `nexacloud`.
    """

    country: str
    state: str | None
    taken_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRow:
    """One document: the tax expected from address and date, against the tax billed.

    Amounts are minor units, positive on a credit note too. `difference` is billed less expected, negated
    on a credit note so that it can be summed; 0 where no tax can be expected. `taxed_on` is the date
    whose rates count: for a credit note, its invoice's. The key of a billed tax that is not configured
    is its type and rate.
    """

    ref: str
    number: str
    kind: Kind
    date: dt.date
    taxed_on: dt.date
    currency: str
    country: str | None
    state: str | None
    address_from: str | None
    net: int
    verdict: WitnessVerdict
    expected: tuple[DocumentTax, ...]
    billed: tuple[DocumentTax, ...]
    expected_tax: int
    billed_tax: int
    difference: int
    detail: str


def tax_witness(
    documents: Iterable[InvoiceFacts],
    dispositions: Iterable[Disposition],
    claimants: Mapping[str, NexaCloudInvoice],
    users: Mapping[str, User],
    dates: Mapping[str, dt.date],
    settings: Settings,
) -> tuple[WitnessRow, ...]:
    """One row for each document that is not skipped and whose amounts can be trusted, in their order.

    `dates` are those of all documents by ref, so that a credit note finds its invoice's.
    """
    skipped = {row.ref for row in dispositions if row.verdict is Verdict.SKIP}
    rows = []
    for facts in documents:
        doubtful = facts.problem or facts.date is None or facts.status is Status.UNKNOWN
        if facts.ref in skipped or doubtful:
            continue
        credited = facts.credits or ""
        claimant = claimants.get(facts.ref) or claimants.get(credited)
        address = address_of(facts.bill_to, users.get(claimant.user_id) if claimant else None)
        rows.append(witness(facts, address, dates.get(credited), settings))
    return tuple(rows)


def witness(
    facts: InvoiceFacts, address: Address | None, credited_on: dt.date | None, settings: Settings
) -> WitnessRow:
    """The row of one document, which must have a date; `credited_on` is that of a note's invoice."""
    issued = _date(facts)
    taxed_on = credited_on or issued
    billed = _billed(facts, settings.taxes, taxed_on)
    expected = _computed(facts, _due(facts, address, taxed_on, settings))
    allowed = allowance(_roundings(facts), settings.policies.tax_residue)
    verdict = _verdict(facts, address, expected, billed, allowed)
    known = verdict is not WitnessVerdict.UNKNOWN_ADDRESS
    difference = _sum(billed) - _sum(expected)
    return WitnessRow(
        ref=facts.ref,
        number=facts.number,
        kind=facts.kind,
        date=issued,
        taxed_on=taxed_on,
        currency=facts.currency,
        country=address.country if address else None,
        state=address.state if address else None,
        address_from=address.taken_from if address else None,
        net=facts.net,
        verdict=verdict,
        expected=expected,
        billed=billed,
        expected_tax=_sum(expected),
        billed_tax=_sum(billed),
        difference=facts.kind.sign * difference if known else 0,
        detail=_detail(facts, address, taxed_on, expected, billed),
    )


def address_of(shown: BillTo, user: User | None) -> Address | None:
    """The customer's address from the document, else from NexaCloud; None where neither is complete.

    In Canada it needs a province, elsewhere the country is enough.
    """
    records = [("document", shown.country, shown.state)]
    if user is not None:
        records.append(("nexacloud", user.billing_country, user.billing_state))
    for record, country_text, state_text in records:
        country = country_code(country_text)
        state = province(state_text) if country == CANADA else None
        if country and (state or country != CANADA):
            return Address(country=country, state=state, taken_from=record)
    return None


def due_in(state: str, on: dt.date, taxes: Iterable[Tax]) -> tuple[Tax, ...]:
    """The taxes of a Canadian province on a day: HST alone, else GST with the province's own tax."""
    due = [
        tax
        for tax in taxes
        if tax.country == CANADA and tax.percentage and in_force(tax, state, on)
    ]
    return tuple([tax for tax in due if tax.type == HST] or due)


def _due(
    facts: InvoiceFacts, address: Address | None, on: dt.date, settings: Settings
) -> tuple[Tax, ...]:
    if facts.tax_exempt or address is None:
        return ()
    if address.state is None:
        return tuple(tax for tax in settings.taxes if tax.key == settings.policies.export_tax)
    return due_in(address.state, on, settings.taxes)


def _computed(facts: InvoiceFacts, taxes: Sequence[Tax]) -> tuple[DocumentTax, ...]:
    """Each tax on the whole document, rounded half-up. No tax is part of another's base (QST and GST)."""
    base = _taxable(facts, sum((tax.percentage for tax in taxes), Decimal(0)))
    return tuple(
        DocumentTax(key=tax.key, base=half_up(base), amount=half_up(base * tax.percentage / 100))
        for tax in sorted(taxes, key=lambda tax: tax.key)
    )


def _roundings(facts: InvoiceFacts) -> int:
    """How often the source may have rounded each tax: once a line, the shipping counted."""
    return sum(1 for line in facts.lines if line.net) + bool(facts.shipping)


def _taxable(facts: InvoiceFacts, percentage: Decimal) -> Decimal:
    """The base of the tax. Prices that include it are reduced by the expected tax, not by the billed one."""
    included = [line for line in facts.lines if any(tax.inclusive for tax in line.taxes)]
    gross = sum(
        line.net + sum(tax.amount for tax in line.taxes if tax.inclusive) for line in included
    )
    rest = facts.net - sum(line.net for line in included)
    if not facts.lines and any(tax.inclusive for tax in facts.taxes):
        gross, rest = facts.total, 0
    return rest + gross / (1 + percentage / 100)


def _billed(facts: InvoiceFacts, taxes: Sequence[Tax], on: dt.date) -> tuple[DocumentTax, ...]:
    billed = facts.taxes or tuple(tax for line in facts.lines for tax in line.taxes)
    sums: dict[str, tuple[int, int]] = {}
    for one in billed:
        tax = resolve(one, taxes, on)
        key = tax.key if tax else f"{one.type} {one.percentage.normalize():f} %"
        base, amount = sums.get(key, (0, 0))
        sums[key] = base + (facts.net if one.base is None else one.base), amount + one.amount
    return tuple(
        DocumentTax(key=key, base=base, amount=amount)
        for key, (base, amount) in sorted(sums.items())
    )


def _verdict(
    facts: InvoiceFacts,
    address: Address | None,
    expected: Sequence[DocumentTax],
    billed: Sequence[DocumentTax],
    allowed: int,
) -> WitnessVerdict:
    wanted = {tax.key: tax.amount for tax in expected}
    found = {tax.key: tax.amount for tax in billed}
    off = [key for key in wanted | found if abs(found.get(key, 0) - wanted.get(key, 0)) > allowed]
    if facts.tax_exempt:
        return WitnessVerdict.DIFFERS if off else WitnessVerdict.EXEMPT
    if address is None:
        return WitnessVerdict.UNKNOWN_ADDRESS
    return WitnessVerdict.DIFFERS if off else WitnessVerdict.MATCH


def _detail(
    facts: InvoiceFacts,
    address: Address | None,
    on: dt.date,
    expected: Sequence[DocumentTax],
    billed: Sequence[DocumentTax],
) -> str:
    if facts.tax_exempt:
        why = "the source marks the customer as tax exempt"
    elif address is None:
        why = "neither the document nor NexaCloud says in which country or province the customer is"
        return f"{why}; billed {_as_text(billed, facts.currency)}"
    else:
        why = address.state or f"{address.country}, outside of Canada"
    expected_text, billed_text = (_as_text(taxes, facts.currency) for taxes in (expected, billed))
    return f"{why}, on {on}: expected {expected_text}, billed {billed_text}"


def _as_text(taxes: Sequence[DocumentTax], currency: str) -> str:
    return " + ".join(f"{t.key} {to_major(t.amount, currency)}" for t in taxes) or "no tax"


def _sum(taxes: Iterable[DocumentTax]) -> int:
    return sum(tax.amount for tax in taxes)


def _date(facts: InvoiceFacts) -> dt.date:
    if facts.date is None:
        raise ValueError(f"{facts.ref} has no date: no rate can be chosen")
    return facts.date
