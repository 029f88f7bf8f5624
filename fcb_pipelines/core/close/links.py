"""Where a document of the report is found: its page at the source, its move and its number in the ledger."""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fcb_pipelines.core.close.report_shapes import Found
from fcb_pipelines.core.close.shapes import Document
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.ledger.moves import LedgerMove
from fcb_pipelines.core.refs import document_name

_KINDS = {Kind.INVOICE: "invoices", Kind.CREDIT_NOTE: "credit_notes"}

_PLAIN = frozenset(string.ascii_letters + string.digits + "-._~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The addresses that a report links to.

    `sources` has a template for a service (`stripe:acct_1`), with `{id}` and, if it likes, `{kind}`; `odoo` is
    the address of Odoo in a browser. What is not there is not linked.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    odoo: str | None = None


def found_at(
    documents: Iterable[Document], moves: Mapping[str, LedgerMove], pages: Pages
) -> dict[str, Found]:
    """Number and addresses of each document by its ref; a document that has none of them is left out."""
    found = {one["ref"]: _found(one, moves.get(one["ref"]), pages) for one in documents}
    return {ref: each for ref, each in found.items() if any(each.values())}


def _found(document: Document, move: LedgerMove | None, pages: Pages) -> Found:
    return {
        "ledger_number": move.ledger_number if move else "",
        # Odoo 18 and later know this path of any record.
        "ledger_url": (
            f"{pages.odoo}/odoo/account.move/{_quoted(move.move_id)}"
            if move and pages.odoo
            else None
        ),
        "source_url": source_page(document["ref"], Kind(document["kind"]), pages),
    }


def source_page(ref: str, kind: Kind, pages: Pages) -> str | None:
    """The page of a document at its source; None where none is configured."""
    name = document_name(ref)
    template = pages.sources.get(name.service)
    if not template:
        return None
    return template.replace("{kind}", _KINDS[kind]).replace("{id}", _quoted(name.id))


def _quoted(text: str) -> str:
    """The text as one step of a path."""
    return "".join(
        each if each in _PLAIN else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in text
    )
