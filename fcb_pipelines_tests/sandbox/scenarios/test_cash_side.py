"""The cash side that is derived from a dataset is coherent: it ties out, and every settlement is in it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from fcb_pipelines.connectors.lago.source import LagoSource
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.core.cash.balance import balance_rows, payout_rows, placed_wrongly
from fcb_pipelines.core.cash.clearing import ClearingRow, ClearingState, clearing
from fcb_pipelines.core.cash.entries import CashScope, Placement, entries_of, place
from fcb_pipelines.core.cash.gates import balance_ties_out, every_payout_adds_up
from fcb_pipelines.core.cash.settled import SettledBy, SettledCash, settled_cash
from fcb_pipelines.core.codes import CashReason
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout
from fcb_pipelines.core.facts.lago.rules import LAGO
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.stripe.cash import StripeCash
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines.core.periods import first_day
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.core.refs import document_name
from fcb_pipelines.sandbox import lago_server, stripe_server
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.scenarios import packaged
from fcb_pipelines.sandbox.scenarios.builders.cash_side import (
    CLAIMS,
    PAYOUTS,
    TRANSACTIONS,
    cash_side,
)
from fcb_pipelines.sandbox.stripe_balance import reported_balance
from fcb_pipelines_tests.serving import served

FAR = 1_900_000_000
DISPUTES = "stripe/disputes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What the pipeline makes of a dataset with its cash side."""

    company: Settings
    settled: Sequence[SettledCash]
    transactions: Sequence[BalanceTransaction]
    payouts: Sequence[Payout]
    placed: Sequence[Placement]
    tables: dict[str, list[Any]]

    def open(self) -> tuple[ClearingRow, ...]:
        """What is open at the end, were everything in the books that the sources confirm."""
        end = max(one.date for one in self.transactions) + timedelta(days=400)
        documents = {row.key: row.document for row in self.settled}
        return clearing(self.settled, entries_of(self.placed), {"end": end}, documents)


@cache
def side(name: str, **policies: str) -> Side:
    with TemporaryDirectory(prefix="cash-side-") as made:
        folder = Path(made)
        content = packaged.contents(name)
        for path, text in content.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text)
        tables = {
            path.removesuffix(".json"): json.loads(text)
            for path, text in content.items()
            if path.startswith(("stripe/", "lago/"))
        }
        dataset = Dataset.open(folder)
        told = dataset.settings().model_dump()
        told |= {"cash": True, "policies": told["policies"] | policies}
        company = Settings.model_validate(told)
        facts = _facts(folder, dataset)
    reader = StripeCash(account=dataset.stripe_account, timezone=dataset.timezone)
    rows = [reader.transaction(body) for body in tables[TRANSACTIONS]]
    named = {each["payout"]: {*each["transactions"]} for each in tables[CLAIMS]}
    payouts = [
        reader.payout(body, [row for row in tables[TRANSACTIONS] if row["id"] in named[body["id"]]])
        for body in tables[PAYOUTS]
    ]
    settled = {row.ref: row for one in facts for row in settled_cash(one, company)}
    scope = CashScope(
        settled=SettledBy(settled.values()),
        customers=frozenset(one.payer for one in facts if one.payer),
        metadata_key="nexacloud_user_id",
        until=FAR,
        today=date(2030, 1, 1),
    )
    return Side(
        company=company,
        settled=[*settled.values()],
        transactions=rows,
        payouts=payouts,
        placed=place(rows, scope, company),
        tables=tables,
    )


def _facts(folder: Path, dataset: Dataset) -> list[InvoiceFacts]:
    """Every document of the dataset's sources."""
    quick = Pace(100_000, sleep=lambda seconds: None)
    zone = dataset.timezone
    with (
        served(stripe_server.create_app(folder)) as stripe,
        served(lago_server.create_app(folder, api_key="k")) as lago,
    ):
        own = StripeSource("rk_live_1", dataset.stripe_account, 100, api_base=stripe, pace=quick)
        bodies = own.listing().documents
        found = [
            STRIPE.facts(one.body, owner=dataset.stripe_account, timezone=zone) for one in bodies
        ]
        other = LagoSource(lago, "k", dataset.lago_organization, 100, pace=quick)
        listed = other.listing().documents
        found += [
            LAGO.facts(one.body, owner=dataset.lago_organization, timezone=zone) for one in listed
        ]
    return found


NAMES = ("nexa-2026-05", "edge-cases", "edge-cases-later")


@pytest.mark.parametrize("name", NAMES)
def test_the_transactions_of_a_dataset_come_to_the_balance_and_its_payouts(name: str) -> None:
    found = side(name)
    assert [one.problem for one in found.transactions if one.problem] == []
    body = reported_balance(found.tables[TRANSACTIONS])
    reader = StripeCash(account="acct", timezone="America/Toronto")
    newest = [{"id": one.id, "created": one.created} for one in found.transactions]
    reported = reader.balance(body, newest, is_sure=True)
    begin = first_day(found.company.first_period)
    before = sum(one.net for one in found.transactions if one.date < begin)
    opening = {"opening": [{"currency": "CAD", "amount": f"{before / 100:.2f}"}]}
    company = Settings.model_validate(found.company.model_dump() | {"cash": opening})
    rows = balance_rows("stripe", found.transactions, found.placed, reported, company)
    faults = placed_wrongly(found.transactions, found.placed)
    assert balance_ties_out(rows, faults).outcome is Outcome.PASS
    assert every_payout_adds_up(payout_rows(found.payouts, found.transactions, company)) == (
        every_payout_adds_up(())
    )
    assert len(found.payouts) > 5


def test_every_settlement_of_the_company_reached_the_balance_and_nothing_is_pending() -> None:
    found = side("nexa-2026-05")
    assert found.open() == ()
    assert Counter(each.reason for each in found.placed if each.reason) == {
        CashReason.OTHER_SERVICE: 1
    }


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("lost", ["list", "loss"])
def test_in_every_case_a_settlement_meets_its_transactions_or_is_named(
    name: str, lost: str
) -> None:
    found = side(name, lost_dispute=lost)
    undecided = {
        one["id"]
        for one in found.tables[DISPUTES]
        if one["status"] not in ("lost", "won", "warning_closed", "prevented")
    }
    # What is open is a dispute that is not decided, where losses are booked, and nothing else.
    assert {document_name(row.key).id for row in found.open()} == (
        undecided if lost == "loss" else set()
    )
    assert {row.state for row in found.open()} <= {ClearingState.UNSETTLED}


def test_the_same_dataset_has_the_same_cash_side() -> None:
    whole = packaged.SCENARIOS["nexa-2026-05"]().sources
    sources = {name: objects for name, objects in whole.items() if name != TRANSACTIONS}
    assert cash_side(sources, FAR) == cash_side(sources, FAR)
    early = cash_side(sources, 1_775_000_000)
    assert 0 < len(early[TRANSACTIONS]) < len(cash_side(sources, FAR)[TRANSACTIONS])
    assert cash_side({}, FAR) == {TRANSACTIONS: [], PAYOUTS: [], CLAIMS: []}
