"""What changed since the report before: documents, amounts and gates of one month.

A month is built again each day that something of it moves, and mostly nothing a person would sign otherwise did.
So a report that tells the same keeps what the one before said had changed: the comparison is with the last
report that told something else.
"""

from collections.abc import Iterable, Mapping

from fcb_pipelines.core.close.report_shapes import (
    AmountChange,
    Changes,
    DocumentChange,
    GateChange,
    Since,
)
from fcb_pipelines.core.close.shapes import Document, ReportJson
from fcb_pipelines.core.close.words import words
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.naming import money

FIRST: Changes = {"since": None, "documents": [], "amounts": [], "gates": []}
"""The changes of the first report of a month."""

_BILLED = {"billed": "Billed", "posted": "Posted", "draft": "In drafts", "held": "Held"}
_STATES = ("disposition", "reason", "state", "payment_state")
_AMOUNTS = ("net", "tax", "total", "paid")


def compared(before: ReportJson, now: ReportJson, since: Since) -> Changes:
    """The changes from one report of a month to the next, with nothing carried over."""
    return {
        "since": since,
        "documents": _documents(before["documents"], now["documents"]),
        "amounts": _amounts(before, now),
        "gates": _gates(before, now),
    }


def is_news(changes: Changes) -> bool:
    """Whether anything changed."""
    return bool(changes["documents"] or changes["amounts"] or changes["gates"])


def carried(before: ReportJson, changes: Changes) -> Changes:
    """These changes where there are some; else those that the report before told, if it told any."""
    return changes if is_news(changes) else before.get("changes", changes)


def _documents(before: Iterable[Document], now: Iterable[Document]) -> list[DocumentChange]:
    old = {one["ref"]: one for one in before}
    new = {one["ref"]: one for one in now}
    found: list[DocumentChange] = []
    for ref in dict.fromkeys((*new, *old)):
        if ref not in old:
            found.append(_change(new[ref], "new", [_shown(new[ref])]))
        elif ref not in new:
            found.append(_change(old[ref], "gone", [_shown(old[ref])]))
        elif details := _details(old[ref], new[ref]):
            found.append(_change(new[ref], "changed", details))
    return found


def _change(document: Document, what: str, details: list[str]) -> DocumentChange:
    return {
        "ref": document["ref"],
        "number": document["number"],
        "what": what,
        "details": details,
    }


def _details(old: Document, new: Document) -> list[str]:
    """A phrase for each field that is another: `state posted, was draft`."""
    details = [
        f"{_words(name)} {_words(new[name])}, was {_words(old[name])}"  # type: ignore[literal-required]
        for name in ("date", "number", *_STATES)
        if old.get(name) != new.get(name)
    ]
    return details + [
        f"{name} {_amount(new, name)}, was {_amount(old, name)}"
        for name in _AMOUNTS
        if _amount(old, name) != _amount(new, name)
    ]


def _shown(document: Document) -> str:
    return f"{_words(document['disposition'])}, {_amount(document, 'total')}"


def _amount(document: Document, name: str) -> str:
    amount: int = document[name]  # type: ignore[literal-required]
    return money(Kind(document["kind"]).sign * amount, document["currency"])


def _words(value: str | None) -> str:
    return words(value or "none")


def _amounts(before: ReportJson, now: ReportJson) -> list[AmountChange]:
    old, new = _sums(before), _sums(now)
    # A section that an earlier version did not have is no change of the month.
    sections = {name[0] for name in old} & {name[0] for name in new}
    return [
        {"name": name, "currency": currency, "before": old.get(key), "now": new.get(key)}
        for key in dict.fromkeys((*new, *old))
        for section, name, currency in (key,)
        if section in sections and old.get(key) != new.get(key)
    ]


def _sums(report: ReportJson) -> Mapping[tuple[str, str, str], int]:
    """(section, name, currency) -> minor units."""
    found: dict[tuple[str, str, str], int] = {}
    for billed in report.get("billed", []):
        for part, label in _BILLED.items():
            name = f"{label}, {billed['measure']}"
            found["billed", name, billed["currency"]] = billed[part]  # type: ignore[literal-required]
    for family, minor in report["revenue_by_family"].items():
        found["revenue", f"Revenue, {family}", report["currency"]] = minor
    for rolled in report.get("roll_forward", []):
        for part in ("opening", "closing", "open"):
            name = f"Receivable, {part}"
            found["receivable", name, rolled["currency"]] = rolled[part]  # type: ignore[literal-required]
    return found


def _gates(before: ReportJson, now: ReportJson) -> list[GateChange]:
    old, new = (
        {gate["name"]: gate["outcome"] for gate in (*one["gates"], *one["gates_over_all"])}
        for one in (before, now)
    )
    return [
        {"name": name, "before": old.get(name, ""), "now": new.get(name, "")}
        for name in dict.fromkeys((*new, *old))
        if old.get(name) != new.get(name)
    ]
