"""The review of a month's drafts: each against its source and its document, the odd ones first."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypedDict

from fcb_pipelines.core.close.decisions import Approvals
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.shapes import Document
from fcb_pipelines.core.close.status import documents_of
from fcb_pipelines.core.codes import ExceptionCode, Kind, Reason, Verdict
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.dispositions.decide import in_order as by_date
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState, is_same_document
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.proof.tax_witness import WitnessVerdict

# A document is large that is more than this many times the largest other one of its customer.
LARGE = 3


class Oddity(StrEnum):
    """Why a draft is odd, the gravest first."""

    DIFFERS = "differs_from_document"
    NOT_TO_BE_POSTED = "not_to_be_posted"
    EXCEPTION = "has_exception"
    TAX = "tax_differs"
    LARGE = "large"
    FIRST = "first_document"


class Odd(TypedDict):
    """One reason why a draft is odd: an `Oddity`, and the reason in words."""

    code: str
    text: str


class Approval(TypedDict):
    """Who approved a draft, when (UTC), and with which note.

    `holds` is false once the document, or the draft in the books, is another than the one that was approved.
    """

    by: str
    at: str
    note: str
    holds: bool


class DraftRow(TypedDict):
    """One draft in the books beside its source; amounts in minor units, positive on a credit note, too.

    `net`, `tax` and `total` are the source's, those of the draft are `draft_tax`, `draft_total`
    and `families` (net by family).
    `matches` tells whether the draft is the document to be posted, `content_hash` is that document's (None
    where none is to be posted).
    """

    ref: str
    number: str
    period: str | None
    date: str | None
    kind: str
    partner: str | None
    customer: str | None
    currency: str
    net: int
    tax: int
    total: int
    draft_tax: int
    draft_total: int
    families: dict[str, int]
    ledger_id: str
    ledger_number: str
    exceptions: list[str]
    matches: bool
    content_hash: str | None
    odd: list[Odd]
    approval: Approval | None


class DraftTotals(TypedDict):
    """The drafts of one currency, minor units, credit notes negative.

    `total` is that of their sources. `draft_total` is that of the drafts: their `tax` and `by_family` together.
    """

    count: int
    total: int
    draft_total: int
    tax: int
    by_family: dict[str, int]


class ReviewJson(TypedDict):
    """The drafts of one month (`period` None: of all), as of the extract `snapshot`; `approved` counts them.

    `digest` is that of the drafts as they are listed, without their approvals.
    """

    snapshot: str
    digest: str
    period: str | None
    approved: int
    drafts: list[DraftRow]
    totals: dict[str, DraftTotals]


def draft_rows(
    month: MonthStatus,
    *,
    known: Iterable[Disposition],
    approved: Approvals,
    families: Mapping[str, str],
    customers: Mapping[str, str],
) -> list[DraftRow]:
    """One row for each draft of the month, as the ledger was last read back; the odd ones first.

    `known` are the dispositions of every built month, `approved` the approvals in force. `families` maps each
    income account to its family, `customers` each billing account to its name.
    """
    intended = {document.ref: document for document in month.documents}
    known = tuple(known)
    billed = _by_customer(known)
    begin = min((one.period for one in known if one.period), default="")
    rows = []
    for document in documents_of(month):
        move = month.moves.get(document["ref"])
        if move is not None and move.state is MoveState.DRAFT:
            wanted = intended.get(document["ref"])
            row = _row(document, move, wanted, approved, families, customers)
            others = billed.get(document["partner"] or "", ())
            row["odd"] = _odd(document, row, month, others, begin)
            rows.append(row)
    return sorted(rows, key=in_order)


def in_order(row: DraftRow) -> tuple[int, int, str]:
    """The place of a draft in a review: the gravest oddity first, then the largest amount."""
    ranks = [*Oddity]
    gravest = min((ranks.index(Oddity(one["code"])) for one in row["odd"]), default=len(ranks))
    return (gravest, -row["total"], row["ref"])


def draft_totals(rows: Iterable[DraftRow]) -> dict[str, DraftTotals]:
    """The totals of these drafts by currency."""
    found: dict[str, DraftTotals] = {}
    for row in rows:
        sign = Kind(row["kind"]).sign
        entry = found.setdefault(
            row["currency"],
            {"count": 0, "total": 0, "draft_total": 0, "tax": 0, "by_family": {}},
        )
        entry["count"] += 1
        entry["total"] += sign * row["total"]
        entry["draft_total"] += sign * row["draft_total"]
        entry["tax"] += sign * row["draft_tax"]
        sums = Counter(entry["by_family"])
        for family, net in row["families"].items():
            sums[family] += sign * net
        entry["by_family"] = dict(sorted(sums.items()))
    return dict(sorted(found.items()))


def review_digest(rows: Iterable[DraftRow]) -> str:
    """The digest of what a reviewer of these drafts sees; who approved them is no part of it."""
    return digest_of_json([{**row, "approval": None} for row in rows])


def approved_hashes(rows: Iterable[DraftRow]) -> dict[str, str]:
    """Ref -> content hash of each draft whose approval holds."""
    return {
        row["ref"]: row["content_hash"]
        for row in rows
        if row["approval"] and row["approval"]["holds"] and row["content_hash"]
    }


def posted_unapproved(
    before: Mapping[str, LedgerMove], after: Iterable[LedgerMove], approved: Approvals
) -> tuple[str, ...]:
    """The refs that were drafts `before`, are posted `after`, and that nobody approved as they are now."""
    drafts = {ref for ref, move in before.items() if move.state is MoveState.DRAFT}
    return tuple(
        move.ref
        for move in after
        if move.ref in drafts
        and move.state is MoveState.POSTED
        and not any(is_same_document(move, one.seen) for one in approved.get(move.ref, ()))
    )


def _row(
    document: Document,
    move: LedgerMove,
    wanted: LedgerDocument | None,
    approved: Approvals,
    families: Mapping[str, str],
    customers: Mapping[str, str],
) -> DraftRow:
    sums: Counter[str] = Counter()
    for line in move.document.lines:
        sums[families.get(line.account, line.account)] += line.net
    content_hash = wanted.content_hash if wanted else None
    matches = content_hash is not None and is_same_document(move, content_hash)
    return {
        "ref": document["ref"],
        "number": document["number"],
        "period": document["period"],
        "date": document["date"],
        "kind": document["kind"],
        "partner": document["partner"],
        "customer": customers.get(document["partner"] or ""),
        "currency": document["currency"],
        "net": document["net"],
        "tax": document["tax"],
        "total": document["total"],
        "draft_tax": move.document.tax,
        "draft_total": move.document.total,
        "families": dict(sorted(sums.items())),
        "ledger_id": move.move_id,
        "ledger_number": move.ledger_number,
        "exceptions": document["exceptions"],
        "matches": matches,
        "content_hash": content_hash,
        "odd": [],
        "approval": _approval(document["ref"], content_hash if matches else None, approved),
    }


def _approval(ref: str, content_hash: str | None, approved: Approvals) -> Approval | None:
    """The latest approval of this hash, else the latest of another."""
    given = approved.get(ref, ())
    if not given:
        return None
    of_it = (one for one in given if one.seen == content_hash)
    found = next(of_it, None)
    one = found or given[0]
    return {
        "by": one.by,
        "at": one.at.isoformat(timespec="seconds"),
        "note": one.note,
        "holds": found is not None,
    }


def _odd(
    document: Document,
    row: DraftRow,
    month: MonthStatus,
    others: Sequence[Disposition],
    begin: str,
) -> list[Odd]:
    found: list[tuple[Oddity, str]] = []
    reason = document["reason"]
    if row["content_hash"] is not None and not row["matches"]:
        fields = sorted({one.field for one in month.deltas if one.ref == one.entry == row["ref"]})
        where = f" in {', '.join(fields)}" if fields else ""
        found.append((Oddity.DIFFERS, f"The draft differs from the document to be posted{where}."))
    if document["disposition"] != Verdict.POST and reason:
        meaning = Reason.of(reason).meaning
        found.append((Oddity.NOT_TO_BE_POSTED, f"{document['disposition']} {reason}: {meaning}"))
    found += [
        (Oddity.EXCEPTION, f"{code}: {ExceptionCode.of(code).meaning}")
        for code in document["exceptions"]
        if code != reason and code not in document["acknowledged"]
    ]
    found += [
        (Oddity.TAX, f"The tax is not the expected one: {one.detail}.")
        for one in month.witness
        if one.ref == row["ref"] and one.verdict is WitnessVerdict.DIFFERS
    ]
    found += [(Oddity.LARGE, text) for text in _large(row, others)]
    found += [(Oddity.FIRST, text) for text in _first(row, others, begin)]
    return [{"code": code.value, "text": text} for code, text in found]


def _large(row: DraftRow, others: Sequence[Disposition]) -> Iterable[str]:
    alike = (row["kind"], row["currency"])
    totals = [
        one.total
        for one in others
        if one.ref != row["ref"] and (one.kind, one.currency) == alike and one.total > 0
    ]
    if totals and row["total"] > LARGE * max(totals):
        largest = money(max(totals), row["currency"])
        kind = row["kind"].replace("_", " ")
        yield f"It is more than {LARGE} times the customer's largest other {kind}, {largest}."


def _first(row: DraftRow, others: Sequence[Disposition], begin: str) -> Iterable[str]:
    """In the first month of all, `begin`, every customer is new: nothing is told of it."""
    later = (row["period"] or "") > begin
    if later and others and others[0].ref == row["ref"]:
        yield "It is the customer's first document."


def _by_customer(known: Iterable[Disposition]) -> dict[str, list[Disposition]]:
    """The documents that are to be posted, by billing account, the oldest first."""
    found: dict[str, list[Disposition]] = defaultdict(list)
    for one in sorted(known, key=by_date):
        if one.verdict is Verdict.POST and one.partner:
            found[one.partner].append(one)
    return found
