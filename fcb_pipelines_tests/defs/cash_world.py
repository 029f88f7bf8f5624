"""A world with cash on, and the jobs over its cash.

The definitions of a test process are of a configuration without cash, so its assets are defined here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import dagster as dg
import simplejson
import yaml

from fcb_pipelines.config import settings
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.cash.entries import Placement
from fcb_pipelines.core.cash.journal import JournalRow
from fcb_pipelines.core.close.gates import GATES, gates_of
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts.cash import ReportedBalance
from fcb_pipelines.core.ledger.cash import LedgerStatement
from fcb_pipelines.core.money import to_major
from fcb_pipelines.core.periods import local_date
from fcb_pipelines.core.proof.gate import GateResult, Outcome
from fcb_pipelines.defs.cash.assets import balance_assets, cash_assets
from fcb_pipelines.defs.cash.books import books_assets
from fcb_pipelines.defs.cash.proof import proof_assets
from fcb_pipelines.defs.cash.writing import writing_assets
from fcb_pipelines.defs.gates.inputs import frames_of, gate_results
from fcb_pipelines.defs.ledger.posting import PostingConfig
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines_tests.defs.runs import Frames, Functions, Run, through_dagster
from fcb_pipelines_tests.defs.world import DEFINITIONS, World, why

STRIPE = "stripe"
OVER_CASH = {one.name for one in gates_of((), (STRIPE,))} - {one.name for one in gates_of(())}
TRANSACTIONS = keys.source_key(STRIPE, "balance_transactions")
PAYOUTS = keys.source_key(STRIPE, "payouts")
REPORTED = keys.source_key(STRIPE, "balance")
POST = PostingConfig(post=True)
Row = TypeVar("Row")


def _definitions() -> dg.Definitions:
    mine = [
        *balance_assets(STRIPE),
        *cash_assets((STRIPE,)),
        *writing_assets(),
        *proof_assets((STRIPE,)),
        *books_assets((STRIPE,)),
    ]
    chosen = {
        "extract_cash": (REPORTED, keys.CASH_SETTLED),
        "month_of_cash": (TRANSACTIONS, PAYOUTS, keys.CASH_ENTRIES),
        "prove_cash": (keys.BALANCE_ROWS, keys.PAYOUT_ROWS),
        "write_cash": (keys.STATEMENT_LINES,),
        "in_the_books": (keys.CLEARING, keys.OUTSTANDING, keys.STATEMENTS, keys.JOURNAL),
    }
    return dg.Definitions(
        assets=[*(DEFINITIONS.assets or ()), *mine],
        resources=DEFINITIONS.resources,
        jobs=[
            dg.define_asset_job(name, dg.AssetSelection.assets(*picked))
            for name, picked in chosen.items()
        ],
    )


JOBS = _definitions()
FUNCTIONS = Functions(JOBS)


def turn_on(world: World) -> None:
    """Cash on in the world's configuration, and set up in its ledger."""
    config = Path(os.environ["FCB_CONFIG"])
    config.write_text(with_cash(config, world.data), "utf-8")
    settings.current.cache_clear()
    world.ledger.setup()


def with_cash(config: Path, data: Path) -> str:
    """The configuration in use, of this file, with cash on: what moved before the books is their opening balance."""
    company = settings.current()
    rows = simplejson.loads((data / "stripe" / "balance_transactions.json").read_text("utf-8"))
    amount = sum(
        row["net"]
        for row in rows
        if local_date(row["created"], company.timezone) < books_begin(company)
    )
    opening = [{"currency": "CAD", "amount": str(to_major(amount, "CAD"))}] if amount else []
    told = yaml.safe_load(config.read_text("utf-8"))
    return yaml.safe_dump(told | {"cash": {"opening": opening}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """A posted world with cash on, and the jobs over its cash: on their functions, or by Dagster."""

    world: World
    by_dagster: bool = True
    _read: list[Frames] = field(default_factory=list)

    def run(
        self, job: str, period: str | None = None, ops: Mapping[str, dg.Config] | None = None
    ) -> Run:
        """One job; `ops` is the configuration of its steps."""
        resolved = JOBS.resolve_job_def(job)
        if self.by_dagster:
            return through_dagster(resolved, self.world.instance, period, ops)
        if not self._read:
            self._read.append(Frames(self.world.frames))
        config = next(iter((ops or {}).values()), None)
        # One object for all steps of a run, as a process of the pipeline's has it.
        books = self.world.ledger if self.world.odoo else None
        lent = {"ledger": SimpleNamespace(open=lambda: books)} if books else {}
        return FUNCTIONS.run(resolved, self._read[0], period, config, lent)

    def prove(self) -> None:
        """What the source tells, placed and proved; all must succeed."""
        runs = [self.run("extract_cash"), *(self.run("month_of_cash", p) for p in periods())]
        runs.append(self.run("prove_cash"))
        assert all(run.success for run in runs), why(*runs)

    def write(self) -> list[Run]:
        """Every month's entries written; all must succeed."""
        ops = {keys.STATEMENT_LINES.to_python_identifier(): POST}
        runs = [self.run("write_cash", period, ops) for period in periods()]
        assert all(run.success for run in runs), why(*runs)
        return runs

    def look(self) -> Run:
        """The cash in the books, over all months."""
        run = self.run("in_the_books")
        assert run.success, why(run)
        return run

    def rows(self, key: dg.AssetKey, row_type: type[Row], period: str | None = None) -> list[Row]:
        """The rows of a frame, which must be there."""
        frame = self.world.frames.read(key.path, period)
        assert frame is not None
        return [*to_rows(frame, row_type)]

    def placements(self) -> list[Placement]:
        """The placements of all months."""
        return [
            row for period in periods() for row in self.rows(keys.CASH_ENTRIES, Placement, period)
        ]

    def gates(self) -> dict[str, GateResult]:
        """Every gate over cash whose frames are there."""
        wanted = [GATES[name] for name in OVER_CASH]
        read = {
            name: self.world.frames.read(one.key.path) for name, one in frames_of(wanted).items()
        }
        found = {name: frame for name, frame in read.items() if frame is not None}
        return {one.gate: one for one in gate_results(wanted, Month("", found))}

    def directives(self) -> int:
        """The number of balances that the embedded books assert of the journal."""
        lines = "\n".join(self.world.books_text().values()).splitlines()
        return sum(" balance Assets:111320" in line for line in lines)

    def outcomes(self) -> dict[str, Outcome]:
        """The outcome of each of these gates."""
        return {name: result.outcome for name, result in self.gates().items()}


def closed_with_cash(world: World) -> dict[str, Any]:
    """Cash turned on in a posted world, and all of it written: what then stands, as JSON values.

    Written twice: `again` is what the second time wrote.
    """
    turn_on(world)
    cash = Cash(world=world, by_dagster=False)
    cash.prove()
    cash.write()
    cash.look()
    again = [run.metadata[keys.STATEMENT_LINES]["written"] for run in cash.write()]
    last = cash.look()
    (reported,) = cash.rows(REPORTED, ReportedBalance)
    statements = cash.rows(keys.STATEMENTS, LedgerStatement)
    journal = cash.rows(keys.JOURNAL, JournalRow)
    return {
        "failed": {
            name: one.detail for name, one in cash.gates().items() if one.outcome is Outcome.FAIL
        },
        "warned": {
            name: one.detail for name, one in cash.gates().items() if one.outcome is Outcome.WARN
        },
        "judged": sorted(cash.gates()),
        "again": [sum(again), last.metadata[keys.STATEMENTS]["written"]],
        "reported": reported.amount,
        "journal": [[str(row.date), row.currency, row.held] for row in journal],
        "statements": [
            [one.statement.ref, one.statement.opening, one.statement.closing, one.is_valid]
            for one in statements
        ],
        "balance": [
            [row.account, row.currency, row.balance] for row in world.ledger.trial_balance()
        ],
    }
