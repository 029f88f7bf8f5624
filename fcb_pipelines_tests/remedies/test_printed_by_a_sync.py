"""What a sync and its months print, or a verb that comes too early: the command mends it. One world, mended by each."""

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest

from fcb_pipelines_tests.defs.world import PERIODS, FrameReport, World, running, why

# isort: split
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.connectors.beancount import lock
from fcb_pipelines.connectors.failures import Busy, Failure, NotFound, NotPrepared
from fcb_pipelines.connectors.store.writer import one_writer
from fcb_pipelines.core.close.alerts import alert_of_proof
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.defs.automation.alerts import gates_by_month
from fcb_pipelines.defs.reconciliation.queue import Queue
from fcb_pipelines.defs.reconciliation.review import Review
from fcb_pipelines.defs.runtime import connections, keys
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.nexacloud_database import load_nexacloud
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.connectors.store.test_writer import writing
from fcb_pipelines_tests.remedies.printed import WorldPipeline, fcb, printed

# A paid invoice of Stripe.
PERIOD, NUMBER, EMAIL = "2026-03", "NXC-0001", "jane@only-here.example"


@pytest.fixture(scope="module")
def company(
    postgres: EmbeddedPostgres, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The dataset with empty books."""
    with running(tmp_path_factory.mktemp("printed") / "world", postgres, new_database) as world:
        with world.objects("stripe/invoices") as invoices:
            (one,) = (each for each in invoices if each["number"] == NUMBER)
            one["customer_email"] = EMAIL
        yield world


@pytest.fixture
def new(company: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The company, whose verbs do not go through Dagster."""
    made = lambda found, *, say: WorldPipeline(company, say)  # noqa: E731
    monkeypatch.setattr("fcb_pipelines.cli.pipeline.Pipeline", made)
    return company


@pytest.fixture
def synced(new: World) -> World:
    """The company after a sync, its first month built as drafts."""
    if new.frames.read(keys.SETTLEMENTS.path, PERIOD) is None:
        assert new.extract().success
        assert new.month(PERIOD, post=False).success
        new.prove()
    return new


def test_where_nothing_was_extracted_a_sync_is_told_and_mends_it(new: World) -> None:
    assert new.frames.read(keys.COPIES.path) is None
    told = [
        fcb("fcb status"),
        fcb(f"fcb explain {NUMBER}", code=Exit.CONNECTION),
        *why(new.month(PERIOD)),
    ]
    with pytest.raises(Failure) as window:
        new.window()
    told.append(str(window.value))
    (command,) = {printed(each, "fcb sync") for each in told}
    fcb(command)
    assert "Nothing was extracted" not in fcb("fcb status")
    assert NUMBER in fcb(f"fcb explain {NUMBER}")
    assert new.month(PERIOD).success
    assert new.window()


def test_a_sync_that_is_not_complete_names_the_verb_that_shows_what_is_missing(
    synced: World,
) -> None:
    synced.frames.path(keys.DISPOSITIONS.path, PERIODS[-1]).unlink()
    said = fcb(f"fcb sync --period {PERIOD}", code=Exit.DIFFERENCE)
    shown = fcb(printed(said, "fcb status"), code=Exit.DIFFERENCE)
    assert "completeness (all periods)" in shown
    fcb("fcb sync")


def test_a_month_that_was_never_built_names_the_sync_that_builds_it(synced: World) -> None:
    # No other month lacks anything, whichever test ran before.
    fcb("fcb sync")
    for key in (keys.DISPOSITIONS, keys.SETTLEMENTS):
        synced.frames.path(key.path, PERIOD).unlink()
    (told,) = why(synced.run("close_report", PERIOD))
    fcb(printed(told, rf"fcb sync --period {PERIOD}"))
    assert synced.run("close_report", PERIOD).success


def test_extracts_of_two_snapshots_name_the_sync_that_reads_one(synced: World) -> None:
    def of_another(frame: pd.DataFrame) -> pd.DataFrame:
        frame.attrs["snapshot"] = "20260101T000000.000000Z"
        return frame

    synced.tamper(keys.USERS, None, of_another)
    told = [each for each in why(synced.month(PERIOD)) if "snapshot" in each]
    (command,) = {printed(each, "fcb sync") for each in told}
    fcb(command)
    assert synced.month(PERIOD).success


def test_a_kept_answer_that_is_gone_names_the_sync_that_reads_it_anew(synced: World) -> None:
    kept = [
        file
        for file in (synced.found.data_home / "evidence" / "stripe").rglob("*.gz")
        if NUMBER in gzip.decompress(file.read_bytes()).decode()
    ]
    for file in kept:
        file.unlink()
    told = [each for each in why(synced.month(PERIOD)) if "no such body" in each]
    (command,) = {printed(each, r"fcb sync(?: --full)?") for each in told}
    fcb(command)
    assert synced.month(PERIOD).success


def test_a_row_that_breaks_its_contract_is_corrected_before_the_sync_that_is_named(
    synced: World,
) -> None:
    with synced.table("invoice_items") as rows:
        before, rows[0]["unit_price"] = rows[0]["unit_price"], "NaN"
    load_nexacloud(synced.server, synced.database, Dataset.open(synced.data))
    told = fcb("fcb sync", code=Exit.DIFFERENCE)
    with synced.table("invoice_items") as rows:
        rows[0]["unit_price"] = before
    load_nexacloud(synced.server, synced.database, Dataset.open(synced.data))
    fcb(printed(told, "fcb sync"))


def test_a_ledger_that_another_writes_names_what_to_look_at_and_what_to_run_then(
    synced: World,
) -> None:
    url, ledger = synced.found.postgres_url(), synced.ledger.describe().identity
    with (
        writing(url, ledger),
        pytest.raises(Busy) as busy,
        one_writer(url, ledger, who="run 2", waits=str, patience=0),
    ):
        raise AssertionError("two writers")
    shown = fcb(printed(busy.value, "fcb doctor"))
    assert "hangs" not in shown
    fcb(printed(busy.value, "fcb sync"))


def test_books_that_another_process_holds_name_it_and_the_sync_that_goes_on(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    with lock.BooksLock(synced.books).held(), pytest.raises(Busy) as busy:
        synced.ledger.setup()
    assert f"process {os.getpid()} on " in str(busy.value)
    fcb(printed(busy.value, "fcb sync"))


def test_a_partner_that_the_books_lost_comes_back_by_the_sync_that_is_named(synced: World) -> None:
    partners = synced.books / "partners.beancount"
    before = partners.read_text("utf-8")
    partners.write_text("; Partners and their external ids (links).\n", "utf-8")
    try:
        (document,) = intended(synced)[:1]
        with pytest.raises(NotPrepared) as told:
            synced.ledger.write_drafts([replace(document, ref=f"{document.ref}:another")])
        fcb(printed(told.value, "fcb sync"))
        assert document.partner in partners.read_text("utf-8")
    finally:
        partners.write_text(before, "utf-8")


def test_an_id_that_was_never_read_back_names_the_verb_that_shows_the_right_one(
    synced: World,
) -> None:
    told = fcb("fcb ledger release stripe:acct_1:in_typo --reason x", code=Exit.CONNECTION)
    shown = fcb(printed(told, "fcb status") + " --json", code=None)
    refs = [each["ref"] for each in json.loads(shown)["documents"] if each["number"] == NUMBER]
    fcb(f"fcb ledger release {refs[0]} --reason x")


def test_an_exception_that_is_not_there_names_the_verb_that_lists_them_all(synced: World) -> None:
    queue = Queue(frames=synced.frames, decisions=connections.decisions(synced.found))
    with pytest.raises(NotFound) as told:
        queue.acknowledge(NUMBER, "overpaid", by="jane", note="x", until=None)
    listed = fcb(printed(told.value, "fcb exceptions --all"))
    assert "0 acknowledged" in listed


def test_a_name_that_is_no_draft_s_names_the_verb_that_lists_the_drafts(synced: World) -> None:
    drafts = Review(frames=synced.frames, decisions=connections.decisions(synced.found))
    with pytest.raises(NotFound) as told:
        drafts.told(None, ["NXC-9999"])
    assert NUMBER in fcb(printed(told.value, "fcb review"))


def test_a_file_that_is_no_report_names_the_verb_that_writes_one(synced: World) -> None:
    other = synced.data / "other.json"
    other.write_text("{}", "utf-8")
    told = fcb(f"fcb report --verify {other}", code=Exit.USAGE)
    command = printed(told, "fcb report --period YYYY-MM").replace("YYYY-MM", PERIOD)
    page = fcb(command).strip()
    assert "is as it was made" in fcb(f"fcb report --verify {page.replace('.html', '.json')}")
    both = fcb("fcb report", code=Exit.USAGE)
    assert "takes either --period YYYY-MM or --verify FILE.json" in " ".join(both.split())


def test_an_alert_of_a_proof_names_the_verb_that_shows_its_gates(synced: World) -> None:
    synced.edit_journal(
        lambda text: text.replace(f'number: "{NUMBER}"', 'number: "X"'), period=PERIOD
    )
    synced.month(PERIOD)
    synced.prove()
    alert = alert_of_proof(gates_by_month(FrameReport(synced.frames)))
    assert alert is not None
    shown = fcb(printed(alert.lines[-1], "fcb status"), code=None)
    assert "edited_in_ledger" in shown
    synced.edit_journal(
        lambda text: text.replace('number: "X"', f'number: "{NUMBER}"'), period=PERIOD
    )


def test_an_answer_in_use_is_erased_after_the_sync_that_is_named(synced: World) -> None:
    told = fcb(f"fcb erase {EMAIL}", code=Exit.DIFFERENCE)
    with synced.objects("stripe/invoices") as invoices:
        (one,) = (each for each in invoices if each["number"] == NUMBER)
        one["customer_email"] = None
    fcb(printed(told, "fcb sync --full"))
    fcb(f"fcb erase {EMAIL} --yes")


def intended(world: World) -> tuple[LedgerDocument, ...]:
    """The documents of the first month as the ledger has them."""
    return tuple(
        each.document for each in world.ledger.read_moves() if each.document.number == NUMBER
    )
