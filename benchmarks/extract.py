"""The extract of a large NexaCloud: CPU beside a bare COPY of the same rows, and memory.

    python -m benchmarks.extract --invoices 250000 --json

Makes invoices with three items each in an embedded Postgres, which is thrown away. Measured in processes
of their own, CPU of Postgres's process included: COPY of the two tables to nowhere, the extract into
files, and the reading of the files into the copies that a month compares. Memory is the process's peak
beyond what it needs for an empty database.
"""

import argparse
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql

from benchmarks.measure import show
from fcb_pipelines.connectors.nexacloud.source import NexaCloudSource
from fcb_pipelines.connectors.nexacloud.tables import column_names
from fcb_pipelines.connectors.store.frames import read_frame
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres

ITEMS = 3
# Seconds until a closed connection's process is among those that ended.
SETTLE = 1.0
TABLES = ("invoices", "invoice_items")
# Types of the columns; every other one is text.
_TYPES = {
    "id": "uuid primary key", "user_id": "uuid", "subscription_id": "uuid", "invoice_id": "uuid",
    "created_at": "timestamptz", "paid_at": "timestamptz", "period_start": "timestamptz",
    "period_end": "timestamptz", "subtotal": "numeric", "tax": "numeric", "amount_due": "numeric",
    "amount_paid": "numeric", "quantity": "numeric", "unit_price": "numeric", "amount": "numeric",
}  # fmt: skip
_INVOICES = """
insert into invoices select
    md5('invoice' || n)::uuid, md5('user' || n % 5000)::uuid,
    case when n % 3 = 0 then md5('sub' || n % 9000)::uuid end,
    'in_' || md5(n::text), 'NXC-' || lpad(n::text, 6, '0'),
    timestamptz '2026-01-01' + n * interval '1 minute', 'CAD',
    case when n % 9 = 0 then 'open' else 'paid' end,
    (n % 90000 + 100) / 100.0::numeric(12, 2), ((n % 90000 + 100) * 13 / 100) / 100.0::numeric(12, 2),
    (n % 90000 + 100) / 100.0::numeric(12, 2), (n % 90000 + 100) / 100.0::numeric(12, 2),
    case when n % 9 <> 0 then timestamptz '2026-01-01 00:00:00.123456' + n * interval '1 minute' end
from generate_series(1, {invoices}) n
"""
_ITEMS = """
insert into invoice_items select
    md5('item' || n || '-' || k)::uuid, md5('invoice' || n)::uuid,
    'Odoo ERP Hosting - Standard, region ' || k, 1,
    (n % 30000 + 10) / 100.0::numeric(12, 2), (n % 30000 + 10) / 100.0::numeric(12, 2),
    timestamptz '2026-01-01', timestamptz '2026-02-01'
from generate_series(1, {invoices}) n, generate_series(1, {items}) k
"""


def copy_to_nowhere(dsn: str, folder: Path) -> None:
    """The least: both tables' text through the driver, and thrown away."""
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        for table in TABLES:
            names = sql.SQL(", ").join(map(sql.Identifier, column_names(table)))
            query = sql.SQL("copy (select {} from {} order by id) to stdout (format csv)")
            cursor.copy_expert(query.format(names, sql.Identifier(table)), _Nowhere())


def extract(dsn: str, folder: Path) -> None:
    """The project's extract: every table as a file."""
    NexaCloudSource(dsn).snapshot(folder)


def parse(dsn: str, folder: Path) -> None:
    """The files as the invoices that a month compares."""
    from fcb_pipelines.defs.runtime.frame_rows import copies_of

    copies_of(*(read_frame(folder / f"{table}.parquet") for table in TABLES))


class _Nowhere:
    def write(self, row: bytes) -> None:
        """Forget the row."""


def measure(invoices: int) -> dict[str, Any]:
    """One run: CPU seconds, memory in MB over an empty database, and the extract's ratio to COPY."""
    home = Path(tempfile.mkdtemp(prefix="fcb-benchmark-"))
    server = EmbeddedPostgres(home)
    server.start()
    try:
        postgres = psutil.Process(server.pid)
        dsns = [_made(server, name, count) for name, count in (("none", 0), ("all", invoices))]
        found = {
            name: [_apart(work, dsn, home / f"files-{n}", postgres) for n, dsn in enumerate(dsns)]
            for name, work in (("copy", copy_to_nowhere), ("extract", extract), ("parse", parse))
        }
    finally:
        server.stop()
        shutil.rmtree(home)
    cpu = {name: round(full["cpu"] - empty["cpu"], 2) for name, (empty, full) in found.items()}
    # A few rows take less than the clock tells.
    copied = max(cpu["copy"], 0.01)
    return {
        "invoices": invoices,
        "rows": invoices * (1 + ITEMS),
        "extract_times_copy": round(cpu["extract"] / copied, 2),
        "parse_times_copy": round(cpu["parse"] / copied, 2),
        "cpu_seconds": cpu,
        "memory_mb": {n: round(full["mb"] - empty["mb"]) for n, (empty, full) in found.items()},
    }


def _made(server: EmbeddedPostgres, name: str, invoices: int) -> str:
    server.create_database(name)
    with server.connect(name) as connection, connection.cursor() as cursor:
        for table in TABLES:
            columns = ", ".join(f"{c} {_TYPES.get(c, 'text')}" for c in column_names(table))
            cursor.execute(f"create table {table} ({columns}) with (autovacuum_enabled = off)")
        cursor.execute(_INVOICES.format(invoices=invoices))
        cursor.execute(_ITEMS.format(invoices=invoices, items=ITEMS))
    return server.libpq_url(name)


def _apart(
    work: Callable[[str, Path], None], dsn: str, folder: Path, postgres: psutil.Process
) -> dict[str, float]:
    """CPU seconds and peak memory of this work in a process of its own, its Postgres process's too."""
    time.sleep(SETTLE)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_measured, args=(work, dsn, folder, theirs)
    )
    before = _children_cpu(postgres)
    process.start()
    theirs.close()
    own: dict[str, float] = ours.recv()
    process.join()
    time.sleep(SETTLE)
    return {"cpu": own["cpu"] + _children_cpu(postgres) - before, "mb": own["mb"]}


def _measured(work: Callable[[str, Path], None], dsn: str, folder: Path, answer: Any) -> None:
    start = time.process_time()
    work(dsn, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.send({"cpu": time.process_time() - start, "mb": peak})


def _children_cpu(process: psutil.Process) -> float:
    """CPU seconds of the process's children that ended: each connection of Postgres's is one."""
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    show(measure(options.invoices), as_json=options.json)


if __name__ == "__main__":
    main()
