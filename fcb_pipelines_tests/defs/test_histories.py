"""Whatever happens, and in whatever order it is synced and corrected: no amount is in neither place.

Random histories of billing at Stripe and Lago, told in the sources' own shapes, run through the pipeline
into real Beancount books. What must stand is worked out from the history alone, in double entry.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fcb_pipelines.config import settings as configuration
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.proof.amount_rows import Measure, nothing_is_lost
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.core.refs import base_of
from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first
from fcb_pipelines_tests.histories.drawing import (
    END,
    Bill,
    Correct,
    Happens,
    Lock,
    Step,
    Sync,
    drawn,
    happen,
    shortest,
)
from fcb_pipelines_tests.histories.events import World
from fcb_pipelines_tests.histories.model import Invoice
from fcb_pipelines_tests.histories.rendering import CUSTOMERS, snapshot
from fcb_pipelines_tests.histories.sync import Pipeline

# `FCB_LONG_HISTORIES=500` runs so many, and longer ones.
LONG = int(os.environ.get("FCB_LONG_HISTORIES", "0"))
LONGEST = 28 if LONG else 18
# A failing history is made shorter by leaving steps out; of a smaller number it would be another one.
BUDGET = settings(
    max_examples=LONG or 12,
    deadline=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    # The short run is the same each time; the long one is where new histories are looked for.
    derandomize=not LONG,
)

PACKAGED = configuration.load(configuration.PACKAGED)
CORRECTABLE = {
    "voided_after_posting",
    "source_changed",
    "settlement_taken_back",
    "taken_back_twice",
}
OF_REVENUE = {family.account.code for family in PACKAGED.families} | {
    PACKAGED.accounts.other.code,
    PACKAGED.accounts.unitemised.code,
}
OF_TAX = {tax.account for tax in PACKAGED.taxes}
OF_CASH = {
    journal.outstanding.code
    for journal in (PACKAGED.journals.stripe, PACKAGED.journals.off_platform)
    if journal.outstanding
}


def _configured(cutover: date, chosen: dict[str, str]) -> Settings:
    return PACKAGED.model_copy(
        update={
            "first_period": "2026-04",
            "cutover": cutover,
            "as_of": END,
            "policies": PACKAGED.policies.model_copy(update=chosen),
            "services": (),
        }
    )


class History:
    """One company's billing, its syncs and its corrections, with what must hold after each."""

    def __init__(self, template: Path, cutover: date, chosen: dict[str, str]) -> None:
        self.folder = Path(mkdtemp(dir=template.parent))
        self.known: set[tuple[str, str]] = set()
        self.settings = _configured(cutover, chosen)
        configuration.load = lambda path: self.settings  # type: ignore[assignment]
        configuration.current.cache_clear()
        shutil.copytree(template, self.folder, dirs_exist_ok=True)
        self.ledger = BeancountLedger(self.folder, self.settings)
        self.pipeline = Pipeline(self.ledger, self.settings)
        self.world = World(cutover, END)

    def take(self, step: Step) -> None:
        """One step, with what must hold after it."""
        match step:
            case Bill() | Happens():
                happen(self.world, step)
            case Lock():
                self._lock(date(2026, 4, 1) + timedelta(days=step.days))
            case Sync():
                self._sync(post=step.post, again=step.again)
                self._check()
            case Correct():
                self._sync(post=True)
                self._correct()

    def end(self) -> None:
        """Everything posted and corrected."""
        self._sync(post=True, again=True)
        self._check()
        self._correct()
        self._settled()

    def _lock(self, until: date) -> None:
        main = self.folder / "main.beancount"
        told = f'\n{until.isoformat()} custom "lock_date" "all"\n'
        main.write_text(main.read_text("utf-8") + told, "utf-8")

    # --- the same, and what must then hold ------------------------------------------------------------

    def _sync(self, *, post: bool, again: bool = False) -> None:
        account, organization = self.settings.stripe.account, self.settings.lago.organization
        now = snapshot(self.world.billing, account=account, organization=organization)
        self.known = self._known()
        # Drafts of before are posted by `fcb post`, which looks at every month.
        drafts = any(move.state is MoveState.DRAFT for move in self.ledger.list_moves())
        self.pipeline.sync(now, post=post, everything=post and drafts)
        if again:
            before = self._texts()
            self.pipeline.sync(now, post=post, everything=True)
            now_there = self._texts()
            written = [
                line
                for name, text in now_there.items()
                for line in text.splitlines()
                if line not in before.get(name, "")
            ]
            assert now_there == before, f"a second sync wrote something: {written}"

    def _check(self) -> None:
        rows = self.pipeline.amounts
        lost = nothing_is_lost(rows)
        assert lost.outcome is not Outcome.FAIL, lost.detail
        expected = self.world.billing.books(self.known)
        posted, balance = self._posted(), self._balance()
        listed: Counter[Any] = Counter()
        for row in rows:
            if row.measure is not Measure.CREDIT:
                assert not row.listed or row.why, f"{row} is listed for nothing"
                listed[_customer(row.partner), row.currency, row.measure.value] += row.listed
        assert _plain(posted + listed, posted, listed) == _plain(expected), (
            f"expected {_plain(expected)}, posted {_plain(posted)}, listed {_plain(listed)}"
        )
        by_currency: Counter[Any] = Counter()
        for (_, currency, measure), amount in posted.items():
            by_currency[currency, measure] += amount
        assert _plain(by_currency) == _plain(balance), "the trial balance says something else"
        decided = self.pipeline.dispositions
        ours = {base_of(move.ref) for move in self.ledger.list_moves()}
        assert ours <= decided.keys(), f"without a disposition: {ours - decided.keys()}"
        gates = {gate.gate: gate for gate in self.pipeline.gates}
        complete = gates["completeness"]
        assert complete.outcome is not Outcome.FAIL, complete.detail

    def _correct(self) -> None:
        found = self.pipeline.exceptions()
        refs = sorted(
            ref
            for ref, codes in found.items()
            if codes & CORRECTABLE and self.pipeline.dispositions[ref].period
        )
        before = self._distance()
        plans = self.pipeline.correct(refs)
        after = self._distance()
        farther = {key: (before[key], after[key]) for key in after if after[key] > before[key]}
        assert not farther, f"a correction went away from the source: {farther}"
        self._sync(post=True, again=bool(refs))
        self._check()
        left = self.pipeline.exceptions(but=self._matchings())
        for ref, plan in plans.items():
            codes = left.get(ref, set()) & CORRECTABLE
            if not codes or "refused" in plan.why or "edited" in plan.why or "doubt" in plan.why:
                continue
            raise AssertionError(f"{ref} was corrected ({plan.why}) and is still told: {codes}")
        again = self.pipeline.correct(refs)
        assert all(plan.is_empty for plan in again.values()), "a second correction wrote something"

    def _settled(self) -> None:
        """What nothing is told of any more stands exactly as its source says."""
        listed = {row.ref for row in self.pipeline.amounts if row.listed}
        posted = self._posted_by_document()
        for one in self.world.billing.invoices:
            if (one.customer, one.side) not in self.known or not one.live:
                continue
            refs = self._refs(one)
            if listed & {*refs} or one.lost:
                continue
            says = self.world.billing.of_group(one)
            for measure in ("revenue", "tax"):
                stands = sum(posted[ref, measure] for ref in refs)
                assert stands == says[measure], f"{one.id}: {measure} {stands}, not {says[measure]}"
        gates = {gate.gate: gate for gate in self.pipeline.gates}
        tied = gates["receivable_ties_out"]
        # A void that leaves a note's credit to the customer gives more than it took (Lago).
        doubtful = any(
            one.side == "lago" and one.void and one.notes for one in self.world.billing.invoices
        )
        assert doubtful or tied.outcome is not Outcome.FAIL, tied.detail

    def _matchings(self) -> set[str]:
        """A matching is no entry: a person frees it."""
        entries = self.ledger.read_settlements(None)
        return {entry.ref for entry in entries if entry.settlement.is_allocation}

    # --- reading the books ------------------------------------------------------------------------------

    def _known(self) -> set[tuple[str, str]]:
        """Whose documents belong to the population: of whom NexaCloud has a user or a row, or the books an entry."""
        billing = self.world.billing
        users = {(who, side) for who in CUSTOMERS for side in ("stripe", "lago")
                 if who not in billing.gone}  # fmt: skip
        ledger_state = {
            move.ref
            for move in self.ledger.list_moves()
            if move.state in (MoveState.DRAFT, MoveState.POSTED)
        }
        for one in billing.invoices:
            if one.copied and one.status != "draft" and one.customer not in billing.erased:
                # A row names Lago's customer by its user, and Stripe's by what is there of the document.
                users.add((one.customer, "lago"))
                if one.notes or not one.lost:
                    users.add((one.customer, one.side))
            refs = {self._ref(one, note.id) for note in one.notes}
            refs |= set() if one.lost else {self._ref(one, one.id)}
            if refs & ledger_state:
                users.add((one.customer, one.side))
        return users

    def _ref(self, one: Invoice, source_id: str) -> str:
        account, organization = self.settings.stripe.account, self.settings.lago.organization
        owner = f"stripe:{account}" if one.side == "stripe" else f"lago:{organization}"
        return f"{owner}:{source_id}"

    def _posted(self) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for move in self.ledger.read_moves(None):
            if move.state is MoveState.POSTED:
                document = move.document
                key, sign = (_customer(document.partner), document.currency), document.kind.sign
                found[*key, "revenue"] += sign * sum(line.net for line in document.lines)
                found[*key, "tax"] += sign * sum(tax.amount for tax in document.taxes)
        receipts: set[str] = set()
        for entry in self.ledger.read_settlements(None):
            settled = entry.settlement
            if not settled.method.is_cash or entry.state is not MoveState.POSTED:
                continue
            amount = settled.kind.sign * settled.amount
            if settled.receipt is not None and settled.drawn_on is not None:
                amount = 0 if settled.drawn_on in receipts else settled.kind.sign * settled.receipt
                receipts.add(settled.drawn_on)
            found[_customer(settled.partner), settled.currency, "cash"] += amount
        return found

    def _posted_by_document(self) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for move in self.ledger.read_moves(None):
            if move.state is MoveState.POSTED:
                sign, ref = move.document.kind.sign, base_of(move.ref)
                found[ref, "revenue"] += sign * move.document.net
                found[ref, "tax"] += sign * move.document.tax
        return found

    def _balance(self) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for row in self.ledger.trial_balance():
            for codes, measure, sign in (
                (OF_REVENUE, "revenue", -1), (OF_TAX, "tax", -1), (OF_CASH, "cash", 1),
            ):  # fmt: skip
                if row.account in codes:
                    found[row.currency, measure] += sign * row.balance
        return found

    def _distance(self) -> Counter[Any]:
        """How far each invoice with its notes stands from what its source says, in revenue and tax."""
        posted = self._posted_by_document()
        found: Counter[Any] = Counter()
        for one in self.world.billing.invoices:
            if one.lost:
                continue
            says = self.world.billing.of_group(one)
            for measure in ("revenue", "tax"):
                stands = sum(posted[ref, measure] for ref in self._refs(one))
                found[one.id, measure] = abs(says[measure] - stands)
        return found

    def _refs(self, one: Invoice) -> list[str]:
        return [self._ref(one, each) for each in (one.id, *(note.id for note in one.notes))]

    def _texts(self) -> dict[str, str]:
        files = sorted(self.folder.rglob("*.beancount"))
        return {str(file.relative_to(self.folder)): file.read_text("utf-8") for file in files}


def _customer(partner: str) -> str:
    """The customer whose billing account it is, whoever names it."""
    (found,) = (who for who in CUSTOMERS if partner.endswith((f"user-{who}", f"cus_{who}")))
    return found


def _plain(counted: Counter[Any], *parts: Counter[Any]) -> dict[Any, int]:
    """Without what comes to nothing; the sum of the parts where these are given."""
    if parts:
        counted = Counter()
        for part in parts:
            for key, amount in part.items():
                counted[key] += amount
    return {key: amount for key, amount in sorted(counted.items()) if amount}


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Prepared books to begin with, in memory where there is such a place, without syncs to the disk."""
    memory = Path("/dev/shm")
    parent = Path(mkdtemp(prefix="fcb-", dir=memory if memory.is_dir() else None))
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(configuration, "load", configuration.load)
    folder = parent / "template"
    folder.mkdir()
    BeancountLedger(folder, PACKAGED).setup()
    yield folder
    shutil.rmtree(parent)
    monkeypatch.undo()
    configuration.current.cache_clear()


@given(seed=st.integers(0, 2**32))
@BUDGET
def test_no_amount_is_in_neither_place_whatever_happens(template: Path, seed: int) -> None:
    history = drawn(Random(seed), LONGEST)  # noqa: S311 - dice

    def why(steps: Sequence[Step]) -> str | None:
        of = History(template, history.begin, history.policies)
        try:
            for step in steps:
                of.take(step)
            of.end()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            shutil.rmtree(of.folder)
        return None

    if why(history.steps) is not None:
        few = shortest(history.steps, lambda steps: why(steps) is not None)
        pytest.fail(f"{why(few)}\n{replace(history, steps=tuple(few))}")
