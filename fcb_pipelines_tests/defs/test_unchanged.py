"""A month with something open is built again unless nothing at all is another than at its last build.

Each row changes one thing that a build reads. The months of the window were built twice, and the second
build changed nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from fcb_pipelines.config import settings
from fcb_pipelines.connectors.store.frames import read_frame, write_frame
from fcb_pipelines.core.close.decisions import Decision
from fcb_pipelines.defs.metering import whole as leaks
from fcb_pipelines.defs.reconciliation import basis, whole
from fcb_pipelines.defs.reconciliation.basis import basis_of
from fcb_pipelines.defs.reconciliation.history import BuiltMonths
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import connections, frame_io, keys, partitions
from fcb_pipelines_tests.defs.journal import edit_entry, replacing
from fcb_pipelines_tests.defs.world import PERIODS, Snapshot, World, ref_of, why

OPEN = PERIODS[2:]
MAY = PERIODS[-1]
Change = Callable[[World, pytest.MonkeyPatch], object]


def synced(world: World) -> tuple[str, ...]:
    """A whole sync; the months that it built."""
    assert world.extract().success
    window = world.window()
    runs = [world.month(period, post=True) for period in window]
    assert all(run.success for run in runs), why(*runs)
    assert world.prove().success
    return window


@pytest.fixture
def quiet(
    snapshot: Callable[..., Snapshot],
    a_copy_of: Callable[[Snapshot], AbstractContextManager[World]],
) -> Iterator[World]:
    """The dataset after syncs of which the last had nothing to build."""

    def make(world: World) -> None:
        world.close()
        assert [synced(world) for _ in range(2)] == [OPEN, ()]

    with a_copy_of(snapshot("quiet", make)) as world:
        yield world


def test_what_did_not_change_is_not_built_again_and_is_proved_again(quiet: World) -> None:
    told = quiet.status()
    assert quiet.window() == ()
    assert synced(quiet) == ()
    assert quiet.status() == told


# --- the proof --------------------------------------------------------------------------------------


JOINS = {"completed": whole, "tied": whole, "amounts": whole, "LeakView": leaks}
ALL = {*JOINS}


def joined_again(world: World, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What the proof joins with every month once more."""
    made: set[str] = set()

    def told(name: str) -> Callable[..., Any]:
        real = getattr(JOINS[name], name)

        def joined(*given: Any, **named: Any) -> Any:
            made.add(name)
            return real(*given, **named)

        return joined

    for name, module in JOINS.items():
        monkeypatch.setattr(module, name, told(name))
    assert world.prove().success
    return made


def other_code(_: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_io, "code_digest", lambda: "of another release")


def extracted(change: Change) -> Change:
    """The change, and an extract after it."""

    def both(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        change(world, monkeypatch)
        assert world.extract().success

    return both


def a_month_again(world: World, _: pytest.MonkeyPatch) -> None:
    assert world.month(MAY, post=True).success


def another_day(_: World, monkeypatch: pytest.MonkeyPatch) -> None:
    then = partitions.today() + timedelta(days=1)
    monkeypatch.setattr(leaks, "today", lambda: then)


def the_extracts_alone(world: World, _: pytest.MonkeyPatch) -> None:
    """An index that was not cut into months."""
    file = world.frames.path(keys.source_key("stripe", "index").path)
    write_frame(read_frame(file), file)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda *_: None, set()),
        (extracted(lambda *_: None), set()),
        (lambda world, _: edited(r"^(\S+) \*", r"\1 !")(world, _), {"tied", "amounts"}),
        (extracted(lambda world, _: a_user(world, _)), ALL),
        (a_month_again, ALL),
        (other_code, ALL),
        (another_day, {"LeakView"}),
        (the_extracts_alone, ALL),
        (lambda world, _: the_proof_found_another_amount(world, _), {"amounts"}),
    ],
    ids=[
        "nothing",
        "an extract",
        "the books",
        "a source",
        "a month",
        "code",
        "a day",
        "an index",
        "an amount",
    ],
)
def test_a_proof_is_made_again_where_it_would_be_made_of_something_else(
    quiet: World, monkeypatch: pytest.MonkeyPatch, change: Change, again: set[str]
) -> None:
    change(quiet, monkeypatch)
    assert joined_again(quiet, monkeypatch) == again
    assert joined_again(quiet, monkeypatch) == (ALL if change is the_extracts_alone else set())


# --- at the sources ---------------------------------------------------------------------------------


def a_user(world: World, _: pytest.MonkeyPatch) -> None:
    with world.table("users") as rows:
        rows[-1]["full_name"] = "Another Name"


def a_subscription(world: World, _: pytest.MonkeyPatch) -> None:
    with world.table("subscriptions") as rows:
        rows[-1]["status"] = "cancelled"


def an_invoice_at_stripe(world: World, _: pytest.MonkeyPatch) -> None:
    with world.objects("stripe/invoices") as invoices:
        invoices[-1]["footer"] = "A word to the customer"


@pytest.mark.parametrize("change", [a_user, a_subscription, an_invoice_at_stripe])
def test_a_change_at_a_source_is_built(
    quiet: World, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    change(quiet, monkeypatch)
    assert quiet.extract().success
    assert set(quiet.window()) >= set(OPEN)


# --- in the books -----------------------------------------------------------------------------------


def edited(pattern: str, new: str) -> Change:
    """A person's edit of the first document of May."""

    def edit(world: World, _: pytest.MonkeyPatch) -> None:
        moves = world.ledger.read_moves()
        move = next(each for each in moves if each.document.date.strftime("%Y-%m") == MAY)
        edit_entry(world, move.ref, replacing(pattern, new))

    return edit


def a_partner(world: World, _: pytest.MonkeyPatch) -> None:
    file = world.books / "partners.beancount"
    text = file.read_text("utf-8")
    file.write_text(text.replace('  name: "', '  name: "Old ', 1), "utf-8")
    assert file.read_text("utf-8") != text


def a_lock(world: World, _: pytest.MonkeyPatch) -> None:
    main = world.books / "main.beancount"
    with main.open("a", encoding="utf-8") as file:
        file.write('\n2026-01-31 custom "lock_date" "payments"\n')


def a_release(world: World, _: pytest.MonkeyPatch) -> None:
    moves = world.ledger.read_moves()
    move = next(each for each in moves if each.document.date.strftime("%Y-%m") == MAY)
    world.log.release(world.ledger.describe().identity, move.ref, "by mistake")


# --- what people and time decide ----------------------------------------------------------------------


def an_acknowledgement(world: World, _: pytest.MonkeyPatch) -> None:
    ref = ref_of(world.status(), "NXC-0004")
    given = Decision(
        ref=ref, code="disputed", by="Ann", at=datetime(2026, 6, 1, tzinfo=UTC), note="", seen="x"
    )
    connections.decisions(world.found).keep(given)


def a_setting(world: World, _: pytest.MonkeyPatch) -> None:
    file = Path(world.found.values["FCB_CONFIG"])
    told = yaml.safe_load(file.read_text("utf-8"))
    file.write_text(yaml.safe_dump({**told, "posting": "auto"}), "utf-8")
    settings.current.cache_clear()


def another_version(_: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basis, "code_digest", lambda: "of another release")


def the_next_day(_: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tomorrow = partitions.today() + timedelta(days=1)
    monkeypatch.setattr(basis, "today", lambda: tomorrow)


# --- what other runs left -----------------------------------------------------------------------------


def the_proof_found_another_amount(world: World, _: pytest.MonkeyPatch) -> None:
    file = world.frames.path(keys.AMOUNTS.path)
    write_frame(read_frame(file).iloc[1:], file)


def a_month_of_before_told_something_else(world: World, _: pytest.MonkeyPatch) -> None:
    file = world.frames.path(keys.REPORT.path, PERIODS[0])
    frame = read_frame(file)
    frame.attrs[basis.RESULT] = "another"
    write_frame(frame, file)


def the_report_alone(world: World, _: pytest.MonkeyPatch) -> None:
    """A job that builds only a part of the month."""
    assert world.run("close_report", MAY).success


@pytest.mark.parametrize(
    "change",
    [
        edited(r"^    description: \"", '    description: "Edited '),
        edited(r"^(\S+) \*", r"\1 !"),
        a_partner,
        a_lock,
        a_release,
        an_acknowledgement,
        a_setting,
        another_version,
        the_next_day,
        the_proof_found_another_amount,
        a_month_of_before_told_something_else,
        the_report_alone,
    ],
)
def test_another_build_may_come_to_something_else(
    quiet: World, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    change(quiet, monkeypatch)
    assert set(quiet.window()) >= {MAY}


def test_a_month_that_only_waits_for_its_payment_is_not_built_for_the_day_alone(
    quiet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for period in OPEN:
        file = quiet.frames.path(keys.REPORT.path, period)
        frame = read_frame(file)
        frame.attrs[basis.BASIS]["day"] = None
        write_frame(frame, file)
    the_next_day(quiet, monkeypatch)
    assert quiet.window() == ()


@pytest.mark.parametrize(
    ("key", "attr", "value"),
    [
        (keys.DRAFT_MOVES, "refused", {"a document": "tax_mismatch"}),
        (keys.POSTED_MOVES, "refused", {"a document": "period_locked"}),
        (keys.SETTLEMENTS, "refused", {"a payment": "period_locked"}),
        (keys.DISPOSITIONS, "snapshot", "of another extract"),
        (keys.METERING_DELTAS, "snapshot", "of another extract"),
        (keys.SETTLEMENTS, "books", '{"currencies": []}'),
    ],
)
def test_a_build_that_another_may_add_to_has_no_basis(
    quiet: World, key: dg.AssetKey, attr: str, value: object
) -> None:
    assert quiet.month(MAY, post=True).success
    built = FrameReport(quiet.frames).month(MAY)
    assert built is not None
    assert basis_of(quiet.frames, MAY, built, (), (), BuiltMonths(quiet.frames)) is not None
    file = quiet.frames.path(key.path, MAY)
    frame = read_frame(file)
    frame.attrs[attr] = value
    write_frame(frame, file)
    assert basis_of(quiet.frames, MAY, built, (), (), BuiltMonths(quiet.frames)) is None
