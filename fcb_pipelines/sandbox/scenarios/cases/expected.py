"""The status that the authored outcomes add up to, for `expected.json`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fcb_pipelines.sandbox.scenarios.cases.listing import amounts, listed
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Entry, Member, booked_entries

UNPLACED = "unplaced"
_HOLD_ALWAYS = (
    "population_adds_up",
    "external_ids_unique",
    "documents_balance",
    "documents_match_dispositions",
    "document_rules_hold",
    "read_back_equals_intent",
    "dates_as_intended",
    "residuals_match_source",
    "tax_as_expected",
    "shared_email",
)


def expected_status(
    members: Sequence[Member],
    entries: Mapping[str, Sequence[Entry]],
    periods: Sequence[str],
    other_service: int,
    gates: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """The status after a whole run: documents as an object by ref.

    `entries` are the settlements by ref, `gates` the gate outcomes that don't follow from the members, by
    period; those of all months are under `all`.
    """
    counted = _periods(members, periods)
    for period in periods:
        here = [each for each in members if each.period == period]
        counted[period]["gates"] = _gates(here) | dict(gates.get(period, {}))
    return {
        "periods": counted,
        "gates": dict(gates["all"]),
        "documents": {each.ref: _document(each, entries.get(each.ref, ())) for each in members},
        "totals": _totals(members),
        "other_service": other_service,
        "amounts": amounts(members, entries),
    }


def table_of_cases(members: Iterable[Member]) -> list[dict[str, Any]]:
    """The rows of `cases.yaml`."""
    return [
        {
            "case": each.case,
            "rule": each.rule,
            "ref": each.ref,
            "what": each.what,
            "disposition": each.disposition,
            "reason": each.outcome.reason,
            "exceptions": sorted(each.outcome.exceptions),
        }
        for each in members
    ]


def _document(member: Member, entries: Sequence[Entry]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "number": member.number,
        "period": member.period,
        "date": member.day.isoformat() if member.day else None,
        "kind": member.kind,
        "disposition": member.disposition,
        "reason": member.outcome.reason,
        "exceptions": sorted(member.outcome.exceptions),
        "partner": member.partner,
        "currency": member.currency,
        "net": member.net,
        "tax": member.tax,
        "total": member.total,
        # An unpaid older debt that was added leaves the document itself unpaid.
        "paid": max(0, member.settled),
        "state": "posted" if member.is_posted else "none",
        "payment_state": _payment_state(member),
        "settlements": [
            {"date": each.day, "method": each.method, "amount": each.amount}
            for each in booked_entries(member, entries)
        ],
        "listed": listed(member, entries),
    }
    if member.outcome.detail is not None:
        document["detail"] = member.outcome.detail
    # A posted move that differs from its source is compared by its totals only.
    if member.outcome.posted is None:
        document["lines"] = [
            {"family": each.family, "account": each.account, "net": each.net, "tax": each.tax}
            for each in member.posted_lines
        ]
    return document


def _payment_state(member: Member) -> str:
    if member.outcome.settled_as or not member.is_posted:
        return member.outcome.settled_as or "not_paid"
    if member.settled == member.posted_total:
        return "paid"
    return "partial" if member.settled else "not_paid"


def _periods(members: Iterable[Member], periods: Sequence[str]) -> dict[str, Any]:
    counted = Counter((each.period or UNPLACED, each.disposition) for each in members)
    counts = {}
    for place in (*periods, UNPLACED):
        verdicts = {verdict: counted[place, verdict] for verdict in ("post", "skip", "hold")}
        counts[place] = {"population": sum(verdicts.values()), **verdicts}
    return counts


def _gates(members: Sequence[Member]) -> dict[str, str]:
    """The outcomes of a month's gates by its members: pass or warn; only `gates` makes one fail."""
    families = {line.family for each in members for line in each.posted_lines}
    found = {code for each in members for code in each.outcome.exceptions}
    warned = {
        "revenue_in_other": "other" in families,
        "unitemised_lines": "unitemised" in families,
        "nothing_is_held": any(each.disposition == "hold" for each in members),
        "nexacloud_agrees_with_source": any(code.startswith("nexacloud_") for code in found),
    }
    return dict.fromkeys(_HOLD_ALWAYS, "pass") | {
        gate: "warn" if raised else "pass" for gate, raised in warned.items()
    }


def _totals(members: Iterable[Member]) -> dict[str, Mapping[str, Any]]:
    by_currency: dict[str, list[Member]] = {}
    for each in members:
        if each.is_posted:
            by_currency.setdefault(each.currency, []).append(each)
    return {currency: _totals_of(by_currency[currency]) for currency in sorted(by_currency)}


def _totals_of(posted: Sequence[Member]) -> dict[str, Any]:
    families: Counter[str] = Counter()
    for each in posted:
        for line in each.posted_lines:
            families[line.family] += each.sign * line.net
    return {
        "posted_count": len(posted),
        "posted_total": sum(each.sign * each.posted_total for each in posted),
        "receivable": sum(each.sign * (each.posted_total - each.settled) for each in posted),
        "by_family": dict(sorted(families.items())),
    }
