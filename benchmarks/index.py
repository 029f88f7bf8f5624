"""The index of a large Stripe account: the full list, and what changed since, by calls and CPU.

    python -m benchmarks.index --invoices 100000 --changes 100 --json

Serves generated invoices from the stand-in in a thread of this process. The first sync lists in full. Then
things change as in a day: half of the changes are new invoices, the others older ones paid, credited and
refunded, most of them among the newest; the second sync reads what changed. Then as many invoices change
evenly over the whole history, which is the worst case, and the third sync reads those. Calls are those that
the stand-in counted, CPU that of the reading thread.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import uvicorn

from benchmarks.measure import show
from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import read_frame, write_frame
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.defs.sources.following import Before
from fcb_pipelines.defs.sources.reading import Reader, read_index
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines.sandbox.scenarios.builders.stripe_money_shapes import stripe_refund
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import (
    Json,
    stripe_invoice,
    stripe_invoice_payment,
    stripe_line,
)
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines.sandbox.stripe_server import create_app

# One invoice in fifteen minutes: 100,000 in three years.
BEGAN, GAP = 1680000000, 900
# So many of the newest invoices are open.
OPEN = 500


class Account:
    """A Stripe account with `count` invoices: all paid but the newest."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        (folder / "stripe").mkdir(parents=True)
        name = load(PACKAGED).stripe.account
        (folder / "dataset.yaml").write_text(f"name: many\nstripe: {{account: {name}}}\n")
        open_ones = min(OPEN, count // 10)
        self.invoices = [_invoice(n, paid=n < count - open_ones) for n in range(count)]
        self.payments = [_payment(n) for n in range(count - open_ones)]
        self.refunds: list[Json] = []
        self.write()

    def a_day(self, changes: int, dice: Random) -> None:
        """Half of the changes are new invoices, the rest payments, refunds and edits of older ones."""
        count = len(self.invoices)
        new = range(count, count + changes // 2)
        self.invoices += [_invoice(n, paid=n % 2 == 0) for n in new]
        self.payments += [_payment(n) for n in new if n % 2 == 0]
        paid = [n for n in range(count) if self.invoices[n]["status"] == "open"][
            : changes * 3 // 10
        ]
        for n in paid:
            self.invoices[n] = _invoice(n, paid=True)
            self.payments.append(_payment(n))
        left = changes - len(new) - len(paid)
        for n in dice.sample(range(count // 2), left // 2):
            self.refunds.append(
                stripe_refund(
                    f"re_{n}",
                    50,
                    created=BEGAN + GAP * new[-1],
                    charge=f"ch_{n}",
                    payment_intent=f"pi_{n}",
                )
            )
        for n in dice.sample(range(count // 2), left - left // 2):
            self.invoices[n] = {**self.invoices[n], "metadata": {"changed": "once"}}
        self.write()

    def anywhere(self, changes: int, dice: Random) -> None:
        """So many invoices change, evenly over the history."""
        for n in dice.sample(range(len(self.invoices)), changes):
            self.invoices[n] = {**self.invoices[n], "metadata": {"changed": "again"}}
        self.write()

    def write(self) -> None:
        """The account as the stand-in reads it."""
        for name, rows in (
            ("invoices", self.invoices),
            ("invoice_payments", self.payments),
            ("refunds", self.refunds),
        ):
            (self.folder / "stripe" / f"{name}.json").write_text(json.dumps(rows))


def measure(invoices: int, changes: int) -> dict[str, Any]:
    """Calls and CPU seconds of the three syncs."""
    home = Path(tempfile.mkdtemp(prefix="fcb-benchmark-"))
    dice, faults = Random(1), Faults()  # noqa: S311 - dice
    try:
        account = Account(home / "data", invoices)
        with _served(account.folder, faults) as address:
            full = _sync(home, address, faults, days=0)
            account.a_day(changes, dice)
            day = _sync(home, address, faults, days=1)
            account.anywhere(changes, dice)
            scattered = _sync(home, address, faults, days=2)
    finally:
        shutil.rmtree(home)
    return {
        "invoices": invoices,
        "changes": changes,
        "full": full,
        "a_day": day,
        "scattered": scattered,
        "full_calls_times_a_day": round(full["calls"] / day["calls"], 1),
    }


def _sync(home: Path, address: str, faults: Faults, *, days: int) -> dict[str, Any]:
    company, file = load(PACKAGED), home / "index.parquet"
    (of,) = (one for one in registered(company) if one.name == "stripe")
    quick = Pace(100_000, sleep=lambda seconds: None)
    source = StripeSource("rk_live_1", company.stripe.account, 100, api_base=address, pace=quick)
    faults.calls.clear()
    start, cpu = time.perf_counter(), time.thread_time()
    frame = read_index(
        Reader(of=of, source=source, evidence=EvidenceStore(home / "evidence")),
        customers=frozenset({"cus_1"}),
        claimed=(),
        ledger_state=(),
        last_period="2026-12",
        progress=lambda count: None,
        before=Before(
            index=read_frame(file) if file.exists() else None,
            now=datetime(2026, 7, 1, tzinfo=UTC) + timedelta(days=days),
        ),
    )
    write_frame(frame, file)
    if frame.attrs["problem"]:
        raise AssertionError(frame.attrs["problem"])
    return {
        "listing": frame.attrs["listing"],
        "calls": len(faults.calls),
        "cpu_seconds": round(time.thread_time() - cpu, 1),
        "seconds": round(time.perf_counter() - start, 1),
        "documents": len(frame),
        **frame.attrs["changes"],
    }


def _invoice(n: int, *, paid: bool) -> Json:
    created, name = BEGAN + GAP * n, f"in_{n:07}"
    line = stripe_line(
        f"il_{n}", name, "Hosting", 1000, period_start=created, period_end=created + 86400 * 30
    )
    return stripe_invoice(
        name, number=f"N-{n}", status="paid" if paid else "open", customer="cus_1", lines=[line],
        created=created, finalized_at=created, paid_at=created + 60 if paid else None,
    )  # fmt: skip


def _payment(n: int) -> Json:
    created = BEGAN + GAP * n
    return stripe_invoice_payment(
        f"inpay_{n}", f"in_{n:07}", 1000, created=created, paid_at=created + 60,
        payment_intent=f"pi_{n}",
    )  # fmt: skip


@contextmanager
def _served(folder: Path, faults: Faults) -> Iterator[str]:
    app = create_app(folder, faults=faults)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=5_000)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    show(measure(options.invoices, options.changes), as_json=options.json)


if __name__ == "__main__":
    main()
