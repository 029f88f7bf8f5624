"""The functions of the gates over extracts, dispositions, documents and the read-back.

Each is a pure function of its rows. The gate table (core/close/gates.py) has the statement each proves.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from fcb_pipelines.core.agreement.compare import AgreementRow, disagreements
from fcb_pipelines.core.agreement.words import in_words
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

# Exceptions of correct books: a lock, another document that is not posted yet, a later configuration, a
# settlement that no entry can be made of.
# A fault that a person can mend is not among them, even where it keeps a settlement out (plan.KEPT_OUT).
BOOKS_ARE_RIGHT = frozenset(
    {
        ExceptionCode.SETTLEMENT_PERIOD_LOCKED,
        ExceptionCode.SETTLEMENT_UNSUPPORTED,
        ExceptionCode.CREDIT_NOTE_WAITS,
        ExceptionCode.SETTINGS_CHANGED,
        ExceptionCode.OPENING_DOCUMENT,
        ExceptionCode.CURRENCY_UNSUPPORTED,
        ExceptionCode.MISSING_AT_SOURCE,
        ExceptionCode.UNREACHABLE,
    }
)


def listing_complete(rows: Iterable[IndexRow], problem: str | None) -> Finding:
    """Fail where a page is lost or repeated, or a document exists that the list lacks."""
    rows = tuple(rows)
    faults = [problem] if problem else []
    faults += [f"{row.ref} exists but was not listed" for row in rows if row.answer is Lookup.ASKED]
    faults += _twice([row.ref for row in rows], "listed twice")
    return failing(faults)


def population_adds_up(members: Collection[str], dispositions: Sequence[Disposition]) -> Finding:
    """Fail where a member has not exactly one disposition, or one without the reason it needs."""
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
    """Fail where a (ref, line) comes twice or a ref has two headers."""
    faults = _twice([f"{row.ref} line {row.line_number}" for row in rows], "comes twice")
    heads: dict[str, set[tuple[object, ...]]] = {}
    for row in rows:
        heads.setdefault(row.ref, set()).add(header(row))
    faults += [f"{ref} has two headers" for ref, found in heads.items() if len(found) > 1]
    return failing(faults)


def documents_balance(rows: Sequence[DocumentRow]) -> Finding:
    """Fail where a document lacks a line, does not add up to its total, or does not match its hash."""
    heads = {row.ref: row for row in rows}
    faults = []
    for document in to_documents(rows):
        head = heads[document.ref]
        if len(document.lines) != head.document_lines:
            faults.append(f"{document.ref}: {len(document.lines)} of {head.document_lines} lines")
        elif document.total != head.document_total:
            billed, whole = (
                money(each, document.currency) for each in (document.total, head.document_total)
            )
            faults.append(f"{document.ref}: lines and tax come to {billed}, its total is {whole}")
        elif (shares := sum(line.tax for line in document.lines)) != document.tax:
            given, billed = (money(each, document.currency) for each in (shares, document.tax))
            faults.append(f"{document.ref}: its lines' shares of tax are {given}, its tax {billed}")
        elif document.content_hash != head.content_hash:
            faults.append(
                f"{document.ref}: content {document.content_hash} does not match its hash "
                f"{head.content_hash}"
            )
    return failing(faults)


def documents_match_dispositions(
    documents: Sequence[LedgerDocument],
    dispositions: Sequence[Disposition],
    owed: Mapping[str, int] | None = None,
) -> Finding:
    """Fail where documents and dispositions differ in refs, date, currency, net, tax or total.

    `owed` maps refs to the amount that the intended settlements leave open, minor units; None where the
    settlements are not at hand.
    """
    intended = {d.ref: (d.currency, d.net, d.tax, d.total, d.date) for d in documents}
    decided = {
        row.ref: (row.currency, row.net, row.tax, row.total, row.date)
        for row in dispositions
        if row.verdict is Verdict.POST
    }
    faults = [
        f"{ref}: document {_as_text(intended.get(ref))}, disposition {_as_text(decided.get(ref))}"
        for ref in sorted(intended.keys() | decided.keys())
        if intended.get(ref) != decided.get(ref)
    ]
    if owed is not None:
        faults += [
            f"{row.ref}: settlements leave {_owed(owed.get(row.ref), row)}, "
            f"disposition {_owed(row.owed, row)}"
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
    """Fail where a document about to be written breaks a rule that should have held it earlier."""
    faults = [
        f"{document.ref}: {fault}"
        for document in documents
        for fault in broken_rules(document, ledger_state.get(document.ref), settings, books, period)
    ]
    return failing(faults)


def read_back_equals_intent(deltas: Sequence[LedgerDelta]) -> Finding:
    """The differences between intent and read-back in anything but dates and residuals."""
    return _differences(READ_BACK, deltas)


def dates_as_intended(deltas: Sequence[LedgerDelta]) -> Finding:
    """The differences in the dates of documents and settlements."""
    return _differences(DATES, deltas)


def residuals_match_source(deltas: Sequence[LedgerDelta]) -> Finding:
    """The differences between the open amount in the ledger and the amount owed at the source."""
    return _differences(RESIDUAL, deltas)


def revenue_in_other(rows: Sequence[DocumentRow]) -> Finding:
    """Warn of lines whose description has no configured family; the amount is their net."""
    return _lines_of(OTHER, rows)


def unitemised_lines(rows: Sequence[DocumentRow]) -> Finding:
    """Warn of lines that represent a whole document without lines; the amount is their net."""
    return _lines_of(UNITEMISED, rows)


def nothing_is_held(dispositions: Sequence[Disposition], today: date) -> Finding:
    """Warn of held documents by reason, each with its age in days; the oldest of a reason first."""
    held = [row for row in dispositions if row.verdict is Verdict.HOLD]
    reasons = list(dict.fromkeys(row.reason for row in held))
    held.sort(key=lambda row: (reasons.index(row.reason), row.date or today, row.ref))
    faults = [
        f"{row.reason}: {named(row.ref, row.number)}, {money(row.total, row.currency)}, "
        f"{(today - row.date).days if row.date else 0} days"
        for row in held
    ]
    return warning(faults, amounts=((row.currency, row.total) for row in held))


def nexacloud_agrees(rows: Sequence[AgreementRow]) -> Finding:
    """Warn of fields in which NexaCloud's copy differs from its source."""
    rows = tuple(rows)
    currencies = {row.ref: row.expected or "" for row in rows if row.field == "currency"}
    faults = []
    for row in disagreements(rows):
        source, copy = (
            in_words(row.field, value, currencies.get(row.ref, ""))
            for value in (row.expected, row.actual)
        )
        faults.append(f"{row.ref} {row.field}: {source} at the source, {copy} in NexaCloud")
    return warning(faults)


def tax_as_expected(rows: Sequence[WitnessRow]) -> Finding:
    """Warn of documents whose tax differs from the expected or can't be judged; sums the differences."""
    doubted = (WitnessVerdict.DIFFERS, WitnessVerdict.UNKNOWN_ADDRESS)
    odd = [row for row in rows if row.verdict in doubted]
    faults = [f"{named(row.ref, row.number)}: {row.detail}" for row in odd]
    return warning(faults, amounts=((row.currency, row.difference) for row in odd))


def _differences(aspect: str, deltas: Sequence[LedgerDelta]) -> Finding:
    """The differences of one aspect; a warning where the books are right in spite of each of them."""
    own = [delta for delta in deltas if delta.aspect == aspect]
    faults = [
        f"{d.ref if d.entry == d.ref else f'{d.ref} {d.entry}'} {_field(d)}: "
        f"{in_words(d.field, d.expected, d.currency)} intended, "
        f"{in_words(d.field, d.actual, d.currency)} in the ledger ({d.code})"
        for d in own
    ]
    are_right = all(delta.code in BOOKS_ARE_RIGHT for delta in own)
    return warning(faults) if are_right else failing(faults)


def _field(delta: LedgerDelta) -> str:
    """The field that differs; of a residual both figures are what is open."""
    return "open amount" if delta.aspect == RESIDUAL and delta.field == "paid" else delta.field


def _lines_of(family: str, rows: Sequence[DocumentRow]) -> Finding:
    own = [row for row in rows if row.family == family]
    faults = [
        f"{named(row.ref, row.number)}: {row.description!r} {money(row.net, row.currency)}"
        for row in own
    ]
    return warning(faults, amounts=((row.currency, row.net) for row in own))


def _twice(keys: Sequence[str], fault: str) -> list[str]:
    return [f"{key} {fault}" for key, count in Counter(keys).items() if count > 1]


def _owed(amount: int | None, row: Disposition) -> str:
    return "none" if amount is None else money(amount, row.currency)


def _as_text(values: tuple[str, int, int, int, date | None] | None) -> str:
    if values is None:
        return "none"
    currency, *amounts, day = values
    net, tax, total = (money(each, currency) for each in amounts)
    return f"of {day}, net {net}, tax {tax}, total {total}"
