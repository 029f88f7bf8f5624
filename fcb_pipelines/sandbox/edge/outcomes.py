"""What must come out of each edge case, told by its author and added up into a status.

Nothing here asks the pipeline: amounts are those that were authored, and what stands settled is what
the case says.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

UNPLACED = "unplaced"
SKIPS = frozenset(
    {
        "draft_at_source",
        "void_at_source",
        "test_mode",
        "before_cutover",
        "zero_amount",
        "fully_discounted",
    }
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One line as it must stand in the books: minor units, `tax` its share of the billed tax."""

    family: str
    account: str
    net: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Entry:
    """One entry that settles a document; `method` is that of docs/status.md."""

    day: str
    method: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What must become of a document.

    `reason` is that of a skip or hold, None posts it. `settled` is what stands settled in the ledger in
    minor units (None: all that the source confirms), `settled_as` the payment state where the sum does
    not say it. `stands` are the lines of a posted move that is no longer what its source says.
    """

    reason: str | None = None
    exceptions: tuple[str, ...] = ()
    settled: int | None = None
    settled_as: str | None = None
    stands: tuple[Booked, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of the population: its case, its identity, what was billed, and its outcome.

    `partner` is the billing account, `confirmed` what the source confirms as settled. Amounts are
    positive for credit notes too.
    """

    case: str
    what: str
    ref: str
    number: str
    kind: str
    day: date | None
    period: str | None
    partner: str
    currency: str
    net: int
    tax: int
    lines: tuple[Booked, ...]
    confirmed: int
    outcome: Outcome

    @property
    def rule(self) -> str:
        """The rule that the case is of: `S6` of `EC-S6-1`."""
        return self.case.split("-")[1]

    @property
    def total(self) -> int:
        """What was billed."""
        return self.net + self.tax

    @property
    def disposition(self) -> str:
        """post, skip or hold."""
        reason = self.outcome.reason
        if reason is None:
            return "post"
        return "skip" if reason in SKIPS else "hold"

    @property
    def posted_lines(self) -> tuple[Booked, ...]:
        """The lines that stand in the books; none where nothing does."""
        if self.outcome.stands is not None:
            return self.outcome.stands
        return self.lines if self.outcome.reason is None else ()

    @property
    def stands(self) -> bool:
        """Whether a posted move stands in the books."""
        return self.outcome.reason is None or self.outcome.stands is not None

    @property
    def settled(self) -> int:
        """What stands settled in the ledger; below zero where an older debt stands beside it."""
        if not self.stands:
            return 0
        return self.confirmed if self.outcome.settled is None else self.outcome.settled

    @property
    def posted_total(self) -> int:
        """The total of the posted move."""
        return sum(line.net + line.tax for line in self.posted_lines)


def expected_status(
    members: Sequence[Member],
    entries: Mapping[str, Sequence[Entry]],
    periods: Sequence[str],
    other_service: int,
    gates: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """The status after a whole run: documents as an object by ref.

    `entries` are the settlements by ref, `gates` the outcomes that the members alone don't tell, by
    period and those of all months under `all`.
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


def _standing(member: Member, entries: Sequence[Entry]) -> list[Entry]:
    """The settlements that must stand beside a document: none of one that does not stand itself."""
    waits = "settlement_period_locked" in member.outcome.exceptions
    return sorted(entries) if member.stands and not waits else []


def _document(member: Member, entries: Sequence[Entry]) -> dict[str, Any]:
    told: dict[str, Any] = {
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
        # An older debt beside the document, which nothing paid, takes nothing off the document.
        "paid": max(0, member.settled),
        "state": "posted" if member.stands else "none",
        "payment_state": _payment_state(member),
        "settlements": [
            {"date": each.day, "method": each.method, "amount": each.amount}
            for each in _standing(member, entries)
        ],
    }
    # Where the posted move is not what the source says now, only the totals tell its lines.
    if member.outcome.stands is None:
        told["lines"] = [
            {"family": each.family, "account": each.account, "net": each.net, "tax": each.tax}
            for each in member.posted_lines
        ]
    return told


def _payment_state(member: Member) -> str:
    if member.outcome.settled_as or not member.stands:
        return member.outcome.settled_as or "not_paid"
    if member.settled == member.posted_total:
        return "paid"
    return "partial" if member.settled else "not_paid"


def _periods(members: Iterable[Member], periods: Sequence[str]) -> dict[str, Any]:
    counted = Counter((each.period or UNPLACED, each.disposition) for each in members)
    told = {}
    for place in (*periods, UNPLACED):
        verdicts = {verdict: counted[place, verdict] for verdict in ("post", "skip", "hold")}
        told[place] = {"population": sum(verdicts.values()), **verdicts}
    return told


def _gates(members: Sequence[Member]) -> dict[str, str]:
    """What a month's gates must say of its members; nothing fails unless the author says so."""
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
        if each.stands:
            by_currency.setdefault(each.currency, []).append(each)
    return {currency: _totals_of(by_currency[currency]) for currency in sorted(by_currency)}


def _totals_of(posted: Sequence[Member]) -> dict[str, Any]:
    families: Counter[str] = Counter()
    for each in posted:
        for line in each.posted_lines:
            families[line.family] += _sign(each) * line.net
    return {
        "posted_count": len(posted),
        "posted_total": sum(_sign(each) * each.posted_total for each in posted),
        "receivable": sum(_sign(each) * (each.posted_total - each.settled) for each in posted),
        "by_family": dict(sorted(families.items())),
    }


def _sign(member: Member) -> int:
    return -1 if member.kind == "credit_note" else 1
