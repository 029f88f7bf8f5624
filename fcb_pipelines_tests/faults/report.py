"""docs/faults.md: a section for each ledger and one for the hosts, each written anew by a run over it."""

from collections.abc import Sequence
from pathlib import Path

from fcb_pipelines_tests.faults.result import Result

_HEAD = """\
# The proof of survival

    make faults                                                       tries every fault and writes this page
    python -m fcb_pipelines_tests.faults --sample [--odoo|--hosts]    a round of each kind, as `make test-long` does
    python -m fcb_pipelines_tests.faults --drawn [--odoo|--hosts]     what the commit draws; CI does it for both ledgers

Every month of `nexa-2026-05` is built and posted in a process of its own that meets one fault: it is killed by
`kill -9` at a point, an answer is lost after the write, the disk is full, the database or Odoo restarts, a second
process does the same. Then the month is run once more, as a schedule would. An extract meets them before the
first close and after it. What stands is compared with books that nothing disturbed: every move and settlement by
its id, state, hash and residual, the trial balance, the number of records, the status. Points are every rename
in the books, and drawn by the seed elsewhere; *during* is while the call is under way.

A real daemon is killed with its runs, or alone, while it syncs, or its schedule ticks beside `fcb sync` or a
backfill: the next tick must come to the undisturbed books by itself. A whole `fcb sync` runs on a host whose clock
is wrong or is put right meanwhile: nobody may take it for dead, and one that is killed is made up for. These wait as
long as runs get on, and give up once nothing happened for ten minutes: a busy machine is slow, and fails nothing.

A bookkeeper interferes in Odoo. With documents, each with one of a closed world: what is listed stays as the
bookkeeper wrote it, what is not listed must be harmless or mended by the next sync. With the parts that all
documents need, while a month is written: it says what stops it, or its documents stand as billed; once the
change is taken back a sync comes to the undisturbed books.

In a round every month meets the fault once. *Met*, the processes that met the fault, says how much was tried; a
note beneath a table says what a whole run would try beside. *Lost*, *doubled* and *half paid* are entries; *by
hand* is how often the one further run was not enough; *silent* how often a difference was not told.
"""
_TITLES = {
    "beancount": "Into the embedded books, and from the sources",
    "hosts": "Under a daemon, and with clocks that are wrong",
    "odoo": "Into a real Odoo 19",
}


def write(page: Path, results: Sequence[Result], section: str, *, note: str = "") -> None:
    """Put the results of one section into the page, with a note beneath; the others stay."""
    sections = _sections(page.read_text("utf-8") if page.exists() else "")
    sections[section] = _section(results, note)
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


def _section(results: Sequence[Result], note: str) -> str:
    rows = [
        "| fault | met | lost | doubled | half paid | otherwise | by hand | silent | survived |"
    ]
    rows.append("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for one in results:
        d = one.damage
        figures = (one.met, d.lost, d.doubled, d.half_paid, d.otherwise, one.by_hand, one.silent)
        told = " | ".join(str(figure) for figure in figures)
        rows.append(f"| {one.fault} | {told} | {'yes' if one.survived else '**no**'} |")
    rows += ["", note] if note else []
    return "\n".join(rows) + "\n"
