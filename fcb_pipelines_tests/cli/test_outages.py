"""Whatever does not answer, and whichever verb asks it: one message of a few lines, exit code 3, no traceback."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.world import PERIODS, World, running

# isort: split

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.connectors import retry
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres

RUNNER = CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"})

NOWHERE = "127.0.0.1:1"
POSTGRES = {"FCB_POSTGRES_URL": f"postgresql://nobody@{NOWHERE}/none"}
NEXACLOUD = {"FCB_NEXACLOUD_DSN": f"postgresql://reader@{NOWHERE}/nexacloud"}
STRIPE = {"FCB_STRIPE_API_BASE": f"http://{NOWHERE}"}
LAGO = {"FCB_LAGO_API_URL": f"http://{NOWHERE}"}
ODOO = {
    "FCB_LEDGER": "odoo",
    "FCB_ODOO_URL": f"http://{NOWHERE}",
    "FCB_ODOO_DATABASE": "books",
    "FCB_ODOO_USER": "robot",
    "FCB_ODOO_PASSWORD": "p",
}
PERIOD = PERIODS[0]

# The line that says what was asked, and one of what mends it.
OF_POSTGRES = ("127.0.0.1", "FCB_POSTGRES_URL")
OF_ODOO = (f"Odoo at http://{NOWHERE}", "FCB_ODOO_URL")
VERBS = [
    *((POSTGRES, verb, OF_POSTGRES) for verb in (
        "sync", "post", "status", f"report --period {PERIOD}", "dev --no-sandbox",
        "ledger correct stripe:acct_1:in_1", "ledger release stripe:acct_1:in_1 --reason x",
        "events list", "events show x", "events deliver", "services key list nexacloud",
        "services key new nexacloud", "serve",
    )),
    *((ODOO, verb, OF_ODOO) for verb in (
        "sync", f"post --period {PERIOD}", "ledger setup", "ledger setup --dry-run", "ledger export",
        "ledger correct stripe:acct_1:in_1", "ledger release stripe:acct_1:in_1 --reason x",
    )),
    (NEXACLOUD, "sync", ("NexaCloud", "FCB_NEXACLOUD_DSN")),
    (STRIPE, "sync", ("Stripe: GET", "status.stripe.com")),
    (LAGO, "sync", ("Lago: GET", "FCB_LAGO_API_URL")),
]  # fmt: skip
READ_NOTHING_OUTSIDE = [
    (NEXACLOUD | STRIPE | LAGO | ODOO, verb) for verb in ("status", f"report --period {PERIOD}")
]  # fmt: skip


@pytest.fixture(scope="module")
def world(
    postgres: EmbeddedPostgres, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A company whose sources answer, with the drafts of one month; nothing is posted."""
    with running(tmp_path_factory.mktemp("outages") / "world", postgres, new_database) as made:
        assert made.extract().success
        assert made.month(PERIOD).success
        yield made


@pytest.fixture
def served(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That company's environment; nobody waits between two tries."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(retry, "_wait", lambda state: 0.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def invoked(
    dead: Mapping[str, str], arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str, str]:
    for name, value in dead.items():
        monkeypatch.setenv(name, value)
    done = RUNNER.invoke(app, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(("dead", "verb", "said"), VERBS)
def test_what_does_not_answer_is_told_in_a_few_lines(
    dead: Mapping[str, str], verb: str, said: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, stdout, stderr = invoked(dead, verb.split(), monkeypatch)
    assert code == Exit.CONNECTION, stderr
    assert stdout == "" or verb.startswith("post")
    panel = stderr[stderr.index("╭") :]
    assert panel.count("╭") == 1
    assert len(panel.splitlines()) <= 9
    for each in said:
        assert each in panel
    for each in ("Traceback", "sqlalche.me", "site-packages"):
        assert each not in stderr
    assert "mend it with" in panel


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(("dead", "verb"), READ_NOTHING_OUTSIDE)
def test_what_a_verb_does_not_ask_may_be_gone(
    dead: Mapping[str, str], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, stderr = invoked(dead, verb.split(), monkeypatch)
    assert (code, stderr.count("╭")) == (Exit.OK, 0), stderr


@pytest.mark.usefixtures("served")
def test_the_doctor_has_a_row_of_each_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = POSTGRES | NEXACLOUD | STRIPE | LAGO | ODOO
    code, stdout, stderr = invoked(dead, ["doctor"], monkeypatch)
    assert (code, stderr.count("Traceback")) == (Exit.CONNECTION, 0)
    for each in (*OF_POSTGRES, "FCB_ODOO_URL", "FCB_NEXACLOUD_DSN", "FCB_STRIPE_", "FCB_LAGO_"):
        assert each in stdout
