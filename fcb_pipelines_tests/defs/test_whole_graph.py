"""The whole graph: run twice, stopped by gates, killed halfway, and carried on.

A `whole` world runs through Dagster itself; all others on the jobs' functions, which come to the same.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg2
import pytest

from fcb_pipelines.config.environment import libpq_url
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.store.readback_log import TABLE, ReadBackLog
from fcb_pipelines.connectors.stripe import client as stripe_client
from fcb_pipelines.defs.billing.listing import ListingConfig
from fcb_pipelines.defs.ledger import assets as ledger_assets
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.defs.runs import through_dagster
from fcb_pipelines_tests.defs.world import DEFINITIONS, PERIODS, World, failed, named, ref_of, why

MARCH = "2026-03"


def test_a_second_run_of_everything_writes_nothing(closed: World) -> None:
    first = closed.status()
    books, balance, logged = closed.books_text(), closed.ledger.trial_balance(), _logged(closed)
    assert first["totals"]["CAD"]["posted_count"] == 23
    assert first["totals"]["CAD"]["posted_total"] == 340346
    assert closed.whole.again() == first
    assert closed.books_text() == books
    assert closed.ledger.trial_balance() == balance
    assert _logged(closed) == logged


def test_the_functions_of_the_jobs_come_to_the_same_as_the_runs(
    closed: World, fresh: World, closed_entries: set[str]
) -> None:
    assert fresh.close() == closed.status()
    assert _entries(fresh) == closed_entries
    assert _logged(fresh) == _logged(closed)


def test_a_month_whose_documents_do_not_balance_stops_alone(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ledger_assets.to_rows

    def one_cent_off(documents: Any) -> Any:
        rows = list(real(documents))
        off = [row.date.isoformat().startswith(MARCH) for row in rows]
        for place in [place for place, is_off in enumerate(off) if is_off][:1]:
            object.__setattr__(rows[place], "document_total", rows[place].document_total + 1)
        return rows

    monkeypatch.setattr(ledger_assets, "to_rows", one_cent_off)
    assert fresh.extract().success
    ended = {period: fresh.whole.month(period, post=True).success for period in PERIODS[:2]}
    ended |= {period: fresh.month(period, post=True).success for period in PERIODS[2:]}
    assert ended == {period: period != MARCH for period in PERIODS}
    status = fresh.status()
    assert failed(status, MARCH) == {"documents_balance"}
    intended = [each for each in status["documents"] if each["disposition"] == "post"]
    assert {each["period"] for each in intended if each["state"] == "posted"} == {
        period for period in PERIODS if period != MARCH
    }
    stopped = [each["exceptions"] for each in intended if each["period"] == MARCH]
    assert len(stopped) == 7
    assert all("not_written" in exceptions for exceptions in stopped)


def _total_off(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[0, "document_total"] += 1
    return frame


def _line_off(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[0, "net"] += 1
    return frame


def _account_off(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[0, "account"] = "411900"
    return frame


def _verdict_off(frame: pd.DataFrame) -> pd.DataFrame:
    place = frame.index[frame["verdict"] == "skip"][0]
    frame.loc[place, ["verdict", "reason"]] = ["post", None]
    return frame


def _row_lost(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(index=0)


def _member_lost(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(index=0)


TAMPERED = (
    (keys.DOCUMENTS, _total_off, "documents_balance"),
    (keys.DOCUMENTS, _line_off, "documents_balance"),
    (keys.DOCUMENTS, _account_off, "documents_balance"),
    (keys.DOCUMENTS, _row_lost, "documents_match_dispositions"),
    (keys.DISPOSITIONS, _verdict_off, "documents_match_dispositions"),
    (keys.DISPOSITIONS, _member_lost, "population_adds_up"),
)


def test_what_writes_refuses_tampered_rows_by_the_gates_name_also_when_it_runs_alone(
    closed: World,
) -> None:
    books = closed.books_text()
    refused = {}
    for key, tamper, gate in TAMPERED:
        path = closed.frames.path(key.path, MARCH)
        before = path.read_bytes()
        closed.tamper(key, MARCH, tamper)
        told = why(closed.materialize(keys.POSTED_MOVES, MARCH))
        refused[tamper.__name__] = told and gate in told[0] and "refused by" in told[0]
        path.write_bytes(before)
    assert refused == {tamper.__name__: True for _, tamper, _ in TAMPERED}
    closed.tamper(keys.DOCUMENTS, MARCH, _total_off)
    for key in (keys.PARTNERS, keys.DRAFT_MOVES, keys.SETTLEMENTS):
        assert "refused by documents_balance" in why(closed.materialize(key, MARCH))[0]
    assert closed.books_text() == books


def test_a_document_whose_lines_do_not_sum_is_held_and_its_month_posts_the_rest(
    fresh: World,
) -> None:
    with fresh.objects("stripe/invoices") as invoices:
        (invoice,) = (each for each in invoices if each["number"] == "NXC-0001")
        invoice["lines"]["data"][0]["amount"] += 1
    assert fresh.extract().success
    assert fresh.month(MARCH, post=True).success
    status = fresh.status()
    march = [each for each in status["documents"] if each["period"] == MARCH]
    assert {each["number"]: each["reason"] for each in march if each["disposition"] == "hold"} == {
        "NXC-0001": "lines_do_not_sum"
    }
    assert {each["state"] for each in march if each["disposition"] == "post"} == {"posted"}
    assert status["periods"][MARCH]["post"] == 6
    assert failed(status, MARCH) == set()


def test_a_renamed_column_stops_everything_and_says_which_and_how_many(fresh: World) -> None:
    file = fresh.data / "nexacloud" / "invoices.csv"
    file.write_text(file.read_text("utf-8").replace("amount_paid", "paid_amount", 1), "utf-8")
    with fresh.table("invoice_items") as items:
        items[0]["invoice_id"] = items[1]["invoice_id"] = ""
    books = fresh.books_text()
    result = fresh.whole.extract()
    assert not result.success
    told = " ".join(str(c.description) for c in result.checks if not c.passed)
    assert "nexacloud.invoices.amount_paid: the column is missing: 31 rows; the schema" in told
    assert "nexacloud.invoice_items.invoice_id: " in told
    assert "2 rows" in told
    assert not fresh.whole.month(MARCH, post=True).success
    assert fresh.books_text() == books


def test_a_lost_page_of_stripes_list_stops_everything(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = closed.books_text()
    monkeypatch.setattr(stripe_client, "PAGE_SIZE", 5)
    closed.stripe_faults.skip = frozenset({"invoices"})
    assert not closed.whole.extract().success
    assert not closed.whole.month(MARCH, post=True).success
    assert failed(closed.status()) == {"stripe_listing_complete"}
    assert closed.books_text() == books


def test_a_second_extract_reads_what_changed_unless_a_person_asks_for_the_list(
    closed: World,
) -> None:
    index, lago = (keys.source_key(name, "index") for name in ("stripe", "lago"))
    first = closed.whole.extract().metadata
    assert first[index]["how"].endswith("the newest event of the last sync, is no longer there")
    with closed.objects("stripe/invoices") as invoices:
        invoices[0]["metadata"] = {"changed": "once"}
    second = closed.whole.extract().metadata
    assert (second[index]["listing"], second[lago]["listing"]) == ("incremental", "full")
    assert second[lago]["how"] == "listed in full, since lago can't tell what changed"
    changed = closed.frames.read(index.path)
    job = DEFINITIONS.resolve_job_def("extract")
    ops = {index.to_python_identifier(): ListingConfig(full=True)}
    third = through_dagster(job, closed.instance, ops=ops).metadata
    assert third[index]["how"] == "listed in full, since it was asked for"
    full = closed.frames.read(index.path)
    assert changed is not None
    assert full is not None
    pd.testing.assert_frame_equal(
        *(frame.sort_values("ref").reset_index(drop=True) for frame in (changed, full))
    )


def test_each_claim_that_cannot_be_matched_is_named_and_other_products_are_counted(
    closed: World,
) -> None:
    before = closed.status()
    with closed.table("invoices") as rows:
        by_number = {row["invoice_number"]: row for row in rows}
        by_number["NXC-0001"]["stripe_invoice_id"] = "in_ThatNobodyEverMade000"
        by_number["NXC-0002"]["stripe_invoice_id"] = "in_ThatIsOutOfOrder00000"
        again = dict(by_number["NXC-0004"], id="00000000-0000-4000-8000-000000000001")
        again |= {"created_at": "2026-06-01 10:00:00+00", "invoice_number": "TWICE"}
        nameless = dict(again, id="00000000-0000-4000-8000-000000000002", invoice_number="NAMELESS")
        rows += [again, {**nameless, "stripe_invoice_id": ""}]
    with closed.objects("stripe/invoices") as invoices:
        (theirs,) = (dict(each) for each in invoices if each["number"] == "NXC-0005")
        theirs |= {"id": "in_OfAnotherProduct00000", "customer": "cus_Theirs", "number": "THEIRS"}
        invoices.append(theirs)
    closed.stripe_faults.broken = frozenset({"in_ThatIsOutOfOrder00000"})
    status = closed.again((MARCH,))
    copies = {
        each["number"]: each for each in status["documents"] if each["ref"][:10] == "nexacloud:"
    }
    assert {number: copy["reason"] for number, copy in copies.items()} == {
        "NXC-0001": "missing_at_source",
        "NXC-0002": "unreachable",
        "TWICE": "duplicate_claim",
        "NAMELESS": "no_source_id",
    }
    for number in ("NXC-0001", "NXC-0002"):
        assert "forgotten_by_nexacloud" in named(status, ref_of(before, number))
    assert status["other_service"] == 1
    assert not any(each["number"] == "THEIRS" for each in status["documents"])
    assert status["gates"]["completeness"] == "pass"


def test_a_run_that_dies_anywhere_is_carried_on_to_the_same_books(
    fresh: World, closed_entries: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each month dies at another place; the same run once more finishes it."""
    places: dict[str, tuple[type, str, Callable[..., Any]]] = {
        "2026-02": (BeancountLedger, "write_drafts", _dies_after),
        "2026-03": (BeancountLedger, "post", _dies_after),
        "2026-04": (BeancountLedger, "settle", _dies_halfway),
        "2026-05": (ReadBackLog, "append", _dies_before),
    }
    assert fresh.extract().success
    for period, (owner, name, dying) in places.items():
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, dying(getattr(owner, name)))
            assert not fresh.month(period, post=True).success
        assert fresh.month(period, post=True).success
    assert fresh.prove().success
    assert _entries(fresh) == closed_entries


def test_a_killed_process_is_carried_on_to_the_same_books(
    fresh: World, closed_entries: set[str]
) -> None:
    assert fresh.extract().success
    killed = subprocess.run(
        [sys.executable, "-m", "fcb_pipelines_tests.defs.killed", MARCH], check=False
    )
    assert killed.returncode == 9
    half = len(_entries(fresh))
    assert 7 < half < 14
    assert fresh.whole.month(MARCH, post=True).success
    assert _entries(fresh) < closed_entries
    assert len(_entries(fresh)) == 14


def test_only_a_month_in_which_something_moved_is_in_the_window(closed: World) -> None:
    assert closed.window() == PERIODS[2:]
    journal = closed.books / "journal" / "2026-02.beancount"
    text = journal.read_text("utf-8")
    journal.write_text(text.replace('number: "NEX-2026-0001"', 'number: "EDITED"'), "utf-8")
    assert closed.window() == ("2026-02", *PERIODS[2:])
    journal.write_text(text, "utf-8")
    with closed.table("invoices") as rows:
        rows[0]["amount_paid"] = "242.38"
    assert closed.extract().success
    assert closed.window() == ("2026-02", *PERIODS[2:])
    with closed.objects("stripe/invoices") as invoices:
        invoices[-1]["footer"] = "A word to the customer"
    assert closed.extract().success
    assert closed.window() == PERIODS


@pytest.fixture
def closed_entries(all_posted: Callable[[], Any]) -> set[str]:
    """The journal of an uninterrupted close, entry by entry."""
    return _journal(all_posted().folder / "home" / "nexa-2026-05" / "books")


def _entries(world: World) -> set[str]:
    return _journal(world.books)


def _journal(books: Path) -> set[str]:
    texts = [file.read_text("utf-8") for file in (books / "journal").glob("*.beancount")]
    return {
        entry.strip() for text in texts for entry in text.split("\n\n") if "external_id" in entry
    }


def _dies_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        real(*given, **named)
        raise RuntimeError("died after the ledger had it")

    return call


def _dies_before(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, identity: str, observed: Any, **named: Any) -> Any:
        if any(each.state == "posted" for each in observed):
            raise RuntimeError("died before it was logged")
        return real(self, identity, observed, **named)

    return call


def _dies_halfway(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, settlements: Any) -> Any:
        real(self, settlements[: len(settlements) // 2])
        raise RuntimeError("died halfway")

    return call


def _logged(world: World) -> int:
    connection = psycopg2.connect(libpq_url(world.found.postgres_url()))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"select count(*) from {TABLE}")
            ((count,),) = cursor.fetchall()
            return int(count)
    finally:
        connection.close()
