"""The books of the version before, read by today's: every entry found, under its id and with its hashes."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from fcb_pipelines.connectors.beancount import books as beancount_books
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.beancount.loading import Loaded, is_month
from fcb_pipelines.connectors.store.frames import read_frame
from fcb_pipelines.core.ledger.moves import MoveState, is_same_document
from fcb_pipelines_tests.compatibility.before import (
    BOOKS,
    ENTRIES,
    entries,
    names_before,
    rows,
    unpack,
)
from fcb_pipelines_tests.documents import SETTINGS

# What the grammar of external ids glues to a source's id; each of these is in the old books.
SUFFIXES = (
    ":balance",
    ":credited",
    ":failed",
    ":offset",
    ":overpaid",
    ":prepaid",
    ":undone",
    ":correction:1",
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> BeancountLedger:
    """A copy of the old books, opened."""
    books = tmp_path_factory.mktemp("before") / "books"
    shutil.copytree(BOOKS, books)
    return BeancountLedger(books, SETTINGS)


def test_every_entry_is_found_under_its_id_with_its_hashes(ledger: BeancountLedger) -> None:
    assert list(entries(ledger)) == rows(ENTRIES)


def test_every_entry_is_found_without_the_months_that_do_not_concern_it(
    ledger: BeancountLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {each.ref: each for each in (*ledger.read_moves(), *ledger.read_settlements())}
    months: list[int] = []
    load = beancount_books.load_part

    def counted(*arguments: Any, **how: Any) -> Loaded:
        months.append(len([name for name in arguments[2] if is_month(name)]))
        return load(*arguments, **how)

    monkeypatch.setattr(beancount_books, "load_part", counted)
    for ref, found in whole.items():
        alone = BeancountLedger(ledger.main_file.parent, SETTINGS)
        assert [*alone.read_moves([ref]), *alone.read_settlements([ref])] == [found]
    assert len(months) >= len(whole)
    assert sum(months) / len(months) < len(list((BOOKS / "journal").iterdir())) / 2


def test_what_stands_is_still_what_its_hash_says(ledger: BeancountLedger) -> None:
    """The digest of what is read back is that which the version before kept with it."""
    moves = [move for move in ledger.read_moves() if move.state is MoveState.POSTED]
    settlements = ledger.read_settlements()
    assert len(moves) > 100 < len(settlements)
    otherwise = [move.ref for move in moves if not is_same_document(move, move.stored_hash)]
    otherwise += [
        each.ref for each in settlements if each.settlement.content_hash != each.stored_hash
    ]
    assert otherwise == []


def test_the_old_books_have_every_kind_of_external_id() -> None:
    refs = [row["ref"] for row in rows(ENTRIES)]
    assert [suffix for suffix in SUFFIXES if not any(suffix in ref for ref in refs)] == []


def test_every_frame_is_read_with_all_of_its_columns(tmp_path: Path) -> None:
    unpack(tmp_path)
    files = sorted((tmp_path / "frames").rglob("*.parquet"))
    told = {name.partition(" ")[::2] for name in names_before()["columns"]}
    for file in files:
        frame = read_frame(file)
        asset = _asset(file.relative_to(tmp_path / "frames"))
        columns = {column for key, column in told if key == asset}
        assert columns
        assert columns <= set(frame.columns), file
    assert len(files) > 100


def _asset(file: Path) -> str:
    """The asset's key: the folder of a month's frame, the file of one without a month."""
    is_month = file.stem[:4].isdigit()
    return (file.parent if is_month else file.with_suffix("")).as_posix()
