"""`fcb demo` as a newcomer runs it, on both ledgers: the published figures, and nothing twice."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import odoorpc
import pytest
import yaml

from fcb_pipelines.sandbox import state
from fcb_pipelines.sandbox.told import FILE, told
from fcb_pipelines_tests.fcb_command import Fcb, a_home
from fcb_pipelines_tests.odoo_server import OdooServer
from fcb_pipelines_tests.packaged import packaged

NAME = "nexa-2026-05"


@pytest.fixture
def fcb() -> Iterator[Fcb]:
    yield from a_home({})


@pytest.fixture
def fcb_with_odoo(odoo_server: OdooServer) -> Iterator[Fcb]:
    yield from a_home({"FCB_ODOO_CACHE": str(odoo_server.folder)})


def unnamed(exported: dict[str, Any]) -> list[dict[str, Any]]:
    """The trial balance without the names, which each ledger has its own of."""
    assert all(row.pop("name") for row in exported["trial_balance"])
    rows: list[dict[str, Any]] = exported["trial_balance"]
    return rows


def assert_published_figures(status: dict[str, Any]) -> None:
    totals = status["totals"]["CAD"]
    assert (totals["posted_count"], totals["posted_total"], totals["receivable"]) == (23, 340346, 0)
    assert sum(totals["by_family"].values()) == 301188
    counts = {name: sum(p[name] for p in status["periods"].values()) for name in ("skip", "hold")}
    assert counts == {"skip": 8, "hold": 0}
    places = status["periods"].values()
    gates = [*status["gates"].values(), *(g for p in places for g in p["gates"].values())]
    assert "fail" not in gates
    assert (status["events"]["told"], status["events"]["delivered"]) == (2, 2)
    assert status["other_service"] == 0
    # NexaMaps is measured in no month of the books.
    assert [*status["metering"]["services"]] == ["nexacloud"]
    assert [one["rows"] for one in status["metering"]["periods"].values()] == [0, 0, 1, 5]
    posted = [one for one in status["documents"] if one["state"] == "posted"]
    assert {one["payment_state"] for one in posted} == {"paid"}


def with_cash_on(folder: Path) -> Path:
    """The packaged dataset with `cash` in its configuration, written to a folder."""
    shutil.copytree(packaged(NAME), folder)
    file = folder / "dataset.yaml"
    dataset = yaml.safe_load(file.read_text("utf-8"))
    dataset["config"]["cash"] = {}
    file.write_text(yaml.safe_dump(dataset, sort_keys=False), "utf-8")
    return folder


@pytest.mark.slow
def test_a_demo_proves_the_published_figures_and_a_second_one_posts_nothing(
    fcb: Fcb, tmp_path: Path
) -> None:
    assert_published_figures(fcb("demo", "--json"))
    first = told(fcb.home / NAME / FILE)
    again = fcb("demo")
    assert "0 posted by this run" in again
    # The receiver was told of both services; the second demo tells it nothing more.
    assert sorted((one["service"], one["type"], one["number"]) for one in first) == [
        ("nexacloud", "subscription.terminated", None),
        ("nexamaps", "subscription.terminated", None),
    ]
    assert told(fcb.home / NAME / FILE) == first
    assert "nexamaps subscription.terminated: " in again
    # Cash is turned on in books that were kept without it: every step through Dagster, and proved.
    status = fcb("demo", "--dataset", str(with_cash_on(tmp_path / NAME)), "--json")
    assert_published_figures(status)
    (cash,) = status["cash"]["balances"]
    assert (cash["reported"], cash["difference"]) == (11287, 0)
    assert "Cash" in (fcb.home / NAME / "reports" / "2026-05.html").read_text("utf-8")


class Odoo:
    """What a person sees in the demo's Odoo."""

    def __init__(self, home: Path) -> None:
        known = state.read(home / NAME)
        assert known is not None
        given = known.environment
        host, _, port = given["FCB_ODOO_URL"].removeprefix("http://").partition(":")
        self._session = odoorpc.ODOO(host, port=int(port), timeout=300)
        self._session.login(
            given["FCB_ODOO_DATABASE"], given["FCB_ODOO_USER"], given["FCB_ODOO_PASSWORD"]
        )

    def rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._session.execute_kw(
            model, "search_read", [domain, fields]
        )
        return found

    def everything_written(self) -> list[tuple[str, int, str]]:
        """Each move, line, payment and partner with the moment of its last change."""
        return [
            (model, row["id"], str(row["write_date"]))
            for model in ("account.move", "account.move.line", "account.payment", "res.partner")
            for row in self.rows(model, [], ["write_date"])
        ]


@pytest.mark.odoo
def test_the_same_demo_in_a_real_odoo_and_again_leaves_it_unchanged(fcb_with_odoo: Fcb) -> None:
    fcb = fcb_with_odoo
    assert_published_figures(fcb("demo", "--ledger", "odoo", "--keep", "--json"))
    odoo = Odoo(fcb.home)
    domain = [("move_type", "=", "out_invoice")]
    fields = ["state", "payment_state", "amount_total", "amount_tax", "partner_id"]
    moves = odoo.rows("account.move", domain, fields)
    assert len(moves) == 23
    assert {(m["state"], m["payment_state"]) for m in moves} == {("posted", "paid")}
    assert round(sum(m["amount_total"] for m in moves), 2) == 3403.46
    assert round(sum(m["amount_tax"] for m in moves), 2) == 391.58
    partners = sorted({m["partner_id"][0] for m in moves})
    credits = odoo.rows("res.partner", [("id", "in", partners)], ["credit"])
    assert {row["credit"] for row in credits} == {0.0}

    before = odoo.everything_written()
    assert "0 posted by this run" in fcb("demo", "--ledger", "odoo", "--keep")
    assert odoo.everything_written() == before

    in_odoo = fcb("ledger", "export", "--ledger", "odoo", "--dataset", NAME, "--json")
    fcb("demo", "--keep")
    in_books = fcb("ledger", "export", "--dataset", NAME, "--json")
    assert unnamed(in_odoo) == unnamed(in_books)
