"""Reading a billing source: its index, and the documents of one month. Shared by Stripe and Lago."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.sources import Absent, Body, Source, SourceBody
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.codes import Kind, Reason, Side
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.index import (
    Answer,
    IndexRow,
    Origin,
    Scope,
    absent_row,
    found_row,
    named_but_not_listed,
)
from fcb_pipelines.core.facts.lago.documents import document_facts as lago_facts
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.facts.stripe.documents import document_facts as stripe_facts
from fcb_pipelines.core.ledger.moves import IN_BOOKS, ListedMove
from fcb_pipelines.core.proof.gates import GateResult, listing_complete
from fcb_pipelines.core.refs import id_within, is_correction, service_ref, source_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One source with everything needed to read it into facts and to keep the evidence."""

    side: Side
    owner: str
    source: Source
    evidence: EvidenceStore
    settings: Settings

    def facts(self, body: Body) -> InvoiceFacts:
        """What a body says."""
        zone = self.settings.timezone
        if self.side is Side.STRIPE:
            return stripe_facts(body, account=self.owner, timezone=zone)
        return lago_facts(body, organization=self.owner, timezone=zone)

    @property
    def service(self) -> str:
        """What the refs of this source's documents begin with, e.g. `stripe:acct_1`."""
        return service_ref(self.side, self.owner)

    def has(self, ref: str) -> bool:
        """Whether a ref is one of this source's."""
        return id_within(ref, self.service) is not None


def read_index(
    reader: Reader,
    *,
    customers: frozenset[str],
    claimed: Collection[str],
    standing: Iterable[ListedMove],
    last_period: str,
    progress: Callable[[int], None],
) -> pd.DataFrame:
    """The index of one source: the whole list, then each id it lacks, asked for once.

    Asked for are those that NexaCloud names (`claimed`) and those that the books hold (`standing`).
    `problem` in the frame's attrs says why the list can't be trusted to be whole (else None).
    """
    key = getattr(reader.settings, reader.side.value).scope_metadata_key
    scope = Scope(
        customers=customers,
        claimed=frozenset(claimed),
        metadata_key=key,
        standing={
            move.ref: move
            for move in standing
            if move.state in IN_BOOKS and not is_correction(move.ref)
        },
    )
    span = {"first_period": reader.settings.first_period, "last_period": last_period}
    listing = reader.source.listing(progress)
    listed = [(one, reader.facts(one.body)) for one in listing.documents]
    scope = scope.with_known([facts for _, facts in listed])

    def row(one: SourceBody, facts: InvoiceFacts, answer: Answer) -> IndexRow:
        return found_row(
            facts,
            source_id=one.id,
            origin=Origin.CREDIT_NOTE if one.kind is Kind.CREDIT_NOTE else Origin.INVOICE,
            answer=answer,
            body_hash=reader.evidence.put(reader.side.value, one.body),
            scope=scope,
            **span,
        )

    rows = [row(one, facts, Answer.LISTED) for one, facts in listed]
    lacking = named_but_not_listed(
        {*claimed, *scope.standing}, [one.ref for one in rows], reader.service
    )
    asked = [found for ref in lacking if (found := id_within(ref, reader.service)) is not None]
    for answer in reader.source.ask(asked) if asked else ():
        if isinstance(answer, Absent):
            ref = source_ref(reader.side, reader.owner, answer.id)
            came = Answer(answer.reason)
            rows.append(absent_row(ref, answer.id, came, answer.detail, scope=scope, **span))
        else:
            rows.append(row(answer, reader.facts(answer.body), Answer.ASKED))
    return to_frame(
        rows, IndexRow, problem=listing.problem, pages=listing.pages, calls=listing.calls
    )


def listing_gate(side: Side, rows: Iterable[IndexRow], attrs: Mapping[Any, Any]) -> GateResult:
    """Whether the index is whole."""
    return listing_complete(f"{side.value}_listing_complete", rows, attrs.get("problem"))


def read_documents(reader: Reader, rows: Iterable[IndexRow]) -> tuple[InvoiceFacts, ...]:
    """The facts of these index rows, completed with what the list left out.

    A document whose rest could not be fetched is told with the problem `unreachable`.
    """
    return tuple(facts for facts, _ in completed(reader, rows))


def completed(reader: Reader, rows: Iterable[IndexRow]) -> tuple[tuple[InvoiceFacts, Body], ...]:
    """The same facts, each with the body that it was read from."""
    wanted = [row for row in rows if row.body_hash is not None]
    bodies = [
        SourceBody(
            id=row.source_id,
            kind=Kind.CREDIT_NOTE if row.origin is Origin.CREDIT_NOTE else Kind.INVOICE,
            body=reader.evidence.get(reader.side.value, row.body_hash or ""),
        )
        for row in wanted
    ]
    facts = []
    for listed, answer in zip(bodies, reader.source.complete(bodies), strict=True):
        if isinstance(answer, Absent):
            told = replace(reader.facts(listed.body), problem=Reason.UNREACHABLE)
            facts.append((told, listed.body))
            continue
        if answer.body != listed.body:
            reader.evidence.put(reader.side.value, answer.body)
        facts.append((reader.facts(answer.body), answer.body))
    return tuple(facts)


def settlements_of(facts: Iterable[InvoiceFacts]) -> tuple[SettlementFacts, ...]:
    """Every settlement of these documents; one that two of them tell stands once."""
    return tuple({s.ref: s for one in facts for s in one.settlements}.values())


def progress_to(context: dg.AssetExecutionContext, what: str) -> Callable[[int], None]:
    """Tells the run's log how far a listing has come, every thousand documents."""
    told = 0

    def tell(count: int) -> None:
        nonlocal told
        if count // 1000 > told // 1000:
            context.log.info("%s: %s documents", what, count)
        told = count

    return tell
