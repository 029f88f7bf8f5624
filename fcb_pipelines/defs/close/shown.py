"""The facts of a close report that Dagster's page shows beside it."""

from typing import Any

import dagster as dg

from fcb_pipelines.core.close.report_shapes import Found
from fcb_pipelines.core.close.shapes import Document, ReportJson
from fcb_pipelines.core.close.signing import badge
from fcb_pipelines.core.naming import amount
from fcb_pipelines.core.proof.gate import Outcome

_LINKED = 20
_NOWHERE: Found = {"ledger_number": "", "ledger_url": None, "source_url": None}


def shown(content: ReportJson, page: dg.MetadataValue[str]) -> dict[str, Any]:
    """What there is to decide, as numbers to be plotted, and the documents with their pages.

    Documents that are listed with something come first; the report itself has all of them.
    """
    outcomes = [gate["outcome"] for gate in content["gates"]]
    documents = sorted(
        content["documents"], key=lambda one: not (one["reason"] or one["exceptions"])
    )
    links = content["links"]
    lines = [_line(one, links.get(one["ref"], _NOWHERE)) for one in documents[:_LINKED]]
    return {
        "page": page,
        "to be signed": badge(content),
        "post": content["post"],
        "skip": content["skip"],
        "hold": content["hold"],
        "exceptions": len(content["exceptions"]),
        "gates that fail": outcomes.count(Outcome.FAIL),
        "gates that warn": outcomes.count(Outcome.WARN),
        "documents": dg.MetadataValue.md("\n".join(lines)),
    }


def _line(document: Document, found: Found) -> str:
    source = _linked(document["number"] or document["ref"], found["source_url"])
    move = _linked(found["ledger_number"] or document["state"], found["ledger_url"])
    total = f"{amount(document['total'], document['currency'])} {document['currency']}"
    listed = dict.fromkeys(filter(None, (document["reason"], *document["exceptions"])))
    return f"- {source}: {total}, {move}" + (f" ({', '.join(listed)})" if listed else "")


def _linked(text: str, url: str | None) -> str:
    """The text, with its page where there is one; nothing in it is read as Markdown."""
    plain = "".join(f"\\{each}" if each in "\\`*_[]()<>#|~" else each for each in text)
    return f"[{plain}]({url})" if url else plain
