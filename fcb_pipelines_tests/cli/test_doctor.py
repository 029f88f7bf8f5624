"""The doctor looks at everything, stops at nothing, and says what mends what."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import psycopg2
import pytest
import yaml
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner
from upath import UPath

from fcb_pipelines.cli import checkups
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.findings import Finding
from fcb_pipelines.cli.main import app
from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import PACKAGED, current
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.intake.health import HEALTH
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.connectors.sources import SourceDescription
from fcb_pipelines.core.company.settings import CashSettings, Settings
from fcb_pipelines.core.ledger.description import LedgerDescription, MissingPart
from fcb_pipelines.defs.runtime import connections
from fcb_pipelines.defs.sources.registry import RegisteredSource
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.serving import served

RUNNER = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An operator's environment in which Postgres does not answer and nothing else is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("lines", "outcome", "said"),
    [
        (None, "fail", "No such file"),
        ("# nobody\n", "warn", "names no destination"),
        ("error = mailtos://u:secret@mail.example.com?to=a@example.com", "ok", "(error)"),
        ("error = json://hooks.example.com/x", "fail", "plain text"),
    ],
)
def test_where_alerts_go_is_told_without_secrets(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: str | None,
    outcome: str,
    said: str,
) -> None:
    file = tmp_path / "alerts.conf"
    if lines is not None:
        file.write_text(lines, "utf-8")
    monkeypatch.setenv("FCB_ALERTS", str(file))
    (row,) = [one for one in checkups.all_of(environment.read()) if one.what == "alerts"]
    assert (row.outcome, row.group) == (outcome, "services")
    assert said in row.detail
    assert "secret" not in row.detail


def test_one_dead_connection_does_not_hide_the_others(home: Path) -> None:
    done = RUNNER.invoke(app, ["doctor", "--json"])
    found = {row["what"]: row for row in json.loads(done.stdout)}
    assert done.exit_code == Exit.CONNECTION
    assert found["home"]["outcome"] == "ok"
    assert found["configuration"]["outcome"] == "ok"
    assert found["postgres"]["kind"] == "connection"
    assert "FCB_POSTGRES_URL" in found["postgres"]["remedy"]
    assert "FCB_NEXACLOUD_DSN is not set" in found["nexacloud"]["detail"]
    assert "FCB_STRIPE_API_KEY is not set" in found["stripe"]["detail"]
    assert "FCB_LAGO_API_URL, FCB_LAGO_API_KEY are not set" in found["lago"]["detail"]


def test_each_row_is_of_a_group_and_the_table_has_a_group_in_one_piece(home: Path) -> None:
    groups = {
        row["what"]: row["group"]
        for row in json.loads(RUNNER.invoke(app, ["doctor", "--json"]).stdout)
    }
    assert groups == {
        "home": "configuration", "configuration": "configuration", "postgres": "postgres",
        "nexacloud": "sources", "stripe": "sources", "lago": "sources", "ledger (beancount)": "ledger",
    }  # fmt: skip
    shown = RUNNER.invoke(app, ["doctor"]).stdout
    firsts = [line.split("│")[1].strip() for line in shown.splitlines() if line.startswith("│")]
    assert [one for one in firsts if one] == ["configuration", "postgres", "sources", "ledger"]


def test_fix_without_postgres_still_shows_every_row(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise OperationalError("select 1", {}, psycopg2.OperationalError("Connection refused"))

    monkeypatch.setattr(dg.DagsterInstance, "get", gone)
    done = RUNNER.invoke(app, ["doctor", "--fix", "--json"])
    assert done.exit_code == Exit.CONNECTION
    assert "postgres" in {row["what"] for row in json.loads(done.stdout)}


def test_a_broken_configuration_is_a_row_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text("service: [")
    monkeypatch.setenv("FCB_CONFIG", str(tmp_path / "mine.yaml"))
    done = RUNNER.invoke(app, ["doctor", "--json"])
    found = {row["what"]: row for row in json.loads(done.stdout)}
    assert found["configuration"]["outcome"] == "fail"
    assert "mine.yaml" in found["configuration"]["detail"]


@pytest.mark.parametrize("variable", ["FCB_REPORTS_URL", "FCB_DAGSTER_URL"])
@pytest.mark.parametrize(
    ("url", "outcome"), [("https://pages.example", "ok"), ("pages.example/reports", "fail")]
)
def test_a_page_that_links_lead_to_is_told_or_its_address_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, url: str, outcome: str
) -> None:
    monkeypatch.setenv(variable, url)
    done = RUNNER.invoke(app, ["doctor", "--json"])
    (found,) = (row for row in json.loads(done.stdout) if row["what"] == "pages")
    assert found["outcome"] == outcome
    assert (url if outcome == "ok" else variable) in found["detail"]


@pytest.mark.parametrize(
    ("url", "outcome", "said"),
    [
        ("{bucket}/production", "ok", "a file was written, read"),
        ("{bucket}-not", "fail", "does not exist"),
        ("nowhere://bucket", "fail", "nowhere"),
        ("{folder}/store", "ok", "a file was written, read"),
        ("/dev/null/store", "fail", "/dev/null"),
    ],
)
def test_a_store_elsewhere_is_written_to_and_left_as_it_was(
    url: str,
    outcome: str,
    said: str,
    home: Path,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FCB_STORE_URL", url.format(bucket=bucket, folder=tmp_path))
    done = RUNNER.invoke(app, ["doctor", "--json"])
    (found,) = (row for row in json.loads(done.stdout) if row["what"] == "store")
    assert (found["outcome"], said in found["detail"]) == (outcome, True), found
    assert [*(tmp_path / "store").glob("*")] == []
    assert [*UPath(bucket, use_listings_cache=False).iterdir()] == []


def test_without_a_store_elsewhere_the_home_alone_is_looked_at(home: Path) -> None:
    done = RUNNER.invoke(app, ["doctor", "--json"])
    assert "store" not in {row["what"] for row in json.loads(done.stdout)}


LEDGER = LedgerDescription(
    adapter="odoo",
    identity="odoo:books:1",
    version="19.0",
    company="NexaCloud Inc.",
    company_currency="CAD",
    currencies=("CAD",),
    invoice_lock=None,
    entry_lock=None,
    missing=(MissingPart(what="account", name="411310", remedy="fcb ledger setup"),),
)

SOURCE = SourceDescription(
    name="stripe",
    account="acct_1",
    version="2026-10-28.endive",
    livemode=True,
    counts={"invoices": 100},
)


def look(monkeypatch: pytest.MonkeyPatch, **wired: Any) -> dict[str, Finding]:
    """The findings of an empty environment in which `wired` connectors answer."""
    for name, described in wired.items():
        stand_in = SimpleNamespace(describe=lambda described=described: described)
        monkeypatch.setattr(checkups.connections, name, lambda *_, stand_in=stand_in: stand_in)
    found: dict[str, Finding] = {}
    for finding in checkups.all_of(environment.read({})):
        found[finding.what] = finding
    return found


def test_a_currency_without_rates_is_told_and_is_no_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = MissingPart(what="currency", name="rates of USD", remedy="rates in Odoo", taxes=())
    finding = look(monkeypatch, ledger=replace(LEDGER, missing=(part,)))["ledger (beancount)"]
    assert (finding.outcome, finding.detail) == ("warn", "missing currency rates of USD")


def test_what_the_ledger_lacks_is_named_with_its_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = look(monkeypatch, ledger=LEDGER)["ledger (beancount)"]
    assert (finding.outcome, finding.detail) == ("fail", "missing account 411310")
    assert finding.remedy == "fcb ledger setup"


def test_with_cash_on_the_rights_and_the_journals_of_cash_are_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = current().model_copy(update={"cash": CashSettings()})
    monkeypatch.setattr(checkups.settings, "current", lambda: company)
    problems = ["Stripe: GET /v1/payouts: it may not"]
    source = SimpleNamespace(
        **dict.fromkeys(("transactions", "payouts", "balance"), print),
        describe=lambda: SOURCE,
        balance_problems=lambda: tuple(problems),
    )
    monkeypatch.setattr(RegisteredSource, "open", lambda self, found: source)
    told = look(monkeypatch, ledger=replace(LEDGER, missing=()))
    refused, journals = told["cash (stripe)"], told["cash (ledger)"]
    assert (refused.outcome, refused.detail) == ("fail", problems[0])
    assert "payouts" in (refused.remedy or "")
    assert (journals.outcome, journals.detail) == ("ok", "CAD in NCSTR on 111320")
    problems.clear()
    part = MissingPart(
        what="account", name="111320", remedy="fcb ledger setup", taxes=(), cash=True
    )
    told = look(monkeypatch, ledger=replace(LEDGER, missing=(part,)))
    assert told["cash (stripe)"].outcome == "ok"
    lacking = told["cash (ledger)"]
    assert (lacking.outcome, lacking.remedy) == ("fail", "fcb ledger setup")
    assert "account 111320" in lacking.detail


def test_with_cash_off_nothing_of_it_is_looked_at(home: Path) -> None:
    found = checkups.all_of(environment.read({}))
    assert not [finding for finding in found if finding.what.startswith("cash")]


def test_an_error_in_any_month_of_the_books_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCB_LEDGER", "beancount")
    found = environment.read()
    books = connections.ledger(found, current())
    books.setup()
    month = found.data_home / "books" / "journal" / "2026-04.beancount"
    month.write_text('2026-04-03 * "half an entry"\n  Assets:Cash  1.00 CAD\n')
    finding = {each.what: each for each in checkups.all_of(found)}["ledger (beancount)"]
    assert finding.outcome == "fail"
    assert "journal/2026-04.beancount:1" in finding.detail


def test_a_source_that_answers_is_told_with_account_version_and_counts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = SimpleNamespace(describe=lambda: SOURCE)
    monkeypatch.setattr(RegisteredSource, "open", lambda *_: stand_in)
    finding = look(monkeypatch)["stripe"]
    assert finding.outcome == "ok"
    assert finding.detail == "acct_1, version 2026-10-28.endive, live; 100 invoices"


@pytest.fixture
def handing_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A company whose service nexamaps hands in its usage; changes to its section `intake` go in here."""
    told = yaml.safe_load(PACKAGED.read_text("utf-8"))
    told["services"] += [{"key": "nexamaps", "origins": {"usage": "intake"}}]
    told["intake"] = {}
    monkeypatch.setattr(checkups.settings, "current", lambda: Settings.model_validate(told))
    section: dict[str, Any] = told["intake"]
    return section


def of_intake() -> list[tuple[str, str, str | None]]:
    rows = checkups.all_of(environment.read())
    return [(row.outcome, row.detail, row.remedy) for row in rows if row.what == "intake"]


def test_the_intake_is_told_by_service_with_its_keys_and_records(
    handing_in: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    postgres: EmbeddedPostgres,
    database: str,
) -> None:
    ((outcome, detail, _),) = of_intake()
    assert (outcome, "127.0.0.1" in detail) == ("fail", True)
    url = postgres.sqlalchemy_url(database)
    monkeypatch.setenv("FCB_POSTGRES_URL", url)
    asked = "nexamaps hands in usage; {} keys, 0 records of usage"
    assert of_intake() == [("warn", asked.format(0), "fcb services key new nexamaps")]
    keys = ServiceKeys(url)
    (first, _), _ = keys.new("nexamaps", "one"), keys.new("nexamaps", "two")
    keys.revoke("nexamaps", first)
    assert of_intake() == [("ok", asked.format(1), None)]


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "ok"), (503, "fail"), (302, "fail"), (None, "fail")]
)
def test_the_intake_is_asked_where_an_address_is_configured(
    status: int | None, outcome: str, handing_in: dict[str, Any]
) -> None:
    async def health(_: Request) -> Response:
        return Response("", status or 200, headers={"location": "/"})

    with served(Starlette(routes=[Route(HEALTH, health)])) as url:
        handing_in["url"] = url if status else "http://127.0.0.1:1"
        _, (found, detail, remedy) = of_intake()
    assert (found, handing_in["url"] in detail) == (outcome, True)
    assert outcome == "ok" or "fcb serve" in str(remedy)


def test_without_an_intake_the_doctor_says_nothing_of_one(home: Path) -> None:
    assert of_intake() == []


def test_a_connector_that_can_not_be_made_is_a_finding(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise NotPrepared("opening the books", "beancount is not installed", remedy="pip install")

    monkeypatch.setattr(checkups.connections, "ledger", missing)
    finding = look(monkeypatch)["ledger (beancount)"]
    assert (finding.outcome, finding.remedy) == ("fail", "pip install")
