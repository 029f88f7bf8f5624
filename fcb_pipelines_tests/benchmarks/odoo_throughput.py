"""How fast paid invoices reach a real Odoo: the adapter's batches against one invoice at a time.

    python -m fcb_pipelines_tests.benchmarks.odoo_throughput [--invoices 400]

Both ways write the same paid invoices of two lines, in one run, on one server, each into fresh
books of its own: invoice, posting, payment, reconciliation, the read of the outcome. One at a time
is slow and even, so a part of them gives its speed (--sample). Prints a line each and the ratio;
ends with 1 when the ratio is below --at-least. It is no test: a busy machine is no bug.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import odoorpc

from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import PaymentState
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.odoo import PASSWORD, USER, SandboxOdoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
)

ADDON = SETTINGS.families[2].account.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One way of writing, timed: invoices, seconds and remote calls."""

    way: str
    invoices: int
    seconds: float
    calls: int

    @property
    def per_second(self) -> float:
        """Paid invoices a second."""
        return self.invoices / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.way}: {self.invoices} paid invoices in {self.seconds:.1f} s, "
            f"{self.per_second:.1f} a second, {self.calls} calls"
        )


def documents(count: int) -> list[LedgerDocument]:
    """Invoices of two lines on two families with HST, no two alike."""
    return [
        an_invoice(
            f"in_{index}",
            a_line(21450 + index),
            a_line(1500, description="Daily Backup", account=ADDON, family="addons"),
        )
        for index in range(count)
    ]


def in_batches(connection: OdooConnection, invoices: Sequence[LedgerDocument]) -> Measured:
    """The adapter's way, as a run does it; its read-back is part of it."""
    ledger = OdooLedger(connection, SETTINGS)
    ledger.upsert_partners([a_partner()])
    calls, start = connection.calls, time.perf_counter()
    ledger.write_drafts(invoices)
    ledger.post([invoice.ref for invoice in invoices])
    ledger.settle([a_settlement(invoice) for invoice in invoices])
    seconds = time.perf_counter() - start
    calls = connection.calls - calls
    moves = ledger.read_moves()
    if sum(move.payment_state is PaymentState.PAID for move in moves) != len(invoices):
        raise SystemExit("not every invoice of the batches is paid")
    return Measured(way="in batches", invoices=len(invoices), seconds=seconds, calls=calls)


class OneAtATime:
    """The straightforward way: each invoice by itself, its payment by Odoo's own dialogue."""

    def __init__(self, connection: OdooConnection, session: odoorpc.ODOO) -> None:
        OdooLedger(connection, SETTINGS).upsert_partners([a_partner()])
        self._session = session
        self.calls = 0
        (partner,) = self._do("res.partner", "search", [("email", "=", a_partner().email)])
        (journal,) = self._do(
            "account.journal", "search", [("code", "=", SETTINGS.journals.stripe.code)]
        )
        (tax,) = self._do(
            "account.tax", "search", [("name", "=", "13% HST"), ("type_tax_use", "=", "sale")]
        )
        accounts = self._do("account.account", "search_read", [], ["code"])
        self._partner, self._journal, self._tax = partner, journal, tax
        self._accounts = {row["code"]: row["id"] for row in accounts}

    def measure(self, invoices: Sequence[LedgerDocument]) -> Measured:
        """Write them all, timed."""
        self.calls, start = 0, time.perf_counter()
        for invoice in invoices:
            self._write(invoice)
        seconds = time.perf_counter() - start
        return Measured(
            way="one at a time", invoices=len(invoices), seconds=seconds, calls=self.calls
        )

    def _write(self, invoice: LedgerDocument) -> None:
        found = self._do("account.move", "search", [("x_fc_source_ref", "=", invoice.ref)])
        if found:
            raise SystemExit(f"{invoice.ref} is there already")
        day = invoice.date.isoformat()
        lines = [
            (
                0,
                0,
                {
                    "name": line.description,
                    "quantity": float(line.quantity),
                    "price_unit": float(line.unit_price),
                    "account_id": self._accounts[line.account],
                    "tax_ids": [(6, 0, [self._tax])],
                },
            )
            for line in invoice.lines
        ]
        move = self._do(
            "account.move",
            "create",
            {
                "move_type": "out_invoice",
                "partner_id": self._partner,
                "invoice_date": day,
                "ref": invoice.number,
                "x_fc_source_ref": invoice.ref,
                "invoice_line_ids": lines,
            },
        )
        self._do("account.move", "action_post", [move])
        payment = a_settlement(invoice)
        context = {"active_model": "account.move", "active_ids": [move]}
        wizard = self._do(
            "account.payment.register",
            "create",
            {"payment_date": day, "journal_id": self._journal, "communication": payment.memo},
            context=context,
        )
        self._do("account.payment.register", "action_create_payments", [wizard], context=context)
        (row,) = self._do("account.move", "read", [move], ["payment_state", "amount_residual"])
        if row["amount_residual"]:
            raise SystemExit(f"{invoice.ref} is not paid")

    def _do(self, model: str, method: str, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        return self._session.execute_kw(model, method, list(arguments), options)


def main() -> int:
    """Measure both ways on one server; 1 when the batches are not fast enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--invoices", type=int, default=400)
    parser.add_argument("--sample", type=int, default=100, help="how many one at a time")
    parser.add_argument("--at-least", type=float, default=3.0, help="ratio to reach")
    options = parser.parse_args()
    invoices = documents(options.invoices)
    home = Path(tempfile.mkdtemp(prefix="fcb-benchmark-"))
    server = EmbeddedPostgres(home)
    server.start()
    try:
        fast, slow = _measure(home, server, invoices, options.sample)
    finally:
        server.stop()
        shutil.rmtree(home)
    ratio = fast.per_second / slow.per_second
    print(slow, fast, f"ratio: {ratio:.1f}", sep="\n")  # noqa: T201
    return 0 if ratio >= options.at_least else 1


def _measure(
    home: Path, server: EmbeddedPostgres, invoices: Sequence[LedgerDocument], sample: int
) -> tuple[Measured, Measured]:
    shared = os.environ.get("FCB_ODOO_CACHE")
    odoo = SandboxOdoo(Path(shared) if shared else home / "odoo", server)
    process = odoo.start(None, log=home / "odoo.log")
    try:
        connections = []
        for database in ("batches", "single"):
            odoo.create_books(database)
            connection = OdooConnection(process.url, database, USER, PASSWORD)
            OdooLedger(connection, SETTINGS).setup()
            connections.append(connection)
        session = odoorpc.ODOO(processes.LOOPBACK, port=process.port, timeout=300)
        session.login("single", USER, PASSWORD)
        fast = in_batches(connections[0], invoices)
        return fast, OneAtATime(connections[1], session).measure(invoices[:sample])
    finally:
        processes.stop(process)


if __name__ == "__main__":
    sys.exit(main())
