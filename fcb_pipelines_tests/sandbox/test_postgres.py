"""The embedded server: started once however many ask, found again, stopped by us alone."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy

from fcb_pipelines.config import environment
from fcb_pipelines.sandbox.postgres import READER, ROLE, EmbeddedPostgres, database_name
from fcb_pipelines_tests.conftest import NewDatabase


@pytest.fixture
def server(new_home: Callable[[], Path]) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, not started; gone afterwards."""
    one = EmbeddedPostgres(new_home())
    yield one
    one.stop()


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def runs(pid: int) -> bool:
    """Whether the process runs; one that ended and that nobody waits for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_it_starts_once_stops_once_and_keeps_what_was_written(server: EmbeddedPostgres) -> None:
    assert server.pid is None
    assert not server.stop()
    assert server.start()
    assert not server.start()
    pid = server.pid
    assert pid is not None
    server.create_database("kept")
    rows(server.libpq_url("kept"), "create table note as select 1 as n")
    assert server.stop()
    assert not runs(pid)
    assert server.pid is None
    server.start()
    assert rows(server.libpq_url("kept"), "select n from note") == [(1,)]


def test_after_a_kill_it_starts_again_with_what_was_committed(server: EmbeddedPostgres) -> None:
    server.start()
    server.create_database("kept")
    rows(server.libpq_url("kept"), "create table note as select 1 as n")
    rows(server.libpq_url("kept"), "checkpoint")
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while runs(pid):
        time.sleep(0.05)
    assert server.pid is None
    assert server.start()
    assert rows(server.libpq_url("kept"), "select n from note") == [(1,)]


def test_files_left_by_a_killed_initialisation_are_made_anew(server: EmbeddedPostgres) -> None:
    draft = server.data.with_name("postgres.new")
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18")
    server.start()
    assert server.has_database("postgres")
    assert not draft.exists()


def test_a_server_whose_socket_is_gone_is_replaced(server: EmbeddedPostgres) -> None:
    server.start()
    before = server.pid
    next(server.socket_folder.glob(".s.PGSQL.5432")).unlink()
    assert server.start()
    assert server.pid != before
    assert server.has_database("postgres")


def test_a_stale_process_id_of_somebody_else_is_nobodys_server(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    file = server.data / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n")
    assert server.pid is None
    assert not server.stop()
    assert server.start()
    assert psutil.pid_exists(os.getpid())


def test_many_processes_share_one_server(server: EmbeddedPostgres) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from fcb_pipelines.sandbox.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start(); print(server.pid)\n"
        "server.create_database('shared')\n"
    )
    argv = [sys.executable, "-c", program, str(server.data.parent)]
    children = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        for _ in range(3)
    ]
    said = {child.communicate(timeout=60)[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0, 0]
    assert said == {str(server.pid)}
    assert server.has_database("shared")


@pytest.mark.parametrize("name", ["d" * 90, "with space", "it's,quoted"])
def test_a_home_too_deep_or_odd_for_a_socket_works_all_the_same(
    name: str, new_home: Callable[[], Path]
) -> None:
    home = new_home() / name
    server = EmbeddedPostgres(home)
    try:
        server.start()
        assert len(os.fsencode(server.socket_folder)) < 90
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
        assert EmbeddedPostgres(home).socket_folder == server.socket_folder
        assert rows(server.libpq_url("postgres"), "select 1") == [(1,)]
        engine = sqlalchemy.create_engine(server.sqlalchemy_url("postgres"))
        with engine.connect() as connection:
            assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
        engine.dispose()
    finally:
        server.stop()
    assert not server.socket_folder.exists() or server.socket_folder == server.data


def test_nobody_else_reaches_its_folders(server: EmbeddedPostgres) -> None:
    server.start()
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    ((addresses,),) = rows(server.libpq_url("postgres"), "show listen_addresses")
    assert addresses == ""


def test_both_forms_of_an_address_are_what_the_environment_takes(
    postgres: EmbeddedPostgres, database: str
) -> None:
    url = postgres.sqlalchemy_url(database)
    assert environment.sqlalchemy_url(url, "FCB_POSTGRES_URL") == url
    assert environment.libpq_url(url) == postgres.libpq_url(database)
    assert rows(postgres.libpq_url(database), "select current_user::text") == [(ROLE,)]
    assert ROLE != "postgres"


def test_a_database_is_made_once(postgres: EmbeddedPostgres, database: str) -> None:
    assert postgres.has_database(database)
    assert not postgres.create_database(database)
    postgres.drop_database(database)
    assert not postgres.has_database(database)
    postgres.drop_database(database)


def test_a_copy_has_what_its_template_has_and_nothing_in_common(
    postgres: EmbeddedPostgres, database: str, new_database: NewDatabase
) -> None:
    rows(postgres.libpq_url(database), "create table note as select 1 as n")
    copy = new_database(template=database)
    rows(postgres.libpq_url(copy), "update note set n = 2")
    assert rows(postgres.libpq_url(database), "select n from note") == [(1,)]
    assert rows(postgres.libpq_url(copy), "select n from note") == [(2,)]


def test_a_database_in_use_can_be_dropped(postgres: EmbeddedPostgres, database: str) -> None:
    connection = psycopg2.connect(postgres.libpq_url(database))
    try:
        postgres.drop_database(database)
        assert not postgres.has_database(database)
    finally:
        connection.close()


def test_the_reader_reads_and_writes_nothing(postgres: EmbeddedPostgres, database: str) -> None:
    rows(postgres.libpq_url(database), "create table note as select 1 as n")
    reader = postgres.ensure_reader(database)
    assert postgres.ensure_reader(database) == reader
    rows(postgres.libpq_url(database), "create table later as select 2 as n")
    assert rows(reader, "select current_user::text, note.n, later.n from note, later") == [
        (READER, 1, 2)
    ]
    for statement in ("insert into note values (2)", "delete from later", "create table mine ()"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            rows(reader, statement)


def test_the_reader_may_be_made_for_many_databases_at_once(
    postgres: EmbeddedPostgres, new_database: NewDatabase
) -> None:
    names = [new_database() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(postgres.ensure_reader, names))) == 4


@pytest.mark.parametrize(
    ("dataset", "use", "name"),
    [
        ("nexa-2026-05", "nexacloud", "nexa_2026_05_nexacloud"),
        ("small", "fcb", "small_fcb"),
    ],
)
def test_a_plain_name_gives_a_plain_database(dataset: str, use: str, name: str) -> None:
    assert database_name(dataset, use) == name


def test_two_datasets_never_share_a_database() -> None:
    names = ["a-b", "a.b", "a_b", "A-b", "a--b", "x" * 80, "x" * 81]
    made = {database_name(name, "fcb") for name in names}
    assert len(made) == len(names)
    assert max(map(len, made)) <= 63
