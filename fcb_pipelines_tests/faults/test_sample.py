"""A round of every fault, at points that the commit draws."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.faults.__main__ import drawn
from fcb_pipelines_tests.faults.bench import Bench
from fcb_pipelines_tests.faults.books import Damage, Stand, damage
from fcb_pipelines_tests.faults.report import write
from fcb_pipelines_tests.faults.result import Result
from fcb_pipelines_tests.mutation.sampling import seed_of_commit
from fcb_pipelines_tests.odoo_server import OdooServer

CLEAN = Damage(lost=0, doubled=0, half_paid=0, otherwise=0)


def tried(options: list[str], file: Path, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The results of a run with these options; all must be survived."""
    # A process of its own: it has servers of its own, to be restarted; Odoo's program is the run's.
    environment = dict(os.environ)
    if "--odoo" in options:
        environment["FCB_ODOO_CACHE"] = str(request.getfixturevalue("odoo_server").folder)
    seed = seed_of_commit()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fcb_pipelines_tests.faults", *options),
            *(f"--seed={seed}", "--json", str(file)),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    told = f"the faults of {seed or 'no commit'}:\n{done.stdout}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, told
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return found


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "kinds"),
    [([], 18), (["--hosts"], 2), (["--odoo"], 57)],
    ids=["embedded books", "daemon and clocks", "odoo"],
)
def test_every_kind_of_fault_is_survived_without_a_hand(
    options: list[str], kinds: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert len(tried(["--sample", *options], tmp_path / "results.json", request)) == kinds


@pytest.mark.slow
def test_the_faults_that_the_commit_draws_are_survived(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert len(tried(["--drawn"], tmp_path / "results.json", request)) == 1


@pytest.mark.odoo
def test_the_faults_that_the_commit_draws_are_survived_in_odoo(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    odoo_server: OdooServer,
) -> None:
    # Over the servers of the run: they are other tests' too, and are not restarted.
    bench = Bench(
        folder=tmp_path,
        server=postgres,
        databases=new_database,
        seed=seed_of_commit(),
        odoo=odoo_server.prepared,
    )
    results = list(drawn(bench))
    assert len(results) == 6
    assert [one for one in results if not one.survived] == []


def stood(**changes: object) -> Stand:
    """Books of one paid invoice, or others."""
    usual = {
        "moves": {"in_1": ("posted", "h", "paid", 0)},
        "settlements": {"pay_1": ("posted", "h", 100)},
        "balance": (1,),
        "entries": 2,
        "status": dict.fromkeys(("periods", "gates", "documents", "totals")),
    }
    return Stand(**{**usual, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, {}),
        ({"moves": {}, "entries": 1}, {"lost": 1}),
        ({"settlements": {}, "entries": 1}, {"lost": 1}),
        ({"entries": 3}, {"doubled": 1}),
        ({"moves": {"in_1": ("posted", "h", "partial", 40)}}, {"half_paid": 1}),
        ({"settlements": {"pay_1": ("posted", "h", 60)}}, {"half_paid": 1}),
        ({"moves": {"in_1": ("draft", "h", "paid", 0)}}, {"otherwise": 1}),
        ({"balance": (2,)}, {"otherwise": 1}),
        ({"status": dict.fromkeys(("periods", "gates", "documents", "totals"), 1)}, {"otherwise": 1}),
    ],
)  # fmt: skip
def test_each_kind_of_damage_is_seen(found: dict[str, object], expected: dict[str, int]) -> None:
    none = {"lost": 0, "doubled": 0, "half_paid": 0, "otherwise": 0}
    assert damage(stood(), stood(**found)) == Damage(**{**none, **expected})


def test_what_was_never_met_was_not_survived() -> None:
    assert Result(fault="x", ledger="odoo", met=1, damage=CLEAN).survived
    assert not Result(fault="x", ledger="odoo", met=0, damage=CLEAN).survived
    assert not Result(fault="x", ledger="odoo", met=1, damage=CLEAN, by_hand=1).survived
    assert not Result(fault="x", ledger="odoo", met=1, damage=CLEAN, silent=1).survived


def test_a_run_over_one_ledger_leaves_the_section_of_the_other(tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    write(page, [Result(fault="in Odoo", ledger="odoo", met=1, damage=CLEAN)], "odoo")
    some = [Result(fault="in books", ledger="beancount", met=1, damage=CLEAN)]
    write(page, some, "beancount", note="Here the run was ended.")
    assert "Here the run was ended." in page.read_text("utf-8")
    write(page, [Result(fault="again", ledger="beancount", met=2, damage=CLEAN)], "beancount")
    text = page.read_text("utf-8")
    assert "| again | 2 |" in text
    assert "Here the run was ended." not in text
    assert "| in Odoo | 1 |" in text
    assert "in books" not in text
    assert text.count("## ") == 2
