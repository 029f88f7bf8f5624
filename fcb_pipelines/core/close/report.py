"""The close report of a month: tie-outs, exceptions, revenue by family, tax and receivable, as JSON values."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date

from fcb_pipelines.core.cash.shapes import CashSection
from fcb_pipelines.core.close.changes import FIRST, carried
from fcb_pipelines.core.close.changes import compared as compared_reports
from fcb_pipelines.core.close.exceptions import exception_rows
from fcb_pipelines.core.close.history import History, Receivable, compared, receivable_of
from fcb_pipelines.core.close.links import Pages, entries_found_at, found_at
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.population import billed_amounts
from fcb_pipelines.core.close.report_shapes import Since
from fcb_pipelines.core.close.shapes import (
    BilledRow,
    Document,
    GateRow,
    Owing,
    ReportJson,
    SettledSum,
    TaxRow,
    TaxWitness,
)
from fcb_pipelines.core.close.status import documents_of
from fcb_pipelines.core.close.tie_outs import tie_out_row, tie_outs
from fcb_pipelines.core.close.words import naming_taxes
from fcb_pipelines.core.codes import Kind, Verdict
from fcb_pipelines.core.company.settings import Tax
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.events.proof import EventsSection
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.metering.shapes import MeteringSection
from fcb_pipelines.core.proof.gate import GateResult, Outcome
from fcb_pipelines.core.proof.tax_witness import WitnessRow, WitnessVerdict

# The verdicts without an expected tax.
_UNJUDGED = (WitnessVerdict.UNKNOWN_ADDRESS,)


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
    history: History | None = None,
    pages: Pages | None = None,
    before: ReportJson | None = None,
) -> ReportJson:
    """The close report of one month as plain JSON values, amounts in minor units.

    `over_all` are the results of the gates over the extracts and all months from the last proof;
    `metering` is the month's dual run, None where it was never built; `events` what services were told,
    None where nothing was; `cash` is the month's cash, None where cash is off; `history` is what all
    built months know; `pages` are the addresses that documents are linked to, `before` is the
    report of the month before this one. `currency` is the company's;
    revenue and tax in other currencies are under `other_currencies`. `families` maps each income account
    code to its family, `customers` each billing account that NexaCloud knows to its name; `taxes` are the
    configured ones, `version` is that of the package.
    """
    posted = [move for move in month.moves.values() if move.state is MoveState.POSTED]
    verdicts = Counter(row.verdict for row in month.dispositions)
    documents = documents_of(month)
    named = naming_taxes(taxes)
    known, pages = history or History(), pages or Pages()
    at_end = receivable_of(known, period, customers)
    rolled = at_end["roll_forward"] if history is not None else None
    revenue = _revenue(posted, families, currency)
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
        "tie_outs": [tie_out_row(tie) for tie in tie_outs(month, rolled)],
        "gates": [_gate(result, named) for result in month.gates],
        "gates_over_all": [_gate(result, named) for result in over_all],
        "exceptions": [
            {**row, "detail": named(row["detail"])}
            for row in exception_rows(month, documents, today)
        ],
        "documents": documents,
        "revenue_by_family": revenue,
        "revenue_compared": compared(revenue, period, known, families, currency),
        "tax_by_key": _taxes(posted, currency),
        "tax_witness": _witness(month.witness, named),
        "receivable": _receivable(posted, customers),
        **at_end,
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
        "changes": FIRST,
        "links": {
            **entries_found_at(known.entries, _refs_at_end(at_end), pages),
            **found_at(documents, month.moves, pages),
        },
        "metering": metering,
        "events": events,
        "cash": cash,
    }
    if before is not None:
        report["changes"] = carried(before, compared_reports(before, report, _since(before)))
    report["generated_from"]["digest"] = digest_of(report)
    return report


def _refs_at_end(at_end: Receivable) -> set[str]:
    """The documents that the receivable at the month's end names, of whichever month."""
    differing = (row for rolled in at_end["roll_forward"] for row in rolled["differing"])
    return {row["ref"] for row in (*at_end["open_documents"], *differing)}


def digest_of(report: ReportJson) -> str:
    """The digest of a report without the one that it carries: a report of which both differ was changed."""
    bare = {**report, "generated_from": {**report["generated_from"], "digest": ""}}
    return digest_of_json(bare)


def _since(before: ReportJson) -> Since:
    made = before["generated_from"]
    digest = made.get("digest", "")
    return {
        "snapshot": made["snapshot"],
        "version": made.get("version", ""),
        "digest": digest,
        # An early report has no digest to be held to.
        "intact": not digest or digest_of(before) == digest,
    }


def _billed(month: MonthStatus) -> list[BilledRow]:
    rows: list[BilledRow] = []
    for one in billed_amounts(month.dispositions, month.amounts):
        rows.append({**asdict(one), "difference": one.difference})  # type: ignore[typeddict-item]
    return rows


def _gate(result: GateResult, named: Callable[[str], str]) -> GateRow:
    return {
        "name": result.gate,
        "outcome": result.outcome.value,
        "description": result.proves,
        "detail": named(result.detail) if result.outcome is not Outcome.PASS else "",
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


def _witness(rows: Sequence[WitnessRow], named: Callable[[str], str]) -> TaxWitness:
    """The number of documents by verdict, and a row for each that does not match."""
    verdicts = Counter(row.verdict for row in rows)
    return {
        "verdicts": {verdict.value: verdicts[verdict] for verdict in WitnessVerdict},
        "rows": [
            {
                "ref": row.ref,
                "number": row.number,
                "verdict": row.verdict.value,
                "detail": named(row.detail),
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
