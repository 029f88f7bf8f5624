"""The proof of survival, run:

python -m fcb_pipelines_tests.faults [--odoo] [--seed SEED]          every fault; docs/faults.md with --write
python -m fcb_pipelines_tests.faults --sample [--odoo]               a few of each kind
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.odoo import SandboxOdoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.mutation.__main__ import databases
from fcb_pipelines_tests.mutation.sampling import seed_of_commit

if TYPE_CHECKING:
    from fcb_pipelines_tests.faults.bench import Bench
    from fcb_pipelines_tests.faults.result import Result

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
# Every month of the dataset meets one of them in a round.
EVERY, SAMPLE = 12, 1


def main() -> None:
    """Try the faults that were asked for; the exit code is 1 where one is not survived."""
    parser = argparse.ArgumentParser(prog="python -m fcb_pipelines_tests.faults")
    parser.add_argument("--odoo", action="store_true", help="into a real Odoo, not embedded books")
    parser.add_argument("--sample", action="store_true", help="one round of each kind")
    parser.add_argument("--rounds", type=int, default=EVERY, help="so many rounds at the most")
    parser.add_argument("--seed", help="what draws the points, instead of the commit")
    parser.add_argument("--json", type=Path, help="write the results into this file too")
    parser.add_argument("--write", action="store_true", help="put the results into docs/faults.md")
    asked = parser.parse_args()
    rounds = SAMPLE if asked.sample else asked.rounds
    results: list[Result] = []
    with a_bench(asked.seed or seed_of_commit(), odoo=asked.odoo) as bench:
        tried = in_odoo(bench, rounds) if asked.odoo else in_books(bench, rounds)
        for one in tried:
            results.append(one)
            print("survived" if one.survived else "NOT SURVIVED", one, flush=True)  # noqa: T201
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in results], indent=1), "utf-8")
    if asked.write:
        from fcb_pipelines_tests.faults.report import write

        write(PAGE, results, bench.ledger)
    bad = [one for one in results if not one.survived]
    print(f"{len(results) - len(bad)} of {len(results)} kinds survived")  # noqa: T201
    sys.exit(bool(bad))


def in_books(bench: "Bench", rounds: int) -> "Iterator[Result]":
    """The faults of the embedded books, and of the sources, which are the same for both ledgers."""
    from fcb_pipelines_tests.faults.sources import changed_between, source_faults

    few = max(1, rounds // 4)
    yield bench.try_points("killed before", "books", rounds)
    yield bench.try_points("killed after", "books", rounds)
    yield bench.try_points("killed before", "files", few)
    yield bench.try_points("answer lost", "books", rounds)
    yield bench.try_points("disk full", "books", few)
    yield bench.try_points("disk full", "files", few)
    at = {"postgres": bench.server.data.parent}
    yield bench.try_points("postgres restarted", "books", few, at)
    yield bench.try_twice_at_once()
    yield from source_faults(bench)
    yield changed_between(bench)


def in_odoo(bench: "Bench", rounds: int) -> "Iterator[Result]":
    """The faults of the real Odoo, fifty kills and more in the full run, and those of a bookkeeper."""
    from fcb_pipelines_tests.faults.bookkeeper import interferences

    few = max(1, rounds // 4)
    for how in ("killed before", "killed during", "killed after"):
        yield bench.try_points(how, "calls", few + (rounds > 1))
    yield bench.try_points("answer lost", "calls", few)
    yield bench.try_twice_at_once()
    yield from interferences(bench)


@contextmanager
def a_bench(seed: str, *, odoo: bool) -> "Iterator[Bench]":
    """A bench with a server of its own, and an Odoo of its own where that is asked for."""
    from fcb_pipelines_tests.faults.bench import Bench
    from fcb_pipelines_tests.odoo_server import OdooServer

    with tempfile.TemporaryDirectory(prefix="fcb-faults-", ignore_cleanup_errors=True) as parent:
        folder = Path(parent)
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        made = Bench(folder=folder, server=server, databases=databases(server), seed=seed)
        process = None
        try:
            if odoo:
                cache = os.environ.get("FCB_ODOO_CACHE")
                program = Path(cache) if cache else folder / "odoo"
                box = SandboxOdoo(program, server, data=folder / "odoo-data")
                process = box.start(None, log=folder / "odoo.log")
                made.odoo = OdooServer(box, program, server, process).prepared
            yield made
        finally:
            if process is not None:
                processes.stop(process)
            server.stop()


if __name__ == "__main__":
    main()
