"""Cash of documents dated before the cutover, booked on account since the books began (S11).

Such a document is part of the opening balance and has no move of ours. With the policy
`opening_payment: settle` its payments are posted to the customer's receivable, unmatched, and a person
matches them with the opening entry.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fcb_pipelines.core.codes import ExceptionCode, Status
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import Case, books_begin
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerState, settled_under
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.core.settlements.plan import SettlementPlan, obstacle
from fcb_pipelines.core.settlements.policy import posts


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningCash:
    """The cash of one such document since the books began.

    `periods` are its months, `YYYY-MM`; `refs` are the external ids that the ledger may hold it under.
    `basis` is a text of everything that its booking depends on: it changes where the booking may.
    """

    periods: frozenset[str]
    refs: frozenset[str]
    basis: str


def opening_documents(
    facts: Iterable[InvoiceFacts], index: Iterable[IndexRow], settings: Settings
) -> tuple[InvoiceFacts, ...]:
    """The documents of the opening balance: dated before the books begin, and without a move of ours."""
    begin = books_begin(settings)
    moves = {row.ref for row in index if row.in_ledger}
    return tuple(one for one in facts if one.date and one.date < begin and one.ref not in moves)


def opening_cash(documents: Iterable[InvoiceFacts], settings: Settings) -> dict[str, OpeningCash]:
    """The cash since the books began, by document ref; a document without any is left out."""
    policies = settings.policies
    decided = f"{policies.opening_payment} {policies.off_platform_payment} {policies.lost_dispute}"
    return {
        one.ref: OpeningCash(
            periods=frozenset(period_of(each.date) for each in cash),
            refs=frozenset(each.ref for each in cash),
            basis=f"{decided} {one.status} {one.problem} {one.customer} {cash}",
        )
        for one in documents
        if (cash := _cash(one, settings))
    }


def opening_refs(documents: Iterable[InvoiceFacts], settings: Settings) -> tuple[str, ...]:
    """Every external id that the ledger may hold their cash under, shared parts too."""
    cash = [each for one in documents for each in _cash(one, settings)]
    return tuple(dict.fromkeys(ref for each in cash for ref in (each.ref, *each.shares)))


def as_booked(cases: Iterable[Case], ledger_state: Mapping[str, LedgerState]) -> Iterator[Case]:
    """The cases of such documents, each with the account that its cash in the books names (A13)."""
    for case in cases:
        found = (ledger_state.get(each.ref) for each in case.facts.settlements)
        named = [now.settlement.settlement.partner for now in found if now and now.settlement]
        yield replace(case, account=next(iter(named), None))


def on_account(
    cases: Iterable[Case],
    parts: Collection[str],
    settings: Settings,
    ledger_state: Mapping[str, LedgerState],
) -> tuple[Settlement, ...]:
    """The settlements to hold on account, open on the customer's receivable, of all months.

    `parts` are the refs of all settlements of documents dated before the cutover: a payment shared with
    any other document is booked by that document's receipt. The cash of a document that is void, or that
    its source does not report in full, is not booked here and stays listed.
    """
    if settings.policies.opening_payment == "list":
        return ()
    found: list[Settlement] = []
    for case in as_booked(cases, ledger_state):
        facts = case.facts
        if not facts.livemode or facts.problem or facts.status in (Status.DRAFT, Status.VOID):
            continue
        own = [
            each
            for each in _cash(facts, settings)
            if posts(each, settings, facts.currency) and not _is_carried(each, parts, ledger_state)
        ]
        refs = {each.ref for each in own}
        found += [_settlement(case, each, undone=refs) for each in own]
    return tuple(found)


def plan_on_account(
    settlements: Sequence[Settlement],
    ledger_state: Mapping[str, LedgerState],
    books: Books,
    period: str,
) -> SettlementPlan:
    """The settlements on account to write in a month; the exceptions are by the settlement's own ref.

    A settlement that the ledger already holds is left as it is, however a person has matched it.
    """
    write: list[Settlement] = []
    left_out: dict[str, ExceptionCode] = {}
    # A failure comes after the payment that it reverses.
    for each in sorted(settlements, key=lambda one: one.undoes is not None):
        now = ledger_state.get(each.ref, LedgerState(ref=each.ref))
        if not now.absent:
            continue
        code = left_out.get(each.undoes or "") or _obstacle(each, now, books)
        if period_of(each.date) != period:
            left_out[each.ref] = code or ExceptionCode.NOT_WRITTEN
        elif code:
            left_out[each.ref] = code
        else:
            write.append(each)
    own = {each.ref for each in settlements if period_of(each.date) == period}
    listed = tuple((ref, code) for ref, code in left_out.items() if ref in own)
    return SettlementPlan(write=tuple(write), exceptions=listed)


def _cash(one: InvoiceFacts, settings: Settings) -> tuple[SettlementFacts, ...]:
    begin = books_begin(settings)
    return tuple(
        each
        for each in one.settlements
        if each.document == one.ref and each.method.is_cash and each.date >= begin
    )


def _is_carried(
    settled: SettlementFacts, parts: Collection[str], ledger_state: Mapping[str, LedgerState]
) -> bool:
    """Whether a shared receipt, booked or still to be booked, includes this part (S5)."""
    if settled.receipt is None or settled_under(settled.ref, ledger_state) is not None:
        return False
    found = [settled_under(ref, ledger_state) for ref in settled.shares]
    others = [entry.settlement for entry in found if entry is not None]
    if others:
        return any(each.receipt is not None for each in others)
    return not {*settled.shares} <= {*parts}


def _settlement(case: Case, settled: SettlementFacts, *, undone: Collection[str]) -> Settlement:
    return Settlement(
        ref=settled.ref,
        document=case.facts.ref,
        kind=case.facts.kind,
        partner=case.partner,
        method=settled.method,
        date=settled.date,
        amount=settled.amount,
        currency=settled.currency,
        memo=settled.payment_id or settled.ref,
        # A payment from before the books began, or within a receipt, has no entry to reverse.
        undoes=settled.undoes if settled.undoes in undone else None,
        on_account=True,
    )


def _obstacle(settlement: Settlement, now: LedgerState, books: Books) -> ExceptionCode | None:
    code = obstacle(settlement, now, books.entry_lock, books.lacking_methods)
    first_rate = dict(books.rates_since).get(settlement.currency)
    lacking = settlement.currency not in books.currencies
    if code is None and (lacking or (first_rate and settlement.date < first_rate)):
        code = ExceptionCode.CURRENCY_UNSUPPORTED
    return code
