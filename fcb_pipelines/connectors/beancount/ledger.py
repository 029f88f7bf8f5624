"""The embedded ledger: real Beancount books in a folder, behind the ledger port.

    main.beancount            options, identity, lock dates, includes
    accounts.beancount        the chart: each account carries its configured code
    partners.beancount        partners and their links
    journal/2026-04.beancount the entries of a month: drafts `!`, posted `*`

Beancount itself (GPL, extra `books`) is imported only when books are opened. Nothing is remembered
beside the files - `.index`, which finds an id's month, follows from them - so a person may edit them,
and every answer is what they say. A call about some documents reads their months, a call about all
reads, and checks, the whole.
"""

from collections.abc import Collection, Sequence
from datetime import date
from importlib import metadata
from pathlib import Path

from fcb_pipelines.connectors.beancount.books import BooksFolder, Scope
from fcb_pipelines.connectors.beancount.cash_calls import CashCalls
from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.beancount.chart import tax_account
from fcb_pipelines.connectors.beancount.checks import assert_currency, assert_open, payee
from fcb_pipelines.connectors.beancount.entries import state_of
from fcb_pipelines.connectors.beancount.foreign import foreign_credits
from fcb_pipelines.connectors.beancount.loading import MAIN, journal
from fcb_pipelines.connectors.beancount.partners import write_places
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.beancount.settling import add_settlements, named_by
from fcb_pipelines.connectors.beancount.setup import (
    ACCOUNTS,
    PARTNERS,
    SETUP,
    Part,
    missing_parts,
    new_books,
    parts_of_books,
    steps,
)
from fcb_pipelines.connectors.beancount.text import document_text
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.ledger import Writer, unique_refs
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.digests import digest_of_lines
from fcb_pipelines.core.documents.partner_fields import FIELDS
from fcb_pipelines.core.documents.partners import place
from fcb_pipelines.core.ledger.description import (
    LedgerDescription,
    MissingPart,
    SetupStep,
    TrialBalanceRow,
)
from fcb_pipelines.core.ledger.entries import LedgerDocument, Partner, Settlement
from fcb_pipelines.core.ledger.moves import (
    ForeignCredit,
    LedgerMove,
    LedgerSettlement,
    ListedMove,
    MoveState,
)
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail


class BeancountLedger(CashCalls):
    """One set of Beancount books under `folder`.

    Setup declares the currencies of `settings`; a person adds another with a `commodity` directive.
    A document or settlement in any other is refused.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        books = BooksFolder(Path(folder), lambda loaded: Records(loaded, settings))
        super().__init__(books, settings)

    @property
    def main_file(self) -> Path:
        """The file to open in Fava."""
        return self._books.folder / MAIN

    def begin_writing(self, writer: Writer) -> bool:
        """Write in this name. Each write waits for another by itself, and reads first: nothing is waited for here."""
        self._books.begin_writing(writer)
        return False

    def describe(self) -> LedgerDescription:
        """Identity, currencies, locks and missing parts.

        Raises ContractBreach on an error outside the months; `list_moves` finds one anywhere.
        """
        if not self._books.exists:
            return LedgerDescription(
                adapter="beancount",
                identity="",
                version=_version(),
                company="",
                company_currency=self._settings.currency,
                currencies=(),
                invoice_lock=None,
                entry_lock=None,
                missing=(MissingPart(what="books", name=MAIN, remedy=SETUP),),
            )
        records = self._books.load(Scope())
        return LedgerDescription(
            adapter="beancount",
            identity=records.identity or "",
            version=_version(),
            company=records.title,
            company_currency=records.operating_currency or self._settings.currency,
            currencies=tuple(records.currencies),
            invoice_lock=records.locked_to("invoices"),
            entry_lock=records.locked_to("payments"),
            missing=missing_parts(self._parts(records), records, self._settings),
        )

    def setup(self, *, dry_run: bool = False, unarchive: bool = False) -> tuple[SetupStep, ...]:
        """Make the books, and the accounts and currencies that are missing in them."""
        if dry_run:
            parts = self._parts(self._records_if_any())
            return steps(parts, made="would make", books=self._books.exists)
        with self._books.writing():
            books = self._books.exists
            parts = self._parts(self._records_if_any())
            lacking = [part.text for part in parts if not part.found]
            if not books:
                self._books.create(new_books(lacking, self._settings))
            elif lacking:
                self._change(
                    lambda _, changes: changes.append(ACCOUNTS, "\n".join(lacking)), Scope()
                )
        return steps(parts, made="made", books=books)

    def list_moves(self) -> tuple[ListedMove, ...]:
        """All of our documents in short, in date order."""
        documents = self._books.load().documents
        return tuple(
            ListedMove(ref=ref, state=state_of(entry), date=entry.date)
            for ref, entry in documents.items()
        )

    def read_moves(
        self, refs: Collection[str] | None = None, *, of: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Our documents, in the order of `refs`, or all of them in date order.

        Those that reverse the documents `of` follow.
        """
        records = self._of(refs, of)
        wanted = (*refs, *records.reversing(of)) if refs is not None else records.documents
        known = [ref for ref in dict.fromkeys(wanted) if ref in records.documents]
        return tuple(records.move(ref) for ref in known)

    def read_settlements(
        self, refs: Collection[str] | None = None, *, of: Collection[str] = ()
    ) -> tuple[LedgerSettlement, ...]:
        """Our settlements, in the order of `refs`, or all of them in date order.

        Those that settle or draw on the documents `of` follow. An allocation that a person took
        apart, or one side of which is no longer posted, matches nothing and is left out.
        """
        records = self._of(refs, of)
        wanted = (*refs, *records.beside(of)) if refs is not None else records.settlements
        known = [ref for ref in dict.fromkeys(wanted) if ref in records.settlements]
        return tuple(filter(None, map(records.settlement, known)))

    def partners_digest(self) -> str:
        """The digest of every partner in the books with its fields and links."""
        known = self._books.load(Scope()).partners.values()
        fields = ([entry.field(name) for name in FIELDS] for entry in known)
        found = (repr((entry.as_found(), held)) for entry, held in zip(known, fields, strict=True))
        return digest_of_lines(found)

    def upsert_partners(
        self, partners: Sequence[Partner], *, others: Sequence[Partner] = ()
    ) -> tuple[LinkedPartner, ...]:
        """Link or create each partner. Returns one partner for each of `partners`, in order."""
        shared: dict[str, tuple[SharedEmail, ...]] = {}

        def change(records: Records, changes: Changes) -> None:
            ledger_state = [entry.as_found() for entry in records.partners.values()]
            plan = place(partners, ledger_state, others)
            write_places(plan.places, records, changes, PARTNERS)
            shared.update(plan.shared)

        self._change(change, Scope())
        records = self._books.load(Scope())
        found = [(records.partner(each.key), shared[each.key]) for each in partners]
        return tuple(entry.ledger_state(emails) for entry, emails in found if entry is not None)

    def write_drafts(
        self, documents: Sequence[LedgerDocument], *, replace: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Write each absent document as a draft; rebuild those drafts whose ref is in `replace`.

        Raises NotPrepared for an account, partner or currency that the books lack, NotAllowed for a
        date in a locked period, ContractBreach for a document that does not balance. Then nothing
        of the batch is written.
        """
        refs = unique_refs([document.ref for document in documents])

        def change(records: Records, changes: Changes) -> None:
            for document in documents:
                entry = records.documents.get(document.ref)
                if entry is not None:
                    is_draft = records.state(document.ref) is MoveState.DRAFT
                    if document.ref not in replace or not is_draft:
                        continue
                    changes.remove(records.place(entry))
                changes.append(journal(document.date), self._document_text(document, records))

        days = {document.date for document in documents}
        self._change(change, Scope(names=refs, files={journal(day) for day in days}))
        return self.read_moves(refs)

    def post(self, refs: Sequence[str]) -> tuple[LedgerMove, ...]:
        """Post these drafts. Raises NotAllowed, and posts nothing, when one is in a locked period."""

        def change(records: Records, changes: Changes) -> None:
            for ref in dict.fromkeys(refs):
                if records.state(ref) is MoveState.DRAFT:
                    entry = records.documents[ref]
                    assert_open(f"posting {ref}", entry.date, "invoices", records)
                    changes.reflag(records.place(entry))

        self._change(change, Scope(names=refs))
        return self.read_moves(refs)

    def settle(self, settlements: Sequence[Settlement]) -> tuple[LedgerSettlement, ...]:
        """Write each absent settlement, posted and linked to its document in one entry.

        Entry and link are written together, so a person has unlinked a settlement without a link: it
        is returned as it is. Raises NotPrepared when the document, or the one that an allocation draws
        on, is not posted; ContractBreach when too little of it is left. Then nothing is written.
        """
        refs = unique_refs([settlement.ref for settlement in settlements])
        self._change(
            lambda records, changes: add_settlements(settlements, records, changes, self._settings),
            Scope(
                names={name for each in settlements for name in named_by(each)},
                files={journal(each.date) for each in settlements},
            ),
        )
        return self.read_settlements(refs)

    def foreign_credits(self, since: date) -> tuple[ForeignCredit, ...]:
        """The open credits of our partners in a person's entries; a debit of a partner's is taken off first."""
        return foreign_credits(self._books.load(), since)

    def trial_balance(self) -> tuple[TrialBalanceRow, ...]:
        """Balances over our posted (`*`) entries; accounts that come to zero are left out."""
        records = self._books.load()
        names = records.chart.names
        return tuple(
            TrialBalanceRow(
                account=account,
                currency=currency,
                balance=balance,
                name=names.get(account, account),
            )
            for (account, currency), balance in records.balances().items()
        )

    # --- reading ------------------------------------------------------------------------------

    def _of(self, refs: Collection[str] | None, of: Collection[str]) -> Records:
        """The records that an answer on these ids needs, or all."""
        return self._books.load(Scope(names={*refs, *of}) if refs is not None else None)

    def _records_if_any(self) -> Records | None:
        return self._books.load(Scope()) if self._books.exists else None

    def _parts(self, records: Records | None) -> tuple[Part, ...]:
        return parts_of_books(records, self._settings)

    # --- writing ------------------------------------------------------------------------------

    def _document_text(self, document: LedgerDocument, records: Records) -> str:
        tried = f"writing {document.ref}"
        assert_open(tried, document.date, "invoices", records)
        assert_currency(tried, document.currency, records)
        chart, settings = records.chart, self._settings
        return document_text(
            document,
            payee=payee(tried, document.partner, records),
            receivable=chart.name(settings.accounts.receivable.code),
            line_accounts=[chart.name(line.account) for line in document.lines],
            tax_accounts=[
                tax_account(tax.key, tax.amount, settings, chart) for tax in document.taxes
            ],
        )


def _version() -> str:
    try:
        return metadata.version("beancount")
    except metadata.PackageNotFoundError as error:
        raise NotPrepared(
            "describing the books",
            "Beancount is not installed",
            remedy="pip install 'fcb_pipelines[books]'",
        ) from error
