"""The job that corrects posted documents: a person names each. A dry run unless told otherwise."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg
from pydantic import Field

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.core.cases import cases
from fcb_pipelines.core.correcting import CorrectionPlan, plan_correction
from fcb_pipelines.defs import keys
from fcb_pipelines.defs.ledger_reading import LedgerReader, open_reader
from fcb_pipelines.defs.month import Month
from fcb_pipelines.defs.partitions import today
from fcb_pipelines.defs.proof import Proof
from fcb_pipelines.defs.resources import LedgerResource, ReadBackLogResource, StoreResource


class CorrectionConfig(dg.Config):
    """Which documents to correct. Nothing is written before `dry_run` is switched off."""

    refs: list[str] = Field(description="The documents, as `fcb status` names them.")
    dry_run: bool = Field(default=True, description="Say what would be written, and write nothing.")


@dg.op(pool=keys.LEDGER_POOL, out=dg.Out(dg.Nothing), tags={"kind": "ledger"})
def correct_documents(
    context: dg.OpExecutionContext,
    config: CorrectionConfig,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    store: StoreResource,
) -> None:
    """Write, post and match one correction for each of these documents that needs one."""
    reader = open_reader(ledger.open(), read_back_log.open(), context.run_id)
    plans = planned(config.refs, Proof(store.frames()), reader)
    for plan in plans:
        context.log.info(f"{plan.ref}: {plan.why}")
    if not config.dry_run:
        write(plans, reader)
    context.add_output_metadata({
        "documents": len(plans),
        "corrected": 0 if config.dry_run else sum(not plan.is_empty for plan in plans),
        "plan": dg.MetadataValue.json({plan.ref: plan.why for plan in plans}),
    })  # fmt: skip


@dg.job(
    description="Corrects posted documents that a person names: the reversal of a voided one, the "
    "difference of a changed one, the payment that a source took back."
)
def correct_posted() -> None:
    """One op; it queues for the ledger like every writer."""
    correct_documents()


def planned(refs: Iterable[str], proof: Proof, reader: LedgerReader) -> tuple[CorrectionPlan, ...]:
    """The plan of each document, by its month as last built and the ledger as it stands now.

    Raises NotFound for a ref that no built month has.
    """
    months = _by_period(refs, proof)
    return tuple(
        plan
        for period, wanted in months.items()
        for plan in _plans(proof.built_month(period), wanted, reader)
    )


def write(plans: Sequence[CorrectionPlan], reader: LedgerReader) -> None:
    """Write the plans. What a broken-off run had written is found by its external id and kept."""
    found = [plan.correction for plan in plans if plan.correction is not None]
    documents = [each.document for each in found]
    moves = reader.ledger.write_drafts(documents, replace=[each.ref for each in documents])
    reader.note(moves)
    reader.note(reader.ledger.post([each.ref for each in documents]))
    settlements = [each.allocation for each in found if each.allocation is not None]
    settlements += [undone for plan in plans for undone in plan.undo]
    reader.note((), reader.ledger.settle(settlements))


def _plans(this: Month, wanted: Sequence[str], reader: LedgerReader) -> Iterable[CorrectionPlan]:
    now = reader.standing(wanted, this.settlement_refs_of(wanted))
    told = [facts for facts in this.facts if facts.ref in wanted]
    for case in cases(told, this.owners, this.agreements, now):
        yield plan_correction(case, now, current(), reader.books, today())


def _by_period(refs: Iterable[str], proof: Proof) -> Mapping[str, Sequence[str]]:
    place = {row.ref: period for period, rows in proof.dispositions().items() for row in rows}
    found: dict[str, list[str]] = defaultdict(list)
    for ref in dict.fromkeys(refs):
        if ref not in place:
            raise NotFound(f"correcting {ref}", "no built month has this document")
        found[place[ref]].append(ref)
    return found
