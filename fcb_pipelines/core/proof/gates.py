"""The functions of the gates over extracts, decisions, documents and what the ledger holds.

Each is pure, over the rows in hand. The gate table (core/close/gates.py) says what they prove.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from fcb_pipelines.core.agreement.compare import AgreementRow, disagreements
from fcb_pipelines.core.codes import ExceptionCode, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.documents.families import OTHER, UNITEMISED
from fcb_pipelines.core.documents.rows import DocumentRow, header, to_documents
from fcb_pipelines.core.documents.rules import broken_rules
from fcb_pipelines.core.facts.index import IndexRow, Lookup
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerState
from fcb_pipelines.core.naming import money, named
from fcb_pipelines.core.proof.delta import DATES, READ_BACK, RESIDUAL, LedgerDelta
from fcb_pipelines.core.proof.gate import Finding, failing, warning
from fcb_pipelines.core.proof.tax_witness import WitnessRow, WitnessVerdict

# A lock, another document that is not posted yet, a configuration of later: the books are not wrong.
# Whatever a person can mend is none of them, also where it keeps a settlement out (plan.KEPT_OUT).
_BOOKS_ARE_RIGHT = frozenset(
    {
        ExceptionCode.SETTLEMENT_PERIOD_LOCKED,
        ExceptionCode.CREDIT_NOTE_WAITS,
        ExceptionCode.SETTINGS_CHANGED,
        ExceptionCode.OPENING_DOCUMENT,
        ExceptionCode.CURRENCY_UNSUPPORTED,
        ExceptionCode.MISSING_AT_SOURCE,
        ExceptionCode.UNREACHABLE,
    }
)


def listing_complete(rows: Iterable[IndexRow], problem: str | None) -> Finding:
    """No page lost or repeated, and no document exists that the list should have had."""
    rows = tuple(rows)
    faults = [problem] if problem else []
    faults += [f"{row.ref} exists but was not listed" for row in rows if row.answer is Lookup.ASKED]
    faults += _twice([row.ref for row in rows], "listed twice")
    return failing(faults)


def population_adds_up(members: Collection[str], dispositions: Sequence[Disposition]) -> Finding:
    """Every member of the month has exactly one disposition, with a known reason where it needs one."""
    refs = [row.ref for row in dispositions]
    faults = [f"{ref} has no disposition" for ref in sorted(set(members) - set(refs))]
    faults += [f"{ref} is no member" for ref in sorted(set(refs) - set(members))]
    faults += _twice(refs, "has two dispositions")
    for row in dispositions:
        plain = row.reason is None and row.verdict is Verdict.POST
        if not plain and (row.reason is None or row.reason.verdict is not row.verdict):
            faults.append(f"{row.ref}: {row.verdict} for {row.reason!r}")
    return failing(faults)


def external_ids_unique(rows: Sequence[DocumentRow]) -> Finding:
    """No (ref, line) twice and no ref under two headers."""
    faults = _twice([f"{row.ref} line {row.line_number}" for row in rows], "stands twice")
    heads: dict[str, set[tuple[object, ...]]] = {}
    for row in rows:
        heads.setdefault(row.ref, set()).add(header(row))
    faults += [f"{ref} has two headers" for ref, found in heads.items() if len(found) > 1]
    return failing(faults)


def documents_balance(rows: Sequence[DocumentRow]) -> Finding:
    """Lines are all there, lines + taxes = the total, quantity times price = net, hash unchanged."""
    said = {row.ref: row for row in rows}
    faults = []
    for document in to_documents(rows):
        head = said[document.ref]
        if len(document.lines) != head.document_lines:
            faults.append(f"{document.ref}: {len(document.lines)} of {head.document_lines} lines")
        elif document.total != head.document_total:
            faults.append(f"{document.ref}: lines + tax {document.total} != {head.document_total}")
        elif (shares := sum(line.tax for line in document.lines)) != document.tax:
            faults.append(f"{document.ref}: the lines' shares of tax {shares} != {document.tax}")
        elif document.content_hash != head.content_hash:
            faults.append(
                f"{document.ref}: content {document.content_hash} is not what its hash says: "
                f"{head.content_hash}"
            )
    return failing(faults)


def documents_match_dispositions(
    documents: Sequence[LedgerDocument],
    dispositions: Sequence[Disposition],
    owed: Mapping[str, int] | None = None,
) -> Finding:
    """The same refs, net, tax and total on both sides, document by document.

    `owed` is what the settlements that would be written leave open, by ref, where they are at hand.
    """
    intended = {d.ref: (d.currency, d.net, d.tax, d.total, d.date) for d in documents}
    decided = {
        row.ref: (row.currency, row.net, row.tax, row.total, row.date)
        for row in dispositions
        if row.verdict is Verdict.POST
    }
    faults = [
        f"{ref}: document {_told(intended.get(ref))}, disposition {_told(decided.get(ref))}"
        for ref in sorted(intended.keys() | decided.keys())
        if intended.get(ref) != decided.get(ref)
    ]
    if owed is not None:
        faults += [
            f"{row.ref}: settlements leave {owed.get(row.ref)}, disposition {row.owed}"
            for row in dispositions
            if row.verdict is Verdict.POST and owed.get(row.ref) != row.owed
        ]
    return failing(faults)


def document_rules_hold(
    documents: Sequence[LedgerDocument],
    ledger_state: Mapping[str, LedgerState],
    settings: Settings,
    books: Books,
    period: str,
) -> Finding:
    """Every rule that should have held a document earlier, asked again of the rows to be written."""
    faults = [
        f"{document.ref}: {fault}"
        for document in documents
        for fault in broken_rules(document, ledger_state.get(document.ref), settings, books, period)
    ]
    return failing(faults)


def read_back_equals_intent(deltas: Sequence[LedgerDelta]) -> Finding:
    """What stands in the ledger and differs from what should."""
    return _differences(READ_BACK, deltas)


def dates_as_intended(deltas: Sequence[LedgerDelta]) -> Finding:
    """What stands on another date than its own."""
    return _differences(DATES, deltas)


def residuals_match_source(deltas: Sequence[LedgerDelta]) -> Finding:
    """What is open in the ledger and is not what the source says is owed."""
    return _differences(RESIDUAL, deltas)


def revenue_in_other(rows: Sequence[DocumentRow]) -> Finding:
    """Lines whose description has no configured family, with their sum."""
    return _lines_of(OTHER, rows)


def unitemised_lines(rows: Sequence[DocumentRow]) -> Finding:
    """Lines that stand for a whole document without lines, with their sum."""
    return _lines_of(UNITEMISED, rows)


def nothing_is_held(dispositions: Sequence[Disposition], today: date) -> Finding:
    """Held documents by reason, each with its age in days; the oldest of a reason first."""
    held = [row for row in dispositions if row.verdict is Verdict.HOLD]
    reasons = list(dict.fromkeys(row.reason for row in held))
    held.sort(key=lambda row: (reasons.index(row.reason), row.date or today, row.ref))
    told = [
        f"{row.reason}: {named(row.ref, row.number)}, {money(row.total, row.currency)}, "
        f"{(today - row.date).days if row.date else 0} days"
        for row in held
    ]
    return warning(told, amounts=((row.currency, row.total) for row in held))


def nexacloud_agrees(rows: Sequence[AgreementRow]) -> Finding:
    """Fields in which NexaCloud's copy differs from its source."""
    wrong = disagreements(rows)
    told = [f"{row.ref} {row.field}: {row.expected} != {row.actual}" for row in wrong]
    return warning(told)


def tax_as_expected(rows: Sequence[WitnessRow]) -> Finding:
    """Documents whose tax differs from the expected or can't be judged; the sum of the differences."""
    doubted = (WitnessVerdict.DIFFERS, WitnessVerdict.UNKNOWN_ADDRESS)
    odd = [row for row in rows if row.verdict in doubted]
    told = [f"{named(row.ref, row.number)}: {row.detail}" for row in odd]
    return warning(told, amounts=((row.currency, row.difference) for row in odd))


def _differences(aspect: str, deltas: Sequence[LedgerDelta]) -> Finding:
    """What the read-back differs in; what nobody's hand and no run can mend is a warning."""
    own = [delta for delta in deltas if delta.aspect == aspect]
    told = [
        f"{d.ref if d.entry == d.ref else f'{d.ref} {d.entry}'} {d.field}: "
        f"{d.expected} != {d.actual} ({d.code})"
        for d in own
    ]
    return warning(told) if all(delta.code in _BOOKS_ARE_RIGHT for delta in own) else failing(told)


def _lines_of(family: str, rows: Sequence[DocumentRow]) -> Finding:
    own = [row for row in rows if row.family == family]
    told = [
        f"{named(row.ref, row.number)}: {row.description!r} {money(row.net, row.currency)}"
        for row in own
    ]
    return warning(told, amounts=((row.currency, row.net) for row in own))


def _twice(keys: Sequence[str], what: str) -> list[str]:
    return [f"{key} {what}" for key, count in Counter(keys).items() if count > 1]


def _told(values: tuple[object, ...] | None) -> str:
    return "none" if values is None else " ".join(str(value) for value in values)
