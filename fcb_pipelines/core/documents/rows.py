"""Ledger documents as rows, one for each line, and back; nothing of a document is kept elsewhere.

The header repeats on every line. The gates rebuild the documents from these rows, so they see every
change in a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.ledger.entries import DocumentLine, DocumentTax, LedgerDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """One line of one intended document; `document_*` columns repeat on each of its lines."""

    ref: str
    line_number: int
    kind: Kind
    number: str
    date: date
    currency: str
    partner: str
    nexacloud_invoice_id: str | None
    stripe_invoice_id: str | None
    reverses: str | None
    source_hash: str | None
    description: str
    quantity: Decimal
    unit_price: Decimal
    net: int
    account: str
    family: str
    tax_keys: tuple[str, ...]
    tax: int
    document_lines: int
    document_total: int
    document_taxes: tuple[DocumentTax, ...]
    content_hash: str


def to_rows(documents: Iterable[LedgerDocument]) -> tuple[DocumentRow, ...]:
    """Every line of every document, in order."""
    return tuple(
        DocumentRow(
            ref=document.ref,
            line_number=number,
            kind=document.kind,
            number=document.number,
            date=document.date,
            currency=document.currency,
            partner=document.partner,
            nexacloud_invoice_id=document.nexacloud_invoice_id,
            stripe_invoice_id=document.stripe_invoice_id,
            reverses=document.reverses,
            source_hash=document.source_hash,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            net=line.net,
            account=line.account,
            family=line.family,
            tax_keys=line.taxes,
            tax=line.tax,
            document_lines=len(document.lines),
            document_total=document.total,
            document_taxes=document.taxes,
            content_hash=document.content_hash,
        )
        for document in documents
        for number, line in enumerate(document.lines, start=1)
    )


def to_documents(rows: Iterable[DocumentRow]) -> tuple[LedgerDocument, ...]:
    """The documents rebuilt from rows, in order of ref."""
    ordered = sorted(rows, key=lambda row: (row.ref, row.line_number))
    return tuple(_document(list(lines)) for _, lines in groupby(ordered, key=lambda row: row.ref))


def header(row: DocumentRow) -> tuple[object, ...]:
    """The columns that repeat on each line of a document; all its lines must have the same."""
    return tuple(getattr(row, name) for name in _HEADER)


_HEADER = (
    "ref",
    "kind",
    "number",
    "date",
    "currency",
    "partner",
    "nexacloud_invoice_id",
    "stripe_invoice_id",
    "reverses",
    "source_hash",
    "document_lines",
    "document_total",
    "document_taxes",
    "content_hash",
)


def _document(lines: list[DocumentRow]) -> LedgerDocument:
    head = lines[0]
    return LedgerDocument(
        ref=head.ref,
        kind=head.kind,
        number=head.number,
        date=head.date,
        currency=head.currency,
        partner=head.partner,
        nexacloud_invoice_id=head.nexacloud_invoice_id,
        stripe_invoice_id=head.stripe_invoice_id,
        reverses=head.reverses,
        source_hash=head.source_hash,
        taxes=head.document_taxes,
        lines=tuple(
            DocumentLine(
                description=row.description,
                quantity=row.quantity,
                unit_price=row.unit_price,
                net=row.net,
                account=row.account,
                family=row.family,
                taxes=row.tax_keys,
                tax=row.tax,
            )
            for row in lines
        ),
    )
