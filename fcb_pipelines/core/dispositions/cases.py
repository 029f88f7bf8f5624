"""Cases: source, NexaCloud and ledger joined by ref, and the dispositions of a month's cases."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fcb_pipelines.core.agreement.compare import AgreementRow, copy_against_source
from fcb_pipelines.core.agreement.policy import compared_with
from fcb_pipelines.core.codes import Status, System, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import Case
from fcb_pipelines.core.dispositions.credit_notes import (
    OF_ANOTHER_SERVICE,
    UNKNOWN_INVOICE,
    Credited,
)
from fcb_pipelines.core.dispositions.decide import Disposition, decide, decide_copy, decide_lost
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, User, first_claimants
from fcb_pipelines.core.facts.source import SourceRules
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.corrections import by_base
from fcb_pipelines.core.ledger.entries import Partner
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState, MoveState
from fcb_pipelines.core.refs import account_ref, document_name, nexacloud_ref


def with_settlements(
    facts: Iterable[InvoiceFacts], settlements: Iterable[SettlementFacts]
) -> tuple[InvoiceFacts, ...]:
    """The documents in their order, each with its own settlements and those that draw on it."""
    own: dict[str, dict[str, SettlementFacts]] = defaultdict(dict)
    for settlement in settlements:
        for ref in (settlement.document, settlement.drawn_on):
            if ref is not None:
                # Both documents of an allocation list it.
                own[ref][settlement.ref] = settlement
    return tuple(one.with_settlements(tuple(own[one.ref].values())) for one in facts)


def agreements(
    facts: Iterable[InvoiceFacts],
    claimants: Mapping[str, NexaCloudInvoice],
    users: Mapping[str, User],
    sources: Mapping[str, SourceRules],
) -> tuple[AgreementRow, ...]:
    """The comparison of each document with NexaCloud's copy of it, one row a field.

    A document without a copy has no rows. `claimants` maps refs to copies; `sources` are the rules of
    the documents' sources by name.
    """
    rows: list[AgreementRow] = []
    compared = compared_with(System.NEXACLOUD)
    for source in facts:
        claimant = claimants.get(source.ref)
        if claimant is not None:
            rules = sources[source.side]
            customer = rules.customer_of(claimant.user_id, users.get(claimant.user_id))
            rows += copy_against_source(
                source, claimant.facts, customer=customer, compared=compared
            )
    return tuple(rows)


def cases(
    documents: Iterable[InvoiceFacts],
    claimants: Mapping[str, NexaCloudInvoice],
    agreement: Iterable[AgreementRow],
    ledger_state: Mapping[str, LedgerState],
    index: Sequence[IndexRow] = (),
) -> tuple[Case, ...]:
    """One case for each document; `invoice` of a credit note is still empty, `decided` fills it.

    NexaCloud keeps no credit notes, so a note belongs to the account of its invoice. The ledger names
    the account of a document that NexaCloud has erased (A13).
    """
    rows: dict[str, list[AgreementRow]] = defaultdict(list)
    for row in agreement:
        rows[row.ref].append(row)
    corrections = by_base(row.move for row in ledger_state.values() if row.move)
    notes: Counter[str] = Counter()
    for one in index:
        if one.credits and one.found and one.status is not Status.VOID:
            notes[one.credits] -= one.total
    return tuple(
        Case(
            facts=facts,
            claimant=claimants.get(facts.ref) or claimants.get(facts.credits or ""),
            agreement=tuple(rows[facts.ref]),
            ledger_state=ledger_state.get(facts.ref),
            corrections=corrections.get(facts.ref, ()),
            owner_move=_owner_move(facts, ledger_state),
            reversing=_posted(ledger_state.get(facts.credits or "")),
            credited=notes[facts.ref],
        )
        for facts in documents
    )


def decided(
    of_month: Sequence[Case],
    credited: Sequence[Case],
    index: Iterable[IndexRow],
    ledger_state: Mapping[str, LedgerState],
    settings: Settings,
    books: Books,
    last_period: str,
) -> tuple[Disposition, ...]:
    """The dispositions of these cases by date; each credit note is judged with its invoice (B12).

    `credited` are the cases of invoices of other months that these notes credit; they get no disposition
    here. `last_period` is the last month of the books, `YYYY-MM`.
    """
    known = {case.facts.ref: case for case in (*credited, *of_month) if not case.facts.credits}
    rows = {row.ref: row for row in index}
    left = _Left(ledger_state)
    taken: Counter[str] = Counter()

    def invoice_of(note: Case) -> Credited | None:
        ref = note.facts.credits or ""
        posted = _posted(ledger_state.get(ref))
        case, row = known.get(ref), rows.get(ref)
        if case is None and posted is None:
            if note.ledger_state is not None and not note.ledger_state.absent:
                # A note in the books was ours, even where its invoice has been erased since (A13).
                return None
            if row is None or not row.found:
                return UNKNOWN_INVOICE
            return None if row.in_scope else OF_ANOTHER_SERVICE
        decision = decide(case, settings, books, last_period) if case else None
        rest = left.of(ref, but=note.facts.ref) - taken[ref] if posted else 0
        return Credited(
            number=case.facts.number if case else posted.document.number if posted else "",
            verdict=decision.verdict if decision else None,
            cause=decision.reason if decision else None,
            posted=posted is not None,
            void=case is not None and case.facts.status is Status.VOID,
            left=rest,
        )

    found = []
    for case in sorted(of_month, key=_by_day):
        judged = replace(case, invoice=invoice_of(case)) if case.facts.credits else case
        row = decide(judged, settings, books, last_period)
        if judged.invoice is not None and row.verdict is Verdict.POST and not case.is_posted:
            taken[case.facts.credits or ""] += case.facts.total
        found.append(row)
    return tuple(found)


def lost_dispositions(
    index: Iterable[IndexRow], ledger_state: Mapping[str, LedgerState], period: str
) -> tuple[Disposition, ...]:
    """Dispositions of a month's documents in the books that their source does not return (A13)."""
    return tuple(
        decide_lost(row, now.move)
        for row in index
        if row.is_lost and row.period == period
        if (now := ledger_state.get(row.ref)) is not None and now.move is not None
    )


def copy_dispositions(
    rows: Sequence[NexaCloudInvoice], index: Iterable[IndexRow], period: str | None
) -> tuple[Disposition, ...]:
    """Dispositions of the NexaCloud rows of `period` that have no document of their own."""
    by_ref = {row.ref: row for row in index}
    claimants = first_claimants(rows)
    decided = (
        decide_copy(copy, by_ref, claimants[copy.claims] if copy.claims else None) for copy in rows
    )
    return tuple(row for row in decided if row is not None and row.period == period)


def partners(cases_to_post: Iterable[Case], users: Mapping[str, User]) -> tuple[Partner, ...]:
    """The billing accounts of these cases, each with all of its links, sorted by key."""
    found: dict[str, Partner] = {}
    for case in cases_to_post:
        partner = _partner(case, users)
        known = found.get(case.partner)
        if known is not None:
            links = tuple(dict.fromkeys((*known.links, *partner.links)))
            partner = replace(known, links=links)
        found[case.partner] = partner
    return tuple(found[key] for key in sorted(found))


def links_of(case: Case, users: Mapping[str, User]) -> tuple[str, ...]:
    """All links of a case's billing account."""
    return _partner(case, users).links


def _partner(case: Case, users: Mapping[str, User]) -> Partner:
    user = users.get(case.claimant.user_id) if case.claimant else None
    return _of_user(case, user) if user else _of_snapshot(case)


def _owner_move(facts: InvoiceFacts, ledger_state: Mapping[str, LedgerState]) -> LedgerMove | None:
    """The move that names the account of a document: its own, or that of the invoice it credits."""
    states = [ledger_state.get(ref or "") for ref in (facts.ref, facts.credits)]
    moves = [
        now.move for now in states if now is not None and now.move is not None and not now.absent
    ]
    # A posted move is surer than a draft.
    return min(moves, key=lambda move: move.state is not MoveState.POSTED, default=None)


def _posted(now: LedgerState | None) -> LedgerMove | None:
    move = now.move if now else None
    return move if move is not None and move.state is MoveState.POSTED else None


class _Left:
    """What is left of posted invoices."""

    def __init__(self, ledger_state: Mapping[str, LedgerState]) -> None:
        self._amounts: dict[str, int] = {}
        self._reversing: dict[str, list[str]] = defaultdict(list)
        for row in ledger_state.values():
            move = _posted(row)
            if move is None:
                continue
            self._amounts[move.ref] = move.document.kind.sign * move.document.total
            if move.document.reverses:
                self._reversing[move.document.reverses].append(move.ref)

    def of(self, ref: str, *, but: str) -> int:
        """The posted total of an invoice less its corrections and all of its notes but one, minor units."""
        left, of = 0, {ref}
        # A correction of a note reverses the note, so it counts towards the invoice again.
        while of:
            left += sum(self._amounts.get(each, 0) for each in of - {but})
            of = {each for one in of for each in self._reversing.get(one, ())} - {but}
        return left


def _by_day(case: Case) -> tuple[str, str]:
    return (case.facts.date.isoformat() if case.facts.date else "", case.facts.ref)


def accounts(users: Mapping[str, User]) -> tuple[Partner, ...]:
    """Every NexaCloud user as a billing account, with or without posted documents; sorted by id."""
    return tuple(_account(nexacloud_ref(key), user) for key, user in sorted(users.items()))


def _of_user(case: Case, user: User) -> Partner:
    return replace(_account(case.partner, user), links=_links(case))


def _account(key: str, user: User) -> Partner:
    email = (user.billing_email or user.email or "").strip().lower()
    return Partner(
        key=key,
        links=(key,),
        name=user.name,
        email=email or None,
        street=user.billing_address,
        city=user.billing_city,
        zip=user.billing_postal_code,
        state=user.billing_state,
        country=user.billing_country,
        vat=user.tax_id,
        stripe_customer_id=user.customer_at_stripe,
        company=(user.company or "").strip() or None,
    )


def _of_snapshot(case: Case) -> Partner:
    """A9: the customer as the document shows it, where NexaCloud no longer has the user."""
    shown = case.facts.bill_to
    email = (shown.email or "").strip().lower() or None
    return Partner(
        key=case.partner,
        links=_links(case),
        name=shown.name or email or case.facts.payer or case.facts.ref,
        email=email,
        street=shown.street,
        city=shown.city,
        zip=shown.zip,
        state=shown.state,
        country=shown.country,
        vat=shown.vat,
        stripe_customer_id=case.facts.payer if case.facts.side == System.STRIPE else None,
        # It may or may not be a company's name, and two names must not become one debtor.
        company=(shown.name or "").strip() or None,
    )


def _links(case: Case) -> tuple[str, ...]:
    service = document_name(case.facts.ref).service
    at_source = [account_ref(service, case.facts.payer)] if case.facts.payer else []
    return tuple(dict.fromkeys((case.partner, *at_source)))
