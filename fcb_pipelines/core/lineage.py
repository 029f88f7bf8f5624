"""From which columns of which assets each column of the documents and of the moves comes.

`*` in an asset's name stands for every billing source. A column of a move that comes from none is the ledger's own.
"""

from collections.abc import Iterable, Mapping

Origin = tuple[str, str]


def _billed(*columns: str) -> tuple[Origin, ...]:
    """These columns of the documents as their sources billed them."""
    return tuple((f"*/{noun}", name) for name in columns for noun in ("invoices", "credit_notes"))


def _of(asset: str, *columns: str) -> tuple[Origin, ...]:
    return tuple((asset, name) for name in columns)


def _of_all(columns: Iterable[tuple[Origin, ...]]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(origin for origins in columns for origin in origins))


# What a case is decided from: the document, its comparison with the copy, and what the books hold of it.
_CASE = (
    *_billed("status", "livemode", "date", "total", "problem", "credits", "settlements"),
    *_of("*/credited_invoices", "status", "total"),
    *_of("reconciliation/agreements", "field", "kind"),
    *_of("ledger/standing", "move", "seen"),
    *_of("nexacloud/invoices", "stripe_invoice_id"),
    *_of("*/index", "answer", "detail"),
)
_MOVE = _of("ledger/standing", "move")
_PARTNER = (
    *_of("nexacloud/invoices", "user_id"),
    *_MOVE,
    *_billed("customer", "customer_account", "ref"),
)
_COPY_ID = (*_of("nexacloud/invoices", "id"), *_MOVE)


def _disposed(column: str, *copied: str) -> tuple[Origin, ...]:
    """A column of the document; of one that its source lost the ledger's, of a copy alone NexaCloud's."""
    return (*_billed(column), *_MOVE, *_of("nexacloud/invoices", *copied))


_DISPOSITIONS: Mapping[str, tuple[Origin, ...]] = {
    "ref": (*_billed("ref"), *_of("*/index", "ref"), *_of("nexacloud/invoices", "id")),
    "period": (*_billed("date"), *_of("*/index", "period")),
    "verdict": _CASE,
    "reason": _CASE,
    "detail": _CASE,
    "exceptions": (*_CASE, *_billed("remarks", "withdrawn", "tax_exempt")),
    "kind": _disposed("kind", "subtotal", "tax"),
    "number": _disposed("number", "invoice_number"),
    "date": _disposed("date"),
    "currency": _disposed("currency", "currency"),
    "net": _disposed("net", "subtotal"),
    "tax": _disposed("tax", "tax"),
    "total": _disposed("total", "subtotal", "tax"),
    "owed": (*_billed("total"), *_of("*/payments", "amount", "method"), *_MOVE),
    "status": (*_billed("status"), *_of("nexacloud/invoices", "status")),
    "partner": _PARTNER,
    "nexacloud_invoice_id": _COPY_ID,
}

_WRITTEN: Mapping[str, tuple[Origin, ...]] = {
    "ref": (*_billed("ref"), *_of("reconciliation/dispositions", "ref", "verdict")),
    "kind": _billed("kind"),
    "number": _billed("number"),
    "date": _billed("date"),
    "currency": _billed("currency"),
    "partner": _PARTNER,
    "nexacloud_invoice_id": _COPY_ID,
    "stripe_invoice_id": _billed("ref"),
    "description": _billed("lines", "number"),
    "quantity": _billed("lines"),
    "unit_price": _billed("lines", "net", "shipping", "currency"),
    "net": _billed("lines", "net", "shipping"),
    "account": _billed("lines"),
    "tax_keys": _billed("lines", "taxes", "date", "bill_to"),
    "document_taxes": _billed("lines", "taxes"),
}
_DOCUMENTS: Mapping[str, tuple[Origin, ...]] = {
    **_WRITTEN,
    "line_number": _billed("lines"),
    "reverses": _of("*/credit_notes", "credits"),
    "source_hash": _billed(
        "ref", "kind", "number", "currency", "date", "net", "tax", "total", "discount", "shipping", "customer",
        "lines", "taxes", "credits",
    ),
    "family": _billed("lines"),
    "tax": _billed("lines", "tax"),
    "document_lines": _billed("lines"),
    "document_total": _billed("lines", "net", "shipping", "taxes"),
    "content_hash": _of_all(_WRITTEN.values()),
}  # fmt: skip

_DRAFTS: Mapping[str, tuple[Origin, ...]] = {
    "ref": _of("ledger/documents", "ref"),
    "move_id": (),
    "state": (),
    "payment_state": _of("ledger/documents", "document_total"),
    "document": _of("ledger/documents", *_WRITTEN, "reverses", "source_hash"),
    "partner_links": _of("ledger/partners", "links", "partner_id"),
    "accounting_date": _of("ledger/documents", "date"),
    "residual": _of("ledger/documents", "document_total"),
    "stored_hash": _of("ledger/documents", "content_hash"),
    "stored_source_hash": _of("ledger/documents", "source_hash"),
    "put_back": (),
    "ledger_number": (),
}

LINEAGE: Mapping[str, Mapping[str, tuple[Origin, ...]]] = {
    "reconciliation/dispositions": _DISPOSITIONS,
    "ledger/documents": _DOCUMENTS,
    "ledger/draft_moves": _DRAFTS,
    "ledger/posted_moves": {
        **_DRAFTS,
        "move_id": _of("ledger/draft_moves", "move_id"),
        "state": _of("ledger/draft_moves", "state"),
    },
}


def in_words(origins: Iterable[Origin]) -> str:
    """Where a column comes from: `*/invoices, */credit_notes: lines, net; nexacloud/invoices: id`."""
    columns: dict[str, list[str]] = {}
    for asset, column in origins:
        columns.setdefault(asset, []).append(column)
    assets: dict[str, list[str]] = {}
    for asset, some in columns.items():
        assets.setdefault(", ".join(some), []).append(asset)
    return "; ".join(f"{', '.join(some)}: {named}" for named, some in assets.items())
