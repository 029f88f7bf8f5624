"""Output for people: results on stdout, progress and problems on stderr, amounts in major units."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.panel import Panel
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.core.close.shapes import Count, Document, StatusJson
from fcb_pipelines.core.close.status import codes_of
from fcb_pipelines.core.codes import ExceptionCode, Reason
from fcb_pipelines.core.metering.shapes import Figures, MeteringStatus
from fcb_pipelines.core.naming import amount

OUTCOMES = {
    "pass": Text("pass", style="green"),
    "ok": Text("ok", style="green"),
    "warn": Text("warn", style="yellow"),
    "fail": Text("FAIL", style="bold red"),
}
FAULTS_SHOWN = 5
ALL_PERIODS = "all periods"


# A terminal obeys these: an escape in a customer's name may hide a line or rename the window.
_CONTROL = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


class PlainConsole(Console):
    """A console that shows every text as it is: no mark-up is read, no control character obeyed.

    Printed text may come from a source; only a Text has a style.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """The segments to print, without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain(segment.text))


class PlainTable(Table):
    """A table that prints its cells as they are: `A[/red]-1` is a document's number, no mark-up."""

    def add_row(self, *cells: RenderableType | None, **how: Any) -> None:
        """Add a row of cells; only a Text has a style."""
        super().add_row(*(Text(plain(c)) if isinstance(c, str) else c for c in cells), **how)


def plain(text: str) -> str:
    """The text with an escape in the place of each control character."""
    return text.translate(_CONTROL)


def out() -> Console:
    """The console for results, made anew each time, so that it follows a redirected stdout."""
    return PlainConsole()


def err() -> Console:
    """The console for progress and problems."""
    return PlainConsole(stderr=True)


def print_whatever_comes() -> None:
    """Escape on stdout and stderr what their encoding has no sign for, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(message: str) -> None:
    """One line of progress."""
    err().print(marked("·", "dim", message))


def marked(mark: str, style: str, message: str) -> Text:
    """A line that begins with a mark in a style; the message is printed as it is."""
    return Text.assemble((mark, style), f" {message}")


def emit_json(value: object) -> None:
    """One JSON value on stdout and nothing else, keys as they are."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    print(text)


def money(minor: int, currency: str) -> str:
    """Minor units (340346, CAD) as people write them: 3,403.46 CAD."""
    return f"{amount(minor, currency)} {currency}"


def table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns named in `right` hold numbers."""
    made = PlainTable(
        title=Text(title), title_justify="left", title_style="bold", header_style="bold"
    )
    for column in columns:
        made.add_column(
            Text(column), justify="right" if column in right else "left", overflow="fold"
        )
    return made


def show_failure(failure: Failure) -> None:
    """A failure as a panel: the attempt, the answer, whether a rerun helps, and the remedy."""
    rerun = "may help" if failure.rerun_helps else "alone will not help"
    rows = [("tried", failure.tried), ("came back", failure.came_back), ("a rerun", rerun)]
    if failure.remedy:
        rows.append(("mend it with", failure.remedy))
    grid = Table.grid(padding=(0, 2))
    for label, text in rows:
        grid.add_row(Text(label, style="bold"), Text(plain(text)))
    err().print(Panel(grid, title=Text(_title(failure)), title_align="left", border_style="red"))


def show_problem(title: str, message: str) -> None:
    """A problem that is not a failed call: wrong configuration, arguments, environment."""
    body = Group(Text(plain(message)))
    err().print(Panel(body, title=Text(title), title_align="left", border_style="red"))


def status_tables(status: StatusJson) -> list[Table]:
    """The status JSON as tables: periods, documents not posted, exceptions, amounts, dual run, gates."""
    made = [_periods(status), _outside(status), _exceptions(status), _listed(status)]
    made += [_totals(status), _amounts(status), _cash(status)]
    made += [_dual_run(status["metering"]), _gates(status)]
    return [one for one in made if one.row_count]


def gate_lines(status: StatusJson) -> list[Text]:
    """For each gate that does not pass, its first faults and the remedy. Print without wrapping."""
    lines = []
    for each in status["gate_details"]:
        scope = each["period"] or ALL_PERIODS
        outcome = OUTCOMES.get(each["outcome"], Text(each["outcome"]))
        lines.append(Text.assemble(outcome, f" {each['gate']} ({scope}): {each['count']}"))
        lines += [Text(f"  - {fault}") for fault in each["sample"][:FAULTS_SHOWN]]
        more = each["count"] - min(FAULTS_SHOWN, len(each["sample"]))
        if more > 0:
            lines.append(Text(f"  and {more} more"))
        lines.append(Text(f"  {each['recovery']}", style="dim"))
    return lines


def remedy_lines(status: StatusJson) -> list[Text]:
    """The remedy of each reason of a hold and each exception in the status that nobody acknowledged."""
    found: Counter[tuple[str, Reason | ExceptionCode]] = Counter()
    for document in status["documents"]:
        for code in codes_of(document):
            if code in document["acknowledged"]:
                continue
            held = document["disposition"] == "hold" and code == document["reason"]
            known = ("hold", Reason.of(code)) if held else ("exception", ExceptionCode.of(code))
            found[known] += 1
    return [
        Text.assemble((f"{kind} {code}", "bold"), f" ({count}): {code.remedy}")
        for (kind, code), count in found.items()
    ]


def failed_gates(status: StatusJson) -> tuple[str, ...]:
    """Names of the gates that fail, `2026-04: gate` or `gate` alone when it is global."""
    named = [
        f"{period}: {gate}"
        for period, entry in status["periods"].items()
        for gate, outcome in entry["gates"].items()
        if outcome == "fail"
    ]
    return (*named, *(gate for gate, outcome in status["gates"].items() if outcome == "fail"))


def _periods(status: StatusJson) -> Table:
    columns: tuple[Count, ...] = ("population", "post", "skip", "hold")
    made = table("Periods", "period", *columns, "gates", right=columns)
    for period, entry in status["periods"].items():
        worst = _worst(list(entry["gates"].values()))
        made.add_row(period, *(str(entry[column]) for column in columns), OUTCOMES.get(worst, "-"))
    if len(status["periods"]) > 1:
        sums = (str(sum(e[c] for e in status["periods"].values())) for c in columns)
        made.add_section()
        made.add_row("all", *sums, "", style="bold")
    return made


def _outside(status: StatusJson) -> Table:
    made = table("Not posted", "period", "document", "disposition", "reason", "total",
                 right=("total",))  # fmt: skip
    for document in status["documents"]:
        if document["disposition"] != "post":
            made.add_row(
                document["period"] or "-",
                document["number"] or document["ref"],
                document["disposition"],
                _told(document, document["reason"] or "-"),
                money(document["total"], document["currency"]),
            )
    return made


def _exceptions(status: StatusJson) -> Table:
    made = table("Exceptions", "period", "document", "state", "exception")
    for document in status["documents"]:
        for exception in document["exceptions"]:
            label = document["number"] or document["ref"]
            told = _told(document, exception)
            made.add_row(document["period"] or "-", label, document["state"], told)
    return made


def _told(document: Document, code: str) -> str:
    return f"{code} (acknowledged)" if code in document["acknowledged"] else code


def _listed(status: StatusJson) -> Table:
    """Amounts that a source has and the books lack, or the reverse."""
    made = table("Listed", "period", "document", "what", "date", "amount", "why", right=("amount",))
    for document in status["documents"]:
        for each in document["listed"]:
            made.add_row(
                document["period"] or "-",
                document["number"] or document["ref"],
                each["what"],
                each["date"] or "-",
                money(each["amount"], document["currency"]),
                each["why"],
            )
    return made


def _amounts(status: StatusJson) -> Table:
    """At the sources = posted + listed, for each measure by currency."""
    sides = ("source", "posted", "listed")
    made = table("Nothing is lost, all periods", "currency", "", *sides, right=sides)
    for currency, measures in status["amounts"].items():
        for measure, sums in measures.items():
            made.add_row(currency, measure, *(amount(sums[side], currency) for side in sides))
    return made


def _cash(status: StatusJson) -> Table:
    """Opening and all transactions beside the balance that is reported; no row where cash is off."""
    sums = ("opening", "moved", "reported", "difference")
    made = table("Cash in the balance, all periods", "of", "currency", *sums, right=sums)
    cash = status.get("cash")
    for row in cash["balances"] if cash else ():
        shown = (row["opening"], row["moved"], row["reported"], row["difference"])
        made.add_row(
            row["source"], row["currency"], *(amount(each, row["currency"]) for each in shown)
        )
    return made


def _totals(status: StatusJson) -> Table:
    made = table("Posted", "currency", "documents", "total", "receivable", "revenue by family",
                 right=("documents", "total", "receivable"))  # fmt: skip
    for currency, totals in status["totals"].items():
        families = ", ".join(
            f"{family} {amount(minor, currency)}"
            for family, minor in totals["by_family"].items()
            if minor
        )
        made.add_row(
            currency,
            str(totals["posted_count"]),
            amount(totals["posted_total"], currency),
            amount(totals["receivable"], currency),
            families or "-",
        )
    return made


def _dual_run(metering: MeteringStatus) -> Table:
    currency, cycle = metering["currency"], metering["cycle"]
    verdict = "ready" if metering["flip_ready"] else "not ready"
    title = f"Dual run, engine against invoices, {currency}" + (
        f" ({cycle}: {verdict})" if cycle else ""
    )
    sums = ("expected", "invoiced", "one-offs")
    made = table(title, "period", "subscriptions", *sums, right=sums)
    periods = metering["periods"]
    for period, entry in periods.items():
        made.add_row(period, *_dual_run_figures([entry], currency))
    if len(periods) > 1:
        made.add_section()
        made.add_row("all", *_dual_run_figures(list(periods.values()), currency), style="bold")
    if len(metering["services"]) > 1:
        made.add_section()
        for service, entry in metering["services"].items():
            made.add_row(service, *_dual_run_figures([entry], currency))
    return made


def _dual_run_figures(entries: Sequence[Figures], currency: str) -> list[str]:
    rows: Counter[str] = Counter()
    for entry in entries:
        rows.update({"match": entry["match"], **entry["causes"]})
    one_offs, net = (sum(e[name] for e in entries) for name in ("one_off", "one_off_actual"))
    return [
        ", ".join(f"{count} {name}" for name, count in rows.items() if count) or "-",
        *(amount(sum(e[name] for e in entries), currency) for name in ("expected", "actual")),
        f"{one_offs}: {amount(net, currency)}",
    ]


def _gates(status: StatusJson) -> Table:
    counts = {(each["period"], each["gate"]): each["count"] for each in status["gate_details"]}
    made = table("Gates that do not pass", "scope", "gate", "outcome", "count", right=("count",))
    scopes = [(period, entry["gates"]) for period, entry in status["periods"].items()]
    for scope, gates in [*scopes, (None, status["gates"])]:
        for gate, outcome in gates.items():
            if outcome != "pass":
                count = counts.get((scope, gate), "-")
                shown = OUTCOMES.get(outcome, outcome)
                made.add_row(scope or ALL_PERIODS, gate, shown, str(count))
    return made


def _worst(outcomes: list[str]) -> str:
    return next((level for level in ("fail", "warn", "pass") if level in outcomes), "")


def _title(failure: Failure) -> str:
    words = [f" {c.lower()}" if c.isupper() else c for c in type(failure).__name__]
    return "".join(words).strip().capitalize()
