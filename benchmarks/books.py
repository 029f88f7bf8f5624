"""What a month costs in the embedded books by the history behind it.

    python -m benchmarks.books [--months 60] [--documents 333] [--repeat 3] [--cash] [--json]

The same month - drafts, posting, payments, some of them of the month before, credit notes - is written
and read back in books with one month and in books with many. Each measurement is a process of its own
over a copy of the books; the figure is the least CPU time (user + sys) of the repetitions. With `--cash`
the months, and the one that is measured, also have the charge of each payment, two payouts with their
statements, and all months balances that were stated at each payout and month's end.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.ledger.cash import CashBalance, CashEntry, CashStatement
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines_tests.cash_entries import CASH_SETTINGS, a_charge, a_payout, a_statement
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
)

FIRST_YEAR = 2018
PARTNERS = [a_partner(f"nexacloud:users:{number}", email=None) for number in range(50)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds and the most memory (MB) of one process."""

    cpu: float
    memory: float


def month_of(number: int, documents: int) -> tuple[list[LedgerDocument], list[Settlement]]:
    """The documents of a month (counted from 0) and what is settled in it.

    Nine of ten invoices are paid in their month, the others in the next; each twentieth has a credit
    note in the next month, which is allocated to it.
    """
    invoices = _invoices(number, documents)
    notes = [_note(each, _day(number, 20)) for each in _invoices(number - 1, documents)[::20]]
    paid = [each for place, each in enumerate(invoices) if place % 10 != 0]
    settlements = [a_settlement(each, day=_day(number, 8)) for each in paid]
    for place, invoice in enumerate(_invoices(number - 1, documents)):
        if place % 20 == 0:
            settlements.append(_allocation(invoice, _day(number, 21)))
        elif place % 10 == 0:
            settlements.append(a_settlement(invoice, day=_day(number, 9)))
    return [*invoices, *notes], settlements


def _invoices(number: int, documents: int) -> list[LedgerDocument]:
    if number < 0:
        return []
    return [
        an_invoice(
            f"in_{number}_{place}",
            a_line(),
            a_line(5000),
            a_line(3000),
            day=_day(number, 1 + place % 28),
            partner=PARTNERS[place % len(PARTNERS)].key,
        )
        for place in range(documents)
    ]


def _note(invoice: LedgerDocument, day: date) -> LedgerDocument:
    name = invoice.ref.rpartition(":")[2].replace("in_", "cn_")
    return replace(a_credit_note(name, a_line(1000), day=day), partner=invoice.partner)


def _allocation(invoice: LedgerDocument, day: date) -> Settlement:
    note = _note(invoice, day)
    name = note.ref.rpartition(":")[2].replace("cn_", "alloc_")
    method = Method.CREDIT_NOTE
    return a_settlement(invoice, 1130, name=name, day=day, method=method, drawn_on=note.ref)


def _day(number: int, day: int) -> date:
    return date(FIRST_YEAR + number // 12, 1 + number % 12, day)


def write_month(ledger: BeancountLedger, number: int, documents: int) -> None:
    """A month as the pipeline writes it: what is there, drafts, posting, settlements, read-back."""
    made, settlements = month_of(number, documents)
    refs = [each.ref for each in made]
    ledger.describe()
    ledger.read_moves(refs, of=refs)
    ledger.read_settlements([each.ref for each in settlements], of=refs)
    ledger.upsert_partners(PARTNERS)
    ledger.write_drafts(made)
    ledger.post(refs)
    ledger.settle(settlements)
    ledger.read_moves(refs, of=refs)
    ledger.read_settlements([each.ref for each in settlements], of=refs)


def cash_of(
    number: int, documents: int
) -> tuple[list[CashEntry], list[CashStatement], list[CashBalance]]:
    """The cash of a month: a charge for each payment, two payouts of it, and the balances that follow."""
    paid = [each for each in month_of(number, documents)[1] if each.drawn_on is None]
    charges = [a_charge(each, f"txn_{number}_{place}") for place, each in enumerate(paid)]
    entries: list[CashEntry] = []
    statements, balances = [], []
    for half, part in enumerate((charges[::2], charges[1::2])):
        day, name = _day(number, 15 + half), f"po_{number}_{half}"
        payout = a_payout(sum(each.amount for each in part), f"txn_{name}", day=day)
        entries += [*part, payout]
        statements.append(a_statement([*part, payout], name))
        left = sum(each.amount for each in charges[1::2]) if not half else 0
        balances.append(CashBalance(currency="CAD", date=day, amount=left))
    balances.append(CashBalance(currency="CAD", date=_day(number, 28), amount=0))
    return entries, statements, balances


def write_cash(ledger: BeancountLedger, number: int, documents: int) -> None:
    """The cash of a month as the pipeline writes it."""
    entries, statements, _ = cash_of(number, documents)
    held = ledger.write_cash(entries)
    stated = ledger.write_statements(statements)
    if any(each.open for each in held) or not all(each.is_valid for each in stated):
        raise SystemExit("the cash of the month is not matched, or its statements are not valid")


def history(folder: Path, months: int, documents: int, *, cash: bool) -> None:
    """Books with so many months."""
    ledger = BeancountLedger(folder, CASH_SETTINGS if cash else SETTINGS)
    ledger.setup()
    ledger.upsert_partners(PARTNERS)
    for number in range(months):
        write_month(ledger, number, documents)
        if cash:
            write_cash(ledger, number, documents)
    if cash:
        balances = [each for number in range(months) for each in cash_of(number, documents)[2]]
        if ledger.state_balances(balances) != tuple(balances):
            raise SystemExit("the books have other balances")


def cost(
    action: str, books: Path, months: int, documents: int, repeat: int, *, cash: bool = False
) -> Cost:
    """The cost of an action over copies of the books, each in a process of its own."""
    found = []
    for _ in range(repeat):
        copy = books.with_name("copy")
        shutil.copytree(books, copy)
        # A copy has other inodes: let the index be that of the copy.
        BeancountLedger(copy, SETTINGS).describe()
        if action == "search":
            (copy / ".index").unlink(missing_ok=True)
        arguments = ["-m", "benchmarks.books", "--act", action, str(copy)]
        sizes = ["--months", str(months), "--documents", str(documents)]
        sizes += ["--cash"] if cash else []
        child = subprocess.Popen([sys.executable, *arguments, *sizes])
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(child.returncode)
        # Linux counts kilobytes.
        found.append(Cost(cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss / 1024))
        shutil.rmtree(copy)
    return min(found, key=lambda each: each.cpu)


def act(action: str, folder: Path, months: int, documents: int, *, cash: bool = False) -> None:
    """One measured process."""
    ledger = BeancountLedger(folder, CASH_SETTINGS if cash else SETTINGS)
    if action == "month":
        write_month(ledger, months, documents)
        if cash:
            write_cash(ledger, months, documents)
    elif action == "whole":
        ledger.read_moves()
        ledger.read_settlements()
    elif action == "search":
        ledger.describe()


def measure(
    months: int, documents: int, repeat: int, *, cash: bool = False
) -> dict[str, dict[str, Cost]]:
    """Action -> months of history -> cost."""
    found: dict[str, dict[str, Cost]] = {}
    for length in (1, months):
        with tempfile.TemporaryDirectory(prefix="fcb-bench-") as folder:
            books = Path(folder, "books")
            history(books, length, documents, cash=cash)
            for action in ("nothing", "month", "search", "whole"):
                costs = found.setdefault(action, {})
                costs[str(length)] = cost(action, books, length, documents, repeat, cash=cash)
    return found


TITLES = {
    "month": "a month written and read back",
    "search": "the index made anew",
    "whole": "all read and checked",
}


def table(found: dict[str, dict[str, Cost]], months: int) -> str:
    """The figures as a Markdown table; CPU is above that of a process that only starts."""
    rows = [
        f"| | history: 1 month | {months} months | ratio | peak memory |",
        "|---|---|---|---|---|",
    ]
    for action, title in TITLES.items():
        one, many = (above(found, action, each) for each in (1, months))
        most = found[action][str(months)].memory
        rows.append(f"| {title} | {one:.2f} s | {many:.2f} s | {many / one:.2f} | {most:.0f} MB |")
    return "\n".join(rows)


def above(found: dict[str, dict[str, Cost]], action: str, months: int) -> float:
    """The CPU seconds of an action without those of starting Python; at least a hundredth."""
    started = found["nothing"][str(months)].cpu
    return max(found[action][str(months)].cpu - started, 0.01)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.books", description=__doc__)
    parser.add_argument("--months", type=int, default=12, help="months of history (12)")
    parser.add_argument("--documents", type=int, default=60, help="invoices a month (60)")
    parser.add_argument("--repeat", type=int, default=3, help="processes a figure (3)")
    parser.add_argument("--cash", action="store_true", help="with the cash of each month")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--act", nargs=2, metavar=("ACTION", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.act:
        act(given.act[0], Path(given.act[1]), given.months, given.documents, cash=given.cash)
        return
    found = measure(given.months, given.documents, given.repeat, cash=given.cash)
    if given.json:
        told = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "months": given.months,
            "documents": given.documents,
            "cash": given.cash,
            "costs": {a: {n: asdict(c) for n, c in costs.items()} for a, costs in found.items()},
            "month_ratio": above(found, "month", given.months) / above(found, "month", 1),
        }
        print(json.dumps(told, indent=2))
        return
    print(f"{given.documents} invoices a month, {given.repeat} processes a figure, CPU seconds\n")
    print(table(found, given.months))


if __name__ == "__main__":
    main()
