"""One writer of a ledger over all that share a Postgres: real processes, waiting, killed, refused."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import pytest

from fcb_pipelines.connectors import stopping
from fcb_pipelines.connectors.failures import Busy, Unreachable
from fcb_pipelines.connectors.store.writer import one_writer
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres

LEDGER = "odoo:books:1"
HOLDING = "fcb_pipelines_tests.connectors.store.holding"


@pytest.fixture
def url(postgres: EmbeddedPostgres, database: str) -> str:
    return postgres.sqlalchemy_url(database)


@contextmanager
def writing(
    url: str, ledger: str = LEDGER, who: str = "run 1234abcd"
) -> Iterator[subprocess.Popen[str]]:
    """A second process that writes this ledger."""
    argv = [sys.executable, "-m", HOLDING, url, ledger, who]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "writing\n"
            yield process
        finally:
            process.kill()


def nobody(holder: str) -> None:
    raise AssertionError(f"waited for {holder}")


def test_a_writer_waits_for_another_process_by_name_and_goes_on_when_it_is_killed(url: str) -> None:
    told: list[str] = []
    with ExitStack() as stack:
        other = stack.enter_context(writing(url))

        def killed_while_waited_for(holder: str) -> None:
            told.append(holder)
            other.kill()

        with one_writer(url, LEDGER, who="run 2", waits=killed_while_waited_for) as waited:
            assert waited
    assert told[0].startswith("fcb run 1234abcd on ")
    assert " since 20" in told[0]


def test_a_writer_goes_on_when_the_other_ends_by_itself(url: str) -> None:
    with writing(url) as other:

        def ended_while_waited_for(_: str) -> None:
            assert other.stdin is not None
            other.stdin.close()
            other.wait(10)

        with one_writer(url, LEDGER, who="run 2", waits=ended_while_waited_for) as waited:
            assert waited
        assert other.returncode == 0


def test_a_writer_that_waited_long_enough_is_refused_by_the_name_of_the_other(url: str) -> None:
    said = "fcb run 1234abcd on .* writes it, and did not end within 0 s.*A rerun may help"
    with (
        writing(url),
        pytest.raises(Busy, match=said),
        one_writer(url, LEDGER, who="run 2", waits=str, patience=0),
    ):
        raise AssertionError("two writers")


def test_the_second_process_waits_as_well_and_writes_after_the_first(url: str) -> None:
    argv = [sys.executable, "-m", HOLDING, url, LEDGER, "run 2"]
    with (
        one_writer(url, LEDGER, who="run 1", waits=nobody),
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as second,
    ):
        assert second.stdout is not None
        assert second.stdout.readline().startswith("fcb run 1 on ")
        second.kill()


@pytest.mark.parametrize("ledger", ["odoo:books:2", "odoo:other:1", "beancount:books"])
def test_another_ledger_has_a_writer_of_its_own(url: str, ledger: str) -> None:
    with writing(url, ledger), one_writer(url, LEDGER, who="run 2", waits=nobody) as waited:
        assert not waited


@pytest.mark.parametrize("fails", [False, True], ids=["ended", "failed"])
def test_nobody_waits_once_a_block_has(
    fails: bool, url: str, postgres: EmbeddedPostgres, database: str
) -> None:
    # A session outlives its closing by a moment, so it is asked for often, over a session that is open already.
    held = (
        "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database"
        " where locktype = 'advisory' and datname = current_database()"
    )
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        for _ in range(25):
            with (
                pytest.raises(ZeroDivisionError) if fails else nullcontext(),
                one_writer(url, LEDGER, who="run 1", waits=nobody),
            ):
                cursor.execute(held)
                assert cursor.fetchone() == (1,)
                assert not fails or 1 // 0
            cursor.execute(held)
            assert cursor.fetchone() == (0,)


def test_a_writer_whose_session_postgres_ended_does_not_pass_for_the_only_one(
    url: str, postgres: EmbeddedPostgres
) -> None:
    with (
        pytest.raises(Unreachable, match=f"writing {LEDGER} as its one writer"),
        one_writer(url, LEDGER, who="run lost", waits=nobody),
    ):
        assert ended_sessions(postgres, "fcb run lost%") == 1


def ended_sessions(postgres: EmbeddedPostgres, name: str) -> int:
    with postgres.maintenance() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like %s",
            (name,),
        )
        return cursor.rowcount


def test_a_postgres_that_does_not_answer_stops_the_writer() -> None:
    with (
        pytest.raises(Unreachable),
        one_writer("postgresql+psycopg2://127.0.0.1:1/x", LEDGER, who="run", waits=nobody),
    ):
        raise AssertionError("no lock, and it writes")


def test_a_stop_that_is_asked_for_ends_the_wait(url: str) -> None:
    with (
        writing(url),
        stopping.stoppable(),
        pytest.raises(stopping.Stopped),
        one_writer(url, LEDGER, who="run 2", waits=lambda _: stopping.ask()),
    ):
        raise AssertionError("two writers")
