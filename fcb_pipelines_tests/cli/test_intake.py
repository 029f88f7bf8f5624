"""`fcb services key`, `fcb serve` and `fcb erase` over what services handed in."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from typer.testing import CliRunner

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from fcb_pipelines.cli import checkups
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.config import environment, settings
from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.connectors.intake import health
from fcb_pipelines.connectors.intake.handed import HandedCustomer, HandedStore
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.api.conftest import SERVICES
from fcb_pipelines_tests.remedies.printed import printed
from fcb_pipelines_tests.serving import served

RUNNER = CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"})


@pytest.fixture
def url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: EmbeddedPostgres, database: str
) -> Iterator[str]:
    """An operator's environment with three services; the address of its Postgres."""
    told = yaml.safe_load(settings.PACKAGED.read_text("utf-8"))
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({**told, "services": SERVICES}), "utf-8")
    url = postgres.sqlalchemy_url(database)
    monkeypatch.chdir(tmp_path)
    for name, value in (
        ("HOME", str(tmp_path / "home")),
        ("CONFIG", str(config)),
        ("POSTGRES_URL", url),
    ):
        monkeypatch.setenv(f"FCB_{name}", value)
    settings.current.cache_clear()
    yield url
    settings.current.cache_clear()


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(url: str) -> None:
    made = RUNNER.invoke(app, ["services", "key", "new", "nexamaps", "--note", "from May"])
    assert made.exit_code == Exit.OK, made.output
    secret = made.stdout.strip().splitlines()[-1]
    assert ServiceKeys(url).service_of(secret) == "nexamaps"
    listed = RUNNER.invoke(app, ["services", "key", "list", "nexamaps"])
    assert "from May" in listed.stdout
    assert secret not in listed.stdout
    assert RUNNER.invoke(app, ["services", "key", "revoke", "nexamaps", "1"]).exit_code == Exit.OK
    assert ServiceKeys(url).service_of(secret) is None
    told = json.loads(RUNNER.invoke(app, ["services", "key", "list", "nexamaps", "--json"]).stdout)
    assert [(one["id"], one["revoked_at"] is None) for one in told] == [(1, False)]
    second = json.loads(RUNNER.invoke(app, ["services", "key", "new", "nexamaps", "--json"]).stdout)
    assert ServiceKeys(url).service_of(second["key"]) == "nexamaps"


def test_the_verbs_that_are_told_make_and_list_the_keys(url: str) -> None:
    (*_, row) = (
        one
        for one in checkups._intake(environment.read(), settings.current())
        if "nexamaps" in one.detail
    )
    told = as_printed("fcb services key list nexamaps")
    (command,) = {printed(each, "fcb services key new nexamaps") for each in (told, row.remedy)}
    as_printed(command)
    none = as_printed("fcb services key revoke nexamaps 7", Exit.CONNECTION)
    assert "1 " in as_printed(printed(none, "fcb services key list nexamaps"))
    (*_, row) = (
        one
        for one in checkups._intake(environment.read(), settings.current())
        if "nexamaps" in one.detail
    )
    assert (row.outcome, row.remedy) == ("ok", None)


def as_printed(command: str, code: Exit = Exit.OK) -> str:
    """The output of a command as a message prints it."""
    done = RUNNER.invoke(app, command.split()[1:])
    assert done.exit_code == code, done.output
    return str(done.output)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["services", "key", "new", "nexabooks"], Exit.USAGE, "no configured service"),
        (["services", "key", "revoke", "nexamaps", "7"], Exit.CONNECTION, "fcb services key list nexamaps"),
        (["serve", "--host", "10.0.0.5"], Exit.USAGE, "plain http"),
    ],
)  # fmt: skip
def test_what_can_not_be_done_is_told_with_its_remedy(
    arguments: list[str], code: Exit, told: str, url: str
) -> None:
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == code
    assert told in " ".join(done.output.split())


def test_a_customer_s_names_and_emails_are_erased(url: str) -> None:
    jane = HandedCustomer(service="nexamaps", id="c1", email="jane@acme.example", name="Jane")
    HandedStore(url).put_customer(jane, request_id="r")
    for arguments in (["jane@acme.example"], ["jane@acme.example", "--yes"]):
        done = RUNNER.invoke(app, ["erase", *arguments, "--json"])
        assert done.exit_code == Exit.OK, done.output
        assert json.loads(done.stdout)["handed_in"] == 1
    assert HandedStore(url).customers(["nexamaps"]) == (
        HandedCustomer(service="nexamaps", id="c1"),
    )


@pytest.mark.slow
def test_the_command_serves_until_it_is_asked_to_end(url: str, tmp_path: Path) -> None:
    port = processes.free_port()
    code = "from fcb_pipelines.cli.main import run; run()"
    log = tmp_path / "serve.log"
    told = []
    with served(Starlette()) as another:
        for address in (f"http://127.0.0.1:{port}", another):
            with pytest.raises(Unreachable) as silent:
                health.ask(address)
            told.append(printed(silent.value, "fcb serve"))
    _, *arguments = told[0].split()
    serving = processes.start(
        "intake", [sys.executable, "-c", code, *arguments, "--port", str(port)], port=port, log=log,
        environment={},
    )  # fmt: skip
    try:
        processes.wait_until_it_answers(serving, log=log, path="/api/billing/v1/health")
        health.ask(serving.url)
        _, secret = ServiceKeys(url).new("nexamaps", "test")
        answer = httpx.get(
            f"{serving.url}/api/billing/v1/plans", headers={"Authorization": f"Bearer {secret}"}, trust_env=False
        )  # fmt: skip
        assert (answer.status_code, answer.json()) == (200, {"plans": []})
    finally:
        os.kill(serving.pid, signal.SIGTERM)
        processes.stop(serving)
    assert not processes.alive(serving)
    # A request's line is written after its answer: all are there once it has ended.
    lines = log.read_text()
    assert f"{answer.headers['x-request-id']} nexamaps GET" in lines
    assert secret not in lines


def test_without_the_extra_the_command_says_what_to_install(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = RUNNER.invoke(app, ["serve"])
    assert done.exit_code == Exit.CONNECTION
    assert "pip install 'fcb_pipelines[intake]'" in " ".join(done.output.split())


def test_a_company_without_an_intake_asks_its_postgres_nothing_when_it_erases(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FCB_CONFIG")
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql+psycopg2://nobody@127.0.0.1:9/none")
    assert not environment.read().config
    done = RUNNER.invoke(app, ["erase", "jane@acme.example", "--json"])
    assert done.exit_code == Exit.OK, done.output
    assert "handed_in" not in json.loads(done.stdout)
