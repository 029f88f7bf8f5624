"""What a whole history costs: extracted, every month built and posted, and proved.

    python -m benchmarks.year [--invoices 2000] [--months 12] [--ledger odoo] [--json]

A generated dataset is closed month by month, each into the books of the one before, through Dagster. A figure is CPU
seconds (user + sys) of this process, of Postgres and, with `--ledger odoo`, of the Odoo that is installed for it.
The rate of the months stands beside that of `benchmarks.posting`, which writes paid invoices and nothing else.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.apart import apart
from benchmarks.measure import Clock, Usage, measured, own, show, tree

STAGES = ("extract", "months", "proof")


def measure(invoices: int, months: int, ledger: str = "beancount") -> dict[str, Any]:
    """The figures of each stage."""
    return apart("benchmarks.year", "--ledger", ledger, invoices=invoices, months=months)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.year", description=__doc__)
    parser.add_argument("--invoices", type=int, default=2000, help="over all months (2000)")
    parser.add_argument("--months", type=int, default=12, help="months of history (12)")
    parser.add_argument("--ledger", choices=("beancount", "odoo"), default="beancount")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.of:
        print(json.dumps(_closed(Path(given.of), given.ledger)))
        return
    show(measure(given.invoices, given.months, given.ledger), as_json=given.json)


def _closed(data: Path, ledger: Any) -> dict[str, Any]:
    # Imported once FCB_HOME is set.
    from fcb_pipelines.cli.work import open_pipeline, prepare_ledger, working_in
    from fcb_pipelines.config import environment
    from fcb_pipelines.sandbox import state
    from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
    from fcb_pipelines.sandbox.session import Sandbox, open_dataset

    home, shared = Path(os.environ["FCB_HOME"]), environment.read().odoo_cache
    dataset = open_dataset(str(data), home)
    box = Sandbox(dataset, home, ledger=ledger, odoo_folder=shared)
    with box.running() as lent, working_in(lent, quiet=True) as found:
        prepare_ledger(found, dataset)
        pipeline = open_pipeline(found)
        running = state.read(home / dataset.name)
        servers = {one.name: one.pid for one in running.processes} if running else {}
        pids = {"postgres": EmbeddedPostgres(home).pid, "odoo": servers.get("odoo")}
        clocks: dict[str, Clock] = {"python": own}
        clocks |= {name: tree(pid) for name, pid in pids.items() if pid is not None}
        used: dict[str, Usage] = {}
        with measured(clocks) as used["extract"]:
            pipeline.extract()
        with measured(clocks) as used["months"]:
            outcomes = [pipeline.run_month(period, post=True) for period in pipeline.periods()]
        if not all(one.ok for one in outcomes):
            sys.exit(f"a month failed: {outcomes}")
        with measured(clocks) as used["proof"]:
            if not pipeline.completeness():
                sys.exit("the proof failed")
        posted = sum(one["state"] == "posted" for one in pipeline.status()["documents"])
        work = used["months"]
        return {
            "posted": posted,
            "posted a second": round(posted / work.wall, 1),
            "posted a CPU second": round(posted / work.total, 1),
            **{
                name: {"seconds": round(one.wall, 1)}
                | {part: round(seconds, 1) for part, seconds in one.cpu.items()}
                for name, one in used.items()
            },
        }


if __name__ == "__main__":
    main()
