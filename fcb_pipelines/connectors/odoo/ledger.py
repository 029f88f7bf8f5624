"""The production ledger: a real Odoo behind the ledger port.

Every call costs a constant number of remote calls a batch. What must happen together - a record
and its external id, a payment and its reconciliation, a posting and the proof of its date - happens
in one transaction, in the server action that setup made (`action.py`). So a killed process or a
lost answer leaves a whole step or none, and the next run finds the written records by external id.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date

from fcb_pipelines.connectors.failures import (
    EntriesRefused,
    NotAllowed,
    NotPrepared,
    TransientFailure,
)
from fcb_pipelines.connectors.ledger import unique_refs
from fcb_pipelines.connectors.odoo.books import Dated, locked
from fcb_pipelines.connectors.odoo.cash_books import CashBooks
from fcb_pipelines.connectors.odoo.chart import Chart, read_chart
from fcb_pipelines.connectors.odoo.company import read_invoice_lock, version_problem
from fcb_pipelines.connectors.odoo.fields import SOURCE_REF
from fcb_pipelines.connectors.odoo.foreign import foreign_credits
from fcb_pipelines.connectors.odoo.moves import BATCH, Moves, in_pages, read_moves
from fcb_pipelines.connectors.odoo.partners import Partners
from fcb_pipelines.connectors.odoo.reading import KINDS, minor
from fcb_pipelines.connectors.odoo.rights import lacking_rights, missing_rights
from fcb_pipelines.connectors.odoo.settlement_search import SettlementSearch
from fcb_pipelines.connectors.odoo.settlements import (
    MATCHING,
    MOVE,
    PAYMENT,
    Settlements,
    is_unmatched,
)
from fcb_pipelines.connectors.odoo.setup import Setup
from fcb_pipelines.connectors.settling import assert_settleable, id_taken
from fcb_pipelines.core.ledger.description import LedgerDescription, SetupStep, TrialBalanceRow
from fcb_pipelines.core.ledger.entries import LedgerDocument, Partner, Settlement
from fcb_pipelines.core.ledger.moves import (
    ForeignCredit,
    LedgerMove,
    LedgerSettlement,
    ListedMove,
    MoveState,
)
from fcb_pipelines.core.ledger.partners import LinkedPartner


class OdooLedger(CashBooks):
    """The books of one company in Odoo."""

    def describe(self) -> LedgerDescription:
        """Identity, currencies, locks and missing parts. Reads only."""
        rights = self._rights()
        try:
            # What was read before may have been changed by a person since.
            self._found = chart = read_chart(self._odoo, self._settings, rights)
        except NotAllowed as refused:
            lacking = missing_rights(self._odoo, lacking_rights(self._odoo, rights))
            if not lacking:
                raise
            # What a user may not read says less than what the user lacks.
            raise NotAllowed(
                refused.tried, refused.came_back, remedy=lacking[0].remedy
            ) from refused
        self._may_write = not chart.lacking
        company, lacking = chart.company, missing_rights(self._odoo, chart.lacking)
        too_old = version_problem(self._odoo.version)
        return LedgerDescription(
            adapter="odoo",
            identity=self._identity(chart),
            version=self._odoo.version,
            company=company.name,
            company_currency=company.currency,
            currencies=company.currencies,
            invoice_lock=company.invoice_lock,
            entry_lock=company.entry_lock,
            missing=(*too_old, *lacking, *chart.missing),
            rates_since=company.rates_since,
            tracking=chart.action.audited or self._settings.odoo.tracking,
        )

    def setup(self, *, dry_run: bool = False, unarchive: bool = False) -> tuple[SetupStep, ...]:
        """Create the missing parts. Needs a user with the rights of Settings unless it is a dry run."""
        self._found = None
        return Setup(self._odoo, self._settings, unarchive=unarchive).run(dry_run=dry_run)

    def list_moves(self) -> tuple[ListedMove, ...]:
        """All of our moves in short, a call a thousand."""
        return self._moves().listed()

    def read_moves(
        self, refs: Collection[str] | None = None, *, of: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Our moves of these refs, in their order, and those that reverse `of`; or all of them."""
        if refs is not None and not refs and not of:
            return ()
        return read_moves(self._moves(), self._moves().find(refs, of), self._lookups().of)

    def read_settlements(
        self, refs: Collection[str] | None = None, *, of: Collection[str] = ()
    ) -> tuple[LedgerSettlement, ...]:
        """Our settlements of these refs, in their order, and those of the documents `of`; or all."""
        if refs is not None and not refs and not of:
            return ()
        reader = SettlementSearch(self._odoo, self._batches(), self._lookups().of)
        return reader.read(refs, of)

    def partners_digest(self) -> str:
        """The digest of how many partners and links there are, and of those that were written last."""
        return Partners(self._odoo, self._batches()).digest()

    def upsert_partners(
        self, partners: Sequence[Partner], *, others: Sequence[Partner] = ()
    ) -> tuple[LinkedPartner, ...]:
        """Link or create each partner. Returns one partner for each of `partners`, in order."""
        if not partners:
            return ()
        self._assert_ours()
        known = Partners(self._odoo, self._batches())
        plan = known.plan(partners, others)
        for batch in in_pages(plan.places):
            known.write(batch)
        return known.ledger_state(partners, plan.shared)

    def write_drafts(
        self, documents: Sequence[LedgerDocument], *, replace: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Write each absent document as a draft; rebuild those drafts whose ref is in `replace`.

        Raises NotPrepared for an account, tax, partner or currency that Odoo lacks and NotAllowed
        for a date in a locked period; then nothing is written. Raises EntriesRefused with code
        tax_mismatch for those whose billed tax Odoo can't carry; the others are written then.
        """
        if not documents:
            return ()
        self._assert_ours()
        refs = unique_refs([document.ref for document in documents])
        there = self._moves().rows(list((found := self._moves().find(refs)).values()))
        drafts = {
            ref: move
            for ref, move in found.items()
            if ref in replace and there.get(move, {}).get("state") == "draft"
        }
        todo = [each for each in documents if each.ref not in found or each.ref in drafts]
        self._assert_open(_dated(todo), "invoice_lock")
        partners = self._partners(document.partner for document in todo)
        refused = [
            each
            for batch in in_pages(todo, BATCH)
            for each in self._moves().write(
                batch, partners, [drafts[each.ref] for each in batch if each.ref in drafts]
            )
        ]
        written = self.read_moves(refs)
        if refused:
            raise EntriesRefused(f"writing {len(todo)} drafts to Odoo", refused)
        return written

    def post(self, refs: Sequence[str]) -> tuple[LedgerMove, ...]:
        """Post these drafts. Raises NotAllowed, and posts nothing, when one is in a locked period."""
        if not refs:
            return ()
        self._assert_ours()
        found = self._moves().find(refs)
        rows = self._moves().rows(list(found.values()))
        days = {
            move: row["invoice_date"] or row["date"]
            for move, row in rows.items()
            if row["state"] == "draft"
        }
        lock = read_invoice_lock(self._odoo)
        for move, day in days.items():
            if lock is not None and date.fromisoformat(day) <= lock:
                raise locked(f"posting {rows[move]['ref']}", day, lock)
        names = {move: ref for ref, move in found.items()}
        for batch in in_pages(list(days), BATCH):
            kinds = {names[move]: KINDS[rows[move]["move_type"]] for move in batch}
            self._moves().post({move: days[move] for move in batch}, kinds)
        return self.read_moves(refs)

    def settle(self, settlements: Sequence[Settlement]) -> tuple[LedgerSettlement, ...]:
        """Write, post and match each absent settlement; match those that exist unmatched.

        Raises NotPrepared when a document settled or drawn on is not posted, NotAllowed for a date in
        a locked period; then nothing is written. An allocation of more than is open on both sides is
        not made: it stays absent. Raises ContractBreach for an id that a shared receipt has.
        """
        if not settlements:
            return ()
        self._assert_ours()
        refs = unique_refs([each.ref for each in settlements])
        ledger_state = {each.ref: each for each in self.read_settlements(refs)}
        unmatched = {
            ref: int(each.move_id) for ref, each in ledger_state.items() if is_unmatched(each)
        }
        todo = [
            each for each in settlements if each.ref not in ledger_state or each.ref in unmatched
        ]
        sides = [ref for each in todo for ref in (each.document, each.drawn_on) if ref]
        documents = {move.ref: move for move in self.read_moves(sides)}
        new = [each for each in todo if each.ref not in unmatched]
        for each in new:
            drawn_on = documents.get(each.drawn_on or "")
            assert_settleable(each, documents.get(each.document), drawn_on)
        writer = Settlements(self._odoo, self._batches(), self._chart())
        # An allocation that only matches existing entries needs no open period.
        existing = documents.keys() | writer.receipts(new)
        booked = [each for each in new if each.drawn_on not in existing]
        self._assert_open(_dated(booked), "entry_lock")
        partners = self._partners(each.partner for each in new)
        known = [each for each in todo if each.document in documents]
        try:
            writer.write(known, documents, partners, unmatched)
            self._on_account([each for each in new if each.on_account], writer, partners)
        except TransientFailure:
            self._assert_free(new)
            raise
        return self.read_settlements(refs)

    def _assert_free(self, new: Sequence[Settlement]) -> None:
        """Raises ContractBreach where an entry that is no settlement has the id of one of these."""
        refs = [each.ref for each in new]
        found = {ref for ref, _, _ in self._batches().find(PAYMENT, MOVE, MATCHING, refs=refs)}
        taken = found - {each.ref for each in self.read_settlements(refs)}
        if taken:
            raise id_taken(min(taken))

    def _on_account(
        self, settlements: Sequence[Settlement], writer: Settlements, partners: Mapping[str, int]
    ) -> None:
        """Write what stays open on the receivable: payments first, then the failures that undo them."""
        writer.write_on_account([each for each in settlements if each.undoes is None], partners, {})
        failures = [each for each in settlements if each.undoes is not None]
        payments = self.read_settlements([each.undoes for each in failures if each.undoes])
        undone = {
            each.ref: int(each.move_id) for each in payments if each.state is MoveState.POSTED
        }
        writer.write_on_account(failures, partners, undone)

    def foreign_credits(self, since: date) -> tuple[ForeignCredit, ...]:
        """The open credits of our partners in moves that carry no id of ours; four calls, however many."""
        return foreign_credits(self._odoo, self._batches(), since)

    def trial_balance(self) -> tuple[TrialBalanceRow, ...]:
        """Balances over the posted entries that carry our reference, by account and currency."""
        self._batches()
        # A note or a heading that a person put between the lines is on no account.
        domain = [("company_id", "=", self._odoo.company), ("parent_state", "=", "posted"),
                  (f"move_id.{SOURCE_REF}", "!=", False), ("account_id", "!=", False)]  # fmt: skip
        groups = self._odoo.call(
            "account.move.line",
            "formatted_read_group",
            domain,
            groupby=["account_id", "currency_id"],
            aggregates=["amount_currency:sum"],
        )
        codes = self._lookups().account_codes([row["account_id"][0] for row in groups])
        rows = [
            (
                codes.get(row["account_id"][0], ""),
                str(row["currency_id"][1]),
                row["amount_currency:sum"],
                str(row["account_id"][1]),
            )
            for row in groups
        ]
        return tuple(
            TrialBalanceRow(
                account=code,
                currency=currency,
                balance=minor(balance, currency),
                # Odoo shows an account as `411310 NexaCloud Hosting Revenue`.
                name=shown.removeprefix(code).strip(),
            )
            for code, currency, balance, shown in sorted(rows)
            if minor(balance, currency)
        )

    # --- parts ------------------------------------------------------------------------------------

    def _moves(self) -> Moves:
        residue = self._settings.policies.tax_residue
        return Moves(self._odoo, self._batches(), self._chart(), residue)

    def _identity(self, chart: Chart) -> str:
        """The database's own number and the company's id; a copy that is set up gets no other."""
        database = chart.action.database
        return f"odoo:{database}:{chart.company.id}" if database else ""

    def _partners(self, links: Iterable[str]) -> dict[str, int]:
        wanted = list(dict.fromkeys(links))
        found = Partners(self._odoo, self._batches()).find(wanted)
        for link in wanted:
            if link not in found:
                raise NotPrepared(
                    f"writing for partner {link}", "no partner in Odoo has this link",
                    remedy="fcb sync",
                )  # fmt: skip
        return found


def _dated(todo: Iterable[LedgerDocument | Settlement]) -> Iterator[Dated]:
    return ((each.ref, each.date, each.currency) for each in todo)
