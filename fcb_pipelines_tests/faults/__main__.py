"""The proof of survival, run:

python -m fcb_pipelines_tests.faults [--odoo|--hosts] [--seed SEED]  every fault; docs/faults.md with --write
python -m fcb_pipelines_tests.faults --sample [--odoo|--hosts]       a round of each kind
python -m fcb_pipelines_tests.faults --drawn [--odoo|--hosts]        what each run of CI tries
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

from fcb_pipelines.sandbox.odoo import SandboxOdoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.mutation.__main__ import databases
from fcb_pipelines_tests.mutation.sampling import seed_of_commit

if TYPE_CHECKING:
    from fcb_pipelines_tests.defs.world import World
    from fcb_pipelines_tests.faults.bench import Bench
    from fcb_pipelines_tests.faults.result import Result

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
# Every month of the dataset meets one of them in a round.
EVERY, SAMPLE = 12, 1


def main() -> None:
    """Try the faults that were asked for; the exit code is 1 where one is not survived."""
    parser = argparse.ArgumentParser(prog="python -m fcb_pipelines_tests.faults")
    parser.add_argument("--odoo", action="store_true", help="into a real Odoo, not embedded books")
    parser.add_argument("--hosts", action="store_true", help="a real daemon, and wrong clocks")
    parser.add_argument("--sample", action="store_true", help="one round of each kind")
    parser.add_argument("--drawn", action="store_true", help="a few that the seed draws, for CI")
    parser.add_argument("--rounds", type=int, default=EVERY, help="so many rounds at the most")
    parser.add_argument("--seed", help="what draws the points, instead of the commit")
    parser.add_argument("--json", type=Path, help="write the results into this file too")
    parser.add_argument("--write", action="store_true", help="put the results into docs/faults.md")
    asked = parser.parse_args()
    rounds = SAMPLE if asked.sample else asked.rounds
    results: list[Result] = []
    section = "odoo" if asked.odoo else "hosts" if asked.hosts else "beancount"
    every = {"odoo": in_odoo, "hosts": on_hosts, "beancount": in_books}[section]
    with a_bench(asked.seed or seed_of_commit(), odoo=asked.odoo) as bench:
        few = drawn_on_hosts if asked.hosts else drawn
        for one in few(bench) if asked.drawn else every(bench, rounds):
            results.append(one)
            print("survived" if one.survived else "NOT SURVIVED", one, flush=True)  # noqa: T201
            if asked.write:
                write_page(results, section, "The run was ended here, before it had tried all.")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in results], indent=1), "utf-8")
    if asked.write:
        write_page(results, section, "")
    bad = [one for one in results if not one.survived]
    print(f"{len(results) - len(bad)} of {len(results)} kinds survived")  # noqa: T201
    sys.exit(bool(bad))


def write_page(results: "list[Result]", section: str, note: str) -> None:
    """Put the results into their section of docs/faults.md, with a note where the run has not ended."""
    from fcb_pipelines_tests.faults.report import write

    write(PAGE, results, section, note=note)


def in_books(bench: "Bench", rounds: int) -> "Iterator[Result]":
    """The faults of the embedded books, and of the sources, which are the same for both ledgers."""
    from fcb_pipelines_tests.faults.bench import Kind
    from fcb_pipelines_tests.faults.sources import changed_between, source_faults

    few = max(1, rounds // 6)
    yield bench.try_points(Kind("killed before", "books"), rounds)
    yield bench.try_points(Kind("killed after", "books"), rounds)
    yield bench.try_points(Kind("killed before", "files"), few)
    yield bench.try_extracts(Kind("killed before", "files", "extract"), few)
    yield bench.try_extracts(Kind("killed after", "files", "extract"), few)
    yield bench.try_points(Kind("answer lost", "books"), rounds)
    yield bench.try_points(Kind("disk full", "books"), few)
    yield bench.try_points(Kind("disk full", "files"), few)
    yield bench.try_extracts(Kind("disk full", "files", "extract"), few)
    yield bench.try_points(Kind("postgres restarted", "books"), few)
    yield bench.try_extracts(Kind("postgres restarted", "files", "extract"), few)
    yield bench.try_twice_at_once()
    yield from source_faults(bench)
    yield changed_between(bench)


def on_hosts(bench: "Bench", rounds: int) -> "Iterator[Result]":
    """What is of the machines and not of a ledger: a daemon that is killed or ticks, clocks that are wrong.

    They take minutes each: of one round there is one of either that the seed draws.
    """
    from fcb_pipelines_tests.faults.clocks import CLOCKS, wrong_clocks
    from fcb_pipelines_tests.faults.daemon import DISTURBANCES, under_the_daemon

    draw = bench.draws("hosts")
    clocks, disturbances = list(CLOCKS), list(DISTURBANCES)
    if rounds == SAMPLE:
        clocks, disturbances = [draw.choice(clocks)], [draw.choice(disturbances)]
    yield from wrong_clocks(bench, clocks)
    yield from under_the_daemon(bench, disturbances)


def in_odoo(bench: "Bench", rounds: int) -> "Iterator[Result]":
    """The faults of the real Odoo, fifty kills and more in the full run, and those of a bookkeeper."""
    from fcb_pipelines_tests.faults.bench import Kind
    from fcb_pipelines_tests.faults.bookkeeper import into_drafts, into_posted
    from fcb_pipelines_tests.faults.parts import tampered

    few = max(1, rounds // 6)
    yield from into_posted(bench)
    yield from into_drafts(bench)
    yield from tampered(bench)
    for how, more in (("killed during", 3), ("killed before", 2), ("killed after", 2)):
        yield bench.try_points(Kind(how, "calls"), few + more * (rounds > 1))
    yield bench.try_points(Kind("answer lost", "writes"), few)
    yield bench.try_points(Kind("odoo restarted during", "reads"), few)
    yield bench.try_points(Kind("odoo restarted during", "writes"), few)
    yield bench.try_points(Kind("postgres restarted during", "calls"), few)
    yield bench.try_twice_at_once()


def drawn(bench: "Bench") -> "Iterator[Result]":
    """What CI has the time for: one month that the seed draws meets one of each kind, in one world.

    Odoo itself is restarted where the bench has one of its own.
    """
    from fcb_pipelines_tests.faults import bookkeeper, sources
    from fcb_pipelines_tests.faults.bench import Kind

    draw = bench.draws("sample")
    bench.periods = (draw.choice(bench.periods[1:]),)
    if bench.odoo is None:
        lie = draw.choice(list(sources.LIES))

        def lied_to(world: "World") -> None:
            with sources.lying(world, lie):
                world.extract()

        kinds = [
            Kind(draw.choice(("killed before", "killed after")), "files", "extract"),
            Kind(draw.choice(("killed before", "killed after")), "books"),
            Kind("answer lost", "books"),
            Kind("disk full", draw.choice(("books", "files"))),
            Kind("postgres restarted", draw.choice(("books", "files"))),
        ]
        yield bench.try_together(kinds, lied_to, lambda world: None)
        return

    after: list[Result] = []

    def interfered(world: "World") -> None:
        some = bookkeeper.of_months(bookkeeper.INTO_POSTED, world.status())
        chosen = draw.sample(some, min(4, len(some)))
        after.extend(bookkeeper.into_posted(bench, chosen, world))

    kinds = [
        Kind(draw.choice(("killed before", "killed during", "killed after")), "calls"),
        Kind("answer lost", "writes"),
    ]
    if bench.host is not None:
        kinds += [
            Kind("odoo restarted during", draw.choice(("reads", "writes"))),
            Kind("postgres restarted during", "calls"),
        ]
    yield bench.try_together(kinds, lambda world: None, interfered)
    yield from after


def drawn_on_hosts(bench: "Bench") -> "Iterator[Result]":
    """The same of the hosts: a real daemon is killed once."""
    from fcb_pipelines_tests.faults.daemon import KILLS, disturbed

    yield disturbed(bench, bench.draws("sample").choice(list(KILLS)), hurried=True)


@contextmanager
def a_bench(seed: str, *, odoo: bool) -> "Iterator[Bench]":
    """A bench with a server of its own, and an Odoo of its own where that is asked for."""
    from fcb_pipelines_tests.faults.bench import Bench, OdooHost
    from fcb_pipelines_tests.odoo_server import OdooServer

    with tempfile.TemporaryDirectory(prefix="fcb-faults-", ignore_cleanup_errors=True) as parent:
        folder = Path(parent)
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        made = Bench(folder=folder, server=server, databases=databases(server), seed=seed)
        try:
            if odoo:
                cache = os.environ.get("FCB_ODOO_CACHE")
                program = Path(cache) if cache else folder / "odoo"
                box = SandboxOdoo(program, server, data=folder / "odoo-data")
                made.host = host = OdooHost(box, folder / "odoo.log")
                made.odoo = OdooServer(box, program, server, host.process).prepared
            yield made
        finally:
            if made.host is not None:
                made.host.stop()
            server.stop()


if __name__ == "__main__":
    main()
