"""What a month costs against the history behind it.

    python -m benchmarks.history --invoices 2000 --months 24

The same number of invoices a month, once alone and once as the last of so many months: each dataset is
generated, extracted into the embedded books, and its last month is built twice, the first time into books
without it. A figure is CPU seconds, user and system, of the process and of Postgres; the ratio is that of
the month with all the history to the month alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import measured, own, tree
from fcb_pipelines.sandbox.scenarios.generator import generate


def main() -> None:
    """Measure, and print a table or JSON."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--invoices", type=int, default=2000, help="invoices over all months")
    given.add_argument("--months", type=int, default=24, help="months of history")
    given.add_argument("--json", action="store_true")
    given.add_argument("--one", help=argparse.SUPPRESS)
    options = given.parse_args()
    if options.one:
        print(json.dumps(_one(Path(options.one))))
        return
    share = max(1, options.invoices // options.months)
    alone = _apart(invoices=share, months=1)
    behind = _apart(invoices=options.invoices, months=options.months)
    found = {
        "invoices": options.invoices,
        "months": options.months,
        "alone": alone,
        "with history": behind,
        "ratio": {name: round(behind[name] / alone[name], 2) for name in ("first", "again")},
    }
    if options.json:
        print(json.dumps(found))
        return
    print(f"{'':14}{'one month':>12}{'with history':>14}{'ratio':>8}")
    for name in ("extract", "first", "again"):
        print(
            f"{name:14}{alone[name]:>12.2f}{behind[name]:>14.2f}{behind[name] / alone[name]:>8.2f}"
        )


def _apart(*, invoices: int, months: int) -> dict[str, float]:
    """In a process and a home of its own, since a process has one dataset's months."""
    with tempfile.TemporaryDirectory(prefix="fcb-benchmark-") as folder:
        data = generate(
            Path(folder) / "data",
            customers=max(10, invoices // 20),
            invoices=invoices,
            months=months,
            seed=1,
        )
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.history", "--one", str(data)],
            env={**os.environ, "FCB_HOME": f"{folder}/home"},
            stdout=subprocess.PIPE,
            check=True,
        )
        found: dict[str, float] = json.loads(done.stdout)
        return found


def _one(data: Path) -> dict[str, float]:
    from fcb_pipelines.cli.work import prepare_ledger, working_in
    from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
    from fcb_pipelines.sandbox.session import Sandbox, open_dataset

    home = Path(os.environ["FCB_HOME"])
    dataset = open_dataset(str(data), home)
    with Sandbox(dataset, home).running() as lent, working_in(lent, quiet=True) as found:
        from fcb_pipelines.cli.pipeline import Pipeline

        prepare_ledger(found, dataset)
        pipeline = Pipeline(found, say=lambda _: None)
        parts = {"python": own, "postgres": tree(EmbeddedPostgres(home).pid or 0)}
        figures: dict[str, Any] = {}
        with measured(parts) as used:
            pipeline.extract()
        figures["extract"] = used.total
        last = pipeline.periods()[-1]
        for name in ("first", "again"):
            with measured(parts) as used:
                outcome = pipeline.run_month(last, post=True)
            if not outcome.ok:
                sys.exit(f"{last}: {outcome}")
            figures[name] = used.total
        return figures


if __name__ == "__main__":
    main()
