"""The speed of the rules: generated invoices from facts to agreement, disposition, document and deltas.

    python -m benchmarks.core --invoices 100000 --a-month 100000 --json

`--a-month` invoices go through the rules together, as those of one month do, and the months one after
the other. Everything is in memory and in one process, which looks for cycles as rarely as the pipeline
does; the measure is the CPU second (user and system). The ledger that is compared is a read-back of equal,
separate values. Beside the rules, the same run does the least that any program must: one pandas merge of
the same lines and of their copies.
"""

import argparse
import gc
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any, TypeVar

import pandas as pd

from benchmarks.measure import show
from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES, ColumnType, column_names
from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import Case, intended
from fcb_pipelines.core.dispositions.cases import agreements, cases, decided
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.lago.rules import LAGO
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, User, copies, first_claimants
from fcb_pipelines.core.facts.source import SourceRules, claimed_ref
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    LedgerMove,
    LedgerSettlement,
    LedgerState,
    MoveState,
    PaymentState,
)
from fcb_pipelines.core.proof.deltas import ledger_deltas
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import expected_residual
from fcb_pipelines.defs.runtime.collector import collect_rarely
from fcb_pipelines.sandbox.scenarios.builders.authored import ACCOUNT, ORGANIZATION, TIMEZONE
from fcb_pipelines.sandbox.scenarios.builders.copies import Row
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json
from fcb_pipelines.sandbox.scenarios.generator import LAST_PERIOD, generated

BOOKS = Books(currencies=frozenset({"CAD"}))
OWNERS = ((STRIPE, ACCOUNT), (LAGO, ORGANIZATION))
STAGES = ("agreement", "disposition", "document", "deltas")
# Invoices generated at a time, each time under another seed.
GENERATED = 5_000
RULES = {rules.name: rules for rules, _ in OWNERS}
_TYPES = {table: {one.name: one.type for one in of} for table, of in ALL_TABLES.items()}

Made = TypeVar("Made")


@dataclass
class Stopwatch:
    """CPU seconds by stage; the garbage of what went before is not counted."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def run(self, stage: str, do: Callable[[], Made]) -> Made:
        """What `do` returns, its CPU seconds added to the stage's."""
        gc.collect()
        start = time.process_time()
        made = do()
        self.seconds[stage] += time.process_time() - start
        return made


@dataclass
class World:
    """The sides of generated invoices: the sources' facts, NexaCloud's copies and users."""

    facts: list[InvoiceFacts] = field(default_factory=list)
    copies: list[NexaCloudInvoice] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)


def world(invoices: int, seeds: Iterator[int], watch: Stopwatch) -> World:
    """Generated invoices, a customer for each eight; reading their bodies is a stage."""
    made = World()
    for first in range(0, invoices, GENERATED):
        size, seed = min(GENERATED, invoices - first), next(seeds)
        files = generated(customers=max(1, size // 8), invoices=size, months=5, seed=seed)
        bodies = list(_bodies(files.sources))
        made.facts += watch.run(
            "bodies",
            partial(_read, bodies),
        )
        rows = [_typed("invoices", row) for row in files.nexacloud["invoices"]]
        items = [_typed("invoice_items", row) for row in files.nexacloud["invoice_items"]]
        made.copies += copies(rows, items, claims=lambda named: claimed_ref(named, OWNERS))
        for row in files.nexacloud["users"]:
            user = User(**row)  # type: ignore[arg-type]
            made.users[user.id] = user
    return made


def measure(invoices: int, a_month: int) -> dict[str, Any]:
    """One run over this many invoices: CPU seconds by stage, the ratio to a merge, peak memory."""
    watch, seeds = Stopwatch(), count(1)
    counts: Counter[str] = Counter()
    for first in range(0, invoices, a_month):
        counts += month(world(min(a_month, invoices - first), seeds, watch), watch)
    rules = sum(watch.seconds[stage] for stage in STAGES)
    return {
        **counts,
        "a_month": a_month,
        "invoices_a_cpu_second": round(counts["invoices"] / rules),
        "times_a_bare_merge": round(rules / watch.seconds["merge"], 1),
        "cpu_seconds": {name: round(s, 3) for name, s in watch.seconds.items()},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def month(made: World, watch: Stopwatch) -> Counter[str]:
    """One month through the rules, and once more over the books that it left; the counts of rows."""
    settings = load(PACKAGED)
    watch.run("merge", _merge(made))
    claimants = watch.run("agreement", lambda: first_claimants(made.copies))
    rows = watch.run("agreement", lambda: agreements(made.facts, claimants, made.users, RULES))
    before = watch.run("disposition", lambda: cases(made.facts, claimants, rows, {}))
    found = watch.run("disposition", lambda: _decided(before, {}, settings))
    documents = watch.run("document", lambda: _documents(before, found, settings))
    by_ref = {one.ref: one for one in made.facts}
    settled = watch.run("document", lambda: intended_settlements(documents, by_ref, settings, {}))
    now = _read_back(documents, settled)
    held = {one.ref: one.reason for one in found if one.reason}
    deltas = watch.run("deltas", lambda: ledger_deltas(documents, settled, now, not_posted=held))
    if deltas or not documents:
        raise SystemExit(f"{len(documents)} documents and {len(deltas)} deltas: {deltas[:3]}")
    after = watch.run("second day", lambda: cases(made.facts, claimants, rows, now))
    watch.run("second day", lambda: _decided(after, now, settings))
    lines = sum(len(one.lines) for one in made.facts)
    return Counter(invoices=len(made.facts), lines=lines, documents=len(documents))


def _read(bodies: Sequence[tuple[SourceRules, str, Json]]) -> list[InvoiceFacts]:
    return [rules.facts(body, owner=owner, timezone=TIMEZONE) for rules, owner, body in bodies]


def _bodies(sources: Mapping[str, Sequence[Json]]) -> Iterator[tuple[SourceRules, str, Json]]:
    by_invoice: dict[str, list[Json]] = defaultdict(list)
    for payment in sources["stripe/invoice_payments"]:
        by_invoice[payment["invoice"]].append(payment)
    for invoice in sources["stripe/invoices"]:
        paid = {"data": by_invoice[invoice["id"]], "has_more": False}
        body = {"invoice": {**invoice, "payments": paid}, "tax_rates": sources["stripe/tax_rates"]}
        yield STRIPE, ACCOUNT, body
    of_lago: dict[str, list[Json]] = defaultdict(list)
    for payment in sources["lago/payments"]:
        for key in payment["invoice_ids"]:
            of_lago[key].append(payment)
    for invoice in sources["lago/invoices"]:
        body = {
            "invoice": invoice,
            "fees": invoice["fees"],
            "payments": of_lago[invoice["lago_id"]],
        }
        yield LAGO, ORGANIZATION, body


def _typed(table: str, row: Row) -> dict[str, Any]:
    """A row of the table's text as the values of an extract."""
    read: dict[ColumnType, Callable[[str], Any]] = {
        ColumnType.NUMERIC: Decimal,
        ColumnType.TIMESTAMPTZ: datetime.fromisoformat,
        ColumnType.MOMENT: datetime.fromisoformat,
    }
    return {
        name: None if (text := row[name]) is None else read.get(_TYPES[table][name], str)(text)
        for name in column_names(table)
    }


def _merge(made: World) -> Callable[[], int]:
    """The least: the same documents' lines joined with those of their copies on ref and description."""
    claims = {one.facts.ref: one.claims for one in made.copies}
    left = pd.DataFrame(
        [(one.ref, line.description, line.net) for one in made.facts for line in one.lines],
        columns=["ref", "description", "net"],
    )
    right = pd.DataFrame(
        [
            (claims[one.facts.ref], line.description, line.net)
            for one in made.copies
            for line in one.facts.lines
        ],
        columns=["ref", "description", "copied"],
    )

    def merge() -> int:
        both = left.merge(right, on=["ref", "description"], how="outer")
        return int((both["net"] - both["copied"]).size)

    return merge


def _decided(
    of: Sequence[Case], now: dict[str, LedgerState], settings: Settings
) -> tuple[Disposition, ...]:
    return decided(of, (), (), now, settings, BOOKS, LAST_PERIOD)


def _documents(
    of: Sequence[Case], found: Sequence[Disposition], settings: Settings
) -> list[LedgerDocument]:
    """The intended documents, their digests computed, as the asset of documents does."""
    wanted = {one.ref for one in found if one.verdict is Verdict.POST}
    built = [intended(case, settings) for case in of if case.facts.ref in wanted]
    documents = [one for one in built if isinstance(one, LedgerDocument)]
    for one in documents:
        assert one.content_hash  # noqa: S101
    return documents


def _read_back(
    documents: Sequence[LedgerDocument], settled: Sequence[Settlement]
) -> dict[str, LedgerState]:
    """The ledger after all was written: equal values that share nothing with the intended ones."""
    own: dict[str, list[Settlement]] = defaultdict(list)
    for one in settled:
        own[one.document].append(one)
    states = [
        LedgerState(ref=document.ref, move=_move(document, own[document.ref]))
        for document in documents
    ]
    states += [
        LedgerState(
            ref=one.ref,
            settlement=LedgerSettlement(
                ref=one.ref,
                move_id=one.ref,
                state=MoveState.POSTED,
                settlement=replace(one),
                reconciled=one.amount,
                stored_hash=one.content_hash,
            ),
        )
        for one in settled
    ]
    return {state.ref: state for state in states}


def _move(document: LedgerDocument, settled: Sequence[Settlement]) -> LedgerMove:
    return LedgerMove(
        ref=document.ref,
        move_id=document.ref,
        state=MoveState.POSTED,
        payment_state=PaymentState.PAID,
        document=replace(document, lines=tuple(replace(line) for line in document.lines)),
        partner_links=(document.partner,),
        accounting_date=document.date,
        residual=expected_residual(document, settled),
        stored_hash=document.content_hash,
        stored_source_hash=document.source_hash,
    )


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=2_000)
    parser.add_argument("--a-month", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    collect_rarely()
    show(measure(options.invoices, options.a_month), as_json=options.json)


if __name__ == "__main__":
    main()
