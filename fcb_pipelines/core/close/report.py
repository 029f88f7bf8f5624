"""The close report of a month: tie-outs, exceptions, revenue by family, tax and receivable, as JSON values."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from fcb_pipelines.core.cash.shapes import CashSection
from fcb_pipelines.core.close.exceptions import exception_rows
from fcb_pipelines.core.close.population import billed_amounts
from fcb_pipelines.core.close.shapes import (
    BilledRow,
    Document,
    GateRow,
    Owing,
    ReportJson,
    SettledSum,
    TaxRow,
    TaxWitness,
    TieOutRow,
)
from fcb_pipelines.core.close.status import MonthStatus, documents_of
from fcb_pipelines.core.codes import Kind, Verdict
from fcb_pipelines.core.company.settings import Tax
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.events.proof import EventsSection
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.metering.shapes import MeteringSection
from fcb_pipelines.core.proof.gate import GateResult, Outcome
from fcb_pipelines.core.proof.receivable import receivable
from fcb_pipelines.core.proof.tax_witness import WitnessRow, WitnessVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TieOut:
    """Two amounts that must be equal, in minor units of `currency`, each with its label."""

    name: str
    currency: str
    left_label: str
    left: int
    right_label: str
    right: int

    @property
    def difference(self) -> int:
        """Right less left."""
        return self.right - self.left


# The verdicts without an expected tax.
_UNJUDGED = (WitnessVerdict.UNKNOWN_ADDRESS,)


def tie_outs(month: MonthStatus) -> tuple[TieOut, ...]:
    """Source against ledger, three rows a currency: billed, tax, and owed.

    Settlements that are listed instead of posted are not counted as paid on either side.
    """
    owing = receivable(month.dispositions, month.moves.values(), month.unsettled, month.settlements)
    posted = [move for move in month.moves.values() if move.state is MoveState.POSTED]
    to_post = [row for row in month.dispositions if row.verdict is Verdict.POST]
    wanted = {row.ref for row in to_post}
    currencies = sorted({row.currency for row in to_post} | {m.document.currency for m in posted})
    rows = []
    for currency in currencies:
        own = [row for row in to_post if row.currency == currency]
        moves = [move for move in posted if move.document.currency == currency]
        credited = _credited(month, currency, wanted)
        for name, billed, posted_sum in (
            (
                "Billed at the source = posted",
                sum(row.kind.sign * row.total for row in own) + credited[0],
                sum(move.document.kind.sign * move.document.total for move in moves),
            ),
            (
                "Tax billed = tax posted",
                sum(row.kind.sign * row.tax for row in own) + credited[1],
                sum(move.document.kind.sign * move.document.tax for move in moves),
            ),
            (
                "Owed at the source = receivable",
                sum(
                    row.source - (row.not_posted if row.ref in month.unsettled else 0)
                    for row in owing
                    if row.currency == currency and row.ref in wanted
                ),
                sum(row.ledger for row in owing if row.currency == currency),
            ),
        ):
            rows.append(
                TieOut(
                    name=name,
                    currency=currency,
                    left_label="source",
                    left=billed,
                    right_label="ledger",
                    right=posted_sum,
                )
            )
    return tuple(rows)


def _credited(month: MonthStatus, currency: str, wanted: Collection[str]) -> tuple[int, int]:
    """The credited total and tax of posted documents that are not to be posted any more (voided)."""
    found = [
        month.credited.get(row.ref, (0, 0))
        for row in month.dispositions
        if row.currency == currency and row.ref in month.moves and row.ref not in wanted
    ]
    return sum(total for total, _ in found), sum(tax for _, tax in found)


def close_report(
    period: str,
    month: MonthStatus,
    *,
    company: str,
    currency: str,
    snapshot: str,
    version: str,
    families: Mapping[str, str],
    taxes: Sequence[Tax],
    customers: Mapping[str, str],
    today: date,
    over_all: Sequence[GateResult] = (),
    metering: MeteringSection | None = None,
    events: EventsSection | None = None,
    cash: CashSection | None = None,
) -> ReportJson:
    """The close report of one month as plain JSON values, amounts in minor units.

    `over_all` are the results of the gates over the extracts and all months from the last proof;
    `metering` is the month's dual run, None where it was never built; `events` what services were told,
    None where nothing was; `cash` is the month's cash, None where cash is off. `currency` is the company's;
    revenue and tax in other currencies are under `other_currencies`. `families` maps each income account
    code to its family, `customers` each billing account that NexaCloud knows to its name; `taxes` are the
    configured ones, `version` is that of the package.
    """
    posted = [move for move in month.moves.values() if move.state is MoveState.POSTED]
    verdicts = Counter(row.verdict for row in month.dispositions)
    documents = documents_of(month)
    report: ReportJson = {
        "period": period,
        "currency": currency,
        "company": company,
        "generated_from": {"snapshot": snapshot, "version": version, "digest": ""},
        "population": len(month.dispositions),
        "post": verdicts[Verdict.POST],
        "skip": verdicts[Verdict.SKIP],
        "hold": verdicts[Verdict.HOLD],
        "billed": _billed(month),
        "tie_outs": [_tie_out(tie) for tie in tie_outs(month)],
        "gates": [_gate(result) for result in month.gates],
        "gates_over_all": [_gate(result) for result in over_all],
        "exceptions": exception_rows(month, documents, today),
        "documents": documents,
        "revenue_by_family": _revenue(posted, families, currency),
        "tax_by_key": _taxes(posted, currency),
        "tax_witness": _witness(month.witness),
        "receivable": _receivable(posted, customers),
        "settlements": _settlements(documents),
        "other_currencies": {
            other: {
                "revenue_by_family": _revenue(posted, families, other),
                "tax_by_key": _taxes(posted, other),
            }
            for other in sorted({move.document.currency for move in posted} - {currency})
        },
        "taxes": _returns(posted, taxes),
        "customers": {
            partner: customers[partner]
            for partner in sorted({one["partner"] or "" for one in documents} & customers.keys())
        },
        "metering": metering,
        "events": events,
        "cash": cash,
    }
    report["generated_from"]["digest"] = digest_of(report)
    return report


def digest_of(report: ReportJson) -> str:
    """The digest of a report without the one that it carries: a report of which both differ was changed."""
    bare = {**report, "generated_from": {**report["generated_from"], "digest": ""}}
    return digest_of_json(bare)


def _billed(month: MonthStatus) -> list[BilledRow]:
    rows: list[BilledRow] = []
    for one in billed_amounts(month.dispositions, month.amounts):
        rows.append({**asdict(one), "difference": one.difference})  # type: ignore[typeddict-item]
    return rows


def _tie_out(tie: TieOut) -> TieOutRow:
    return {
        "name": tie.name,
        "currency": tie.currency,
        "left_label": tie.left_label,
        "left": tie.left,
        "right_label": tie.right_label,
        "right": tie.right,
        "difference": tie.difference,
        "ok": tie.difference == 0,
    }


def _gate(result: GateResult) -> GateRow:
    return {
        "name": result.gate,
        "outcome": result.outcome.value,
        "description": result.proves,
        "detail": result.detail if result.outcome is not Outcome.PASS else "",
        "count": result.count,
        "recovery": result.recovery,
    }


def _settlements(documents: Iterable[Document]) -> list[SettledSum]:
    """The settlements of the month's documents in the ledger, by currency and method.

    `total` is positive where customers paid, negative where they were refunded.
    """
    counts: Counter[tuple[str, str]] = Counter()
    totals: Counter[tuple[str, str]] = Counter()
    for document in documents:
        for entry in document["settlements"]:
            key = (document["currency"], entry["method"])
            counts[key] += 1
            totals[key] += Kind(document["kind"]).sign * entry["amount"]
    return [
        {"currency": key[0], "method": key[1], "count": counts[key], "total": totals[key]}
        for key in sorted(counts)
    ]


def _revenue(
    posted: Sequence[LedgerMove], families: Mapping[str, str], currency: str
) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for move in posted:
        if move.document.currency == currency:
            for line in move.document.lines:
                family = families.get(line.account, line.account)
                totals[family] += move.document.kind.sign * line.net
    return dict(sorted(totals.items()))


def _taxes(posted: Sequence[LedgerMove], currency: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for move in posted:
        if move.document.currency == currency:
            for tax in move.document.taxes:
                totals[tax.key] += move.document.kind.sign * tax.amount
    return dict(sorted(totals.items()))


def _returns(posted: Sequence[LedgerMove], known: Sequence[Tax]) -> list[TaxRow]:
    """Each tax with its base, as a return asks for it; a tax that is not configured has no rate."""
    bases: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    for move in posted:
        for tax in move.document.taxes:
            of = (move.document.currency, tax.key)
            bases[of] += move.document.kind.sign * tax.base
            amounts[of] += move.document.kind.sign * tax.amount
    rows: list[TaxRow] = []
    configured = {tax.key: tax for tax in known}
    for currency, key in sorted(bases):
        rate = configured.get(key)
        states = ", ".join(each.state for each in rate.states) if rate else ""
        rows.append(
            {
                "key": key,
                "name": rate.odoo_name if rate else key,
                "percentage": f"{rate.percentage.normalize():f}" if rate else "",
                "jurisdiction": " ".join(filter(None, (rate.country, states))) if rate else "",
                "account": rate.account if rate else None,
                "currency": currency,
                "base": bases[currency, key],
                "amount": amounts[currency, key],
            }
        )
    return rows


def _witness(rows: Sequence[WitnessRow]) -> TaxWitness:
    """The number of documents by verdict, and a row for each that does not match."""
    verdicts = Counter(row.verdict for row in rows)
    return {
        "verdicts": {verdict.value: verdicts[verdict] for verdict in WitnessVerdict},
        "rows": [
            {
                "ref": row.ref,
                "number": row.number,
                "verdict": row.verdict.value,
                "detail": row.detail,
                "expected": None if row.verdict in _UNJUDGED else row.expected_tax,
                "billed": row.billed_tax,
                "difference": row.difference,
                "currency": row.currency,
            }
            for row in rows
            if row.verdict is not WitnessVerdict.MATCH
        ],
    }


def _receivable(posted: Sequence[LedgerMove], customers: Mapping[str, str]) -> list[Owing]:
    totals: Counter[tuple[str, str]] = Counter()
    for move in posted:
        key = (move.document.partner, move.document.currency)
        totals[key] += move.document.kind.sign * move.residual
    return [
        {
            "partner": partner,
            "name": customers.get(partner),
            "currency": currency,
            "minor": minor,
        }
        for (partner, currency), minor in sorted(totals.items())
        if minor
    ]
