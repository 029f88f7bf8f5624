"""The inputs of one month's assets: as frames, and as the values in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import dagster as dg
import pandas as pd
from pydantic import TypeAdapter

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.agreement.compare import AgreementRow
from fcb_pipelines.core.dispositions.case import Case, books_begin
from fcb_pipelines.core.dispositions.cases import cases, with_settlements
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.dispositions.opening import (
    OpeningCash,
    on_account,
    opening_cash,
    opening_documents,
    opening_refs,
    plan_on_account,
)
from fcb_pipelines.core.documents.rows import DocumentRow, to_documents
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, User, first_claimants
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerState
from fcb_pipelines.core.ledger.partners import LinkedPartner
from fcb_pipelines.core.periods import period_of
from fcb_pipelines.core.proof.completeness import Member, population
from fcb_pipelines.core.proof.tax_witness import WitnessRow
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import (
    SettlementPlan,
    counterparts,
    plan_settlements,
    settlement_refs,
)
from fcb_pipelines.core.settlements.policy import owed
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import copies_of, users_of


def _of_sources(*nouns: str) -> dict[str, dg.AssetIn]:
    """These nouns of every source as inputs: `stripe_invoices`."""
    return {
        f"{name}_{noun}": dg.AssetIn(keys.source_key(name, noun))
        for name in keys.SOURCES
        for noun in nouns
    }


DOCUMENTS_OF_SOURCES = _of_sources("invoices", "credit_notes")
FACTS = {**DOCUMENTS_OF_SOURCES, **_of_sources("payments")}
# Above these lie the documents, the indexes and NexaCloud's tables: what comes after them comes after all.
PAYMENTS = tuple(keys.source_key(name, "payments") for name in keys.SOURCES)
CREDITED = _of_sources("credited_invoices")
UNPLACED_DOCUMENTS = {"unplaced_documents": dg.AssetIn(keys.UNPLACED_DOCUMENTS)}
COPIES = {"copies": dg.AssetIn(keys.COPIES), "copy_items": dg.AssetIn(keys.COPY_ITEMS)}
USERS = {"users": dg.AssetIn(keys.USERS)}
INDEXES = _of_sources("index")
AGREEMENTS = {"agreements": dg.AssetIn(keys.AGREEMENTS)}
STANDING = {"standing": dg.AssetIn(keys.STANDING)}
DISPOSITIONS = {"dispositions": dg.AssetIn(keys.DISPOSITIONS)}
DOCUMENTS = {"documents": dg.AssetIn(keys.DOCUMENTS)}
PARTNERS = {"partners": dg.AssetIn(keys.PARTNERS)}
# The inputs of the gates before a write.
GATED = {**INDEXES, **COPIES, **DISPOSITIONS, **DOCUMENTS}

_BOOKS = TypeAdapter(Books)

Row = TypeVar("Row")


@dataclass(frozen=True)
class Month:
    """One month's frames by input name, read as values when they are asked for."""

    period: str
    frames: Mapping[str, pd.DataFrame]

    @cached_property
    def facts(self) -> tuple[InvoiceFacts, ...]:
        """Every document of the month with its settlements."""
        found: list[InvoiceFacts] = []
        for source in keys.SOURCES:
            settlements = self._rows(f"{source}_payments", SettlementFacts)
            invoices = self._rows(f"{source}_invoices", InvoiceFacts)
            notes = self._rows(f"{source}_credit_notes", InvoiceFacts)
            found += with_settlements((*invoices, *notes), settlements)
        return tuple(found)

    @cached_property
    def unplaced(self) -> tuple[InvoiceFacts, ...]:
        """The documents without a month, with their settlements."""
        placed = {row.ref for row in self.index if row.period}
        return tuple(one for one in self._unplaced_documents if one.ref not in placed)

    @cached_property
    def _unplaced_documents(self) -> tuple[InvoiceFacts, ...]:
        return self._rows("unplaced_documents", InvoiceFacts)

    @cached_property
    def opening_documents(self) -> tuple[InvoiceFacts, ...]:
        """The documents of before the cutover, in full; the opening balance has them."""
        return opening_documents(self._unplaced_documents, self.index, current())

    @cached_property
    def opening_cash(self) -> dict[str, OpeningCash]:
        """The cash of the opening documents since the books began, of all months, by document."""
        return opening_cash(self.opening_documents, current())

    @cached_property
    def opening_cases(self) -> tuple[Case, ...]:
        """The opening documents with cash in this month, with all their sides."""
        of_month = [one for one in self.opening_documents if one.ref in self._of_month]
        return cases(of_month, self.claimants, (), {}, self.index)

    @cached_property
    def _of_month(self) -> frozenset[str]:
        found = self.opening_cash.items()
        return frozenset(ref for ref, cash in found if self.period in cash.periods)

    @cached_property
    def credited(self) -> tuple[InvoiceFacts, ...]:
        """The invoices of other months that credit notes of this one are of."""
        return tuple(facts for name in CREDITED for facts in self._rows(name, InvoiceFacts))

    @cached_property
    def facts_by_ref(self) -> dict[str, InvoiceFacts]:
        """The month's documents by ref."""
        return {facts.ref: facts for facts in self.facts}

    @cached_property
    def copies(self) -> tuple[NexaCloudInvoice, ...]:
        """Every NexaCloud invoice, of all months."""
        return copies_of(self.frames["copies"], self.frames["copy_items"])

    @cached_property
    def claimants(self) -> dict[str, NexaCloudInvoice]:
        """Source ref -> the NexaCloud invoice that claims it."""
        return first_claimants(self.copies)

    @cached_property
    def users(self) -> dict[str, User]:
        """NexaCloud's users by id."""
        return users_of(self.frames["users"])

    @cached_property
    def index(self) -> tuple[IndexRow, ...]:
        """Every source's index, of all months."""
        return tuple(row for name in INDEXES for row in to_rows(self.frames[name], IndexRow))

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The month's part of the population."""
        everything = population(self.index, self.copies, self.claimants)
        return tuple(member for member in everything if member.period == self.period)

    @cached_property
    def agreements(self) -> tuple[AgreementRow, ...]:
        """The month's comparisons of NexaCloud with its source."""
        return to_rows(self.frames["agreements"], AgreementRow)

    @cached_property
    def ledger_state(self) -> dict[str, LedgerState]:
        """The state of each external id in the ledger."""
        return {row.ref: row for row in to_rows(self.frames["standing"], LedgerState)}

    @cached_property
    def books(self) -> Books:
        """The ledger's currencies, rates and locks, as read with its state."""
        return books_of(self.frames["standing"].attrs)

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The month's documents with all their sides."""
        return cases(self.facts, self.claimants, self.agreements, self.ledger_state, self.index)

    @cached_property
    def credited_cases(self) -> tuple[Case, ...]:
        """The invoices of other months that credit notes of this one are of."""
        return cases(self.credited, self.claimants, (), self.ledger_state, self.index)

    @cached_property
    def dispositions(self) -> tuple[Disposition, ...]:
        """The dispositions of the month's members."""
        return to_rows(self.frames["dispositions"], Disposition)

    @cached_property
    def witness(self) -> tuple[WitnessRow, ...]:
        """The tax expected of the month's documents, against the tax billed."""
        return to_rows(self.frames["tax_witness"], WitnessRow)

    @cached_property
    def document_rows(self) -> tuple[DocumentRow, ...]:
        """The lines of the intended documents."""
        return to_rows(self.frames["documents"], DocumentRow)

    @cached_property
    def documents(self) -> tuple[LedgerDocument, ...]:
        """The intended documents."""
        return to_documents(self.document_rows)

    @cached_property
    def partners(self) -> tuple[LinkedPartner, ...]:
        """The ledger partners of the intended documents, with the emails they share."""
        return to_rows(self.frames["partners"], LinkedPartner)

    @cached_property
    def owed(self) -> dict[str, int] | None:
        """Amount owed by document, minor units; None without the sources' frames."""
        if not FACTS.keys() <= self.frames.keys():
            return None
        return {ref: owed(facts, current()) for ref, facts in self.facts_by_ref.items()}

    @property
    def document_refs(self) -> tuple[str, ...]:
        """The month's documents, and those in the books that their source no longer gives (A13)."""
        lost = [row.ref for row in self.index if row.is_lost and row.period == self.period]
        return tuple(dict.fromkeys((*self.facts_by_ref, *lost)))

    @cached_property
    def opening(self) -> frozenset[str]:
        """The refs of the documents of before the cutover, which the opening balance has."""
        begin = books_begin(current())
        return frozenset(row.ref for row in self.index if row.date and row.date < begin)

    @property
    def settlement_refs(self) -> tuple[str, ...]:
        """Every external id that a settlement of the month may have."""
        on_account = opening_refs([case.facts for case in self.opening_cases], current())
        return (*settlement_refs(self.facts_by_ref.values()), *on_account)

    def settlement_refs_of(self, refs: Sequence[str]) -> tuple[str, ...]:
        """Every external id that a settlement of these documents may have."""
        return settlement_refs(self.facts_by_ref[ref] for ref in refs)

    @cached_property
    def counterparts(self) -> tuple[str, ...]:
        """The documents of other months on which this month depends."""
        credited = [one.credits for one in self.facts if one.credits not in self.facts_by_ref]
        named = (*counterparts(self.facts_by_ref), *credited)
        return tuple(ref for ref in dict.fromkeys(named) if ref)

    def settlements(self, ledger_state: Mapping[str, LedgerState]) -> tuple[Settlement, ...]:
        """The intended settlements of the intended documents, given the ledger's state."""
        return intended_settlements(self.documents, self.facts_by_ref, current(), ledger_state)

    def on_account(self, ledger_state: Mapping[str, LedgerState]) -> tuple[Settlement, ...]:
        """The intended entries on account for documents of before the cutover, of this month."""
        found = self._on_account(ledger_state)
        return tuple(each for each in found if period_of(each.date) == self.period)

    def on_account_plan(
        self, ledger_state: Mapping[str, LedgerState], books: Books
    ) -> SettlementPlan:
        """The entries on account to write, and exceptions by the settlement's ref."""
        return plan_on_account(self._on_account(ledger_state), ledger_state, books, self.period)

    def _on_account(self, ledger_state: Mapping[str, LedgerState]) -> tuple[Settlement, ...]:
        parts = {each.ref for one in self.opening_documents for each in one.settlements}
        return on_account(self.opening_cases, parts, current(), ledger_state)

    def settlement_plan(
        self, ledger_state: Mapping[str, LedgerState], books: Books
    ) -> SettlementPlan:
        """The intended settlements to write, and exceptions for those that can't be."""
        moves = {ref: row.move for ref, row in ledger_state.items() if row.move}
        return plan_settlements(
            self.settlements(ledger_state),
            {document.ref: document for document in self.documents},
            moves,
            ledger_state,
            books.entry_lock,
            opening=self.opening,
            lacking=books.lacking_methods,
        )

    def _rows(self, name: str, row_type: type[Row]) -> tuple[Row, ...]:
        """The rows of a frame; none where the month was built without it."""
        frame = self.frames[name]
        return () if frame.empty else to_rows(frame, row_type)


def books_of(attrs: Mapping[Any, Any]) -> Books:
    """The books that a frame's attrs tell of."""
    return _BOOKS.validate_json(attrs["books"])


def books_text(books: Books) -> str:
    """Books as JSON text, for a frame's attrs."""
    return _BOOKS.dump_json(books).decode()
