"""The table of faults and of false alarms, on a screen and as docs/mutation.md."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines_tests.mutation.fault import EXPECTED, Finding, Layer

PAGE = Path(__file__).parents[2] / "docs" / "mutation.md"

_TITLES = {
    Layer.LEDGER: (
        "In the books",
        "A clean close, then one entry of the journal is edited as a person or a broken connector would. "
        "The next sync rebuilds the months that differ and proves the whole.",
    ),
    Layer.ROWS: (
        "Between the assets",
        "Everything of a month is decided and nothing written; then a frame is changed. The assets that "
        "write must refuse.",
    ),
    Layer.RULES: (
        "In the rules",
        "The function that knows a case gets it wrong, and its month is run.",
    ),
    Layer.WHOLE: (
        "In what is told of all months",
        "A clean close, then a frame that has no month is changed, and what follows from it is told anew.",
    ),
    Layer.FORGOTTEN: (
        "In a world that forgets",
        "A clean close; then NexaCloud erases a customer and Stripe loses an invoice, which trips no gate "
        "that fails. With a rule replaced, everything is listed and built once more.",
    ),
    Layer.CORRECTED: (
        "In what corrects it",
        "A clean close; then an invoice is voided and the money of a refund comes back. Both are corrected with a rule "
        "replaced, and everything is built once more. *Expected.json* is what must stand of the two.",
    ),
    Layer.CASH: (
        "In cash",
        "A clean close with cash on. Then a transaction is told otherwise, placed otherwise, or its entry in the books is "
        "edited; or a rule is replaced. What follows is built and proved once more.",
    ),
}
# The dataset, and its gates: name -> (places that fail, places that warn).
Alarms = Mapping[str, Mapping[str, Sequence[int]]]


def caught_by(finding: Finding) -> list[str]:
    """What caught a fault, the strongest first: gates, warnings, figures."""
    if finding.gates:
        return finding.gates
    return [*(f"{gate} (warns)" for gate in finding.warnings), *finding.by_expected]


def kind_of(finding: Finding) -> str:
    """What the table counts a fault as."""
    if not finding.caught:
        return "not caught"
    told = caught_by(finding)
    if not told[0].endswith("(warns)") and told[0] != EXPECTED:
        return "stopped or failed by a gate"
    if told[0].endswith("(warns)"):
        return "listed by a warning"
    return "told by expected.json alone"


def screen(findings: Sequence[Finding]) -> Table:
    """The table for a terminal."""
    table = Table("fault", "case", "layer", "caught by", "caught")
    for one in findings:
        table.add_row(
            one.name, one.case, one.layer, ", ".join(caught_by(one)), "yes" if one.caught else "NO"
        )
    return table


def page(findings: Sequence[Finding], alarms: Alarms) -> str:
    """docs/mutation.md."""
    counts = Counter(kind_of(one) for one in findings)
    caught = sum(one.caught for one in findings)
    false = sum(count[0] for gates in alarms.values() for count in gates.values())
    rows = [_INTRODUCTION, f"**{caught} of {len(findings)} faults are caught; ", ""]
    rows[1] += f"{false} false alarm{'s' * (false != 1)} on clean data.**"
    rows += ["| caught how | faults |", "|---|---:|"]
    rows += [f"| {kind} | {count} |" for kind, count in sorted(counts.items())]
    rows += [
        "",
        *_ALARMS.splitlines(),
        "",
        "| clean dataset | gates that fail | gates that warn |",
        "|---|---|---|",
    ]
    for dataset, gates in alarms.items():
        failing = ", ".join(f"`{gate}`" for gate, count in gates.items() if count[0]) or "none"
        warning = ", ".join(f"`{gate}`" for gate, count in gates.items() if count[1]) or "none"
        rows.append(f"| {dataset} | {failing} | {warning} |")
    for layer, (title, what) in _TITLES.items():
        rows += [
            "",
            f"## {title}",
            "",
            what,
            "",
            "| fault | case | caught by | caught |",
            "|---|---|---|---|",
        ]
        rows += [_row(one) for one in findings if one.layer == layer.value]
    return "\n".join(rows) + "\n"


def _row(one: Finding) -> str:
    told = ", ".join(_shown(name) for name in caught_by(one))
    return f"| {one.name} | {one.case} | {told} | {'yes' if one.caught else '**no**'} |"


def _shown(name: str) -> str:
    gate, _, warns = name.partition(" ")
    return f"`{gate}` {warns}".strip() if gate in GATES else name


_INTRODUCTION = """\
# The mutation proof

    make mutation                                           tries every fault and writes this page
    python -m fcb_pipelines_tests.mutation --sample 8       tries those that the commit draws, as CI does
    python -m fcb_pipelines_tests.mutation --only PATTERN   tries those with such a name

A gate is worth what it catches. Here each known fault is made on purpose, one at a time, where it
would really arise, in the dataset `edge-cases` ([cases.md](cases.md)), and whatever trips is noted. The
gates are those of [gates.md](gates.md); a gate that only warns is marked. *Expected.json* is the dataset's
own figures, worked out without the pipeline: they catch a rule that is wrong on both sides of every
gate, such as a family's keywords. *The books themselves* means that the ledger refuses to be read, *the
run* that it fails without a gate. A rule is replaced where the product shows it: by what a public function is
given, or by what it answers.

Every run of CI draws at least 20 faults by its commit, some of each table below, and fails where one is not
noticed (`--seed COMMIT` draws the same again). This page is the last whole run; nothing reads it as a proof.
"""
_ALARMS = """\
A warning is no alarm: these datasets have held documents, odd taxes and copies that lie, and say so.
"""
