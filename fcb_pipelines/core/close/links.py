"""Where a document of the report is found: its page at the source, its move and its number in the ledger."""

import string
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from fcb_pipelines.core.close import booked
from fcb_pipelines.core.close.booked import Booked
from fcb_pipelines.core.close.report_shapes import Found
from fcb_pipelines.core.close.shapes import Document
from fcb_pipelines.core.codes import Kind, Reason
from fcb_pipelines.core.ledger.moves import LedgerMove
from fcb_pipelines.core.refs import document_name

_KINDS = {Kind.INVOICE: "invoices", Kind.CREDIT_NOTE: "credit_notes"}

# The entries that are documents of a source.
_BOOKED: Mapping[str, Kind] = {
    booked.Document.INVOICES: Kind.INVOICE,
    booked.Document.CREDIT_NOTES: Kind.CREDIT_NOTE,
}

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
    found = {}
    for one in documents:
        move, kind = moves.get(one["ref"]), Kind(one["kind"])
        record, number = (move.move_id, move.ledger_number) if move else ("", "")
        found[one["ref"]] = _found(one["ref"], kind, record, number, pages)
        if one["reason"] == Reason.PAYMENT_WITHOUT_INVOICE:
            # The template leads to invoices and credit notes, and its id is a payment's.
            found[one["ref"]]["source_url"] = None
    return _somewhere(found)


def entries_found_at(
    entries: Iterable[Booked], refs: Container[str], pages: Pages
) -> dict[str, Found]:
    """The same of the documents among these entries, of whichever month, that are in `refs`."""
    return _somewhere(
        {
            one.ref: _found(one.ref, _BOOKED[one.part], one.record, one.ledger_number, pages)
            for one in entries
            if one.part in _BOOKED and one.ref in refs
        }
    )


def _somewhere(found: Mapping[str, Found]) -> dict[str, Found]:
    return {ref: each for ref, each in found.items() if any(each.values())}


def _found(ref: str, kind: Kind, record: str, number: str, pages: Pages) -> Found:
    return {
        "ledger_number": number,
        # Odoo 18 and later know this path of any record.
        "ledger_url": (
            f"{pages.odoo}/odoo/account.move/{_quoted(record)}" if record and pages.odoo else None
        ),
        "source_url": source_page(ref, kind, pages),
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
