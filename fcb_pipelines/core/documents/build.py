"""Builds the intended ledger document from the facts of a source."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.codes import Reason, System
from fcb_pipelines.core.company.settings import Settings, Tax
from fcb_pipelines.core.documents.bases import (
    SHIPPING,
    Parts,
    claim_of,
    cut,
    prove_bases,
    with_shipping_taxes,
)
from fcb_pipelines.core.documents.families import OTHER, UNITEMISED, family_of, standing_line
from fcb_pipelines.core.documents.taxes import mismatches, resolve, unexplained
from fcb_pipelines.core.facts.arithmetic import describe_wrong_sums
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, TaxFacts
from fcb_pipelines.core.facts.tax_names import CANADA, country_code
from fcb_pipelines.core.ledger.entries import (
    DocumentLine,
    DocumentTax,
    LedgerDocument,
    taxes_on,
    with_tax_shares,
)
from fcb_pipelines.core.money import spread, to_major
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.refs import document_name

NO_DESCRIPTION = "(no description)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The reason why no document can be built, with the figures found."""

    reason: Reason
    detail: str


def intended_document(
    facts: InvoiceFacts,
    settings: Settings,
    *,
    partner: str,
    nexacloud_invoice_id: str | None,
    reversing: Sequence[DocumentLine] = (),
) -> LedgerDocument | Held:
    """The document to post, or the reason to hold it.

    `partner` is the key of the billing account. The lines are those of the source; a document without
    any becomes one line on the unitemised account. `reversing` are the posted lines of the invoice that a
    credit note credits: what it takes back goes to the accounts that these stand on (T5).
    """
    if facts.problem:
        adds_up = facts.problem != Reason.LINES_DO_NOT_SUM
        detail = (
            f"source total {money(facts.total, facts.currency)}, see its evidence"
            if adds_up
            else describe_wrong_sums(facts)
        )
        return Held(reason=facts.problem, detail=detail)
    if facts.date is None:
        return Held(reason=Reason.UNREADABLE, detail="a finalised document without a date")
    sold = _sold_lines(facts, settings)
    net = sum(line.net for line in sold)
    if net + facts.tax != facts.total:
        sums = [money(each, facts.currency) for each in (net, facts.tax, facts.total)]
        return Held(
            reason=Reason.LINES_DO_NOT_SUM,
            detail=f"lines {sums[0]} and tax {sums[1]} are not the total {sums[2]}",
        )
    chosen = _resolve_all(facts, sold, settings.taxes, facts.date)
    if isinstance(chosen, Held):
        return chosen
    shares = _line_taxes(facts, sold)
    accounts = account_codes(settings)
    keys = _line_keys(facts, sold, chosen, _zero_rate(facts, settings))
    lines = tuple(
        _document_line(line, share, taxed, settings, accounts, facts.currency, reversing)
        for line, share, taxed in zip(sold, shares, keys, strict=True)
    )
    taxes = _document_taxes(facts, lines, chosen)
    named = sum(tax.amount for tax in taxes)
    if named != facts.tax:
        return Held(
            reason=Reason.LINES_DO_NOT_SUM,
            detail=f"its taxes sum to {money(named, facts.currency)}, not to {money(facts.tax, facts.currency)}",
        )
    wrong = mismatches(
        [(tax.key, tax.base, tax.amount) for tax in taxes],
        settings.taxes,
        settings.policies.tax_residue,
    )
    if wrong:
        # Rate times whole net does not explain the tax: the bases that the source states may.
        cut_lines = _proved_lines(
            facts, sold, lines, {each.key for each in wrong}, chosen, settings
        )
        if isinstance(cut_lines, Held):
            return cut_lines
        lines, taxes = cut_lines, _document_taxes(facts, cut_lines, chosen)
        broken = unexplained(
            taxes, lines, settings.taxes, settings.policies.tax_residue, facts.currency
        )
        if broken:
            return Held(reason=Reason.TAX_MISMATCH, detail="; ".join(broken))
    return LedgerDocument(
        ref=facts.ref,
        kind=facts.kind,
        number=facts.number,
        date=facts.date,
        currency=facts.currency,
        partner=partner,
        lines=lines,
        taxes=tuple(tax for tax in taxes if tax.amount),
        nexacloud_invoice_id=nexacloud_invoice_id,
        stripe_invoice_id=document_name(facts.ref).id if facts.side == System.STRIPE else None,
        reverses=facts.credits,
        source_hash=facts.source_hash,
    )


def _zero_rate(facts: InvoiceFacts, settings: Settings) -> tuple[str, ...]:
    """T6: the tax of 0 % that reports an export, for a document with an address out of the country."""
    country = country_code(facts.bill_to.country)
    export = settings.policies.export_tax
    return (export,) if export and country not in (None, CANADA) else ()


def account_codes(settings: Settings) -> dict[str, str]:
    """The income account code of every family, the two built-in ones included."""
    return {family.key: family.account.code for family in settings.families} | {
        OTHER: settings.accounts.other.code,
        UNITEMISED: settings.accounts.unitemised.code,
    }


def shown_quantity(quantity: Decimal, net: int, currency: str) -> tuple[Decimal, Decimal, str]:
    """Quantity, unit price (major units) and a suffix for the description; their product is exactly `net`.

        shown_quantity(Decimal(3), 3000, "CAD")     # 3 at 10.00, ""
        shown_quantity(Decimal(3), 1000, "CAD")     # 1 at 10.00, " (quantity 3)"

    The second form serves a quantity with more than two decimals too.
    """
    if quantity == 1:
        return Decimal(1), to_major(net, currency), ""
    plain = quantity == quantity.quantize(Decimal("0.01")) and quantity > 0
    if plain and Decimal(net) % quantity == 0:
        return quantity.normalize() + 0, to_major(int(Decimal(net) / quantity), currency), ""
    suffix = "" if quantity == 0 else f" (quantity {quantity.normalize():f})"
    return Decimal(1), to_major(net, currency), suffix


def shown_description(text: str) -> str:
    """A line's description as a ledger has it: on one line, never empty."""
    return " ".join(text.split()) or NO_DESCRIPTION


def _sold_lines(facts: InvoiceFacts, settings: Settings) -> tuple[LineFacts, ...]:
    """The lines to post: the source's, the shipping, and the discount where the policy shows it."""
    if not facts.lines and not facts.shipping:
        return (
            LineFacts(
                key=UNITEMISED,
                description=f"Unitemised: {facts.number}",
                quantity=Decimal(1),
                net=facts.net,
                gross=facts.net,
            ),
        )
    lines = list(facts.lines)
    if facts.total == 0 and settings.policies.fully_discounted == "post":
        lines = [half for line in lines for half in _gross_and_discount(line)]
    if facts.shipping:
        lines.append(
            LineFacts(
                key=SHIPPING,
                description="Shipping",
                quantity=Decimal(1),
                net=facts.shipping,
                gross=facts.shipping,
            )
        )
    return tuple(lines)


def _gross_and_discount(line: LineFacts) -> tuple[LineFacts, ...]:
    gross = LineFacts(
        key=line.key,
        description=line.description,
        quantity=line.quantity,
        net=line.gross,
        gross=line.gross,
        taxes=line.taxes,
    )
    discount = LineFacts(
        key=f"{line.key}:discount",
        description=f"Discount on {line.description}",
        quantity=Decimal(1),
        net=line.net - line.gross,
        gross=line.net - line.gross,
        taxes=line.taxes,
    )
    return (gross, discount) if line.gross != line.net else (gross,)


def _resolve_all(
    facts: InvoiceFacts, sold: Sequence[LineFacts], taxes: Sequence[Tax], day: date
) -> dict[TaxFacts, str] | Held:
    """The configured key of every tax billed on the document or on a line."""
    chosen: dict[TaxFacts, str] = {}
    # A document and its lines bill the same few rates; their amounts decide nothing here.
    of_rate: dict[tuple[object, ...], str] = {}
    for billed in (*facts.taxes, *(tax for line in sold for tax in line.taxes)):
        rate = (billed.source_id, billed.type, billed.percentage, billed.country, billed.state)
        if rate not in of_rate:
            tax = resolve(billed, taxes, day)
            if tax is None:
                where = billed.state or billed.country or "no jurisdiction"
                detail = f"{billed.type} {billed.percentage} % ({where}) is not configured"
                return Held(reason=Reason.TAX_UNKNOWN, detail=detail)
            of_rate[rate] = tax.key
        chosen[billed] = of_rate[rate]
    return chosen


def _line_taxes(facts: InvoiceFacts, sold: Sequence[LineFacts]) -> tuple[int, ...]:
    """Each line's share of the billed tax: the source's own, else spread by largest remainder."""
    own = tuple(sum(tax.amount for tax in line.taxes) for line in sold)
    if sum(own) == facts.tax:
        return own
    return spread(facts.tax, [line.net for line in sold])


def _line_keys(
    facts: InvoiceFacts,
    sold: Sequence[LineFacts],
    chosen: Mapping[TaxFacts, str],
    untaxed: tuple[str, ...],
) -> tuple[tuple[str, ...], ...]:
    """Each line's tax keys: its own, or the document's where no line names any.

    Where no tax at all was billed they are `untaxed`.
    """
    if not chosen:
        return tuple(untaxed for _ in sold)
    if not any(line.taxes for line in sold):
        document = tuple(sorted({chosen[billed] for billed in facts.taxes}))
        return tuple(document for _ in sold)
    return tuple(tuple(sorted({chosen[billed] for billed in line.taxes})) for line in sold)


def _proved_lines(
    facts: InvoiceFacts,
    sold: Sequence[LineFacts],
    lines: Sequence[DocumentLine],
    doubtful: Collection[str],
    chosen: Mapping[TaxFacts, str],
    settings: Settings,
) -> tuple[DocumentLine, ...] | Held:
    """T7: the lines, cut so that each doubtful tax has the base on which the source computed it."""
    sold, chosen = with_shipping_taxes(facts, sold, chosen)
    rates = {tax.key: tax.percentage for tax in settings.taxes}
    found: dict[str, tuple[Parts, ...]] = {}
    wrong = []
    for key in sorted(doubtful):
        outcome = prove_bases(
            claim_of(key, rates[key], facts, sold, chosen), settings.policies.tax_residue
        )
        if isinstance(outcome, str):
            wrong.append(outcome)
        else:
            found[key] = outcome
    if wrong:
        return Held(reason=Reason.TAX_MISMATCH, detail="; ".join(wrong))
    pieces: list[DocumentLine] = []
    shares = _line_taxes(facts, sold)
    for number, (line, share) in enumerate(zip(lines, shares, strict=True)):
        whole: dict[str, Parts] = dict.fromkeys(line.taxes, (line.net,))
        parts = whole | {key: each[number] for key, each in found.items()}
        pieces += cut(replace(line, tax=share), parts, rates, facts.currency)
    if sum(tax.amount for line in sold for tax in line.taxes) == facts.tax:
        return tuple(pieces)
    return with_tax_shares(pieces, _document_taxes(facts, pieces, chosen))


def _document_taxes(
    facts: InvoiceFacts, lines: Sequence[DocumentLine], chosen: Mapping[TaxFacts, str]
) -> tuple[DocumentTax, ...]:
    """The document's taxes by key, as billed, each with the net of its lines as base."""
    billed = facts.taxes or tuple(tax for line in facts.lines for tax in line.taxes)
    amounts: dict[str, int] = {}
    for tax in billed:
        key = chosen[tax]
        amounts[key] = amounts.get(key, 0) + tax.amount
    return taxes_on(lines, amounts)


def _document_line(
    line: LineFacts,
    tax: int,
    taxes: tuple[str, ...],
    settings: Settings,
    accounts: Mapping[str, str],
    currency: str,
    reversing: Sequence[DocumentLine],
) -> DocumentLine:
    unitemised = line.key == UNITEMISED
    sold = line.reverses or line.description
    family = UNITEMISED if unitemised else family_of(sold, settings.families)
    takes_back = reversing and not unitemised
    stands = standing_line(shown_description(sold), reversing) if takes_back else None
    quantity, unit_price, suffix = shown_quantity(line.quantity, line.net, currency)
    return DocumentLine(
        description=shown_description(line.description) + suffix,
        quantity=quantity,
        unit_price=unit_price,
        net=line.net,
        account=stands.account if stands else accounts[family],
        family=(stands.family or family) if stands else family,
        taxes=taxes,
        tax=tax,
    )
