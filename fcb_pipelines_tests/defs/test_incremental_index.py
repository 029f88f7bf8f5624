"""Two worlds over the same histories: one lists in full, one reads what changed. Their indexes are equal."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
import simplejson

from fcb_pipelines.config import settings as configuration
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.sources import Incremental
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import read_frame, to_rows, write_frame
from fcb_pipelines.connectors.stripe import changes
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.core.facts.cursor import cursor_of
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.ledger.moves import ListedMove
from fcb_pipelines.core.refs import source_ref
from fcb_pipelines.defs.sources.following import Before, how_it_was_read
from fcb_pipelines.defs.sources.reading import Reader, listing_result, read_index
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines.sandbox.stripe_server import create_app
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.histories.drawing import (
    BEGINNINGS,
    END,
    Bill,
    Happens,
    Sync,
    drawn,
    happen,
)
from fcb_pipelines_tests.histories.events import World
from fcb_pipelines_tests.histories.rendering import snapshot
from fcb_pipelines_tests.serving import served
from fcb_pipelines_tests.source_shapes import stripe_invoice, stripe_line

Json = dict[str, Any]
COMPANY = configuration.load(configuration.PACKAGED)
ACCOUNT = COMPANY.stripe.account
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Homes:
    """Stripe's stand-in over a folder, and the two homes: `changed` goes on from its last index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        (self.data / "stripe").mkdir(parents=True)
        told = f"name: changing\nstripe: {{account: {ACCOUNT}}}\n"
        (self.data / "dataset.yaml").write_text(told)
        self.now = NOON
        self.faults = Faults()
        self.company = COMPANY.model_copy(update={"as_of": END})
        self.claimed: set[str] = set()
        self.how: Counter[str] = Counter()
        self._stack = ExitStack()
        self._address = ""
        self.restart()

    def restart(self) -> None:
        """Stripe's stand-in starts anew: what it told before is forgotten."""
        self._stack.close()
        app = create_app(self.data, faults=self.faults)
        self._address = self._stack.enter_context(served(app))

    def close(self) -> None:
        self._stack.close()

    def put(self, **lists: list[Json]) -> None:
        """These lists in place of the ones before; payments are a list of their own."""
        if "invoices" in lists:
            payments = [
                each
                for one in lists["invoices"]
                for each in (one.get("payments") or {}).get("data", ())
            ]
            lists.setdefault("invoice_payments", payments)
        # The transaction of a refund that failed is an object of its own, too.
        for one in lists.get("refunds", ()):
            if isinstance(failed := one.get("failure_balance_transaction"), dict):
                lists["balance_transactions"].append(failed)
                one["failure_balance_transaction"] = failed["id"]
        for name, rows in lists.items():
            file = self.data / "stripe" / f"{name}.json"
            file.write_text(simplejson.dumps(rows, use_decimal=True))

    def get(self, name: str) -> list[Json]:
        """One list as it is now."""
        text = (self.data / "stripe" / f"{name}.json").read_text()
        return list(simplejson.loads(text, use_decimal=True))

    def read(self, home: str, *, full: bool = False) -> pd.DataFrame:
        """The index of one home, a day later."""
        self.now += timedelta(days=1)
        file = self.folder / home / "index.parquet"
        (of,) = (one for one in registered(self.company) if one.name == "stripe")
        quick = Pace(100_000, sleep=lambda seconds: None)
        source = StripeSource("rk_live_1", ACCOUNT, 100, api_base=self._address, pace=quick)
        frame = read_index(
            Reader(of=of, source=source, evidence=EvidenceStore(self.folder / home / "evidence")),
            customers=frozenset({"cus_ada", "cus_1"}),
            claimed=self.claimed,
            ledger_state=(),
            last_period="2026-06",
            progress=lambda count: None,
            before=Before(
                index=read_frame(file) if file.exists() else None, now=self.now, in_full=full
            ),
        )
        write_frame(frame, file)
        return read_frame(file)

    def compared(self) -> pd.DataFrame:
        """The index of both homes, which are equal; that of the changed one."""
        changed, full = self.read("changed"), self.read("full", full=True)
        assert _rows(changed) == _rows(full)
        assert changed.attrs["problem"] is None
        self.how[changed.attrs["listing"]] += 1
        return changed


def _rows(frame: pd.DataFrame) -> dict[str, IndexRow]:
    rows = to_rows(frame, IndexRow)
    assert len({row.ref for row in rows}) == len(rows)
    return {row.ref: row for row in rows}


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Homes]:
    made = Homes(tmp_path)
    yield made
    made.close()


def invoices(count: int, **more: Any) -> list[Json]:
    """`count` paid invoices, a minute between each two."""
    return [invoice(n, **more) for n in range(count)]


def invoice(n: int, *, status: str = "paid", net: int = 100, **more: Any) -> Json:
    created = 1775000000 + 60 * n
    line = stripe_line(f"il_{n}", f"in_{n:06}", "x", net, period_start=1, period_end=2)
    return stripe_invoice(
        f"in_{n:06}", number=str(n), status=status, customer="cus_1", created=created,
        finalized_at=created, paid_at=created if status == "paid" else None, lines=[line], **more,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_reading_the_changes_comes_to_the_full_list(
    homes: Homes, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = Random(seed)  # noqa: S311 - dice
    monkeypatch.setattr(changes, "_NEWEST", dice.choice([0, 1, 50]))
    monkeypatch.setattr(changes, "PAGE_SIZE", dice.choice([1, 2, 100]))
    history = drawn(dice, 24)
    world = World(dice.choice(BEGINNINGS), END)
    for step in (*history.steps, Sync(post=False, again=False)):
        if isinstance(step, Bill | Happens):
            happen(world, step)
        elif isinstance(step, Sync):
            now = snapshot(world.billing, account=ACCOUNT, organization="nexacloud")
            homes.claimed = {ref for ref in now.copied if ref.startswith("stripe")}
            homes.put(**{name: list(rows) for name, rows in now.stripe.items()})
            if dice.random() < 0.1:
                homes.restart()
            homes.compared()
    assert homes.how["incremental"] + homes.how["full"] >= 1
