"""NexaCloud's tables, as one read-only transaction saw them."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES
from fcb_pipelines.connectors.store.frames import FrameFile
from fcb_pipelines.core.columns import COLUMNS
from fcb_pipelines.defs.runtime.frame_rows import row_metadata
from fcb_pipelines.defs.runtime.keys import NEXACLOUD_TABLES, OWNERS, SERVICE_TABLES
from fcb_pipelines.defs.runtime.resources import NexaCloudResource


def _out(table: str) -> dg.AssetOut:
    columns = [
        dg.TableColumn(
            column.name,
            type=column.type.value,
            description=COLUMNS[column.name],
            constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=column.key),
        )
        for column in ALL_TABLES[table]
    ]
    return dg.AssetOut(
        key=["nexacloud", table],
        description=f"One row of NexaCloud's table {table}, as one snapshot of all tables saw it.",
        group_name="nexacloud",
        kinds={"postgres", "pandas"},
        owners=OWNERS,
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
    )


@dg.multi_asset(
    name="nexacloud_extract",
    outs={table: _out(table) for table in (*NEXACLOUD_TABLES, *SERVICE_TABLES)},
)
def nexacloud_extract(
    context: dg.AssetExecutionContext, nexacloud: NexaCloudResource
) -> Iterator[dg.Output[FrameFile]]:
    """All tables in one repeatable-read transaction over a session that refuses writes."""
    with TemporaryDirectory(prefix="fcb-extract-") as folder:
        snapshot = nexacloud.open().snapshot(Path(folder))
        context.log.info("snapshot %s", snapshot.id)
        for table in (*NEXACLOUD_TABLES, *SERVICE_TABLES):
            file = snapshot.files[table]
            told = row_metadata(file.head(), snapshot=snapshot.id)
            metadata = {**told, "dagster/row_count": file.rows}
            yield dg.Output(file, output_name=table, metadata=metadata)
