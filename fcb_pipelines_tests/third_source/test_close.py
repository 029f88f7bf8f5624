"""A month closes with a source that the package has never heard of: this folder, and its configuration."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.third_source import world


@pytest.fixture(scope="module")
def told(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one close with Acme came to (`world.closed`), in a process of its own."""
    folder = tmp_path_factory.mktemp("acme")
    world.write_dataset(folder / "dataset")
    world.write_acme(folder / "invoices.csv")
    lent = {"FCB_TEST_DATASET": folder / "dataset", "FCB_ACME_FILE": folder / "invoices.csv"}
    done = subprocess.run(
        [sys.executable, "-m", world.__name__, postgres.data.parent, folder / "world"],
        env={**os.environ, **{name: str(path) for name, path in lent.items()}},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return dict(json.loads(done.stdout))


def states(status: dict[str, Any]) -> dict[str, tuple[str, str | None, str, str]]:
    """Disposition, reason, state and payment state of each document of April, by number."""
    return {
        each["number"]: (
            each["disposition"], each["reason"], each["state"], each["payment_state"]
        )
        for each in status["documents"]
        if each["period"] == "2026-04"
    }  # fmt: skip


def test_the_source_has_its_assets_its_pool_its_check_and_a_row_of_the_doctor(
    told: dict[str, Any],
) -> None:
    assert told["assets"] == {
        "index": ["acme"],
        "invoices": ["acme"],
        "credit_notes": ["acme"],
        "credited_invoices": ["acme"],
        "payments": [],
    }
    assert told["checks"]["acme_listing_complete"] == ["acme", "index"]
    assert told["doctor"]["acme"] == "ok: nexacloud, version csv, live; 5 invoices"


def test_its_documents_are_drafted_then_posted_and_settled(told: dict[str, Any]) -> None:
    others = {
        "A-3": ("skip", "void_at_source", "none", "not_paid"),
        "A-4": ("hold", "lines_do_not_sum", "none", "not_paid"),
    }
    assert states(told["drafted"]) == {
        "A-1": ("post", None, "draft", "not_paid"),
        "A-2": ("post", None, "draft", "not_paid"),
        **others,
    }
    assert states(told["posted"]) == {
        "A-1": ("post", None, "posted", "paid"),
        "A-2": ("post", None, "posted", "not_paid"),
        **others,
    }


def test_the_books_hold_them_under_its_own_ids_beside_those_of_stripe(told: dict[str, Any]) -> None:
    for ref in ("stripe:acct_test:in_late", "acme:nexacloud:A-1", "acme:nexacloud:P-1"):
        assert f'external_id: "{ref}"' in told["books"]
    links = dict(re.findall(r'"partner_link" "(P\d+)" "nexacloud:(.+)"', told["books"]))
    (bo,) = (partner for partner, user in links.items() if user == world.BO)
    assert f'"partner_link" "{bo}" "acme:nexacloud:{world.BO}"' in told["books"]
    assert told["posted"]["totals"]["CAD"] == {
        "posted_count": 3,
        "posted_total": 24239 + 22600 + 11300,
        "receivable": 11300,
        "by_family": {"hosting": 51450},
    }


def test_nothing_is_lost_and_what_is_not_posted_is_named(told: dict[str, Any]) -> None:
    status = told["posted"]
    assert status["gates"]["acme_listing_complete"] == "pass"
    assert status["gates"]["completeness"] == "pass"
    assert status["gates"]["receivable_ties_out"] == "pass"
    assert status["amounts"]["CAD"] == {
        "revenue": {"source": 56450, "posted": 51450, "listed": 5000},
        "tax": {"source": 7339, "posted": 6689, "listed": 650},
        "cash": {"source": 46839, "posted": 46839, "listed": 0},
    }
    assert "fail" not in {
        outcome
        for gates in (status["gates"], *(one["gates"] for one in status["periods"].values()))
        for outcome in gates.values()
    }


def test_what_nexacloud_names_in_vain_is_held_and_another_products_document_is_left_alone(
    told: dict[str, Any],
) -> None:
    (lost,) = (each for each in told["posted"]["documents"] if each["number"] == "A-9")
    assert (lost["disposition"], lost["reason"]) == ("hold", "missing_at_source")
    assert told["posted"]["other_service"] == 1


def test_a_second_run_writes_nothing(told: dict[str, Any]) -> None:
    assert told["again"] == told["posted"]
    assert told["same_books"]


def test_a_month_that_was_built_before_the_source_was_there_stays_as_it_was(
    told: dict[str, Any],
) -> None:
    assert told["before_acme"] == told["posted"]
    assert told["posts_before_acme"] == []


def test_a_list_that_is_not_whole_stops_the_month(told: dict[str, Any]) -> None:
    assert not told["extracted"]
    assert not told["month"]
    failed = {gate for gate, outcome in told["stopped"].items() if outcome == "fail"}
    assert failed == {"acme_listing_complete"}
