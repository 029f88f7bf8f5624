"""The job that corrects posted documents, each named by a person. By default it is a dry run."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import dagster as dg
from pydantic import Field

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.settling import settle_each
from fcb_pipelines.core.codes import ExceptionCode, Verdict
from fcb_pipelines.core.corrections.plan import (
    CorrectionPlan,
    not_given,
    plan_correction,
    posted_with_notes,
)
from fcb_pipelines.core.dispositions.cases import cases
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.dispositions.exceptions import TO_REVERSE
from fcb_pipelines.core.ledger.moves import LedgerState
from fcb_pipelines.core.refs import is_correction
from fcb_pipelines.defs.reconciliation.naming import numbers, ref_called
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.ledger_reading import LedgerReader, open_reader, open_writer
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import today
from fcb_pipelines.defs.runtime.resources import LedgerResource, ReadBackLogResource, StoreResource


class CorrectionConfig(dg.Config):
    """The documents to correct. Nothing is written while `dry_run` is on."""

    refs: list[str] = Field(
        description="The documents, as `fcb status` names them: numbers or refs."
    )
    dry_run: bool = Field(default=True, description="List the corrections, and write nothing.")


@dg.op(pool=keys.LEDGER_POOL, out=dg.Out(dg.Nothing), tags={"kind": "ledger"})
def correct_documents(
    context: dg.OpExecutionContext,
    config: CorrectionConfig,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    store: StoreResource,
) -> None:
    """Write, post and match one correction for each of these documents that needs one."""
    known = numbers(store.frames())
    refs = [ref_called(name, known, "correcting") for name in config.refs]
    books, log, report = ledger.open(), read_back_log.open(), FrameReport(store.frames())
    with (
        nullcontext(open_reader(books, log, context.run_id))
        if config.dry_run
        else open_writer(books, log, context.run_id)
    ) as reader:
        plans = planned(refs, report, reader)
        for plan in plans:
            context.log.info(f"{plan.ref}: {plan.why}")
        if not config.dry_run:
            write(plans, reader)
    context.add_output_metadata({
        "documents": len(plans),
        "corrected": 0 if config.dry_run else sum(not plan.is_empty for plan in plans),
        "plan": dg.MetadataValue.json({plan.ref: plan.why for plan in plans}),
        "outlook": dg.MetadataValue.json({plan.ref: _outlook(plan) for plan in plans}),
    })  # fmt: skip


@dg.job(
    description="Corrects posted documents that a person names: the reversal of a voided one, the "
    "difference of a changed one, the payment that a source took back."
)
def correct_posted() -> None:
    """One op; it queues for the ledger like every writer."""
    correct_documents()


def planned(
    refs: Iterable[str], proof: FrameReport, reader: LedgerReader
) -> tuple[CorrectionPlan, ...]:
    """The plan of each document, from its month as last built and the ledger's present state.

    It is empty for one that its source does not give: there is nothing to compare the books with.
    A void invoice also gets plans for its voided credit notes: correcting only some of them would
    leave the books wrong. Raises NotFound for a ref that no built month has.
    """
    decided = {row.ref: row for rows in proof.dispositions().values() for row in rows}
    wanted = dict.fromkeys(refs)
    for ref in [*wanted]:
        if ref not in decided:
            raise NotFound(f"correcting {ref}", "no built month has this document")
        read = reader.ledger.read_moves([], of=[ref])
        gone = [move.ref for move in read if _is_voided(decided.get(move.ref))]
        wanted |= dict.fromkeys(gone)
    months: dict[str, list[str]] = defaultdict(list)
    for ref in wanted:
        months[decided[ref].period or ""].append(ref)
    return tuple(
        plan
        for period, own in months.items()
        for plan in _plans(proof.built_month(period), own, decided, reader)
    )


def _outlook(plan: CorrectionPlan) -> dict[str, Any]:
    """The books' amounts of a document before and after, as plain JSON values."""
    return {
        "currency": plan.currency,
        "now": asdict(plan.now) if plan.now else None,
        "after": asdict(plan.after) if plan.after else None,
    }


def _is_voided(row: Disposition | None) -> bool:
    return row is not None and ExceptionCode.VOIDED_AFTER_POSTING in row.exceptions


def write(plans: Sequence[CorrectionPlan], reader: LedgerReader) -> None:
    """Write the plans. Records of an interrupted run are found by external id and kept."""
    found = [plan.correction for plan in plans if plan.correction is not None]
    documents = [each.document for each in found]
    moves = reader.ledger.write_drafts(documents, replace=[each.ref for each in documents])
    reader.note(moves)
    reader.note(reader.ledger.post([each.ref for each in documents]))
    settlements = [each.allocation for each in found if each.allocation is not None]
    settlements += [each for plan in plans for each in (*plan.undo, *plan.amend)]
    settlements += [plan.match for plan in plans if plan.match]
    try:
        settle_each(reader.ledger, settlements)
    finally:
        # Where the ledger refused one the others are written.
        reader.note((), reader.ledger.read_settlements([each.ref for each in settlements]))


def _plans(
    this: Month,
    wanted: Sequence[str],
    decided: Mapping[str, Disposition],
    reader: LedgerReader,
) -> Iterable[CorrectionPlan]:
    own = [facts for facts in this.facts if facts.ref in wanted]
    given = [facts.ref for facts in own]
    yield from (not_given(decided[ref]) for ref in wanted if ref not in given)
    first = reader.ledger_state(given, ())
    notes = [ref for ref, row in first.items() if _is_note_of(row, given)]
    now = reader.ledger_state([*given, *notes], this.settlement_refs_of(given))
    for case in cases(own, this.claimants, this.agreements, now, this.index):
        row = decided[case.facts.ref]
        yield plan_correction(
            case,
            posted_with_notes(case, now, this.index),
            now,
            current(),
            reader.books,
            today(),
            withdrawn=row.verdict is Verdict.SKIP and row.reason in TO_REVERSE,
        )


def _is_note_of(row: LedgerState, refs: Sequence[str]) -> bool:
    move = row.move
    return move is not None and move.document.reverses in refs and not is_correction(move.ref)
