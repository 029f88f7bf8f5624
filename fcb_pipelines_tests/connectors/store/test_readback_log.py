"""The log of read-backs only grows, tells only news, and keeps each set of books apart."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from fcb_pipelines.connectors.failures import NotAllowed, NotFound, Unreachable
from fcb_pipelines.connectors.store.readback_log import TABLE, Observation, ReadBackLog
from fcb_pipelines.core.ledger.moves import RELEASED, Seen
from fcb_pipelines.sandbox.postgres import READER, ROLE, EmbeddedPostgres

BOOKS, OTHER_BOOKS = "odoo:books", "beancount:books"
MOVE, PAYMENT = "stripe:acct_1:in_1", "stripe:acct_1:inpay_1"


def a_move(state: str = "draft", *, ref: str = MOVE, content: str | None = "h1") -> Observation:
    return Observation(ref=ref, kind="move", state=state, content_hash=content)


@pytest.fixture
def log(postgres: EmbeddedPostgres, database: str) -> ReadBackLog:
    """The log in a database of its own, addressed as the environment does it."""
    return ReadBackLog(postgres.sqlalchemy_url(database))


def entries(postgres: EmbeddedPostgres, database: str) -> int:
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {TABLE}")
        ((count,),) = cursor.fetchall()
        return int(count)


def test_nothing_was_seen_before_the_first_entry(log: ReadBackLog) -> None:
    assert log.latest(BOOKS) == {}
    assert log.latest(BOOKS, [MOVE]) == {}


def test_the_last_entry_of_each_ref_is_what_was_seen(log: ReadBackLog) -> None:
    paid = Observation(ref=PAYMENT, kind="settlement", state="posted", content_hash="p1")
    assert log.append(BOOKS, [a_move(), paid], run_id="run-1") == 2
    assert log.append(BOOKS, [a_move("posted")], run_id="run-2") == 1
    seen = log.latest(BOOKS)
    assert set(seen) == {MOVE, PAYMENT}
    assert seen[MOVE].seen == Seen(ref=MOVE, state="posted", content_hash="h1")
    assert (seen[MOVE].kind, seen[MOVE].run_id, seen[MOVE].reason) == ("move", "run-2", None)
    assert seen[PAYMENT].kind == "settlement"
    assert seen[PAYMENT].observed_at.tzinfo is not None
    assert set(log.latest(BOOKS, [PAYMENT, "unknown"])) == {PAYMENT}
    assert log.latest(BOOKS, []) == {}


@pytest.mark.parametrize(
    ("again", "news"),
    [
        (a_move(), 0),
        (a_move("posted"), 1),
        (a_move(content="h2"), 1),
        (a_move(content=None), 1),
    ],
)
def test_only_what_differs_is_logged(
    again: Observation, news: int, log: ReadBackLog, postgres: EmbeddedPostgres, database: str
) -> None:
    log.append(BOOKS, [a_move()], run_id="run-1")
    assert log.append(BOOKS, [again], run_id="run-2") == news
    assert entries(postgres, database) == 1 + news


def test_a_state_that_comes_back_is_news(log: ReadBackLog) -> None:
    for state in ("draft", "posted", "draft"):
        assert log.append(BOOKS, [a_move(state)], run_id="run") == 1
    assert log.latest(BOOKS)[MOVE].state == "draft"


def test_two_sets_of_books_share_nothing(log: ReadBackLog) -> None:
    log.append(BOOKS, [a_move("posted")], run_id="run")
    assert log.latest(OTHER_BOOKS) == {}
    assert log.append(OTHER_BOOKS, [a_move("posted")], run_id="run") == 1


@pytest.mark.parametrize(
    "statement",
    [
        f"update {TABLE} set state = 'draft'",
        f"update {TABLE} set state = 'draft' where false",
        f"delete from {TABLE}",
        f"truncate {TABLE}",
    ],
)
def test_even_by_sql_no_entry_changes_or_goes(
    statement: str, log: ReadBackLog, postgres: EmbeddedPostgres, database: str
) -> None:
    log.append(BOOKS, [a_move("posted")], run_id="run")
    before = log.latest(BOOKS)
    connection = psycopg2.connect(postgres.libpq_url(database))
    try:
        with connection.cursor() as cursor, pytest.raises(psycopg2.Error, match="append-only"):
            cursor.execute(statement)
    finally:
        connection.close()
    assert log.latest(BOOKS) == before
    assert entries(postgres, database) == 1


def test_a_released_ref_counts_as_never_written_until_it_is_seen_again(log: ReadBackLog) -> None:
    log.append(BOOKS, [a_move("posted")], run_id="run-1")
    log.release(BOOKS, MOVE, "deleted by mistake")
    released = log.latest(BOOKS)[MOVE]
    assert (released.state, released.reason) == (RELEASED, "deleted by mistake")
    assert (released.kind, released.content_hash) == ("move", None)
    assert log.append(BOOKS, [a_move("posted")], run_id="run-2") == 1
    assert log.latest(BOOKS)[MOVE].seen == Seen(ref=MOVE, state="posted", content_hash="h1")


@pytest.mark.parametrize(("ledger", "ref"), [(BOOKS, "unknown"), (OTHER_BOOKS, MOVE)])
def test_what_was_never_read_back_can_not_be_released(
    ledger: str, ref: str, log: ReadBackLog
) -> None:
    log.append(BOOKS, [a_move("posted")], run_id="run")
    with pytest.raises(NotFound, match="never read back"):
        log.release(ledger, ref, "why not")


def test_the_same_news_told_by_several_runs_at_once_is_logged_once(
    postgres: EmbeddedPostgres, database: str
) -> None:
    observed = [a_move("posted", ref=f"ref-{number}") for number in range(300)]

    def tell(run: int) -> int:
        log = ReadBackLog(postgres.libpq_url(database))
        return log.append(BOOKS, observed, run_id=f"run-{run}")

    with ThreadPoolExecutor(4) as runs:
        assert sorted(runs.map(tell, range(4))) == [0, 0, 0, 300]
    assert entries(postgres, database) == 300


def test_one_ref_told_twice_in_a_batch_is_logged_as_told_last(log: ReadBackLog) -> None:
    assert log.append(BOOKS, [a_move("draft"), a_move("posted")], run_id="run") == 1
    assert log.latest(BOOKS)[MOVE].state == "posted"


def test_nothing_told_is_nothing_logged(log: ReadBackLog) -> None:
    assert log.append(BOOKS, [], run_id="run") == 0


def test_the_log_outlives_whoever_wrote_it(postgres: EmbeddedPostgres, database: str) -> None:
    ReadBackLog(postgres.libpq_url(database)).append(BOOKS, [a_move()], run_id="run")
    assert MOVE in ReadBackLog(postgres.libpq_url(database)).latest(BOOKS)


def test_a_database_that_does_not_answer_is_transient() -> None:
    with pytest.raises(Unreachable) as failed:
        ReadBackLog("postgresql+psycopg2://u:hunter2@127.0.0.1:1/db").latest(BOOKS)
    assert failed.value.rerun_helps
    assert "hunter2" not in str(failed.value)


def test_a_role_that_may_not_write_is_told_so(postgres: EmbeddedPostgres, database: str) -> None:
    reader = postgres.ensure_reader(database)
    assert READER != ROLE
    with pytest.raises(NotAllowed, match="permission denied"):
        ReadBackLog(reader).append(BOOKS, [a_move()], run_id="run")
