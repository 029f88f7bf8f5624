"""Where a message names the doctor: the doctor has a row for it that fails, and none once it is mended."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psycopg2
import pytest
import s3fs
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from fcb_pipelines_tests.defs.world import World, running

# isort: split
from fcb_pipelines.cli import checkups
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.storage import lost_storage
from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import ConfigError, current
from fcb_pipelines.connectors import retry
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.writer import one_writer
from fcb_pipelines.core.close.alerts import alert_of_run
from fcb_pipelines.defs.runtime import connections
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.documents import a_partner, an_invoice
from fcb_pipelines_tests.remedies.little import Little
from fcb_pipelines_tests.remedies.printed import fcb, printed
from fcb_pipelines_tests.serving import served

NOWHERE = "127.0.0.1:1"
POSTGRES = {"FCB_POSTGRES_URL": f"postgresql://nobody@{NOWHERE}/none"}


def ask(name: str) -> Callable[[], object]:
    """Ask a billing source for its newest document."""

    def asked() -> object:
        (source,) = (one for one in registered(current()) if one.name == name)
        return source.open(environment.read()).newest()

    return asked


def read_nexacloud() -> object:
    """Ask NexaCloud's Postgres."""
    return connections.nexacloud(environment.read()).describe()


def read_queue() -> object:
    """Ask our own Postgres."""
    return connections.event_queue(environment.read()).look()


def write_as_the_only_one() -> None:
    """Take the lock of a ledger's one writer."""
    with one_writer(environment.read().postgres_url(), "beancount:x", who="run", waits=str):
        raise AssertionError("no lock, and it writes")


def read_storage() -> object:
    """Ask Dagster's storage, as a verb reports it."""
    try:
        psycopg2.connect(environment.libpq_url(environment.read().postgres_url()))
    except psycopg2.OperationalError as error:
        lost = lost_storage(error)
        assert lost is not None
        raise lost from error
    raise AssertionError("it answered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One connection that is broken by a variable, the call that meets it, and the doctor's row of it.

    `{page}` is a server that shows pages for people, `{other}` one that sends everybody elsewhere.
    """

    what: str
    variables: Mapping[str, str]
    call: Callable[[], object]
    row: str


STRIPE, LAGO = ask("stripe"), ask("lago")
BROKEN = [
    Broken(what="Stripe is away", variables={"FCB_STRIPE_API_BASE": f"http://{NOWHERE}"}, call=STRIPE, row="stripe"),
    Broken(what="Stripe's key is wrong", variables={"FCB_STRIPE_API_KEY": "rk_test_wrong"}, call=STRIPE, row="stripe"),
    Broken(what="Stripe is elsewhere", variables={"FCB_STRIPE_API_BASE": "{other}"}, call=STRIPE, row="stripe"),
    Broken(what="Lago is away", variables={"FCB_LAGO_API_URL": f"http://{NOWHERE}"}, call=LAGO, row="lago"),
    Broken(what="Lago's key is wrong", variables={"FCB_LAGO_API_KEY": "wrong"}, call=LAGO, row="lago"),
    Broken(what="Lago is elsewhere", variables={"FCB_LAGO_API_URL": "{other}"}, call=LAGO, row="lago"),
    Broken(what="a page is in Lago's place", variables={"FCB_LAGO_API_URL": "{page}"}, call=LAGO, row="lago"),
    Broken(what="Lago's address has a wrong path", variables={"FCB_LAGO_API_URL": "{page}/wrong"}, call=LAGO, row="lago"),
    Broken(what="NexaCloud is away", variables={"FCB_NEXACLOUD_DSN": f"postgresql://reader@{NOWHERE}/n"}, call=read_nexacloud, row="nexacloud"),
    Broken(what="our Postgres is away", variables=POSTGRES, call=read_queue, row="postgres"),
    Broken(what="the writer's Postgres is away", variables=POSTGRES, call=write_as_the_only_one, row="postgres"),
    Broken(what="Dagster's Postgres is away", variables=POSTGRES, call=read_storage, row="postgres"),
]  # fmt: skip


@pytest.fixture(scope="module")
def company(
    postgres: EmbeddedPostgres, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A company all of whose connections answer."""
    with running(tmp_path_factory.mktemp("doctor") / "world", postgres, new_database) as world:
        yield world


@pytest.fixture(scope="module")
def others() -> Iterator[dict[str, str]]:
    """Servers that are none of the sources."""

    async def page(request: object) -> HTMLResponse:
        return HTMLResponse("<html>hello</html>")

    async def elsewhere(request: object) -> RedirectResponse:
        return RedirectResponse("http://other.example/", status_code=302)

    with (
        served(Starlette(routes=[Route("/api/v1/{rest:path}", page)])) as shown,
        served(Starlette(routes=[Route("/{rest:path}", elsewhere)])) as sent,
    ):
        yield {"page": shown, "other": sent}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two tries."""
    monkeypatch.setattr(retry, "_wait", lambda state: 0.0)


def fails(command: str, row: str) -> bool:
    """Whether the doctor finds a fault in the rows of this name."""
    found = [one for one in json.loads(fcb(f"{command} --json", code=None)) if one["what"] == row]
    assert found
    return any(one["outcome"] == "fail" for one in found)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.what)
def test_the_doctor_finds_the_connection_that_is_broken_and_no_fault_once_it_is_mended(
    broken: Broken,
    company: World,
    others: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = company.found.values
    for name, value in broken.variables.items():
        monkeypatch.setenv(name, value.format(**others))
    with pytest.raises((Failure, ConfigError)) as told:
        broken.call()
    command = printed(told.value, "fcb doctor")
    assert fails(command, broken.row)
    for name in broken.variables:
        monkeypatch.setenv(name, before[name])
    assert not fails(command, broken.row)


def test_a_variable_that_is_wrong_is_named_by_the_doctor_too(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCB_POSTGRES_URL", "mysql://x")
    with pytest.raises(ConfigError) as told:
        read_queue()
    command = printed(told.value, "fcb doctor")
    assert "FCB_POSTGRES_URL" in fcb(command, code=Exit.USAGE)
    monkeypatch.setenv("FCB_POSTGRES_URL", company.found.values["FCB_POSTGRES_URL"])
    assert not fails(command, "postgres")


def test_the_alert_of_a_run_that_failed_names_the_doctor_who_finds_why(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = alert_of_run("run 1234abcd (extract)", "Steps failed: ['stripe__index'].")
    monkeypatch.setenv("FCB_STRIPE_API_BASE", f"http://{NOWHERE}")
    assert fails(printed(alert.lines[-1], "fcb doctor"), "stripe")


def test_the_doctor_finds_a_store_that_does_not_answer(
    company: World, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = environment.os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.setenv("FCB_STORE_URL", f"{bucket}/production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{NOWHERE}")
    # A process that starts anew knows no address of before.
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(Failure) as told:
        places.read_bytes(places.place_of(environment.read().store) / "frame")
    command = printed(told.value, "fcb doctor")
    assert fails(command, "store")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    s3fs.S3FileSystem.clear_instance_cache()
    assert not fails(command, "store")


def test_the_doctor_finds_the_tax_that_has_no_account(little: Little) -> None:
    one = little.sell(paid=False)
    taxes = little.settings.taxes
    without = [
        tax.model_copy(update={"account": None}) if tax.key == "hst_13" else tax for tax in taxes
    ]
    little.configure(little.settings.model_copy(update={"taxes": tuple(without)}))
    little.run()
    held = little.dispositions[little.ref(one)]
    little.ledger.upsert_partners([a_partner()])
    with pytest.raises(Failure) as refused:
        BeancountLedger(little.folder, little.settings).write_drafts([an_invoice()])
    for told in (held.detail, refused.value):
        assert printed(told, "fcb doctor")
        assert "fail" in ledger_rows(little)
    little.configure(little.settings.model_copy(update={"taxes": taxes}))
    little.run()
    assert little.dispositions[little.ref(one)].reason is None
    assert ledger_rows(little) == {"ok"}


def ledger_rows(little: Little) -> set[str]:
    """What the doctor finds of a little company's books."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkups.connections, "ledger", lambda *_: little.ledger)
        found = environment.read({"FCB_HOME": str(little.folder.parent / "home")})
        return {one.outcome for one in checkups._ledger(found, little.settings)}
