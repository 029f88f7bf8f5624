"""A sandbox comes up once, is found again, survives a crash, and takes down only what is its own."""

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg2
import pytest

from fcb_pipelines.config import environment, settings
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import Busy
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.sandbox import processes, session, state
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.session import STAND_INS, Sandbox, open_dataset

DESCRIBED = """\
name: {name}
timezone: America/Toronto
currency: CAD
first_period: "2026-04"
as_of: 2026-05-20
stripe: {{account: acct_test}}
lago: {{organization: nexa}}
"""


def a_dataset(folder: Path, name: str) -> Dataset:
    """A company without customers, plans or invoices."""
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(DESCRIBED.format(name=name))
    return Dataset.open(folder)


@contextmanager
def a_home() -> Iterator[Path]:
    """An FCB_HOME of its own, and nothing left running in it afterwards.

    Not below pytest's own folder: each pytest that starts as root takes from other users the right
    to pass through that, and root's Postgres runs as another user.
    """
    with tempfile.TemporaryDirectory(prefix="fcb-") as folder:
        yield Path(folder)
        session.down(Path(folder))


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with a_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def box(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(a_dataset(tmp_path_factory.mktemp("data") / "small", "small"), home)


def test_what_it_lends_is_a_complete_environment(box: Sandbox) -> None:
    lent = box.up().environment
    found = environment.read(lent)
    assert found.missing() == ()
    assert set(lent) <= set(environment.VARIABLES)
    assert found.data_home.name == "small"
    assert stat.S_IMODE((found.data_home / state.FILE).stat().st_mode) == 0o600


def test_it_lends_no_store_of_the_operators(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FCB_STORE_URL", "s3://bucket/production")
    found = environment.read({**os.environ, **box.up().environment})
    assert found.store == str(found.data_home)


def test_the_configuration_it_lends_is_the_datasets(box: Sandbox) -> None:
    config = box.up().environment["FCB_CONFIG"]
    company = settings.load(Path(config))
    assert (company.first_period, company.stripe.account) == ("2026-04", "acct_test")


def test_the_stand_ins_and_both_databases_answer(box: Sandbox) -> None:
    found = environment.read(box.up().environment)
    stripe, lago = (found.values[name] for name in STAND_INS.values())
    assert httpx.get(f"{stripe}/v1/invoices").status_code == 401
    assert httpx.get(f"{lago}/api/v1/invoices").status_code == 401
    for url in (environment.libpq_url(found.postgres_url()), found.nexacloud_dsn()):
        psycopg2.connect(url).close()


def test_the_role_that_nexacloud_is_read_with_can_not_write(box: Sandbox) -> None:
    connection = psycopg2.connect(box.up().environment["FCB_NEXACLOUD_DSN"])
    try:
        with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("delete from invoices")
    finally:
        connection.close()


def test_bringing_up_what_is_up_starts_nothing(box: Sandbox) -> None:
    assert box.up().processes == box.up().processes


def test_after_a_crash_only_what_is_broken_is_replaced(box: Sandbox) -> None:
    before = {process.name: process for process in box.up().processes}
    os.kill(before["stripe"].pid, signal.SIGKILL)
    after = {process.name: process for process in box.up().processes}
    assert after["stripe"] != before["stripe"]
    assert after["lago"] == before["lago"]


def test_another_folder_of_the_same_name_gets_stand_ins_of_its_own(
    box: Sandbox, home: Path, tmp_path: Path
) -> None:
    before = box.up().processes
    copy = Sandbox(a_dataset(tmp_path / "copy", "small"), home)
    assert not set(before) & set(copy.up().processes)
    assert not any(processes.alive(process) for process in before)


def test_what_was_up_before_the_block_stays_up_after_it(box: Sandbox, home: Path) -> None:
    box.up()
    with box.running():
        pass
    assert [one.dataset for one in state.running(home)] == ["small"]


def test_what_the_block_started_it_stops_and_nobody_elses(
    box: Sandbox, home: Path, tmp_path: Path
) -> None:
    box.up()
    with Sandbox(a_dataset(tmp_path / "other", "other"), home).running():
        assert [one.dataset for one in state.running(home)] == ["other", "small"]
    assert [one.dataset for one in state.running(home)] == ["small"]
    assert environment.read(box.up().environment).missing() == ()


def test_down_stops_everything_once(box: Sandbox, home: Path) -> None:
    running = box.up()
    assert set(session.down(home)) == {"stripe of small", "lago of small", "postgres"}
    assert not any(processes.alive(process) for process in running.processes)
    assert session.down(home) == ()


def test_starting_over_forgets_this_dataset_and_no_other(
    box: Sandbox, home: Path, tmp_path: Path
) -> None:
    other = Sandbox(a_dataset(tmp_path / "third", "third"), home)
    for one, note in ((box, "small"), (other, "third")):
        one.up()
        (home / note / "books").mkdir()
        with psycopg2.connect(_libpq(one)) as connection, connection.cursor() as cursor:
            cursor.execute("create table note ()")
        connection.close()
    box.start_over()
    box.up()
    assert not (home / "small" / "books").exists()
    assert (home / "third" / "books").exists()
    for one, expected in ((box, None), (other, "note")):
        with psycopg2.connect(_libpq(one)) as connection, connection.cursor() as cursor:
            cursor.execute("select to_regclass('note')::text")
            assert cursor.fetchone() == (expected,)
        connection.close()
    session.down(home)


@pytest.mark.parametrize("name", ["production", "postgres", "datasets"])
def test_a_dataset_can_not_take_the_folder_of_something_else(
    name: str, home: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=name):
        Sandbox(a_dataset(tmp_path / "data", name), home)


def test_a_packaged_name_is_not_mistaken_for_the_folder_its_runs_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nexa-2026-05").mkdir()
    monkeypatch.chdir(tmp_path)
    opened = open_dataset("nexa-2026-05", tmp_path)
    assert (opened.name, opened.path) == ("nexa-2026-05", tmp_path / "datasets" / "nexa-2026-05")


def test_a_folder_of_ones_own_is_opened_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_dataset(tmp_path / "mine", "mine")
    monkeypatch.chdir(tmp_path)
    assert open_dataset("./mine", tmp_path / "home").path == tmp_path / "mine"
    assert not (tmp_path / "home").exists()


def test_what_is_no_dataset_is_refused_with_the_packaged_ones_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere is no dataset.*nexa-2026-05"):
        open_dataset("nowhere", tmp_path)


def _libpq(box: Sandbox) -> str:
    return environment.libpq_url(box.up().environment["FCB_POSTGRES_URL"])


@pytest.mark.slow
def test_a_service_hands_in_its_records_whenever_its_sandbox_comes_up(home: Path) -> None:
    said: list[str] = []
    box = Sandbox(open_dataset("services-small", home), home, say=said.append)
    for outcome in ("8 accepted", "8 unchanged"):
        lent = box.up().environment
        assert f"nexamaps handed in its usage over HTTP: {outcome}" in said
    keys = ServiceKeys(lent["FCB_POSTGRES_URL"]).of("nexamaps")
    assert [key.revoked_at is None for key in keys] == [False, False]
    names = [process.name for process in box.up().processes]
    assert sorted(names) == ["intake", "lago", "stripe"]
    assert "intake of services-small" in session.down(home, "services-small")


def test_who_waits_for_another_sandbox_says_for_which_process(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_SAYS_NOTHING_FOR", 0)
    monkeypatch.setattr(session, "_PATIENCE", 0)
    said: list[str] = []
    with session._locked(home, said.append):
        assert said == []
        with pytest.raises(Busy, match=f"process {os.getpid()}, since .* UTC has held them"):
            session.down(home, "nobody", say=said.append)
    (told,) = said
    assert told.startswith(f"waiting for process {os.getpid()}, since ")
    assert session.down(home, "nobody") == ()
