"""Reading a billing source: its index, and the documents of one month. All sources share it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.sources import Absent, Body, Source, SourceBody
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.close.gates import listing_gate
from fcb_pipelines.core.codes import Kind, Reason
from fcb_pipelines.core.facts.index import (
    IndexRow,
    ListedFacts,
    Lookup,
    Origin,
    Scope,
    absent_row,
    found_row,
    named_but_not_listed,
)
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.moves import IN_BOOKS, ListedMove
from fcb_pipelines.core.proof.gate import GateResult
from fcb_pipelines.core.proof.gates import listing_complete
from fcb_pipelines.core.refs import id_within, is_correction, source_ref
from fcb_pipelines.defs.sources.following import Before, attrs_of, body_of, read_list
from fcb_pipelines.defs.sources.registry import RegisteredSource, names, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One source: its registry entry (`of`), its client and the store of its evidence."""

    of: RegisteredSource
    source: Source
    evidence: EvidenceStore

    def has(self, ref: str) -> bool:
        """Whether a ref is one of this source's documents."""
        return id_within(ref, self.of.service) is not None


def reader_of(name: str, resources: Any) -> Reader:
    """The source of this name, opened from Dagster's resources."""
    return Reader(
        of=source(name),
        source=getattr(resources, name).open(),
        evidence=resources.store.evidence(),
    )


def readers(resources: Any) -> tuple[Reader, ...]:
    """Every source, ready to be read."""
    return tuple(reader_of(name, resources) for name in names())


def read_index(
    reader: Reader,
    *,
    customers: frozenset[str],
    claimed: Collection[str],
    ledger_state: Iterable[ListedMove],
    last_period: str,
    progress: Callable[[int], None],
    before: Before | None = None,
    facts_of: Callable[[str, Body], ListedFacts] | None = None,
) -> pd.DataFrame:
    """The index of one source: the whole list, then each id that it lacks, asked for once.

    The ids are those that NexaCloud names (`claimed`) and those in the books (`ledger_state`). The list is
    read from what changed since the index `before` where that is sure; `facts_of` gives those of a body by
    its name in the evidence, where they may be known. The frame's attrs say how
    (`listing`: `full` or `incremental`, `why` in full), and why it may not be whole (`problem`, else None).
    """
    scope = Scope(
        customers=customers,
        claimed=frozenset(claimed),
        metadata_key=reader.of.section.scope_metadata_key,
        our_moves={
            move.ref: move
            for move in ledger_state
            if move.state in IN_BOOKS and not is_correction(move.ref)
        },
    )
    span = {"first_period": reader.of.company.first_period, "last_period": last_period}
    reading = read_list(reader.of, reader.source, reader.evidence, before or Before(), progress)
    listing = reading.listing

    def read(one: SourceBody) -> tuple[str, ListedFacts]:
        name = reader.evidence.put(reader.of.name, one.body, reading.names)
        return name, facts_of(name, one.body) if facts_of else listed_facts(reader.of, one.body)

    found = [(one, *read(one), Lookup.LISTED) for one in listing.documents]
    absent: list[Absent] = []
    lacking = named_but_not_listed(
        {*claimed, *scope.our_moves}, [facts.ref for _, _, facts, _ in found], reader.of.service
    )
    asked = [own for ref in lacking if (own := id_within(ref, reader.of.service)) is not None]
    for answer in reader.source.ask(asked) if asked else ():
        if isinstance(answer, Absent):
            absent.append(answer)
        else:
            found.append((answer, *read(answer), Lookup.ASKED))
    scope = scope.with_known([facts for _, _, facts, _ in found])

    def row(one: SourceBody, name: str, facts: ListedFacts, answer: Lookup) -> IndexRow:
        return found_row(
            facts,
            source_id=one.id,
            origin=Origin.CREDIT_NOTE if one.kind is Kind.CREDIT_NOTE else Origin.INVOICE,
            answer=answer,
            body_hash=name,
            scope=scope,
            **span,
        )

    rows = [row(*each) for each in found]
    for gone in absent:
        ref = source_ref(reader.of.name, reader.of.section.owner, gone.id)
        came = Lookup(gone.reason)
        rows.append(absent_row(ref, gone.id, came, gone.detail, scope=scope, **span))
    seen = {"problem": listing.problem, "pages": listing.pages, "calls": listing.calls}
    attrs = attrs_of(reading, rows, listing_complete(rows, listing.problem).detail)
    return to_frame(rows, IndexRow, **seen, **attrs)


def listed_facts(of: RegisteredSource, body: Body) -> ListedFacts:
    """Of a body's facts what the index needs."""
    rules = of.rules.subscriptions
    own = rules.billed(body) if rules and rules.billed else None
    return ListedFacts.of(
        of.facts(body), source_ref(of.name, of.section.owner, own) if own else None
    )


def listing_result(name: str, rows: Iterable[IndexRow], attrs: Mapping[Any, Any]) -> GateResult:
    """The gate on whether the index of this source is whole."""
    return listing_gate(name).result(listing_complete(rows, attrs.get("problem")))


def read_documents(reader: Reader, rows: Iterable[IndexRow]) -> tuple[InvoiceFacts, ...]:
    """The facts of these index rows, completed with the parts that the list left out.

    A document whose parts could not be fetched has the problem `unreachable`.
    """
    return tuple(facts for facts, _ in completed(reader, rows))


def completed(reader: Reader, rows: Iterable[IndexRow]) -> tuple[tuple[InvoiceFacts, Body], ...]:
    """The completed facts of these index rows, each with its body."""
    wanted = [row for row in rows if row.body_hash is not None]
    bodies = [body_of(reader.of, row, reader.evidence) for row in wanted]
    facts = []
    for listed, answer in zip(bodies, reader.source.complete(bodies), strict=True):
        if isinstance(answer, Absent):
            incomplete = replace(reader.of.facts(listed.body), problem=Reason.UNREACHABLE)
            facts.append((incomplete, listed.body))
            continue
        if answer.body != listed.body:
            reader.evidence.put(reader.of.name, answer.body)
        facts.append((reader.of.facts(answer.body), answer.body))
    return tuple(facts)


def settlements_of(facts: Iterable[InvoiceFacts]) -> tuple[SettlementFacts, ...]:
    """Every settlement of these documents, once each: two documents may share one.

    A refund that a credit note names is the note's, and of amount 0 the invoice's too, where it may have been
    posted before the note came.
    """
    found = {(s.document, s.ref): s for one in facts for s in one.settlements}
    return tuple(found.values())


def progress_to(context: dg.AssetExecutionContext, what: str) -> Callable[[int], None]:
    """A callback that logs the progress of a listing, every thousand documents."""
    last = 0

    def log(count: int) -> None:
        nonlocal last
        if count // 1000 > last // 1000:
            context.log.info("%s: %s documents", what, count)
        last = count

    return log
