"""Two worlds over the same histories: one lists in full, one reads what changed. Their indexes are equal."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
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
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import FrameStore, read_frame, to_rows, write_frame
from fcb_pipelines.connectors.stripe import changes
from fcb_pipelines.connectors.stripe.client import StripeReader
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.connectors.sweep import Sweep
from fcb_pipelines.core.company.settings import SyncSettings
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.defs.billing import kept_facts
from fcb_pipelines.defs.billing.kept_facts import KeptFacts
from fcb_pipelines.defs.sources.following import Before, how_it_was_read
from fcb_pipelines.defs.sources.reading import Reader, listing_result, read_index
from fcb_pipelines.defs.sources.registry import RegisteredSource, registered
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines.sandbox.stripe_events import Events
from fcb_pipelines.sandbox.stripe_server import create_app
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
from fcb_pipelines_tests.source_shapes import (
    stripe_invoice,
    stripe_invoice_payment,
    stripe_line,
    stripe_refund,
)

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
        # What was judged before is kept where the list goes on, and nowhere else.
        kept = KeptFacts(of, FrameStore(self.folder / home) if home == "changed" else None)
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
            facts_of=kept.of_body,
        )
        kept.keep()
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


def invoices(count: int) -> list[Json]:
    """`count` paid invoices, a minute between each two."""
    return [invoice(n) for n in range(count)]


def invoice(n: int, *, status: str = "paid", id: str | None = None, at: int | None = None) -> Json:
    created, name = at or 1775000000 + 60 * n, id or f"in_{n:06}"
    line = stripe_line(f"il_{n}", name, "x", 100, period_start=1, period_end=2)
    return stripe_invoice(
        name, number=str(n), status=status, customer="cus_1", created=created,
        finalized_at=created, paid_at=created if status == "paid" else None, lines=[line],
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(16))
def test_whatever_happens_reading_the_changes_comes_to_the_full_list(
    homes: Homes, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = Random(seed)  # noqa: S311 - dice
    monkeypatch.setattr(changes, "_NEWEST", dice.choice([0, 1, 50]))
    monkeypatch.setattr(changes, "PAGE_SIZE", dice.choice([1, 2, 100]))
    history = drawn(dice, 20)
    world = World(dice.choice(BEGINNINGS), END)
    drafts: list[Json] = []
    for step in (*history.steps, Sync(post=False, again=False)):
        if isinstance(step, Bill | Happens):
            happen(world, step)
        elif isinstance(step, Sync):
            now = snapshot(world.billing, account=ACCOUNT, organization="nexacloud")
            homes.claimed = {ref for ref in now.copied if ref.startswith("stripe")}
            lists = {name: list(rows) for name, rows in now.stripe.items()}
            drafts = _some_deleted_and_more_made(dice, drafts, lists["invoices"])
            homes.put(**{**lists, "invoices": [*lists["invoices"], *drafts]})
            if dice.random() < 0.1:
                homes.restart()
            homes.compared()
    assert homes.how.total()


def _some_deleted_and_more_made(dice: Random, drafts: list[Json], known: list[Json]) -> list[Json]:
    """The drafts of now: some of before are deleted, and new ones are made just before and after others."""
    left = [each for each in drafts if dice.random() < 0.6]
    for near in dice.sample(known, min(len(known), dice.randint(0, 3))):
        made = near["created"] + dice.choice([-60, 0, 60])
        left.append(invoice(0, status="draft", id=f"in_draft_{dice.getrandbits(40):x}", at=made))
    return left


# --- a body that comes again -----------------------------------------------------------------------


def judged(homes: Homes, monkeypatch: pytest.MonkeyPatch, *, full: bool = False) -> int:
    """So many bodies are judged while the changed home is read."""
    counted: Counter[str] = Counter()
    facts = RegisteredSource.facts

    def counting(self: RegisteredSource, body: Json) -> InvoiceFacts:
        counted[self.name] += 1
        return facts(self, body)

    with monkeypatch.context() as patched:
        patched.setattr(RegisteredSource, "facts", counting)
        homes.read("changed", full=full)
    return counted.total()


def _another_note(homes: Homes) -> None:
    rows = homes.get("invoices")
    homes.put(invoices=[{**rows[0], "description": "Another"}, *rows[1:]])
    homes.restart()


@pytest.mark.parametrize(
    ("happens", "count"),
    [
        (lambda homes: None, 0),
        (Homes.restart, 0),
        (_another_note, 1),
        (lambda homes: homes.put(invoices=[*homes.get("invoices"), invoice(9)]), 1),
        (lambda homes: _settings(homes, scope_metadata_key="other"), 5),
        (lambda homes: (homes.folder / "changed/kept/listed/stripe.parquet").unlink(), 5),
    ],
    ids=["nothing", "all listed again", "one changed", "one more", "another setting", "deleted"],
)
def test_only_a_body_that_was_not_there_before_is_judged(
    homes: Homes,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Homes], object],
    count: int,
) -> None:
    homes.put(invoices=invoices(5))
    assert judged(homes, monkeypatch) == 5
    happens(homes)
    assert judged(homes, monkeypatch) == count
    assert judged(homes, monkeypatch) == 0


def test_what_other_code_judged_is_judged_again(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes.put(invoices=invoices(5))
    homes.read("changed")
    monkeypatch.setattr(kept_facts, "code_digest", lambda: "of another release")
    assert judged(homes, monkeypatch) == 5


def test_nothing_is_kept_of_a_document_that_the_source_erased(homes: Homes) -> None:
    homes.put(invoices=invoices(5))
    homes.read("changed")
    homes.put(invoices=invoices(4))
    homes.restart()
    homes.read("changed")
    kept = read_frame(homes.folder / "changed" / "kept" / "listed" / "stripe.parquet")
    assert len(kept) == 4


# --- why a list is read in full -------------------------------------------------------------------


def _attr(homes: Homes, change: Callable[[dict[str, Any]], object]) -> None:
    file = homes.folder / "changed" / "index.parquet"
    frame = read_frame(file)
    change(frame.attrs)
    write_frame(frame, file)


def _settings(homes: Homes, **section: Any) -> None:
    stripe = homes.company.stripe.model_copy(update=section)
    homes.company = homes.company.model_copy(update={"stripe": stripe})


def _days(homes: Homes, days: int) -> None:
    sync = SyncSettings(full_listing_days=days)
    homes.company = homes.company.model_copy(update={"sync": sync})


def _later(homes: Homes, days: int) -> None:
    homes.now += timedelta(days=days)


def _no_right(homes: Homes) -> None:
    homes.faults.forbidden = frozenset({"events"})


def _no_evidence(homes: Homes) -> None:
    shutil.rmtree(homes.folder / "changed" / "evidence")


def _a_row_lost(homes: Homes) -> None:
    file = homes.folder / "changed" / "index.parquet"
    frame = read_frame(file)
    short = frame.iloc[1:].reset_index(drop=True)
    short.attrs = frame.attrs
    write_frame(short, file)


def _one_broken(homes: Homes) -> None:
    rows = homes.get("invoices")
    rows[0]["metadata"] = {"changed": "1"}
    homes.put(invoices=rows)
    homes.faults.broken = frozenset({rows[0]["id"]})


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda homes: None, None),
        (lambda homes: _later(homes, 4), None),
        (lambda homes: _later(homes, 6), "the last full list is of 2026-07-02, 7 days ago or more"),
        (lambda homes: _later(homes, 25), "the last sync was more than 25 days ago"),
        (lambda homes: _later(homes, -5), "the last sync was later than this one"),
        (lambda homes: _days(homes, 0), "the last full list is of 2026-07-02, 0 days ago or more"),
        (lambda homes: _settings(homes, scope_metadata_key="other"), "settings are others"),
        (Homes.restart, "the newest event of the last sync, is no longer there"),
        (_no_right, "the key may no longer read events"),
        (_no_evidence, "the earlier index can't be read again"),
        (_a_row_lost, "the earlier index is not as it was written"),
        (_one_broken, "in_000000 could not be read alone"),
        (lambda homes: (homes.folder / "changed/index.parquet").unlink(), "is no earlier index"),
        (lambda homes: _attr(homes, lambda a: a.pop("cursor")), "the earlier index has no cursor"),
        (lambda homes: _attr(homes, lambda a: a["cursor"].pop("rest")), "cursor can't be read"),
        (lambda homes: _attr(homes, lambda a: a["cursor"].update(mark={})), "mark of the last sync"),
    ],
)  # fmt: skip
def test_where_what_changed_is_not_sure_the_list_is_read_in_full_and_says_why(
    homes: Homes,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Homes], object],
    why: str | None,
) -> None:
    monkeypatch.setattr("fcb_pipelines.connectors.retry.ATTEMPTS", 1)
    homes.put(invoices=invoices(120))
    homes.read("changed")
    happens(homes)
    frame = homes.read("changed")
    assert frame.attrs["problem"] is None
    if why is None:
        assert how_it_was_read(frame.attrs).startswith(
            "read what changed since the last sync: 0 new"
        )
    else:
        assert frame.attrs["listing"] == "full"
        assert why in how_it_was_read(frame.attrs)


def test_a_person_can_ask_for_the_full_list(homes: Homes) -> None:
    homes.put(invoices=invoices(3))
    homes.read("changed")
    frame = homes.read("changed", full=True)
    assert (frame.attrs["listing"], frame.attrs["why"]) == ("full", "it was asked for")
    assert homes.read("changed").attrs["listing"] == "incremental"


def test_without_a_right_to_events_every_sync_lists_in_full(homes: Homes) -> None:
    homes.put(invoices=invoices(3))
    homes.faults.forbidden = frozenset({"events"})
    assert [homes.read("changed").attrs["why"] for _ in range(3)] == [
        "there is no earlier index",
        "the key may not read events",
        "the key may not read events",
    ]


# --- what is read, and what is proved -----------------------------------------------------------------


def test_what_did_not_change_keeps_its_row_and_costs_no_call(homes: Homes) -> None:
    homes.put(invoices=invoices(300))
    before = _rows(homes.compared())
    rows = homes.get("invoices")
    rows[0]["metadata"] = {"changed": "1"}
    homes.put(invoices=[*rows, invoice(300, status="draft")])
    frame = homes.read("changed")
    after = _rows(frame)
    first, new = (f"stripe:{ACCOUNT}:in_{n:06}" for n in (0, 300))
    assert {ref for ref in after if after[ref] != before.get(ref)} == {first, new}
    assert frame.attrs["changes"] == {"new": 1, "read_again": 62, "gone": 0}
    assert frame.attrs["calls"] <= 12


def test_a_draft_that_is_deleted_leaves_the_index(homes: Homes) -> None:
    homes.put(invoices=[*invoices(80), invoice(81, status="draft")])
    homes.compared()
    homes.put(invoices=invoices(80))
    frame = homes.compared()
    assert (frame.attrs["listing"], frame.attrs["changes"]["gone"]) == ("incremental", 1)
    assert len(frame) == 80


@pytest.mark.parametrize("between", ["paid", "draft"])
def test_drafts_that_are_deleted_on_both_sides_of_a_known_invoice_stop_nothing(
    homes: Homes, between: str
) -> None:
    kept = [*invoices(80), invoice(82, status=between)]
    homes.put(invoices=[*kept, invoice(81, status="draft"), invoice(83, status="draft")])
    homes.compared()
    homes.put(invoices=kept)
    frame = homes.compared()
    assert (frame.attrs["listing"], frame.attrs["changes"]["gone"]) == ("incremental", 2)
    assert len(frame) == 81


def test_a_refund_of_before_joins_the_invoice_that_takes_its_payment_later(homes: Homes) -> None:
    early = stripe_refund("re_1", 50, created=1775000000, charge="ch_9", payment_intent="pi_9")
    homes.put(invoices=invoices(60), refunds=[early])
    homes.compared()
    homes.compared()
    paid = stripe_invoice_payment(
        "inpay_1", "in_000000", 100, paid_at=1775000000, payment_intent="pi_9"
    )
    homes.put(invoice_payments=[paid])
    frame = homes.compared()
    assert frame.attrs["listing"] == "incremental"
    (row,) = (row for row in to_rows(frame, IndexRow) if row.source_id == "in_000000")
    evidence = EvidenceStore(homes.folder / "changed" / "evidence")
    assert [each["id"] for each in evidence.get("stripe", row.body_hash or "")["refunds"]] == [
        "re_1"
    ]


@pytest.mark.parametrize(
    ("put", "fault"),
    [
        ([*range(120), 121], None),
        # Between others, and long before the last sync.
        ([*range(100), 100.5, *range(101, 121)], "in_100_5 is older than the last sync, and was on no"),
    ],
)  # fmt: skip
def test_a_document_that_no_list_and_no_event_told_of_fails_the_gate_and_the_next_lists_in_full(
    homes: Homes, monkeypatch: pytest.MonkeyPatch, put: list[float], fault: str | None
) -> None:
    homes.put(invoices=[invoice(n * 100) for n in range(120)])
    homes.read("changed")
    monkeypatch.setattr(Events, "_differences", lambda *_: [])
    late = [
        invoice(int(n * 100), id=f"in_{n}".replace(".", "_")) for n in put if n not in range(120)
    ]
    homes.put(invoices=[*homes.get("invoices"), *late])
    frame = homes.read("changed")
    gate = listing_result("stripe", to_rows(frame, IndexRow), frame.attrs)
    assert frame.attrs["listing"] == "incremental"
    assert (gate.outcome is Outcome.FAIL) is (fault is not None)
    following = homes.read("changed")
    if fault:
        assert fault in gate.detail
        assert following.attrs["why"].startswith("the last list was not whole: ")
        assert following.attrs["problem"] is None


def test_an_object_that_its_own_list_lacks_fails_the_gate(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes.put(invoices=invoices(10))
    homes.read("changed")
    sweep = StripeReader.sweep

    def short(reader: StripeReader, path: str, *given: Any) -> Sweep:
        swept = sweep(reader, path, *given)
        return replace(swept, items=swept.items[1:]) if path == "/v1/invoices" else swept

    monkeypatch.setattr(StripeReader, "sweep", short)
    problem = homes.read("changed").attrs["problem"]
    assert problem == "/v1/invoices lacks in_000009, which exists"
