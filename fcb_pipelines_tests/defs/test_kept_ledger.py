"""One ledger object a process: the same for the same environment and settings, and never a stale one."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.defs.runtime import connections
from fcb_pipelines.defs.runtime.resources import LedgerResource
from fcb_pipelines_tests.documents import SETTINGS, a_partner, an_invoice

ODOO = {
    "FCB_LEDGER": "odoo",
    "FCB_ODOO_URL": "http://127.0.0.1:1",
    "FCB_ODOO_DATABASE": "books",
    "FCB_ODOO_USER": "pipeline",
    "FCB_ODOO_PASSWORD": "made up",
}


def kept(tmp_path: Path, currency: str = "CAD", **variables: str) -> Ledger:
    """The kept ledger of an environment under this folder."""
    found = environment.read({"FCB_HOME": str(tmp_path), **variables})
    return connections.kept_ledger(found, SETTINGS.model_copy(update={"currency": currency}))


def elsewhere(ask: Callable[[], Ledger]) -> Ledger:
    """The answer in another thread."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(ask).result()


def test_every_asset_of_a_process_is_given_the_same_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCB_HOME", str(tmp_path))
    monkeypatch.setenv("FCB_LEDGER", "beancount")
    first = LedgerResource().open()
    assert LedgerResource().open() is first
    assert connections.kept_ledger(environment.read(), current()) is first
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "other"))
    assert LedgerResource().open() is not first


OTHERS: dict[str, Callable[[Path], Ledger]] = {
    "another folder": lambda folder: kept(folder / "other"),
    "another dataset": lambda folder: kept(folder, FCB_DATASET="demo"),
    "other settings": lambda folder: kept(folder, currency="USD"),
    "another ledger": lambda folder: kept(folder, **ODOO),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_another_environment_or_other_settings_are_another_ledger(
    tmp_path: Path, other: Callable[[Path], Ledger]
) -> None:
    first = kept(tmp_path)
    assert other(tmp_path) is not first
    assert kept(tmp_path) is first


def test_another_password_or_company_is_another_connection(tmp_path: Path) -> None:
    first = kept(tmp_path, **ODOO)
    assert kept(tmp_path, **ODOO) is first
    assert kept(tmp_path, **{**ODOO, "FCB_ODOO_PASSWORD": "another"}) is not first
    assert kept(tmp_path, **{**ODOO, "FCB_ODOO_COMPANY": "2"}) is not first


def test_a_forked_process_opens_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kept(tmp_path)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert kept(tmp_path) is not first


def test_the_books_are_for_all_threads_and_a_connection_to_odoo_for_one(tmp_path: Path) -> None:
    books, odoo = kept(tmp_path), kept(tmp_path, **ODOO)
    assert elsewhere(lambda: kept(tmp_path)) is books
    assert elsewhere(lambda: kept(tmp_path, **ODOO)) is not odoo


def test_only_the_latest_are_kept(tmp_path: Path) -> None:
    first = kept(tmp_path)
    for name in range(connections.KEPT_LEDGERS):
        kept(tmp_path / str(name))
    assert kept(tmp_path) is not first


def test_books_that_were_made_anew_in_their_folder_are_read_anew(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    ledger.setup()
    ledger.upsert_partners([a_partner()])
    ledger.write_drafts([an_invoice()])
    before = ledger.describe().identity
    shutil.rmtree(tmp_path / "production" / "books")
    ledger.setup()
    assert kept(tmp_path) is ledger
    assert ledger.describe().identity != before
    assert ledger.read_moves() == ()
