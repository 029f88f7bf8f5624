"""The mutation proof, run:

python -m fcb_pipelines_tests.mutation [--layer ledger|rows|rules|whole|forgotten|corrected|cash] [--only PATTERN]
python -m fcb_pipelines_tests.mutation --sample 8 [--seed COMMIT]
python -m fcb_pipelines_tests.mutation --write [FILE]
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.console import Console

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.scenarios.generator import generate
from fcb_pipelines_tests.mutation.fault import Fault, Finding, Layer
from fcb_pipelines_tests.mutation.sampling import sample, seed_of_commit
from fcb_pipelines_tests.packaged import packaged

if TYPE_CHECKING:
    from fcb_pipelines_tests.mutation.runner import Runner

Alarms = dict[str, dict[str, list[int]]]
EDGE = "edge-cases"
NEXA = "nexa-2026-05"
GENERATED = "generated, 120 invoices"


def main() -> None:
    """Try the faults that were asked for; the exit code is 1 where one is not caught."""
    parser = argparse.ArgumentParser(prog="python -m fcb_pipelines_tests.mutation")
    parser.add_argument("--layer", choices=list(Layer), help="only the faults of this layer")
    parser.add_argument("--only", default="", help="only the faults whose name has this pattern")
    parser.add_argument("--sample", type=int, help="only so many of them, some of each layer")
    parser.add_argument("--seed", help="what draws the sample, instead of the commit")
    parser.add_argument("--json", type=Path, help="write the findings into this file too")
    parser.add_argument("--write", nargs="?", const="", help="write docs/mutation.md, or this file")
    parser.add_argument("--clean", action="store_true", help="no fault: print the gates as JSON")
    asked = parser.parse_args()
    # Partitions are read when the definitions load, so the dataset is named before.
    os.environ.setdefault("FCB_TEST_DATASET", str(packaged(EDGE)))
    if asked.clean:
        with a_runner() as runner:
            print(json.dumps(alarms_of(runner)))  # noqa: T201
        return
    faults = chosen(layer=asked.layer, only=asked.only)
    if asked.sample is not None:
        faults = sample(faults, asked.sample, asked.seed or seed_of_commit())
    if asked.write is not None and len(faults) < len(chosen()):
        parser.error("the page tells of every fault: --write goes with no choice among them")
    findings, alarms = proof(faults, out=asked.json)
    from fcb_pipelines_tests.mutation.report import PAGE, page, screen

    Console(width=160).print(screen(findings))
    if asked.write is not None:
        alarms |= clean_elsewhere()
        file = Path(asked.write) if asked.write else PAGE
        file.write_text(page(findings, alarms), "utf-8")
    missed = [one for one in findings if not one.caught]
    for one in missed:
        print(missed_in_words(one))  # noqa: T201
    print(f"{len(findings) - len(missed)} of {len(findings)} caught")  # noqa: T201
    sys.exit(bool(missed))


def chosen(*, layer: str | None = None, only: str = "") -> list[Fault]:
    """Every fault, or those of one layer, or those whose name has this pattern."""
    from fcb_pipelines_tests.mutation.faults import FAULTS

    return [one for one in FAULTS if layer in (None, one.layer.value) and re.search(only, one.name)]


def missed_in_words(one: Finding) -> str:
    """What nobody noticed, who should have, and how to try it alone."""
    tripped = ", ".join([*one.gates, *one.warnings]) or "nothing"
    pattern = shlex.quote(f"^{re.escape(one.name)}$".replace(r"\ ", " "))
    return (
        f"NOT NOTICED: {one.name} ({one.case}, {one.layer}): {' or '.join(one.should)} should have told "
        f"it, {tripped} did. Alone: python -m fcb_pipelines_tests.mutation --layer {one.layer} --only {pattern}"
    )


def proof(faults: Sequence[Fault], *, out: Path | None = None) -> tuple[list[Finding], Alarms]:
    """These faults, tried; and the gates of the clean close before them."""
    with a_runner() as runner:
        return tried(runner, faults, out), {EDGE: alarms_of(runner)}


def tried(runner: "Runner", faults: Sequence[Fault], out: Path | None) -> list[Finding]:
    """What became of each of these faults; told one by one as they come."""
    findings: list[Finding] = []
    for fault in faults:
        try:
            findings.append(runner.find(fault))
        except Exception as broken:
            broken.add_note(f"while trying: {fault.name} ({fault.layer})")
            raise
        print("caught" if findings[-1].caught else "MISSED", findings[-1], file=sys.stderr)  # noqa: T201
        if out is not None:
            out.write_text(json.dumps([asdict(one) for one in findings], indent=1), "utf-8")
    return findings


def alarms_of(runner: "Runner") -> dict[str, list[int]]:
    """Each gate of the clean close: in how many places it fails, and in how many it warns."""
    assert runner.clean is not None
    found: dict[str, list[int]] = {}
    for (_, gate), (outcome, _, _) in runner.clean.gates.items():
        count = found.setdefault(gate, [0, 0])
        count[0] += outcome == "fail"
        count[1] += outcome == "warn"
    return found


def clean_elsewhere() -> Alarms:
    """The gates of the other clean datasets, each in a process of its own, where its months are read."""
    with tempfile.TemporaryDirectory(prefix="fcb-generated-") as folder:
        made = generate(Path(folder) / "data", customers=20, invoices=120, months=4, seed=1)
        return {NEXA: _clean(packaged(NEXA)), GENERATED: _clean(made)}


def _clean(dataset: Path) -> dict[str, list[int]]:
    done = subprocess.run(
        [sys.executable, "-m", "fcb_pipelines_tests.mutation", "--clean"],
        env={**os.environ, "FCB_TEST_DATASET": str(dataset)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=900,
    )
    gates: dict[str, list[int]] = json.loads(done.stdout.splitlines()[-1])
    return gates


@contextmanager
def a_runner() -> Iterator["Runner"]:
    """A runner after its clean close, with a server of its own."""
    from fcb_pipelines_tests.defs.world import running
    from fcb_pipelines_tests.mutation.runner import Runner

    with tempfile.TemporaryDirectory(prefix="fcb-mutation-", ignore_cleanup_errors=True) as parent:
        folder = Path(parent)
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        try:
            with running(folder / "world", server, databases(server)) as world:
                runner = Runner(world, folder, databases(server))
                runner.close()
                yield runner
        finally:
            server.stop()


def databases(server: EmbeddedPostgres) -> Callable[..., str]:
    """Makes databases on this server, each a copy of `template=` where one is named."""

    def make(*, template: Any = None) -> str:
        name = f"test_{uuid4().hex[:12]}"
        server.create_database(name, template=template)
        return name

    return make


if __name__ == "__main__":
    main()
