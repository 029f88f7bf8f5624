"""docs/faults.md: one section a ledger, each written anew by a run over it."""

from collections.abc import Sequence
from pathlib import Path

from fcb_pipelines_tests.faults.result import Result

_HEAD = """\
# The proof of survival

    make faults                                                tries every fault and writes this page
    python -m fcb_pipelines_tests.faults --sample [--odoo]     a round of each kind, as `make test-long` does

Every month of `nexa-2026-05` is built and posted in a process of its own that meets one fault: it is killed by
`kill -9` at a point, an answer is lost after the write, the disk is full, the database restarts, a second process
does the same. Then the month is run once more, as a schedule would. What stands is compared with books that
nothing disturbed: every move and settlement by its id, state, hash and residual, the trial balance, the
number of records, the status. Points are every rename in the books, and drawn by the seed elsewhere.

In a round every month meets the fault once. A whole run takes up to twelve rounds of a kill; this page is the last
run with `--write`, and *met*, the processes that met the fault, says how much it tried. *Lost*, *doubled* and
*half paid* are entries; *by hand* is how often the one further run was not enough; *silent* how often a
difference was not told.

Not tried here: a restarted Odoo, ticks of the daemon beside a sync or a backfill, a clock that is wrong. Runs
that hang after a kill are tried in `fcb_pipelines_tests/instance/test_dead_runs.py`, parts of Odoo that were archived or renamed in
`fcb_pipelines_tests/connectors/odoo/test_setup.py`.
"""
_TITLES = {
    "beancount": "Into the embedded books, and from the sources",
    "odoo": "Into a real Odoo 19",
}


def write(page: Path, results: Sequence[Result], ledger: str) -> None:
    """Put the results of one ledger into the page; the other section stays."""
    sections = _sections(page.read_text("utf-8") if page.exists() else "")
    sections[ledger] = _section(results)
    parts = [_HEAD]
    parts += [f"## {_TITLES[name]}\n\n{sections[name]}" for name in _TITLES if name in sections]
    page.write_text("\n".join(parts), "utf-8")


def _sections(text: str) -> dict[str, str]:
    found = {}
    for name, title in _TITLES.items():
        _, there, rest = text.partition(f"## {title}\n\n")
        if there:
            found[name] = rest.split("\n## ", 1)[0].rstrip("\n") + "\n"
    return found


def _section(results: Sequence[Result]) -> str:
    rows = [
        "| fault | met | lost | doubled | half paid | otherwise | by hand | silent | survived |"
    ]
    rows.append("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for one in results:
        d = one.damage
        figures = (one.met, d.lost, d.doubled, d.half_paid, d.otherwise, one.by_hand, one.silent)
        told = " | ".join(str(figure) for figure in figures)
        rows.append(f"| {one.fault} | {told} | {'yes' if one.survived else '**no**'} |")
    return "\n".join(rows) + "\n"
