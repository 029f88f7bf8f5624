"""Gates: pure predicates over the rows in hand, each used twice.

An asset check shows the outcome to a person, and every asset that writes to the ledger asks the same
functions again over the very rows it is about to write. The names are a closed list.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.agreement.compare import AgreementRow, disagreements
from fcb_pipelines.core.codes import ExceptionCode, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.documents.families import OTHER, UNITEMISED
from fcb_pipelines.core.documents.rows import DocumentRow, header, to_documents
from fcb_pipelines.core.documents.rules import broken_rules
from fcb_pipelines.core.facts.index import Answer, IndexRow
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import Standing
from fcb_pipelines.core.naming import money, named
from fcb_pipelines.core.proof.delta import DATES, READ_BACK, RESIDUAL, LedgerDelta
from fcb_pipelines.core.proof.tax_witness import WitnessRow, WitnessVerdict

SAMPLE = 10

# A lock, another document that is not posted yet, a configuration of later: the books are not wrong.
_WAITING = frozenset(
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


class Outcome(StrEnum):
    """How a gate came out."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate's name, whether it stops what is below it, what it proves and what mends a failure."""

    name: str
    blocking: bool
    proves: str
    recovery: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One evaluation: the exact count of faults, what they are (capped), and a sum by currency."""

    gate: str
    outcome: Outcome
    count: int
    detail: str
    sample: tuple[str, ...] = ()
    amounts: tuple[tuple[str, int], ...] = ()


_LISTING = "_listing_complete"


def _of_listing(source: str) -> tuple[str, bool, str, str]:
    proves = f"Every page of {source.capitalize()}'s list was read once and none is missing."
    return f"{source}{_LISTING}", True, proves, "Rerun `fcb sync`."


_GATES = (
    ("extracts_meet_contract", True, "Every NexaCloud extract that the books are made of has the columns, types and keys we rely on.", "Correct the named row in NexaCloud; where all rows of a column are named, the schema may have changed; then `fcb sync`."),
    *(_of_listing(name) for name in ("stripe", "lago")),
    ("population_adds_up", True, "Population = post + skip + hold: every member has one disposition.", "Rebuild the month: `fcb sync --period M`."),
    ("external_ids_unique", True, "No document is intended twice.", "Rebuild the month: `fcb sync --period M`."),
    ("documents_balance", True, "Every document's lines and taxes are what was billed, to the minor unit.", "Rebuild the month: `fcb sync --period M`."),
    ("documents_match_dispositions", True, "The documents are those to be posted; their totals agree, and so does what their settlements leave open.", "Rebuild the month: `fcb sync --period M`."),
    ("document_rules_hold", True, "Accounts, taxes, dates, locks and drafts of every row about to be written are lawful.", "A held document should have been held earlier: rebuild the month, then report it."),
    ("read_back_equals_intent", False, "What stands in the ledger is what should stand there.", "`fcb status` names the documents and which side moved."),
    ("dates_as_intended", False, "Every document and settlement stands on its own date.", "The ledger re-dated it: check the lock dates."),
    ("residuals_match_source", False, "What is open in the ledger is what the source says is owed.", "`fcb status` names the documents; `fcb sync` settles what is missing."),
    ("revenue_in_other", False, "No revenue is without a configured family.", "Add a keyword to the families, or accept the account."),
    ("unitemised_lines", False, "Every document has lines.", "Reclassify the unitemised revenue by hand."),
    ("shared_email", False, "No email joins two companies: each account and ledger partner that bears one has it to itself.", "One company: merge its partners in the ledger (the links follow) and give its accounts one company name. Several: leave them apart, or give each its own email in NexaCloud and in the ledger."),
    ("nothing_is_held", False, "No document is held.", "`fcb status` lists each with its reason and what mends it."),
    ("nexacloud_agrees_with_source", False, "NexaCloud's copies agree with their sources.", "Correct the copies in NexaCloud; the books follow the source."),
    ("tax_as_expected", False, "The tax billed is what address and date lead one to expect.", "Correct the address or the tax at the source for what is billed next; `reconciliation/tax_witness` and the close report list each document."),
    ("services_meet_contract", False, "The tables that the dual run reads have the columns, types and metrics we rely on.", "What is named here is not measured, and what depends on it is a failed row: correct the row, the view or the configuration, then `fcb sync`."),
    ("usage_is_clean", False, "Every usage window came once, in time, and overlaps no other.", "Correct the records at the service; a window counts once, an overlap counts twice."),
    ("one_row_each_subscription", False, "Every subscription-period with an invoice or usage has exactly one row.", "Rebuild the month, then report it: it is a bug of the dual run."),
    ("no_empty_subscription", False, "No row is of an empty subscription; a one-off is one document, compared with nothing.", "Rebuild the month, then report it: it is a bug of the dual run."),
    ("unexplained_deltas_within_ceiling", False, "Deltas that no cause explains stay within the configured ceiling.", "The close report lists each with its arithmetic: correct the plan, the usage or the invoice."),
    ("flip_readiness", False, "The cycle is over, and every row of it matches or is explained.", "Go on measuring: the rows named speak against billing from the engine."),
    ("completeness", True, "Over all months and unplaced, every member has exactly one disposition.", "Build the months named: `fcb sync --period M`."),
    ("receivable_ties_out", True, "Source receivable = ledger receivable + receivable not posted, each listed.", "`fcb status` names each document or move: what its source says is owed, what the ledger has open and what is not posted. Mend the side that is wrong, then `fcb sync`."),
    ("nothing_is_lost", True, "What the sources say of revenue, tax and cash since the books began = what stands posted + what is listed with its amount.", "`fcb status` lists each amount; one that nothing lists is a fault of the books or of the run: rebuild its month with `fcb sync --period M`."),
    ("cash_without_document", False, "No money that a source confirms is of a document that is not posted.", "`fcb status` lists each: record it by hand, or mend what keeps its document out."),
    ("credit_has_an_origin", False, "No customer drew more credit than the books have seen them get.", "Ask the source where the credit came from and enter that by hand; `fcb status` names each draw, and goes on doing so."),
    ("nothing_leaks", False, "Nothing that was used, runs or is subscribed to is left out of the invoices.", "`fcb status` names the first, `metering/leaks` lists each with what it is worth: invoice it or end it."),
)  # fmt: skip


class _Gates(dict[str, Gate]):
    """The gates by name, those of the packaged sources among them; any other source has its own."""

    def __missing__(self, name: str) -> Gate:
        source = name.removesuffix(_LISTING)
        if source == name:
            raise KeyError(name)
        return _gate(*_of_listing(source))


def _gate(name: str, blocking: bool, proves: str, recovery: str) -> Gate:
    return Gate(name=name, blocking=blocking, proves=proves, recovery=recovery)


GATES: dict[str, Gate] = _Gates({row[0]: _gate(*row) for row in _GATES})


def listing_complete(gate: str, rows: Iterable[IndexRow], problem: str | None) -> GateResult:
    """No page lost or repeated, and no document exists that the list should have had."""
    rows = tuple(rows)
    faults = [problem] if problem else []
    faults += [f"{row.ref} exists but was not listed" for row in rows if row.answer is Answer.ASKED]
    faults += _twice([row.ref for row in rows], "listed twice")
    return failing(gate, faults)


def population_adds_up(members: Collection[str], dispositions: Sequence[Disposition]) -> GateResult:
    """Every member of the month has exactly one disposition, with a known reason where it needs one."""
    refs = [row.ref for row in dispositions]
    faults = [f"{ref} has no disposition" for ref in sorted(set(members) - set(refs))]
    faults += [f"{ref} is no member" for ref in sorted(set(refs) - set(members))]
    faults += _twice(refs, "has two dispositions")
    for row in dispositions:
        plain = row.reason is None and row.verdict is Verdict.POST
        if not plain and (row.reason is None or row.reason.verdict is not row.verdict):
            faults.append(f"{row.ref}: {row.verdict} for {row.reason!r}")
    return failing("population_adds_up", faults)


def external_ids_unique(rows: Sequence[DocumentRow]) -> GateResult:
    """No (ref, line) twice and no ref under two headers."""
    faults = _twice([f"{row.ref} line {row.line_number}" for row in rows], "stands twice")
    heads: dict[str, set[tuple[object, ...]]] = {}
    for row in rows:
        heads.setdefault(row.ref, set()).add(header(row))
    faults += [f"{ref} has two headers" for ref, found in heads.items() if len(found) > 1]
    return failing("external_ids_unique", faults)


def documents_balance(rows: Sequence[DocumentRow]) -> GateResult:
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
    return failing("documents_balance", faults)


def documents_match_dispositions(
    documents: Sequence[LedgerDocument],
    dispositions: Sequence[Disposition],
    owed: Mapping[str, int] | None = None,
) -> GateResult:
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
    return failing("documents_match_dispositions", faults)


def document_rules_hold(
    documents: Sequence[LedgerDocument],
    standing: Mapping[str, Standing],
    settings: Settings,
    books: Books,
    period: str,
) -> GateResult:
    """Every rule that should have held a document earlier, asked again of the rows to be written."""
    faults = [
        f"{document.ref}: {fault}"
        for document in documents
        for fault in broken_rules(document, standing.get(document.ref), settings, books, period)
    ]
    return failing("document_rules_hold", faults)


def ledger_agrees(deltas: Sequence[LedgerDelta]) -> tuple[GateResult, ...]:
    """The three read-back gates; a difference that nobody's hand and no run can mend is a warning."""
    results = []
    for aspect, gate in (
        (READ_BACK, "read_back_equals_intent"),
        (DATES, "dates_as_intended"),
        (RESIDUAL, "residuals_match_source"),
    ):
        own = [delta for delta in deltas if delta.aspect == aspect]
        waits = all(delta.code in _WAITING for delta in own)
        told = [
            f"{d.ref if d.entry == d.ref else f'{d.ref} {d.entry}'} {d.field}: "
            f"{d.expected} != {d.actual} ({d.code})"
            for d in own
        ]
        results.append(warning(gate, told) if waits else failing(gate, told))
    return tuple(results)


def revenue_in_other(rows: Sequence[DocumentRow]) -> GateResult:
    """Lines whose description has no configured family, with their sum."""
    return _lines_of(OTHER, "revenue_in_other", rows)


def unitemised_lines(rows: Sequence[DocumentRow]) -> GateResult:
    """Lines that stand for a whole document without lines, with their sum."""
    return _lines_of(UNITEMISED, "unitemised_lines", rows)


def nothing_is_held(dispositions: Sequence[Disposition], today: date) -> GateResult:
    """Held documents by reason, each with its age in days; the oldest of a reason first."""
    held = [row for row in dispositions if row.verdict is Verdict.HOLD]
    reasons = list(dict.fromkeys(row.reason for row in held))
    held.sort(key=lambda row: (reasons.index(row.reason), row.date or today, row.ref))
    told = [
        f"{row.reason}: {named(row.ref, row.number)}, {money(row.total, row.currency)}, "
        f"{(today - row.date).days if row.date else 0} days"
        for row in held
    ]
    amounts = _sums((row.currency, row.total) for row in held)
    return warning("nothing_is_held", told, amounts=amounts)


def nexacloud_agrees(rows: Sequence[AgreementRow]) -> GateResult:
    """Fields in which NexaCloud's copy differs from its source."""
    wrong = disagreements(rows)
    told = [f"{row.ref} {row.field}: {row.expected} != {row.actual}" for row in wrong]
    return warning("nexacloud_agrees_with_source", told)


def tax_as_expected(rows: Sequence[WitnessRow]) -> GateResult:
    """Documents whose tax differs from the expected or can't be judged; the sum of the differences."""
    doubted = (WitnessVerdict.DIFFERS, WitnessVerdict.UNKNOWN_ADDRESS)
    odd = [row for row in rows if row.verdict in doubted]
    told = [f"{named(row.ref, row.number)}: {row.detail}" for row in odd]
    amounts = _sums((row.currency, row.difference) for row in odd)
    return warning("tax_as_expected", told, amounts=amounts)


def failing(gate: str, faults: Sequence[str]) -> GateResult:
    """Fail when there is any fault."""
    return _result(gate, Outcome.FAIL, faults, len(faults), ())


def warning(
    gate: str,
    faults: Sequence[str],
    *,
    count: int | None = None,
    amounts: tuple[tuple[str, int], ...] = (),
) -> GateResult:
    """Warn when there is any fault."""
    return _result(gate, Outcome.WARN, faults, len(faults) if count is None else count, amounts)


def _result(
    gate: str,
    worst: Outcome,
    faults: Sequence[str],
    count: int,
    amounts: tuple[tuple[str, int], ...],
) -> GateResult:
    return GateResult(
        gate=gate,
        outcome=worst if faults else Outcome.PASS,
        count=count,
        detail=_in_short(faults) if faults else GATES[gate].proves,
        sample=tuple(faults[:SAMPLE]),
        amounts=amounts,
    )


def _in_short(faults: Sequence[str]) -> str:
    more = f"; and {len(faults) - SAMPLE} more" if len(faults) > SAMPLE else ""
    return "; ".join(faults[:SAMPLE]) + more


def _lines_of(family: str, gate: str, rows: Sequence[DocumentRow]) -> GateResult:
    own = [row for row in rows if row.family == family]
    told = [
        f"{named(row.ref, row.number)}: {row.description!r} {money(row.net, row.currency)}"
        for row in own
    ]
    return warning(gate, told, amounts=_sums((row.currency, row.net) for row in own))


def _sums(amounts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    totals: Counter[str] = Counter()
    for currency, amount in amounts:
        totals[currency] += amount
    return tuple(sorted(totals.items()))


def _twice(keys: Sequence[str], what: str) -> list[str]:
    return [f"{key} {what}" for key, count in Counter(keys).items() if count > 1]


def _told(values: tuple[object, ...] | None) -> str:
    return "none" if values is None else " ".join(str(value) for value in values)
