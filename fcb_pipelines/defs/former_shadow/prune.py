"""The job that removes the superseded shadow records from Odoo. A dry run unless it is confirmed."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.resources import LedgerResource, StoreResource
from fcb_pipelines.former_shadow.odoo import OdooShadow
from fcb_pipelines.former_shadow.removal import Pruned

SHOWN = 200
COLUMNS = ("model", "name", "outcome", "reason")


class PruneConfig(dg.Config):
    """The permissions of a run. Every default is the safe choice."""

    dry_run: bool = Field(
        default=True, description="List the records to remove, and remove nothing."
    )
    confirm: str = Field(
        default="",
        description="The name of the Odoo database, repeated: without it nothing is removed.",
    )
    keep: list[str] = Field(
        default_factory=list,
        description="Names of orders and codes of products to leave as they are.",
    )


@dg.op(pool=keys.LEDGER_POOL, out=dg.Out(dg.Nothing), tags={"kind": "odoo"})
def prune_shadow(
    context: dg.OpExecutionContext,
    config: PruneConfig,
    ledger: LedgerResource,
    store: StoreResource,
) -> None:
    """Delete draft orders marked x_fc_shadow and products NC-…, or archive those in use."""
    books = ledger.open()
    if not isinstance(books, OdooLedger):
        context.log.info("Nothing to prune: the ledger is not Odoo (FCB_LEDGER).")
        return
    shadow = OdooShadow(books.connection, config.keep)
    lacking = shadow.lacking()
    if lacking:
        context.log.info(f"Nothing to prune: {lacking}.")
        return
    if not config.dry_run:
        assert_confirmed(config.confirm, books.connection.database)
    records = shadow.dry_run() if config.dry_run else shadow.prune()
    file = write_list(records, store.reports() / f"prune_metered_shadow-{context.run_id}.csv")
    counts = Counter(f"{each.model} {each.outcome}" for each in records)
    for what, count in sorted(counts.items()):
        context.log.info(f"{what}: {count}")
    context.log.info(f"Every record and its reason: {file}")
    context.add_output_metadata(
        {
            "records": len(records),
            "list": dg.MetadataValue.path(str(file)),
            "sample": table(records),
            **counts,
        }
    )


@dg.job(
    description="Lists, and when confirmed removes, the shadow records of the former dual run in "
    "Odoo: draft orders marked x_fc_shadow and products NC-…."
)
def prune_metered_shadow() -> None:
    """One op; it queues for the ledger like every writer."""
    prune_shadow()


def assert_confirmed(confirm: str, database: str) -> None:
    """Raises NotAllowed unless the name of the database was repeated."""
    if confirm != database:
        raise NotAllowed(
            f"pruning the metered shadow from Odoo database {database}",
            f"confirm is {confirm!r}, not the name of the database; nothing was done",
            remedy=f"read the list of a dry run, then set confirm: {database}",
        )


def write_list(records: Sequence[Pruned], file: Place) -> Place:
    """Write the whole list to a CSV file and return it: Odoo no longer has the removed records."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([getattr(each, name) for name in COLUMNS] for each in records)
    places.write_bytes(file, text.getvalue().encode())
    return file


def table(records: Sequence[Pruned]) -> dg.MarkdownMetadataValue:
    """The first records as a table, for Dagster's page."""
    rows = [" | ".join(str(getattr(each, name)) for name in COLUMNS) for each in records[:SHOWN]]
    head = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    return dg.MetadataValue.md("\n".join(f"| {row} |" for row in [*head, *rows]))
