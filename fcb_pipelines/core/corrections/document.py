"""Corrections: the document that brings a posted one in line with its source (D1, D2).

A posted move is never edited. Where its source voids or changes it afterwards, a correction is posted
beside it: a credit note (or an invoice, where the posted one is a credit note) over the difference of
the lines. Its ref is that of the document with a number, it carries the digest of the source's new
state, and it is matched with the document. A person chooses each; none is posted by itself.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.documents.taxes import mismatches, taxed_lines
from fcb_pipelines.core.facts.arithmetic import computed
from fcb_pipelines.core.ledger.corrections import VOIDED
from fcb_pipelines.core.ledger.entries import DocumentLine, DocumentTax, LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove
from fcb_pipelines.core.refs import Suffix, correction_ref, suffixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The document to write, and its allocation with the document that it corrects."""

    document: LedgerDocument
    allocation: Settlement | None


def correction(
    move: LedgerMove,
    corrections: Sequence[LedgerMove],
    target: LedgerDocument | None,
    *,
    day: date,
    settings: Settings,
    freed: int = 0,
    notes: Sequence[LedgerMove] = (),
) -> Correction | None:
    """The correction over the difference between the posted documents and `target` (None: reverse all).

    None where no line or tax differs: a changed label can't be posted. `day` is its date. `freed` is
    the amount, in minor units, that reversed settlements will leave open on the document. `notes` are
    posted credit notes that reverse a part of it already. Where the differing lines can't carry the
    difference of the tax, and all lines can, it reverses every posted line and posts the target's anew.

    An invoice of 100.00 of which the source now says 80.00 gets a credit note over 20.00.
    """
    base = move.document
    posted = tuple(each.document for each in (move, *corrections, *notes))
    wanted = Counter(_plain(line) for line in (target.lines if target else ()))
    present = Counter(line for document in posted for line in _lines_of(document, base.kind))
    taxes: Counter[str] = Counter({tax.key: tax.amount for tax in target.taxes} if target else {})
    for document in posted:
        sign = base.kind.sign * document.kind.sign
        for tax in document.taxes:
            taxes[tax.key] -= sign * tax.amount
    lines = Counter(wanted)
    lines.subtract(present)
    lines = _netted(lines)
    if not any(lines.values()) and not any(taxes.values()):
        return None
    added = [line for line, count in lines.items() for _ in range(count)]
    removed = [_negated(line) for line, count in lines.items() for _ in range(-count)]
    document = _document(move, corrections, target, [*removed, *added], taxes, day)
    if not _carries(document, settings):
        every = [*(_negated(line) for line in present.elements()), *wanted.elements()]
        shown = [line for line in every if line.net]
        whole = _document(move, corrections, target, shown, taxes, day)
        document = whole if _carries(whole, settings) else document
    open_ = min(move.residual - move.put_back + freed, document.total)
    against = document.kind is not base.kind
    return Correction(
        document=document, allocation=_allocation(base, document, open_) if against else None
    )


def unmade_match(
    move: LedgerMove, corrections: Iterable[LedgerMove], made: Container[str]
) -> Settlement | None:
    """The match of a posted document with its correction that was never made, as far as both are open (D5).

    `made` are the refs of the entries that the ledger has. None where nothing is left to match: a run that ended
    between the two left one.
    """
    base, open_ = move.document, move.residual - move.put_back
    for each in corrections:
        match = _allocation(base, each.document, min(open_, each.residual))
        against = each.document.kind is not base.kind
        if against and match is not None and match.ref not in made:
            return match
    return None


def _lines_of(document: LedgerDocument, kind: Kind) -> Iterable[DocumentLine]:
    """The lines of a document, negated where it is of the other kind."""
    same = document.kind is kind
    return (_plain(line if same else _negated(line)) for line in document.lines)


def _document(
    move: LedgerMove,
    corrections: Sequence[LedgerMove],
    target: LedgerDocument | None,
    lines: Sequence[DocumentLine],
    taxes: Mapping[str, int],
    day: date,
) -> LedgerDocument:
    """The correction over these lines and taxes, which are signed as in the base document."""
    base, number = move.document, len(corrections) + 1
    against = sum(line.net for line in lines) + sum(taxes.values()) < 0
    shown = tuple(_negated(line) if against else line for line in lines)
    billed = {key: -amount if against else amount for key, amount in taxes.items() if amount}
    return LedgerDocument(
        ref=correction_ref(base.ref, number),
        kind=_other(base.kind) if against else base.kind,
        number=f"{base.number} (correction {number})",
        date=day,
        currency=base.currency,
        partner=base.partner,
        lines=shown,
        taxes=tuple(
            DocumentTax(
                key=key, base=sum(line.net for line in shown if key in line.taxes), amount=amount
            )
            for key, amount in sorted(billed.items())
        ),
        nexacloud_invoice_id=base.nexacloud_invoice_id,
        stripe_invoice_id=base.stripe_invoice_id,
        reverses=base.ref,
        source_hash=target.source_hash if target else VOIDED,
    )


def _carries(document: LedgerDocument, settings: Settings) -> bool:
    """Whether a ledger that computes the tax of these lines can post the billed tax (T7).

    A tax that computes to zero has no tax line in the ledger, so no amount can be posted on it.
    """
    amounts = {tax.key: tax.amount for tax in document.taxes}
    rates = {tax.key: tax.percentage for tax in settings.taxes}
    billed = [
        (key, sum(line.net for line in document.lines if key in line.taxes), amounts.get(key, 0))
        for key in sorted(document.tax_keys & rates.keys())
    ]
    if any(amount and not computed(base, rates[key]) for key, base, amount in billed):
        return False
    lines = taxed_lines(document.lines)
    return not mismatches(billed, settings.taxes, settings.policies.tax_residue, lines)


def _allocation(base: LedgerDocument, document: LedgerDocument, amount: int) -> Settlement | None:
    """The allocation of the credit note with the invoice; either of the two documents may be the note."""
    if amount <= 0:
        return None
    invoice, note = (base, document) if base.kind is Kind.INVOICE else (document, base)
    return Settlement(
        ref=suffixed(document.ref, Suffix.MATCH),
        document=invoice.ref,
        kind=Kind.INVOICE,
        partner=base.partner,
        method=Method.CREDIT_NOTE,
        date=document.date,
        amount=amount,
        currency=base.currency,
        memo=document.number,
        drawn_on=note.ref,
    )


def _plain(line: DocumentLine) -> DocumentLine:
    """A line without its share of tax and its family, which only reports use."""
    return replace(line, tax=0, family="")


def _netted(lines: Counter[DocumentLine]) -> Counter[DocumentLine]:
    """The same difference without pairs of lines that cancel out and without lines over zero."""
    netted = Counter({line: count for line, count in lines.items() if line.net and count})
    for line in list(netted):
        opposite = _negated(line)
        ours, theirs = netted[line], netted[opposite]
        if ours * theirs > 0:
            both = min(abs(ours), abs(theirs)) * (1 if ours > 0 else -1)
            netted[line] -= both
            netted[opposite] -= both
    return netted


def _negated(line: DocumentLine) -> DocumentLine:
    return replace(line, net=-line.net, unit_price=-line.unit_price, tax=-line.tax)


def _other(kind: Kind) -> Kind:
    return Kind.CREDIT_NOTE if kind is Kind.INVOICE else Kind.INVOICE
