"""`fcb init` writes two files that the other verbs read, and never replaces one unasked."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from typer.testing import CliRunner

from fcb_pipelines.cli import init
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.cli.work import project_file
from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines_tests.cli.pipelines import unboxed

RUNNER = CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"})
WITHOUT_DOCTOR = ["init", "--no-doctor"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder, and no variable of ours; what a verb sets is forgotten."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name in environment.VARIABLES]:
        del os.environ[name]
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def test_unattended_it_writes_what_was_given_and_leaves_the_rest_to_be_filled_in(
    folder: Path,
) -> None:
    done = RUNNER.invoke(
        app,
        [*WITHOUT_DOCTOR, "--yes", "--ledger", "odoo", "--first-period", "2026-04",
         "--stripe-account", "acct_1", "--odoo-url", "https://odoo.example.com"],
        env={"FCB_STRIPE_API_KEY": "rk_live_x", "FCB_ODOO_PASSWORD": "it's #1"},
    )  # fmt: skip
    assert done.exit_code == Exit.OK, done.output
    told = dotenv_values(folder / ".env")
    assert told == {
        **dotenv_values(project_file(".env.example")),
        "FCB_CONFIG": str(folder / "nexacloud.yaml"),
        "FCB_STRIPE_API_KEY": "rk_live_x",
        "FCB_LEDGER": "odoo",
        "FCB_ODOO_URL": "https://odoo.example.com",
        "FCB_ODOO_PASSWORD": "it's #1",
    }
    assert set(told) == set(environment.VARIABLES)
    company = load(folder / "nexacloud.yaml")
    assert (company.first_period, company.stripe.account) == ("2026-04", "acct_1")
    assert company.lago == load(PACKAGED).lago
    for file in (".env", "nexacloud.yaml"):
        assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600
    assert sorted(each.name for each in folder.iterdir()) == [".env", "nexacloud.yaml"]
    assert "rk_live_x" not in done.output


def test_without_answers_the_configuration_is_the_packaged_one(folder: Path) -> None:
    assert RUNNER.invoke(app, [*WITHOUT_DOCTOR, "--yes"]).exit_code == Exit.OK
    assert load(folder / "nexacloud.yaml") == load(PACKAGED)


@pytest.mark.parametrize("there", [".env", "nexacloud.yaml"])
def test_a_file_that_is_there_is_replaced_with_force_alone(there: str, folder: Path) -> None:
    (folder / there).write_text("mine")
    refused = RUNNER.invoke(app, [*WITHOUT_DOCTOR, "--yes"])
    assert refused.exit_code == Exit.USAGE
    assert f"{there} is there already" in refused.stderr
    assert [each.read_text() for each in folder.iterdir()] == ["mine"]
    assert RUNNER.invoke(app, [*WITHOUT_DOCTOR, "--yes", "--force"]).exit_code == Exit.OK
    assert (folder / there).read_text() != "mine"
    assert stat.S_IMODE((folder / there).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ledger", "sage"], "beancount, odoo"),
        (["--first-period", "April"], "first_period"),
        (["--stripe-account", "acct: x"], "Stripe's account"),
        (["--lago-api-key", "a${b}"], "FCB_LAGO_API_KEY can't be written"),
    ],
)
def test_a_wrong_answer_writes_nothing(arguments: list[str], said: str, folder: Path) -> None:
    done = RUNNER.invoke(app, [*WITHOUT_DOCTOR, "--yes", *arguments])
    assert done.exit_code == Exit.USAGE
    assert said in done.stderr
    assert [*folder.iterdir()] == []


def test_a_person_is_asked_for_the_rest_and_a_secret_is_not_shown(folder: Path) -> None:
    answers = ["2026-03", "acct_2", "", "odoo", "postgresql://fcb:hidden@db/fcb", *("",) * 8]
    done = RUNNER.invoke(
        app, [*WITHOUT_DOCTOR, "--odoo-user", "robot"], input="".join(f"{one}\n" for one in answers)
    )
    assert done.exit_code == Exit.OK, done.output
    told = dotenv_values(folder / ".env")
    assert told["FCB_POSTGRES_URL"] == "postgresql://fcb:hidden@db/fcb"
    assert (told["FCB_LEDGER"], told["FCB_ODOO_USER"]) == ("odoo", "robot")
    assert load(folder / "nexacloud.yaml").stripe.account == "acct_2"
    assert "hidden" not in done.output
    assert "Odoo user" not in done.output


@pytest.mark.parametrize(
    ("postgres", "code", "said"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", Exit.CONNECTION, "FCB_NEXACLOUD_DSN is not set"),
        ("", Exit.USAGE, "no connection is set"),
    ],
)
def test_it_ends_with_the_doctor_and_its_exit_code(postgres: str, code: Exit, said: str) -> None:
    done = RUNNER.invoke(app, ["init", "--yes", "--postgres-url", postgres])
    assert done.exit_code == code
    assert said in unboxed(done.output)
    again = RUNNER.invoke(app, ["doctor"])
    assert (again.exit_code, again.stdout) == (code, done.stdout)


def test_every_variable_that_is_asked_for_is_one_that_a_full_run_needs() -> None:
    asked = {name for name, *_ in (*init.ASKED, *init.ASKED_OF_ODOO)}
    assert asked == set(environment.read({"FCB_LEDGER": "odoo"}).missing())
