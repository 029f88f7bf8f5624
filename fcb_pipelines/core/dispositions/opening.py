"""Cash of documents of before the cutover: what of it is booked on account, and when (S11).

Such a document stands in the opening balance, and no move of ours is it. With the policy
`opening_payment: settle` its payments stand open on the customer's receivable, for a person to match.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

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

    `periods` are the months it lies in, `refs` the external ids it may stand under; `told` is all that
    what is booked of it depends on, as text.
    """

    periods: frozenset[str]
    refs: frozenset[str]
    told: str


def opening_documents(
    facts: Iterable[InvoiceFacts], index: Iterable[IndexRow], settings: Settings
) -> tuple[InvoiceFacts, ...]:
    """Those that stand in the opening balance: dated before the books begin, and no move of ours."""
    begin = books_begin(settings)
    moves = {row.ref for row in index if row.in_ledger}
    return tuple(one for one in facts if one.date and one.date < begin and one.ref not in moves)


def opening_cash(documents: Iterable[InvoiceFacts], settings: Settings) -> dict[str, OpeningCash]:
    """The cash of each of these documents that had some since the books began, by ref."""
    policies = settings.policies
    decided = f"{policies.opening_payment} {policies.off_platform_payment} {policies.lost_dispute}"
    return {
        one.ref: OpeningCash(
            periods=frozenset(period_of(each.date) for each in cash),
            refs=frozenset(each.ref for each in cash),
            told=f"{decided} {one.status} {one.problem} {one.customer} {cash}",
        )
        for one in documents
        if (cash := _cash(one, settings))
    }


def looked_for(documents: Iterable[InvoiceFacts], settings: Settings) -> tuple[str, ...]:
    """Every external id under which their cash, or what it is shared with, may stand."""
    cash = [each for one in documents for each in _cash(one, settings)]
    return tuple(dict.fromkeys(ref for each in cash for ref in (each.ref, *each.shares)))


def on_account(
    cases: Iterable[Case],
    parts: Collection[str],
    settings: Settings,
    ledger_state: Mapping[str, LedgerState],
) -> tuple[Settlement, ...]:
    """The settlements that should stand open on the customer's receivable, of whichever month.

    `parts` are the refs of all settlements of documents of before the cutover: a payment that is shared
    with another document is in the books through that one's receipt. A document that its source voided,
    or does not tell in full, settles nothing here: its cash stays listed.
    """
    if settings.policies.opening_payment == "list":
        return ()
    found: list[Settlement] = []
    for case in cases:
        facts = case.facts
        if not facts.livemode or facts.problem or facts.status in (Status.DRAFT, Status.VOID):
            continue
        own = [
            each
            for each in _cash(facts, settings)
            if posts(each, settings) and not _is_carried(each, parts, ledger_state)
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
    """Which of them to write in a month; the exceptions are by the settlement's own ref.

    What stands already is left as it is, whatever a person matched it with since.
    """
    write: list[Settlement] = []
    left_out: dict[str, ExceptionCode] = {}
    # A failure comes after the payment that it undoes.
    for each in sorted(settlements, key=lambda one: one.undoes is not None):
        now = ledger_state.get(each.ref, LedgerState(ref=each.ref))
        if not now.absent:
            continue
        code = left_out.get(each.undoes or "") or _why_not(each, now, books)
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
    """Whether a receipt has this part in it (S5): one that stands, or one that is still to come."""
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
        # A payment of before the books began, or within a receipt, is no entry to be undone.
        undoes=settled.undoes if settled.undoes in undone else None,
        on_account=True,
    )


def _why_not(settlement: Settlement, now: LedgerState, books: Books) -> ExceptionCode | None:
    code = obstacle(settlement, now, books.entry_lock, books.lacking_methods)
    first_rate = dict(books.rates_since).get(settlement.currency)
    lacking = settlement.currency not in books.currencies
    if code is None and (lacking or (first_rate and settlement.date < first_rate)):
        code = ExceptionCode.CURRENCY_UNSUPPORTED
    return code
